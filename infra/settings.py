"""A deployment's settings, read from the CDK context (`-c name=value` or cdk.json)."""

import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# CloudWatch Logs takes no other number of days (PutRetentionPolicy).
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653)

# The stages of notifications, each with its own topic (`Stage` in signoff.ledger.entries).
STAGES = ("registrations", "approvals", "decisions", "deployments")
# Where they may be: an SNS protocol, and how its endpoint is written.
# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
_TARGETS = {
    "email": r"mailto:([^\s@:,]+@[^\s@:,]+\.[^\s@:,]+)",
    "https": r"(https://[^\s/@]+(?:/\S*)?)",
    "sqs": r"(arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[\w-]{1,80})",
    "lambda": r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[\w-]{1,64}(?::[\w$-]+)?)",
}


class SettingFault(ValueError):
    """Raised when a context value is not one that the app understands."""


# How long uploads stay whose submission is registered: their copies in the vault are what counts.
REGISTERED_DAYS = 7


@dataclass(frozen=True)
class CentralRegistry:
    """The central registry of a workload account: its account, region, stack, and bucket names.

    deployed_to are other regions in which models are created.
    """

    account: str
    region: str
    artifacts_bucket: str
    vault_bucket: str
    stack: str = "Signoff"
    deployed_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subscriber:
    """A subscriber to a stage's notifications: an SNS protocol ("email", "https", "sqs", "lambda") and its endpoint."""

    stage: str
    protocol: str
    endpoint: str


@dataclass(frozen=True)
class DeploymentSettings:
    """One deployment's choices.

    architecture: "arm64" or "x86_64" (`-c architecture=host` takes that of this machine).
    bundle: "wheels" puts the locked dependencies beside the functions; "source" leaves them out, for an engine
        whose workers run in an environment that has them.
    customer_managed_key: encrypt everything at rest with one KMS key of the account.
    ephemeral: the stack may be deleted with its tables, its buckets empty themselves, and locks end after a day: for
        trying things out.
    lock_mode, lock_days: the vault's default retention; approved_retention_days: that of what was approved.
    uploads_days: after how many days uploads expire, those of registered submissions after a week; 0 for never.
    unapproved_days: after how many days the vault's copies expire that were never approved; 0 for never.
    suffix: what the names of the regional vaults and of the key's alias end in, after a stack that has left its own.
    log_retention_days: how long logs are kept.
    policies: the folder of policy files; workflow: the state machine's definition.
    source_buckets: names of further buckets whose artifacts may be registered (by pipelines, by hand).
    held_out_buckets: names of buckets with the rows that models are measured by, beside the objects that policies name.
    source_keys: ARNs of the KMS keys that what lies in those buckets is encrypted with.
    execution_roles: ARNs of further roles that a deployment may run under, besides those the policies name.
    regions: further regions in which a vault is kept, for models that are deployed there.
    shared_prefixes: beginnings of group names (`fraud-`): if all groups with such a name are open to the same accounts,
        AWS's policies name the prefix and not each group.
    vpc: models may be put into a VPC; known by itself where a policy file names one.
    projects: offer the project template to SageMaker, as a product and in S3; project_principals: the ARNs of who may
        use the product (roles and users; patterns without an account, `arn:aws:iam:::role/Data*`).
    package_keys: ARNs of KMS keys that manifests may have packages encrypted with (SecurityConfig).
    sweep_calls: how many calls each run of the sweep makes to look at what is not open; with it, a round takes a day.
    inspect_concurrency: reserved concurrency of InspectArtifact, 0 for none.
    queue_concurrency: how many messages of one queue are handled at once, at most; 2 suits a new account, whose
        functions have ten executions at once in all.
    artifacts_bucket_name, vault_bucket_name: fixed names; CloudFormation makes them up otherwise.
    alarm_topic_arn: the SNS topic that alarms notify, if any.
    notify: who is notified of which stage, `<stage>:<target>` each: mailto:<address>, https://<url>, or the ARN of an
        SQS queue or a Lambda function.
    central: where the registry is, for the stack of a workload account.
    nag: check the app against cdk-nag's AwsSolutions pack.
    """

    architecture: str = "arm64"
    bundle: str = "wheels"
    customer_managed_key: bool = False
    ephemeral: bool = False
    lock_mode: str = "GOVERNANCE"
    lock_days: int = 14
    approved_retention_days: int = 2557
    uploads_days: int = 90
    unapproved_days: int = 365
    suffix: str = ""
    log_retention_days: int = 90
    policies: Path = ROOT / "infra" / "policies"
    workflow: Path = ROOT / "statemachine" / "validation.asl.json"
    source_buckets: tuple[str, ...] = ()
    held_out_buckets: tuple[str, ...] = ()
    source_keys: tuple[str, ...] = ()
    execution_roles: tuple[str, ...] = ()
    package_keys: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    shared_prefixes: tuple[str, ...] = ()
    vpc: bool = False
    projects: bool = False
    project_principals: tuple[str, ...] = ()
    sweep_calls: int = 43
    inspect_concurrency: int = 0
    queue_concurrency: int = 10
    artifacts_bucket_name: str | None = None
    vault_bucket_name: str | None = None
    alarm_topic_arn: str | None = None
    notify: tuple[Subscriber, ...] = ()
    central: CentralRegistry | None = None
    nag: bool = True


