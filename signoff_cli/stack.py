"""What a deployed Signoff consists of, found from its stack's outputs through ordinary AWS settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from signoff.aws.eventbridge import Bus
    from signoff.aws.ledger_table import LedgerTable
    from signoff.aws.s3 import Bucket
    from signoff.aws.sagemaker import Registry
    from signoff.aws.ssm import Policies
    from signoff.aws.step_functions import Executions
    from signoff.aws.vault import Vault
    from signoff.deployment.champions import Champions
    from signoff_cli.audit.deployed_policies import PolicyAuditor
    from signoff_cli.operations.doctor import Doctor
    from signoff_cli.operations.parts import Parts
    from signoff_cli.operations.redrive import Redriver
    from signoff_cli.projects.client import ProjectClient
    from signoff_cli.statements.bus import StatementBus
    from signoff_cli.workload import RegistryLocation

# boto3 and all that imports it are loaded when a command first speaks to AWS: `signoff --help` does not wait for them.


# The registry's stack unless --stack says otherwise, and that of an account beside it (infra/app.py).
REGISTRY, WORKLOAD = "Signoff", "SignoffWorkload"


class Stack:
    """The adapters of one deployed stack."""

    def __init__(self, outputs: Mapping[str, str], name: str = REGISTRY) -> None:
        self._outputs = outputs
        self._name = name

    @classmethod
    def find(cls, name: str) -> Stack:
        """Return the stack of that name, or in place of the registry's own that of a workload account.

        Raises `CommandFailed` when this account and region have neither.
        """
        cloudformation = _client("cloudformation")
        outputs = _outputs(cloudformation, name)
        if outputs is None and name == REGISTRY:
            outputs = _outputs(cloudformation, WORKLOAD)
        if outputs is None:
            raise CommandFailed(_no_stack(name, cloudformation.meta))
        return cls(outputs, name)

    @property
    def artifacts(self) -> Bucket:
        """The bucket that submissions are uploaded to."""
        from signoff.aws.s3 import Bucket

        return Bucket(_client("s3"), self.output("ArtifactsBucket"))

    @property
    def vault(self) -> Vault:
        """The vault, for reading."""
        from signoff.aws.s3 import Bucket
        from signoff.aws.vault import Vault

        return Vault(Bucket(_client("s3"), self.output("VaultBucket")))

    @property
    def ledger(self) -> LedgerTable:
        """The ledger and the index of its heads."""
        from signoff.aws.ledger_table import LedgerTable
        from signoff.runtime.clock import utc_now

        return LedgerTable(_client("dynamodb"), self.output("LedgerTable"), self.output("PackagesTable"), utc_now)

    @property
    def champions(self) -> Champions:
        """The champions of the groups, as the ledger knows them and as they are published."""
        from signoff.deployment.champions import Champions

        return Champions(_client("ssm"), self.output("ChampionPath"), self.ledger)

    @property
    def bus(self) -> Bus:
        """The bus that decisions are sent to."""
        from signoff.aws.eventbridge import Bus
        from signoff.notification.announcements import COMMAND_SOURCE

        return Bus(_client("events"), self.output("BusName"), COMMAND_SOURCE)

    @property
    def statement_bus(self) -> StatementBus:
        """The bus, for what the caller signs."""
        from signoff_cli.statements.bus import StatementBus

        return StatementBus(self.bus, self.audience)

    @property
    def policies(self) -> Policies:
        """The policies in force."""
        from signoff.aws.ssm import Policies

        return Policies(_client("ssm"), self.output("PolicyPath"))

    def policy_auditor(self) -> PolicyAuditor:
        """Return what compares the policies in force with those that the stack deployed."""
        from signoff_cli.audit.deployed_policies import PolicyAuditor

        return PolicyAuditor(self.policies, self._template, self._outputs)

    def _template(self) -> Any:
        """Return the stack's template, with what the stacks nested in it contain."""
        from signoff_cli.audit.deployed_policies import nested_stacks, with_nested

        cloudformation = _client("cloudformation")

        def template(stack: str) -> Any:
            return cloudformation.get_template(StackName=stack)["TemplateBody"]

        def physical(logical: str) -> str:
            found = cloudformation.describe_stack_resource(StackName=self._name, LogicalResourceId=logical)
            return str(found["StackResourceDetail"]["PhysicalResourceId"])

        own = template(self._name)
        nested = {logical: template(physical(logical)) for logical in nested_stacks(own)}
        return with_nested(own, nested) if nested else own

    @property
    def registry(self) -> Registry:
        """SageMaker's model registry and models."""
        from signoff.aws.sagemaker import Registry

        return Registry(_client("sagemaker"))

    @property
    def projects(self) -> ProjectClient:
        """SageMaker's projects."""
        from signoff_cli.projects.client import ProjectClient

        newest = self._outputs.get("ProjectTemplateUrl")
        return ProjectClient(_client("sagemaker"), _client("servicecatalog"), self.registry, self.ledger, newest)

    @property
    def executions(self) -> Executions:
        """The validation workflow."""
        from signoff.aws.step_functions import Executions

        return Executions(_client("stepfunctions"), self.output("ValidationArn"))

    def doctor(self) -> Doctor:
        """Return what looks at all parts of the stack."""
        from signoff.runtime.clock import utc_now
        from signoff_cli.operations.doctor import Doctor

        return Doctor(
            stack=self._name,
            list_parts=self._parts,
            clients=_client,
            ledger=self.ledger,
            executions=self.executions,
            policies=self.policies,
            sweep_function=self.output("SweepFunction"),
            now=utc_now(),
        )

    def redriver(self, queue: str, pause: Callable[[], None]) -> Redriver:
        """Return what moves the letters of the dead-letter queue of that name; `pause` waits between two looks.

        Raises `CommandFailed` when the stack has no such queue.
        """
        from signoff_cli.operations.dead_letters import DeadLetterQueue
        from signoff_cli.operations.destinations import destination_of
        from signoff_cli.operations.redrive import Redriver

        parts = self._parts()
        queues = parts.dead_letter_queues()
        if queue not in queues:
            raise CommandFailed(f"there is no dead-letter queue {queue}; there are {', '.join(queues)}")
        destination = destination_of(queue, parts, _client, self.executions.start)
        return Redriver(DeadLetterQueue(_client("sqs"), queue, queues[queue]), destination, _client("sqs"), pause)

    def _parts(self) -> Parts:
        from signoff_cli.operations.parts import Parts

        self.output("SweepFunction")  # says where to run it instead, in an account beside the registry's
        return Parts.of_stack(_client("cloudformation"), self._name)

    @property
    def registry_location(self) -> RegistryLocation | None:
        """Where the registry is, when this is the stack of a workload account beside it."""
        from signoff_cli.workload import RegistryLocation

        outputs = self._outputs
        return (
            RegistryLocation(outputs["CentralAccount"], outputs["CentralRegion"])
            if "CentralAccount" in outputs
            else None
        )

    @property
    def audience(self) -> str:
        """The ARN of the registry's bus, which statements are made to wherever they are signed."""
        location = self.registry_location
        if location is None:
            return self.output("BusArn")
        partition = _client("sts").meta.partition
        return f"arn:{partition}:events:{location.region}:{location.account}:event-bus/signoff"

    @property
    def home_region(self) -> str:
        """The region of the registry, whose STS is asked who signed."""
        return self.audience.split(":")[3]

    def output(self, key: str) -> str:
        """Return one of the stack's outputs. Raises `CommandFailed` when it has none of that key."""
        try:
            return self._outputs[key]
        except KeyError:
            if self.registry_location:
                raise CommandFailed(_elsewhere(self.registry_location)) from None
            raise CommandFailed(
                f"the stack has no output {key}: it is not a Signoff stack, or one of another version"
            ) from None


