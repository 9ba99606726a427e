"""Signoff on AWS, composed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra import names, policy_files
from infra.access.accounts import shared
from infra.access.auditors import AuditorPolicy
from infra.access.execution_role import make_execution_role, make_measuring_role
from infra.access.operators import OperatorPolicy
from infra.access.principals import without_covered
from infra.access.roles import Grant
from infra.alarms import Alarms
from infra.events.bus import SignoffBus
from infra.events.notifications import NotificationTopics
from infra.events.queues import DeadLetterQueue, WorkQueue
from infra.events.rules import EventRules
from infra.events.sources import read_queue, read_stream
from infra.functions import specs
from infra.functions.code_bundle import bundle
from infra.functions.function import Function, FunctionRuntime, FunctionSpec
from infra.functions.long_task import LongTask
from infra.functions.permissions import FunctionPermissions
from infra.functions.workflow import ValidationWorkflow
from infra.groups.model_package_groups import make_groups
from infra.groups.policies import make_parameters
from infra.groups.projects import ProjectPortfolio
from infra.settings import DeploymentSettings
from infra.storage.answers import AnswersBucket
from infra.storage.buckets import AccessLogBucket, ArtifactsBucket, VaultBucket
from infra.storage.encryption import make_key, regional_keys
from infra.storage.tables import LedgerEntryTable, PackageHeadTable, SubmissionStateTable


class SignoffStack(cdk.Stack):
    """Everything: buckets, tables, bus, queues, functions, workflow, rules, policies, alarms, outputs."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, construct_id, description="Signoff: the gate between a trained model and production")
        self.settings = settings
        self._keep()
        self._queue()
        self._compute()
        self._connect()
        self._watch()
        self._add_outputs()
        if settings.projects:
            ProjectPortfolio(
                self,
                "Projects",
                settings=settings,
                chosen=self.project_policies,
                artifacts=self.artifacts,
                execution_role=self.execution_role.role_arn,
            )

    def _keep(self) -> None:
        settings = self.settings
        self.policies = policy_files.load(settings.policies)
        self.project_policies = policy_files.load_projects(settings.policies) if settings.projects else []
        policy_files.refuse_conflicts([*self.policies, *self.project_policies])
        self.others = shared(self.policies, settings.shared_prefixes)
        key = make_key(self, settings, self.others)
        logs = AccessLogBucket(self, "AccessLogs", settings=settings)
        self.key = key
        self.artifacts = ArtifactsBucket(self, "Artifacts", settings=settings, key=key, logs=logs)
        self.vault = VaultBucket(self, "Vault", settings=settings, key=key, logs=logs)
        self.answers = AnswersBucket(self, "Answers", settings=settings, key=key, logs=logs)
        self.ledger = LedgerEntryTable(self, "Ledger", settings=settings, key=key)
        self.packages = PackageHeadTable(self, "Packages", settings=settings, key=key)
        self.submissions = SubmissionStateTable(self, "Submissions", settings=settings, key=key)
        self.bus = SignoffBus(self, "Bus")
        self.notifications = NotificationTopics(self, "Notifications", key=key, subscribers=settings.notify)
        vaults = [self.vault.bucket_arn, *(f"arn:{self.partition}:s3:::{name}" for name in self._regional.values())]
        self.execution_role = make_execution_role(
            self,
            vaults=vaults,
            keys=self._keys(key),
            regions=[self.region, *settings.regions],
            vpc=settings.vpc or any(policy.uses_vpc for policy in (*self.policies, *self.project_policies)),
        )
        self.measuring_role = self._measuring_role(key)
        self._make_groups()
        self.auditors = AuditorPolicy(
            self, "Auditors", vault=self.vault, ledger=self.ledger, packages=self.packages, keys=self._keys(key)
        )

    def _measuring_role(self, key: kms.IKey | None) -> iam.Role:
        keys = [Grant(("kms:Decrypt", "kms:GenerateDataKey"), (key.key_arn,))] if key else []
        arns = {"vault": self.vault.bucket_arn, "answers": self.answers.bucket_arn}
        role = make_measuring_role(self, **arns, keys=keys, region=self.region)
        self.answers.protect(role)
        return role

    def _make_groups(self) -> None:
        """The policies and the shared groups: those of a folder in a stack of its own, within this one."""
        for folder in sorted({policy.folder or "" for policy in self.policies}):
            scope = cdk.NestedStack(self, f"Groups-{folder}") if folder else self
            policies = [policy for policy in self.policies if (policy.folder or "") == folder]
            make_groups(scope, shared(policies))
            make_parameters(scope, policies, self.settings.unapproved_days, execution_role=self.execution_role.role_arn)

    @property
    def _regional(self) -> dict[str, str]:
        """The name of the vault in each further region."""
        return {
            region: names.regional_vault(self.account, region, self.settings.suffix) for region in self.settings.regions
        }

    def _keys(self, key: kms.IKey | None) -> list[Grant]:
        """Decrypting with the customer's own keys, if there are any, of this and other regions."""
        if key is None:
            return []
        return [
            Grant(("kms:Decrypt",), (key.key_arn,)),
            *regional_keys(self, self.settings.regions, ("kms:Decrypt",), self.settings.suffix),
        ]

    def _queue(self) -> None:
        self.register_queue = self._inbox("RegisterQueue", specs.REGISTER)
        # What carries a proof comes to these two: their functions are quick, so that it is retried before that expires.
        self.signature_queue = self._inbox("SignatureQueue", specs.SIGN)
        self.decision_queue = self._inbox("DecisionQueue", specs.DECIDE)
        self.deploy_queue = self._inbox("DeployQueue", specs.DEPLOY)
        self.sweep_queue = self._inbox("SweepQueue", specs.SWEEP)
        self.inboxes = (
            *(self.register_queue, self.signature_queue, self.decision_queue, self.deploy_queue, self.sweep_queue),
        )
        self.validation_dead_letters = DeadLetterQueue(self, "ValidationDeadLetters", key=self.key)
        self.announce_dead_letters = DeadLetterQueue(self, "AnnounceDeadLetters", key=self.key)
        self.others_dead_letters = (
            DeadLetterQueue(self, "OthersDeadLetters", key=self.key) if self.others.everyone else None
        )
        apart = (self.validation_dead_letters, self.announce_dead_letters, self.others_dead_letters)
        self.dead_letters = [*(inbox.dead_letters for inbox in self.inboxes), *filter(None, apart)]

    def _inbox(self, construct_id: str, shape: FunctionSpec) -> WorkQueue:
        return WorkQueue(self, construct_id, function_timeout=shape.duration, key=self.key)

    def _compute(self) -> None:
        self.bundle, digest = bundle(self.settings.architecture, self.settings.bundle)
        code = lambda_.Code.from_asset(str(self.bundle), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM)
        self.runtime = FunctionRuntime(self.settings, code, self.key)
        may = self.may = self._permissions()
        self.keep_signature = self._reader("KeepSignature", specs.SIGN, self.signature_queue, may.keep_signature())
        registering = may.register_model(self.keep_signature.function_arn)
        self.register_model = self._reader("RegisterModel", specs.REGISTER, self.register_queue, registering)
        self.register_model.add_environment("SIGNOFF_KEEP_SIGNATURE", self.keep_signature.function_name)
        self.open_validation = self._function("OpenValidation", specs.OPEN, may.open_validation())
        keeping = [*may.keep_artifact(), *may.ask_for("kept/")]
        inspecting = [*may.inspect_artifact(), *may.ask_for("inspected/")]
        self.keep_artifact = self._function("KeepArtifact", specs.KEEP, keeping)
        self.inspect_artifact = self._function("InspectArtifact", self._inspection(), inspecting)
        self.evaluate_model = self._evaluator()
        self.record_evidence = self._function("RecordEvidence", specs.RECORD, may.record_evidence())
        self.apply_decision = self._reader("ApplyDecision", specs.DECIDE, self.decision_queue, may.apply_decision())
        days = str(self.settings.approved_retention_days)
        self.apply_decision.add_environment("SIGNOFF_APPROVED_RETENTION_DAYS", days)
        self.apply_decision.add_environment("SIGNOFF_LOCK_MODE", self.settings.lock_mode)
        for first_to_see in (self.open_validation, self.record_evidence, self.apply_decision):
            first_to_see.add_environment("SIGNOFF_REGISTRAR", self._registrar())
        self.create_model = self._reader(names.MODEL_MAKER, specs.DEPLOY, self.deploy_queue, may.create_model())
        if self._regional:
            vaults = ",".join(f"{region}={name}" for region, name in self._regional.items())
            self.create_model.add_environment("SIGNOFF_REGIONAL_VAULTS", vaults)
        self.workflow = self._workflow()
        self.sweep = self._sweeper()
        self.announce = self._announcer()
        self.record_baseline = self._function("RecordBaseline", specs.BASELINE, may.record_baseline())
        self.functions = (
            *(self.register_model, self.keep_signature, self.open_validation, self.keep_artifact),
            *(self.inspect_artifact, self.evaluate_model, self.record_evidence),
            *(self.apply_decision, self.create_model, self.sweep, self.announce, self.record_baseline),
        )

    def _evaluator(self) -> Function:
        every = (*self.policies, *self.project_policies)
        asked = [part for each in every for part in (each.policy.evaluation, each.policy.smoke) if part]
        rows = [*(part.data.uri for part in asked), *(f"{name}/*" for name in self.settings.held_out_buckets)]
        may = self.may.evaluate_model(self.measuring_role.role_arn, self.answers, rows)
        writing = {"SIGNOFF_ANSWERS_BUCKET": self.answers.bucket_name}
        settings = {**writing, "SIGNOFF_MEASURING_ROLE": self.measuring_role.role_arn}
        return self._function("EvaluateModel", specs.EVALUATE, may, settings)

    def _registrar(self) -> str:
        """The role that makes packages of submissions as SageMaker names it: a session's ARN has no path."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.register_model.own_role.role_name}"

    def _permissions(self) -> FunctionPermissions:
        roles = {self.execution_role.role_arn, *self.settings.execution_roles}
        every = (*self.policies, *self.project_policies)
        named = {role for policy in every for role in policy.execution_roles}
        named |= {target.execution_role for target in self.others.targets if target.account is None}
        return FunctionPermissions(
            stack=self,
            artifacts=self.artifacts,
            vault=self.vault,
            ledger=self.ledger,
            packages=self.packages,
            submissions=self.submissions,
            source_buckets=self.settings.source_buckets,
            source_keys=self.settings.source_keys,
            execution_roles=without_covered(roles | named),
            package_keys=self.settings.package_keys,
            validation_roles=without_covered(
                role for policy in self.policies for role in policy.policy.validation.roles
            ),
            others=self.others,
            regional_vaults=self._regional,
            suffix=self.settings.suffix,
            regional_keys=self.settings.regions if self.settings.customer_managed_key else (),
        )

    def _inspection(self) -> FunctionSpec:
        return replace(specs.INSPECT, reserved=self.settings.inspect_concurrency or None)

    def _function(
        self,
        construct_id: str,
        shape: FunctionSpec,
        grants: Sequence[Grant],
        environment: Mapping[str, str] | None = None,
    ) -> Function:
        return Function(
            self,
            construct_id,
            runtime=self.runtime,
            shape=shape,
            grants=grants,
            environment={**self._environment(), **(environment or {})},
        )

    def _environment(self) -> dict[str, str]:
        return {
            "SIGNOFF_ARTIFACTS_BUCKET": self.artifacts.bucket_name,
            "SIGNOFF_VAULT_BUCKET": self.vault.bucket_name,
            "SIGNOFF_LEDGER_TABLE": self.ledger.table_name,
            "SIGNOFF_PACKAGES_TABLE": self.packages.table_name,
            "SIGNOFF_SUBMISSIONS_TABLE": self.submissions.table_name,
            "SIGNOFF_BUS": self.bus.event_bus_arn,
            "SIGNOFF_BUS_NAME": self.bus.event_bus_name,
            "SIGNOFF_REGISTRY": f"arn:{self.partition}:sagemaker:{self.region}:{self.account}",
            "SIGNOFF_POLICY_PATH": names.POLICIES,
            "SIGNOFF_CHAMPION_PATH": names.CHAMPIONS,
            "POWERTOOLS_SERVICE_NAME": "signoff",
            "POWERTOOLS_METRICS_NAMESPACE": "Signoff",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def _reader(self, construct_id: str, shape: FunctionSpec, inbox: WorkQueue, grants: Sequence[Grant]) -> Function:
        """A function that reads its own queue."""
        function = self._function(construct_id, shape, [*grants, self.may.consume(inbox)])
        most = self.settings.queue_concurrency
        read_queue(function, inbox, min(shape.at_once or most, most))
        return function

    def _workflow(self) -> ValidationWorkflow:
        steps = (
            *(self.open_validation, self.keep_artifact, self.inspect_artifact),
            *(self.evaluate_model, self.record_evidence),
        )
        may = self.may
        keeping, inspecting = may.carry_out("kept/"), may.carry_out("inspected/")
        self.keep_at_length = self._at_length("Keep", "keeps", [*may.keep_artifact(), *keeping])
        self.inspect_at_length = self._at_length("Inspect", "inspects", [*may.inspect_artifact(), *inspecting])
        return ValidationWorkflow(
            self,
            "Validation",
            runtime=self.runtime,
            functions={f"{step.node.id}Arn": step.function_arn for step in steps},
            at_length=[self.keep_at_length, self.inspect_at_length],
        )

    def _at_length(self, verb: str, does: str, grants: Sequence[Grant]) -> LongTask:
        return LongTask(
            self,
            f"{verb}AtLength",
            module=f"signoff.{verb.lower()}_in_build",
            description=f"{does.capitalize()} artifacts that take longer than a function may run",
            runtime=self.runtime,
            bundle=self.bundle,
            grants=grants,
            environment={"SIGNOFF_VAULT_BUCKET": self.vault.bucket_name, "POWERTOOLS_SERVICE_NAME": "signoff"},
        )

    def _sweeper(self) -> Function:
        queues = (self.register_queue, self.decision_queue, self.deploy_queue)
        grants = self.may.sweep(self.workflow.state_machine_arn, self.workflow.executions_arn, queues)
        sweep = self._reader("Sweep", specs.SWEEP, self.sweep_queue, grants)
        sweep.add_environment("SIGNOFF_VALIDATION_ARN", self.workflow.state_machine_arn)
        sweep.add_environment("SIGNOFF_SWEEP_CALLS", str(self.settings.sweep_calls))
        sweep.add_environment("SIGNOFF_LOCK_MODE", self.settings.lock_mode)
        sweep.add_environment("SIGNOFF_APPROVED_RETENTION_DAYS", str(self.settings.approved_retention_days))
        for name, queue in zip(("REGISTER", "DECISION", "DEPLOY"), queues, strict=True):
            sweep.add_environment(f"SIGNOFF_{name}_QUEUE_URL", queue.queue_url)
        return sweep

    def _announcer(self) -> Function:
        grants = self.may.announce(self.announce_dead_letters, self.notifications.arns)
        announce = self._function("Announce", specs.ANNOUNCE, grants, self.notifications.environment)
        read_stream(announce, self.ledger, self.announce_dead_letters)
        return announce

    def _connect(self) -> None:
        EventRules(
            self,
            "Rules",
            artifacts=self.artifacts,
            bus=self.bus,
            register=self.register_queue,
            signature=self.signature_queue,
            decision=self.decision_queue,
            deploy=self.deploy_queue,
            sweep=self.sweep_queue,
            workflow=self.workflow,
            workflow_dead_letters=self.validation_dead_letters,
            others=self.others,
            others_dead_letters=self.others_dead_letters,
        )
        self.bus.protect(announcer=self.announce.own_role, others=self.others.everyone)
        every = (*self.policies, *self.project_policies)
        self.bus.reserve(
            {source: who for policy in every for source, who in policy.policy.approvals.publishers.items()}
        )
        self.notifications.protect(announcer=self.announce.own_role)
        self.artifacts.open_to(self.others)
        self.artifacts.reserve(self.policies, families=self.others.families, registrar=self.register_model.own_role)
        self.vault.open_to(self.others)
        self._protect_vault()

    def _protect_vault(self) -> None:
        register, keep, inspect, decide = (
            function.own_role.role_arn
            for function in (self.register_model, self.keep_artifact, self.inspect_artifact, self.apply_decision)
        )
        keep_long, inspect_long = (task.own_role.role_arn for task in (self.keep_at_length, self.inspect_at_length))
        opening, record = self.open_validation.own_role.role_arn, self.record_evidence.own_role.role_arn
        evaluate = [self.evaluate_model.own_role.role_arn]
        self.vault.protect(
            writers={
                "models/": [register, keep, keep_long],
                "registrations/": [register],
                "signatures/": [self.keep_signature.own_role.role_arn],
                "findings/": [inspect, inspect_long],
                "requests/": [keep, inspect],
                "kept/": [keep_long],
                "inspected/": [inspect_long],
                "evidence/": [record],
                "policies/": [opening, decide],
                "decisions/": [decide],
                "held-out/": evaluate,
                "measured/": evaluate,
                "heads/": [self.sweep.own_role.role_arn],
            },
            retainers=[decide],
        )

    def _watch(self) -> None:
        alarms = Alarms(self, "Alarms", topic_arn=self.settings.alarm_topic_arn)
        for inbox in self.inboxes:
            alarms.on_queue(inbox)
        for letters in self.dead_letters:
            alarms.on_dead_letters(letters)
        for function in self.functions:
            alarms.on_function(function)
        alarms.on_workflow(self.workflow)
        alarms.on_progress()
        self.operators = OperatorPolicy(
            self,
            "Operators",
            inboxes=self.inboxes,
            dead_letters=self.dead_letters,
            ledger=self.ledger,
            packages=self.packages,
            workflow=(self.workflow.state_machine_arn, self.workflow.executions_arn),
            functions=self.functions,
            invoked=[self.sweep, self.announce],
            forwards=self.others_dead_letters is not None,
            keys=[Grant(("kms:Decrypt", "kms:GenerateDataKey"), (self.key.key_arn,))] if self.key else [],
        )

    def _add_outputs(self) -> None:
        """The outputs for the command, and the parameter for other apps."""
        ssm.StringParameter(
            self,
            "BaselineRecorder",
            parameter_name=names.BASELINE_RECORDER,
            string_value=self.record_baseline.function_arn,
            description="The function that records baselines: signoff_cdk.BaselineModel looks it up here",
        )
        outputs = {
            "ArtifactsBucket": self.artifacts.bucket_name,
            "VaultBucket": self.vault.bucket_name,
            "LedgerTable": self.ledger.table_name,
            "PackagesTable": self.packages.table_name,
            "SubmissionsTable": self.submissions.table_name,
            "BusName": self.bus.event_bus_name,
            "BusArn": self.bus.event_bus_arn,
            "ValidationArn": self.workflow.state_machine_arn,
            "PolicyPath": names.POLICIES,
            "ChampionPath": names.CHAMPIONS,
            "RegisterQueueUrl": self.register_queue.queue_url,
            "DecisionQueueUrl": self.decision_queue.queue_url,
            "DeployQueueUrl": self.deploy_queue.queue_url,
            "RegisterFunction": self.register_model.function_name,
            "SweepFunction": self.sweep.function_name,
            "ModelExecutionRoleArn": self.execution_role.role_arn,
            "AuditorPolicyArn": self.auditors.managed_policy_arn,
            "OperatorPolicyArn": self.operators.managed_policy_arn,
            **self.notifications.outputs,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