def read(context: Callable[[str], Any]) -> DeploymentSettings:
    """The settings that `context` (a CDK node's try_get_context) gives; what it leaves out has its default.

    Raises SettingFault when a value is not one of those allowed.
    """
    ephemeral = _flag("ephemeral", context("ephemeral"), default=False)
    return DeploymentSettings(
        architecture=_architecture(context("architecture")),
        bundle=_choice("bundle", context("bundle"), ("wheels", "source")),
        customer_managed_key=_flag("customerManagedKey", context("customerManagedKey"), default=False),
        ephemeral=ephemeral,
        lock_mode=_choice("lockMode", context("lockMode"), ("GOVERNANCE", "COMPLIANCE")),
        lock_days=1 if ephemeral else _number("lockDays", context("lockDays"), DeploymentSettings.lock_days, least=1),
        approved_retention_days=1
        if ephemeral
        else _number(
            "approvedRetentionDays", context("approvedRetentionDays"), DeploymentSettings.approved_retention_days, 1
        ),
        uploads_days=_uploads_days(context),
        unapproved_days=_unapproved_days(context),
        suffix=_suffix(context("suffix")),
        log_retention_days=_log_days(context("logRetentionDays")),
        policies=_path(context("policies"), DeploymentSettings.policies),
        workflow=_path(context("workflow"), DeploymentSettings.workflow),
        source_buckets=_names(context("sourceBuckets")),
        held_out_buckets=_names(context("heldOutBuckets")),
        source_keys=_names(context("sourceKeys")),
        execution_roles=_names(context("executionRoles")),
        package_keys=_names(context("packageKeys")),
        regions=_regions(context("regions")),
        shared_prefixes=_prefixes(context("sharedPrefixes")),
        vpc=_flag("vpc", context("vpc"), default=False),
        projects=_flag("projects", context("projects"), default=False),
        project_principals=_principals(context),
        sweep_calls=_number("sweepCalls", context("sweepCalls"), DeploymentSettings.sweep_calls, least=20),
        inspect_concurrency=_number(
            "inspectConcurrency", context("inspectConcurrency"), DeploymentSettings.inspect_concurrency, least=0
        ),
        queue_concurrency=_number(
            "queueConcurrency", context("queueConcurrency"), DeploymentSettings.queue_concurrency, least=2
        ),
        artifacts_bucket_name=context("artifactsBucketName") or None,
        vault_bucket_name=context("vaultBucketName") or None,
        alarm_topic_arn=context("alarmTopicArn") or None,
        notify=tuple(_subscriber(each) for each in _names(context("notify"))),
        central=_central(context),
        nag=_flag("nag", context("nag"), default=True),
    )


def _subscriber(text: str) -> Subscriber:
    """The subscriber that `<stage>:<target>` names. Plain HTTP is refused, because notifications are confidential."""
    stage, _, target = text.partition(":")
    if stage not in STAGES:
        raise SettingFault(f"Context notify={text!r} does not begin with a stage: {', '.join(STAGES)}")
    for protocol, pattern in _TARGETS.items():
        found = re.fullmatch(pattern, target)
        if found:
            return Subscriber(stage, protocol, found[1])
    raise SettingFault(
        f"Context notify={text!r} does not name mailto:<address>, https://<url>, or the ARN of a queue or function"
    )