def caller() -> str:
    """Return the ARN that the present credentials stand for (STS GetCallerIdentity)."""
    return str(_client("sts").get_caller_identity()["Arn"])


def current_location() -> RegistryLocation:
    """Return the present account and region as the place of the registry."""
    from signoff_cli.workload import RegistryLocation

    sts = _client("sts")
    return RegistryLocation(str(sts.get_caller_identity()["Account"]), str(sts.meta.region_name))


def s3() -> Any:
    """Return the S3 client."""
    return _client("s3")


def _client(service: str) -> Any:
    from signoff.aws.clients import client
    from signoff_cli.unreachable import fail_fast

    return fail_fast(client(service))


def _elsewhere(location: RegistryLocation) -> str:
    return (
        f"this command needs the registry, which is in account {location.account} ({location.region}): run it there. "
        "From this account you can run `signoff submit`, `approve`, `reject`, `revoke`, `reopen`, `annotate` and `show`"
    )


def _outputs(cloudformation: Any, name: str) -> dict[str, str] | None:
    """Return the outputs of the stack of that name, or None when there is none."""
    from botocore.exceptions import ClientError

    from signoff.aws.clients import error_code, error_message

    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}


def _no_stack(name: str, meta: Any) -> str:
    return (
        f"there is no CloudFormation stack {name} in {meta.region_name} ({meta.endpoint_url}); deploy it there, or "
        "choose another with AWS_PROFILE, AWS_REGION and --stack"
    )
