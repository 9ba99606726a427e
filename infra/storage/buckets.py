"""The buckets: uploaded submissions, the vault, and the access logs of both."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import names
from infra.access.accounts import Families, OtherAccounts, SharedGroup, roots
from infra.access.compliance import acknowledge
from infra.access.principals import principal_arns
from infra.policy_files import PolicyFile
from infra.settings import DeploymentSettings
from infra.storage.life_cycles import MODELS, common, emptying, expiring, forgetting, keep, life_cycle, tiering

# The vault's prefixes. Writes anywhere else are denied to everyone.
DOCUMENTS = (
    "registrations/",
    "signatures/",
    "findings/",
    "evidence/",
    "policies/",
    "decisions/",
    "requests/",
    "kept/",
    "inspected/",
    "heads/",
    "measured/",
)
# Copies of the rows that models are measured with.
HELD_OUT = "held-out/"
PREFIXES = (MODELS, HELD_OUT, *DOCUMENTS)
# The daily heads of all ledgers, which get a long retention when they are written.
HEADS = "heads/"


class AccessLogBucket(s3.Bucket):
    """S3's record of every request to the other two buckets, kept for 400 days."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: DeploymentSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            # S3 delivers access logs only to buckets encrypted with its own keys.
            **common(settings, key=None),
            lifecycle_rules=list(emptying(""))
            if settings.ephemeral
            else [s3.LifecycleRule(id="Expire", expiration=cdk.Duration.days(400))],
        )
        keep(self, settings)
        acknowledge(self, "AwsSolutions-S1", "It holds the access logs: logging its own requests would never end")


class ArtifactsBucket(s3.Bucket):
    """The bucket for uploaded submissions; EventBridge gets an event for every object created."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: DeploymentSettings,
        key: kms.IKey | None,
        logs: AccessLogBucket,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            **common(settings, key),
            bucket_name=settings.artifacts_bucket_name,
            versioned=True,
            lifecycle_rules=life_cycle(settings, *(forgetting(settings.uploads_days) if settings.uploads_days else ())),
            server_access_logs_bucket=logs,
            server_access_logs_prefix="artifacts/",
        )
        keep(self, settings)
        # The construct's own property would add a custom resource with a function.
        resource = self.node.default_child
        if isinstance(resource, s3.CfnBucket):
            resource.add_property_override(
                "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
            )

    def open_to(self, others: OtherAccounts) -> None:
        """Let the accounts that may submit to a group upload and read below its own prefix, and nowhere else."""
        reading, writing = ("s3:GetObject", "s3:GetObjectVersion"), ("s3:PutObject", "s3:AbortMultipartUpload")
        actions = (*reading, *writing, "s3:ListMultipartUploadParts")
        for accounts, groups in others.opened(lambda group: tuple(sorted(group.submit))):
            _open(self, "Submit", accounts, actions, [f"{name}/*" for name in groups])

    def reserve(self, policies: Iterable[PolicyFile], *, families: Families, registrar: iam.IRole) -> None:
        """Refuse uploads below a group's prefix to all but the submitters that its own policy names.

        Submitters of other accounts must be named in the policy too. `registrar` writes its report there. A principal's
        ARN does not distinguish users of IAM Identity Center: the proof in the submission does. Uploads under another
        spelling of the group's name are not refused here, but by the functions, for which it is the same group.
        """
        reserved: dict[tuple[str, ...], list[str]] = {}
        for policy in policies:
            if policy.group and policy.policy.submissions.submitters:
                submitters = tuple(principal_arns(policy.policy.submissions.submitters))
                reserved.setdefault(submitters, []).append(policy.group)
        for submitters, groups in reserved.items():
            patterns = families.patterns(groups)
            self.add_to_resource_policy(
                deny(
                    f"OnlySubmitters{_digest(submitters)}",
                    ["s3:PutObject"],
                    [self.arn_for_objects(f"{name}/*") for name in sorted({*patterns, *map(str.lower, patterns)})],
                    unless=[*submitters, registrar.role_arn],
                )
            )


class VaultBucket(s3.Bucket):
    """The write-once bucket of everything that is validated and deployed.

    Object Lock protects versions, not keys; so the bucket policy lets only the named roles put, each under its own
    prefixes, and lets nobody delete, bypass or change what protects the objects. With GOVERNANCE, the default, only the
    account's root user can remove the bucket policy, visibly, for example to undo a mistaken retention of years.
    COMPLIANCE (`-c lockMode=COMPLIANCE`) prevents even that.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: DeploymentSettings,
        key: kms.IKey | None,
        logs: AccessLogBucket,
    ) -> None:
        days = cdk.Duration.days(settings.lock_days)
        compliance = settings.lock_mode == "COMPLIANCE"
        super().__init__(
            scope,
            construct_id,
            **common(settings, key),
            bucket_name=settings.vault_bucket_name,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(days)
            if compliance
            else s3.ObjectLockRetention.governance(days),
            # Set here because the bucket policy refuses every later change of the life cycle.
            lifecycle_rules=life_cycle(
                settings, tiering(), *(expiring(settings.unapproved_days) if settings.unapproved_days else ())
            ),
            server_access_logs_bucket=logs,
            server_access_logs_prefix="vault/",
        )
        keep(self, settings)

    def open_to(self, others: OtherAccounts) -> None:
        """Let the deployers of a group's models read them: whole accounts, and the execution roles of targets."""
        actions = ("s3:GetObject", "s3:GetObjectVersion")
        for accounts, groups in others.opened(lambda group: tuple(sorted(group.deploy))):
            _open(self, "Deploy", accounts, actions, [f"{MODELS}{name}/*" for name in groups])
        for elsewhere, groups in others.opened(_execution_roles):
            accounts = sorted({account for _, account in elsewhere})
            # A condition, not a principal: S3 takes a role as principal only once the role exists.
            roles = {"ArnEquals": {"aws:PrincipalArn": [role for role, _ in elsewhere]}}
            _open(self, "Models", accounts, actions, [f"{MODELS}{name}/*" for name in groups], roles)

    def protect(self, *, writers: Mapping[str, Sequence[str]], retainers: Sequence[str]) -> None:
        """Deny deletion and weaker protection; deny puts except to `writers` (ARN patterns of roles, by prefix).

        `retainers` are the roles that may extend an object's retention; for the heads it is their writers.
        """
        self.add_to_resource_policy(
            deny(
                "NobodyDeletesOrBypasses",
                [
                    *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"),
                    *("s3:PutObjectLegalHold", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
                ],
                [self.arn_for_objects("*")],
            )
        )
        self.add_to_resource_policy(_keep_what_is_approved(self.arn_for_objects(f"{MODELS}*")))
        self.add_to_resource_policy(
            deny(
                "NobodyLoosensTheVault",
                [
                    "s3:DeleteBucket",
                    "s3:PutBucketObjectLockConfiguration",
                    "s3:PutBucketVersioning",
                    "s3:PutLifecycleConfiguration",
                    "s3:PutReplicationConfiguration",
                ],
                [self.bucket_arn],
            )
        )
        self.add_to_resource_policy(
            deny(
                "OnlyDecisionsExtendRetention",
                ["s3:PutObjectRetention", "s3:PutObjectVersionTagging"],
                [self.arn_for_objects(f"{prefix}*") for prefix in PREFIXES if prefix != HEADS],
                unless=retainers,
            )
        )
        self.add_to_resource_policy(
            deny(
                "OnlyTheirWriterLocksHeads",
                ["s3:PutObjectRetention"],
                [self.arn_for_objects(f"{HEADS}*")],
                unless=writers.get(HEADS, ()),
            )
        )
        self._write_documents_once()
        self._reserve(writers)

    def _write_documents_once(self) -> None:
        """Deny to everyone, their writers too, putting a document where there is one.

        Copies of artifacts cannot be protected so: S3 takes no copies where this is asked for.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        """
        documents = [self.arn_for_objects(f"{prefix}*") for prefix in DOCUMENTS]
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="DocumentsAreWrittenOnce",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=documents,
                conditions={"Null": {"s3:if-none-match": "true"}},
            )
        )

    def _reserve(self, writers: Mapping[str, Sequence[str]]) -> None:
        """Deny puts under each prefix except to its writers, and anywhere else to everyone."""
        for prefix in PREFIXES:
            name = prefix.rstrip("/").capitalize()
            self.add_to_resource_policy(
                deny(
                    f"OnlyItsWriters{name}",
                    # Who copies also tags the copy, in one request.
                    ["s3:PutObject", *(["s3:PutObjectTagging"] if prefix == MODELS else [])],
                    [self.arn_for_objects(f"{prefix}*")],
                    unless=writers.get(prefix, ()),
                )
            )
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyPutsElsewhere",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                not_resources=[self.arn_for_objects(f"{prefix}*") for prefix in PREFIXES],
            )
        )