def _central(context: Callable[[str], Any]) -> CentralRegistry | None:
    """The registry's place, when `central` (its account) says that this is an account beside it."""
    account = context("central")
    if account is None:
        return None
    if not re.fullmatch(r"[0-9]{12}", str(account)):
        raise SettingFault(f"Context central={account!r} is not an account: it must have twelve digits")
    needed = {name: context(name) for name in ("centralRegion", "centralArtifactsBucket", "centralVaultBucket")}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingFault(f"Context central needs {', '.join(missing)} too: see the outputs of the registry's stack")
    (region,) = _regions(needed["centralRegion"])
    return CentralRegistry(
        account=str(account),
        region=region,
        artifacts_bucket=str(needed["centralArtifactsBucket"]),
        vault_bucket=str(needed["centralVaultBucket"]),
        stack=context("centralStack") or CentralRegistry.stack,
        deployed_to=_regions(context("regions")),
    )


def _regions(value: Any) -> tuple[str, ...]:
    regions = _names(value)
    wrong = [region for region in regions if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]+", region)]
    if wrong:
        raise SettingFault(f"Context regions names {', '.join(wrong)}, which is not a region (such as eu-west-1)")
    return regions


def _prefixes(value: Any) -> tuple[str, ...]:
    prefixes = _names(value)
    for prefix in prefixes:
        if not re.fullmatch(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*-", prefix):
            raise SettingFault(f"Context sharedPrefixes names {prefix!r}: a prefix of group names ends in - (fraud-)")
        if any(other != prefix and other.startswith(prefix) for other in prefixes):
            raise SettingFault(f"Context sharedPrefixes names {prefix!r} and a longer prefix that begins so: keep one")
    return tuple(dict.fromkeys(prefixes))


def _principals(context: Callable[[str], Any]) -> tuple[str, ...]:
    principals = _names(context("projectPrincipals"))
    if principals and not _flag("projects", context("projects"), default=False):
        raise SettingFault("Context projectPrincipals needs projects=true")
    wrong = [principal for principal in principals if not principal.startswith("arn:")]
    if wrong:
        raise SettingFault(
            f"Context projectPrincipals names {', '.join(wrong)}, which is not the ARN of a role or user"
        )
    return principals


def _architecture(value: Any) -> str:
    chosen = _choice("architecture", value, ("arm64", "x86_64", "host"))
    if chosen != "host":
        return chosen
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    chosen = allowed[0] if value is None else str(value)
    if chosen not in allowed:
        raise SettingFault(f"Context {name}={chosen!r} is not one of {', '.join(allowed)}")
    return chosen


def _flag(name: str, value: Any, *, default: bool) -> bool:
    if value is None:
        return default
    text = str(value).lower()
    if text not in ("true", "false"):
        raise SettingFault(f"Context {name}={value!r} is neither true nor false")
    return text == "true"


def _number(name: str, value: Any, default: int, least: int) -> int:
    text = str(default if value is None else value)
    if not text.isdecimal() or int(text) < least:
        raise SettingFault(f"Context {name}={text!r} is not a whole number of at least {least}")
    return int(text)


def _log_days(value: Any) -> int:
    days = _number("logRetentionDays", value, DeploymentSettings.log_retention_days, least=1)
    if days not in LOG_RETENTION_DAYS:
        raise SettingFault(f"Context logRetentionDays={days} is not one of {LOG_RETENTION_DAYS}")
    return days


def _uploads_days(context: Callable[[str], Any]) -> int:
    days = _number("uploadsDays", context("uploadsDays"), DeploymentSettings.uploads_days, least=0)
    if 0 < days < REGISTERED_DAYS:
        raise SettingFault(f"Context uploadsDays={days} is less than the {REGISTERED_DAYS} days of registered uploads")
    return days


def _unapproved_days(context: Callable[[str], Any]) -> int:
    days = _number("unapprovedDays", context("unapprovedDays"), DeploymentSettings.unapproved_days, least=0)
    locked = _number("lockDays", context("lockDays"), DeploymentSettings.lock_days, least=1)
    if 0 < days < locked:
        raise SettingFault(f"Context unapprovedDays={days} is less than the {locked} days of lockDays")
    return days


def _suffix(value: Any) -> str:
    if value is None:
        return ""
    if not re.fullmatch(r"-[a-z0-9]{1,8}", str(value)):
        raise SettingFault(f"Context suffix={value!r} is not - and up to eight small letters or digits (-2)")
    return str(value)


def _path(value: Any, default: Path) -> Path:
    return default if value is None else Path(str(value)).resolve()


def _names(value: Any) -> tuple[str, ...]:
    """Names from a list (cdk.json) or from text with commas (the command line, where `{a,b}` is not a list)."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    return tuple(part.strip() for part in parts if part.strip())
