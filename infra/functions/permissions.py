"""Each function's permissions: exactly the calls that it makes, on the resources it uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra import names
from infra.access.accounts import OtherAccounts
from infra.access.roles import Grant
from infra.functions.image_permissions import look_up_images, read_image_scans
from infra.functions.model_permissions import LIST_ONLY, make_models, publish_champions, read_champions, show_approvals
from infra.storage.encryption import regional_keys

ANY_PACKAGE = "Which packages and groups there are is decided by those who register, not by the stack"
ANY_OBJECT = "The keys under the prefix are those of the submissions"
STATUS = "sagemaker:ModelApprovalStatus"


@dataclass(frozen=True)
class FunctionPermissions:
    """The grants of each function, over the stack's resources.

    source_buckets are names of further buckets to read artifacts from; execution_roles are the ARNs that models may
    run under, validation_roles those that SageMaker may test packages under; others are the accounts and regions that
    models are deployed to beside this, regional_vaults the names of the vaults in further regions, and regional_keys
    those of the regions that have a key of the customer's own; package_keys are ARNs of keys that packages may be
    encrypted with (SecurityConfig), source_keys of those that objects in further buckets are.
    """

    stack: cdk.Stack
    artifacts: s3.Bucket
    vault: s3.Bucket
    ledger: dynamodb.Table
    packages: dynamodb.Table
    submissions: dynamodb.Table
    source_buckets: Sequence[str]
    execution_roles: Sequence[str]
    validation_roles: Sequence[str]
    others: OtherAccounts = field(default_factory=lambda: OtherAccounts(()))
    regional_vaults: Mapping[str, str] = field(default_factory=dict)
    regional_keys: Sequence[str] = ()
    suffix: str = ""
    package_keys: Sequence[str] = ()
    source_keys: Sequence[str] = ()

    def register_model(self, signature_keeper: str) -> list[Grant]:
        """Completes a submission: copies to the vault, creates the package, reports to the submitter.

        `signature_keeper` is the ARN of the function that is asked who signed.
        """
        return [
            Grant(("lambda:InvokeFunction",), (signature_keeper,)),
            self._find(self.artifacts, self.vault),
            Grant(
                (
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:GetObjectVersionTagging",
                    "s3:PutObjectVersionTagging",
                ),
                (self.artifacts.arn_for_objects("*"),),
                ANY_OBJECT,
            ),
            Grant(("s3:PutObject",), (self.artifacts.arn_for_objects("*/registration-report.json"),), ANY_OBJECT),
            self._read_vault("models/", "registrations/"),
            self._write_vault("models/", "registrations/"),
            *self._copy(),
            Grant(("dynamodb:GetItem", "dynamodb:PutItem"), (self.submissions.table_arn,)),
            *self._append(),
            # All names of policies, before a group is created that has none in its own spelling.
            self._policies("ssm:GetParametersByPath"),
            self._groups("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListTags", "AddTags"),
            self._packages("DescribeModelPackage"),
            Grant(
                ("sagemaker:CreateModelPackage",),
                (self._arn("model-package/*"), self._arn("model-package-group/*")),
                ANY_PACKAGE,
                {"StringEqualsIfExists": {STATUS: "PendingManualApproval"}},
            ),
            look_up_images(self.stack),
            *self._package_keys(),
            *(
                [self._pass_roles(self.validation_roles, "A policy names the roles that packages may be tested under")]
                if self.validation_roles
                else []
            ),
        ]

    def keep_signature(self) -> list[Grant]:
        """Keeps who signed a submission. STS needs no permission to say that."""
        signed = (self.artifacts.arn_for_objects("*/submission.json"),)
        return [
            self._find(self.artifacts, self.vault),
            Grant(("s3:GetObject",), signed, ANY_OBJECT),
            self._read_vault("signatures/"),
            self._write_vault("signatures/"),
        ]

    def open_validation(self) -> list[Grant]:
        """Opens an attempt: reads what the registry, the policy and the registration say, and claims the package."""
        return [
            *self._append(),
            *self._governance(),
            self._groups("AddTags"),
            self._find(self.vault),
            self._read_vault("evidence/", "registrations/"),
            self._write_vault("policies/"),
        ]

    def keep_artifact(self) -> list[Grant]:
        """Copies an artifact to the vault when it is not there yet, and hashes the copy."""
        buckets = [f"arn:{self.stack.partition}:s3:::{name}" for name in self.source_buckets]
        sources = (self.artifacts.arn_for_objects("*"), *(f"{bucket}/*" for bucket in buckets))
        return [
            Grant(
                ("s3:ListBucket", "s3:ListBucketVersions"),
                (self.artifacts.bucket_arn, self.vault.bucket_arn, *buckets),
            ),
            Grant(("s3:GetObject", "s3:GetObjectVersion"), sources, ANY_OBJECT),
            self._read_vault("models/"),
            self._read_versions("models/"),
            self._write_vault("models/"),
            *self._copy(),
            *([Grant(("kms:Decrypt",), tuple(self.source_keys))] if self.source_keys else []),
        ]

    def inspect_artifact(self) -> list[Grant]:
        """Reads an artifact in the vault and writes its findings, and nothing else: it parses what may be hostile."""
        return [
            self._find_versions(self.vault),
            self._read_vault("policies/"),
            self._read_versions("models/"),
            self._write_vault("findings/"),
        ]

    def ask_for(self, results: str) -> list[Grant]:
        """A function's further grants: it asks in the vault for what it has no time for, and takes it from there."""
        return [self._write_vault("requests/"), self._read_vault(results)]

    def carry_out(self, results: str) -> list[Grant]:
        """A build's further grants: it reads what it is asked for, and leaves its result."""
        return [self._read_vault("requests/", results), self._write_vault(results)]

    def record_evidence(self) -> list[Grant]:
        """Evaluates the findings; writes the evidence, the ledger entry, the package's metadata or its rejection."""
        return [
            *self._append(),
            *self._governance(),
            self._update_package(),
            look_up_images(self.stack, *self.regional_vaults),
            *read_image_scans(self.stack, "DescribeImageScanFindings", "DescribeImageSigningStatus"),
            self._find(self.vault),
            self._read_vault("registrations/", "signatures/", "findings/", "policies/", "evidence/", "measured/"),
            self._read_versions("models/"),
            self._write_vault("evidence/"),
            self._index("by-group"),
        ]

    def evaluate_model(self, measuring_role: str, answers: s3.Bucket, rows: Sequence[str]) -> list[Grant]:
        """Makes and deletes temporary models, by their names; keeps the rows they are asked about, and the answers.

        `rows` are the `s3://` URIs of the objects that policies name, and `<bucket>/*` of buckets that may hold more.
        """
        objects = sorted({f"arn:{self.stack.partition}:s3:::{uri.removeprefix('s3://')}" for uri in rows})
        return [
            Grant(("dynamodb:Query",), (self.ledger.table_arn,)),
            self._index("by-group"),
            self._packages("DescribeModelPackage"),
            *self._package_keys(),
            look_up_images(self.stack),
            self._temporary("model", "CreateModel", "DescribeModel", "DeleteModel", "AddTags"),
            self._temporary("transform-job", "DescribeTransformJob", "StopTransformJob"),
            self._pass_roles([measuring_role], "One role, which temporary models alone run under"),
            *([Grant(("s3:GetObjectVersion",), objects, ANY_OBJECT)] if objects else []),
            *([Grant(("kms:Decrypt",), tuple(self.source_keys))] if objects and self.source_keys else []),
            self._find(self.vault, answers),
            Grant(("s3:GetObject", "s3:GetObjectVersion"), (answers.arn_for_objects("*"),), ANY_OBJECT),
            self._read_vault("policies/", "registrations/", "evidence/", "held-out/", "measured/"),
            self._read_versions("held-out/"),
            self._write_vault("held-out/", "measured/"),
        ]

    def apply_decision(self) -> list[Grant]:
        """Decides by policy and ledger, projects the decision to the registry, extends the retention."""
        kept = self._in_vault("models/", "evidence/", "policies/", "decisions/")
        return [
            *self._append(),
            *self._governance(),
            self._update_package(may_approve=True),
            self._find_versions(self.vault),
            self._read_vault("evidence/", "registrations/", "decisions/"),
            self._write_vault("policies/", "decisions/"),
            self._index("by-deployed"),
            Grant(("s3:GetObjectRetention", "s3:PutObjectRetention"), kept, ANY_OBJECT),
            Grant(("s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging"), self._in_vault("models/"), ANY_OBJECT),
        ]

    def create_model(self) -> list[Grant]:
        """Makes the deployable model agree with the ledger."""
        return [
            *self._append(),
            *self._governance(),
            self._update_package(),
            Grant(("sagemaker:CreateModel",), (self._arn("model-package/*"),), ANY_PACKAGE),
            Grant(("sagemaker:ListEndpoints",), ("*",), LIST_ONLY),
            *make_models(self.stack, self.stack.region, ANY_PACKAGE),
            self._pass_roles(self.execution_roles, "A policy or the context names these execution roles by pattern"),
            self._find_versions(self.vault),
            self._read_vault("models/", "evidence/", "decisions/"),
            self._read_versions("models/"),
            *self._champions(),
            self._index("by-arn"),
            *self._elsewhere(),
            *show_approvals(self.stack),
        ]

    def _elsewhere(self) -> list[Grant]:
        """Making the same models in other accounts and regions, from the vault's copies there."""
        grants = regional_keys(self.stack, self.regional_keys, ("kms:Decrypt", "kms:GenerateDataKey"), self.suffix)
        deployers = [
            self.stack.format_arn(
                service="iam", region="", account=account, resource=f"role{names.ROLES}{names.DEPLOYER}"
            )
            for account in self.others.targeted
        ]
        if deployers:
            grants.append(Grant(("sts:AssumeRole",), deployers))
        own = sorted({target.region for target in self.others.targets if target.account is None})
        for region in own:
            grants += make_models(self.stack, region, "The group's models are also made in this region")
            grants.append(publish_champions(self.stack, region))
        vaults = [f"arn:{self.stack.partition}:s3:::{name}" for name in self.regional_vaults.values()]
        if vaults:
            copies = tuple(f"{vault}/models/*" for vault in vaults)
            actions = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload")
            grants += [Grant(("s3:ListBucket", "s3:ListBucketVersions"), vaults), Grant(actions, copies, ANY_OBJECT)]
        return grants

    def sweep(self, machine_arn: str, executions_arn: str, queues: Sequence[sqs.IQueue]) -> list[Grant]:
        """Finds what lacks its next step and restarts it, through the same queues and workflow as events."""
        return [
            *self._append(),
            *self._sweep_tables(),
            *self._champions(),
            Grant(("states:StartExecution",), (machine_arn,)),
            Grant(("states:DescribeExecution",), (executions_arn,), "Executions are named when they start"),
            Grant(("sqs:SendMessage",), tuple(queue.queue_arn for queue in queues)),
            self._find(self.artifacts, self.vault),
            self._read_vault("evidence/", "heads/"),
            look_up_images(self.stack),
            *read_image_scans(self.stack, "DescribeImageScanFindings"),
            *self._keep_heads(),
            self._packages("DescribeModelPackage", "BatchDescribeModelPackage"),
            *self._package_keys(),
            Grant(("sagemaker:ListModels", "sagemaker:ListTransformJobs"), ("*",), LIST_ONLY),
            self._temporary("model", "DescribeModel", "DeleteModel"),
            self._temporary("transform-job", "StopTransformJob"),
            Grant(("sagemaker:ListModelPackages", "sagemaker:Search"), ("*",), LIST_ONLY),
            self._groups("DescribeModelPackageGroup", "ListTags"),
            self._policies(),
            read_champions(self.stack),
        ]

    def _sweep_tables(self) -> list[Grant]:
        """What the sweep reads of the two indexes, and the one row in which it keeps where its round is."""
        only_its_round = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [names.ROUND]}}
        return [
            *map(self._index, ("by-next", "by-due", "by-arn", "by-deployed", "by-group")),
            Grant(("dynamodb:Scan",), (f"{self.packages.table_arn}/index/by-group",)),
            Grant(("dynamodb:BatchGetItem",), (self.packages.table_arn, self.submissions.table_arn)),
            Grant(("dynamodb:GetItem",), (self.submissions.table_arn,)),
            Grant(("dynamodb:Query",), (f"{self.submissions.table_arn}/index/by-open",)),
            Grant(("dynamodb:PutItem",), (self.submissions.table_arn,), conditions=only_its_round),
        ]

    def _keep_heads(self) -> list[Grant]:
        """Keeping the heads of all ledgers, locked from creation on for as long as approved artifacts."""
        return [
            Grant(("dynamodb:Scan",), (self.packages.table_arn,)),
            Grant(("s3:PutObject", "s3:PutObjectRetention"), self._in_vault("heads/"), ANY_OBJECT),
        ]

    def record_baseline(self) -> list[Grant]:
        """Records what other stacks deploy: looks at the model, the stack and the group's policy, publishes."""
        stacks = self.stack.format_arn(service="cloudformation", resource="stack/*")
        return [
            *self._append(),
            *self._champions(),
            self._groups("DescribeModelPackageGroup", "ListTags"),
            self._policies(),
            Grant(("sagemaker:DescribeModel",), (self._arn("model/*"),), "Other teams' stacks name their models"),
            Grant(("cloudformation:DescribeStackResource",), (stacks,), "Policies name the stacks, by pattern"),
        ]

    def announce(self, failures: sqs.IQueue, topics: Sequence[str]) -> list[Grant]:
        """Reads the ledger's stream, puts its entries on the bus, and notifies people on the `topics` (ARNs)."""
        stream = self.ledger.table_stream_arn or ""
        return [
            Grant(("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), (stream,)),
            Grant(("dynamodb:ListStreams",), ("*",), "DynamoDB's ListStreams names no resource; Lambda asks for it"),
            Grant(("sqs:SendMessage",), (failures.queue_arn,)),
            Grant(("events:PutEvents",), (names.bus_arn(self.stack),)),
            Grant(("sns:Publish",), tuple(topics)),
        ]

    def consume(self, queue: sqs.IQueue) -> Grant:
        """Lambda's access to a function's queue under the function's role."""
        reading = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
        return Grant(tuple(f"sqs:{action}" for action in reading), (queue.queue_arn,))

    def _append(self) -> list[Grant]:
        """Reading a ledger and adding to it: a transaction of puts, which are all that it may write."""
        return [
            Grant(("dynamodb:PutItem", "dynamodb:Query"), (self.ledger.table_arn,)),
            Grant(("dynamodb:PutItem",), (self.packages.table_arn,)),
        ]

    def _governance(self) -> list[Grant]:
        """Finding out whether a package is governed, and by which policy."""
        return [
            self._packages("DescribeModelPackage"),
            self._groups("DescribeModelPackageGroup", "ListTags"),
            self._policies(),
            *self._package_keys(),
        ]

    def _package_keys(self) -> list[Grant]:
        """SageMaker's use, on the caller's behalf, of the key of an encrypted package."""
        if not self.package_keys:
            return []
        via = {"StringEquals": {"kms:ViaService": f"sagemaker.{self.stack.region}.{self.stack.url_suffix}"}}
        actions = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
        return [Grant(actions, tuple(self.package_keys), "The context names these keys by pattern", via)]

    def _policies(self, *actions: str) -> Grant:
        arn = self.stack.format_arn(service="ssm", resource=f"parameter{names.POLICIES}/*")
        return Grant(("ssm:GetParameters", *actions), (arn,), "The path of the policies, one for each group")

    def _champions(self) -> list[Grant]:
        """Finding a group's champion by the index, and publishing it."""
        return [self._index("by-deployed"), publish_champions(self.stack, self.stack.region)]

    def _index(self, name: str) -> Grant:
        return Grant(("dynamodb:Query",), (f"{self.packages.table_arn}/index/{name}",))

    def _packages(self, *operations: str) -> Grant:
        return self._sagemaker(operations, "model-package/*")

    def _groups(self, *operations: str) -> Grant:
        return self._sagemaker(operations, "model-package-group/*")

    def _sagemaker(self, operations: Sequence[str], resource: str) -> Grant:
        return Grant(tuple(f"sagemaker:{name}" for name in operations), (self._arn(resource),), ANY_PACKAGE)

    def _update_package(self, *, may_approve: bool = False) -> Grant:
        """Only the deciding function may set a package's status to Approved."""
        conditions = {} if may_approve else {"StringNotEqualsIfExists": {STATUS: "Approved"}}
        return Grant(("sagemaker:UpdateModelPackage",), (self._arn("model-package/*"),), ANY_PACKAGE, conditions)

    def _temporary(self, kind: str, *operations: str) -> Grant:
        """Operations on temporary models (`model`) or on their jobs (`transform-job`)."""
        actions, named = tuple(f"sagemaker:{name}" for name in operations), f"{kind}/{names.TEMPORARY_MODELS}*"
        return Grant(actions, (self._arn(named),), "Their names begin alike; which there are is decided by validations")

    def _arn(self, resource: str) -> str:
        return self.stack.format_arn(service="sagemaker", resource=resource)

    def _find(self, *buckets: s3.Bucket) -> Grant:
        """Without it, S3 answers AccessDenied for a missing object."""
        return Grant(("s3:ListBucket",), tuple(bucket.bucket_arn for bucket in buckets))

    def _find_versions(self, *buckets: s3.Bucket) -> Grant:
        """What is under a prefix is compared by its versions."""
        return Grant(("s3:ListBucket", "s3:ListBucketVersions"), tuple(bucket.bucket_arn for bucket in buckets))

    def _pass_roles(self, roles: Sequence[str], why: str) -> Grant:
        conditions = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        return Grant(("iam:PassRole",), tuple(roles), why, conditions)

    def _in_vault(self, *prefixes: str) -> tuple[str, ...]:
        return tuple(self.vault.arn_for_objects(f"{prefix}*") for prefix in prefixes)

    def _read_vault(self, *prefixes: str) -> Grant:
        """What is at a key now: documents, which are written once, and what is known of a copy."""
        return Grant(("s3:GetObject",), self._in_vault(*prefixes), ANY_OBJECT)

    def _read_versions(self, *prefixes: str) -> Grant:
        """The versions of copies that evidence names, and not what else is at their keys."""
        return Grant(("s3:GetObjectVersion",), self._in_vault(*prefixes), ANY_OBJECT)

    def _write_vault(self, *prefixes: str) -> Grant:
        return Grant(("s3:PutObject",), self._in_vault(*prefixes), ANY_OBJECT)

    def _copy(self) -> list[Grant]:
        """Tagging copies as they are made, and aborting multipart copies that fail."""
        return [Grant(("s3:PutObjectTagging", "s3:AbortMultipartUpload"), self._in_vault("models/"), ANY_OBJECT)]