def _execution_roles(group: SharedGroup) -> tuple[tuple[str, str], ...]:
    """The roles that a group's models run under in other accounts, each with its account."""
    return tuple(sorted({(target.execution_role, target.account) for target in group.targets if target.account}))


def _digest(parts: Iterable[str]) -> str:
    """What tells statements of one kind apart in their ids: another statement does not change it."""
    return sha256(" ".join(parts).encode()).hexdigest()[:8]


def _open(
    bucket: s3.Bucket,
    kind: str,
    accounts: Sequence[str],
    actions: Sequence[str],
    prefixes: Sequence[str],
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Allow other accounts `actions` on the objects of `prefixes`, and to list them.

    Without ListBucket, S3 answers AccessDenied for a missing object.
    """
    principals: list[iam.IPrincipal] = [
        iam.ArnPrincipal(root) for root in roots(cdk.Stack.of(bucket).partition, accounts)
    ]
    sid = f"{kind}{_digest([*accounts, *prefixes])}"
    listed = {**(conditions or {}), "StringLike": {"s3:prefix": list(prefixes)}}
    objects = [bucket.arn_for_objects(prefix) for prefix in prefixes]
    for suffix, granted, resources, where in (
        ("", list(actions), objects, conditions),
        ("List", ["s3:ListBucket"], [bucket.bucket_arn], listed),
    ):
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"{sid}{suffix}", principals=principals, actions=granted, resources=resources, conditions=where
            )
        )


def _keep_what_is_approved(models: str) -> iam.PolicyStatement:
    """Deny to everyone, the writers too, another tag for what has been approved, so that it never expires."""
    name, value = names.APPROVED
    return iam.PolicyStatement(
        sid="NobodyLetsTheApprovedExpire",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
        resources=[models],
        conditions={"StringEquals": {f"s3:ExistingObjectTag/{name}": value}},
    )


def deny(sid: str, actions: list[str], resources: list[str], unless: Sequence[str] = ()) -> iam.PolicyStatement:
    """A statement of a bucket's policy that denies `actions` to everyone but the roles `unless` (ARN patterns)."""
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=actions,
        resources=resources,
        conditions={"ArnNotLike": {"aws:PrincipalArn": list(unless)}} if unless else {},
    )
