"""What all buckets have in common, and how long they keep what."""

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra import names
from infra.settings import REGISTERED_DAYS, DeploymentSettings

MODELS = "models/"  # the vault's prefix of copies
# How long an ephemeral stack's buckets keep anything.
EPHEMERAL_DAYS = 7


def common(settings: DeploymentSettings, key: kms.IKey | None) -> dict[str, Any]:
    """What all buckets have in common, as keyword arguments."""
    return {
        "encryption": s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        "encryption_key": key,
        "bucket_key_enabled": bool(key),
        "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
        # Uploads of other accounts belong to the bucket's owner too: no access control lists.
        "object_ownership": s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        "enforce_ssl": True,
        "removal_policy": cdk.RemovalPolicy.RETAIN,
    }


def life_cycle(settings: DeploymentSettings, *rules: s3.LifecycleRule) -> list[s3.LifecycleRule]:
    """The rules of a bucket; an ephemeral stack's buckets also empty themselves, what is locked as soon as it may go.

    CloudFormation deletes no bucket that holds anything, and nobody may delete from the vault.
    """
    return [
        s3.LifecycleRule(id="AbortUnfinishedUploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(7)),
        *rules,
        *(emptying("") if settings.ephemeral else ()),
    ]


def emptying(prefix: str) -> tuple[s3.LifecycleRule, s3.LifecycleRule]:
    """The rules by which an ephemeral stack's bucket empties itself."""
    days = cdk.Duration.days(EPHEMERAL_DAYS)
    return (
        s3.LifecycleRule(
            id="Empty", prefix=prefix, expiration=days, noncurrent_version_expiration=cdk.Duration.days(1)
        ),
        s3.LifecycleRule(id="EmptyOfMarkers", prefix=prefix, expired_object_delete_marker=True),
    )


def tiering() -> s3.LifecycleRule:
    """Copies that nobody reads become cheaper, and are read as quickly: of a model in use, none costs more to read.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html
    """
    return s3.LifecycleRule(
        id="TierModels",
        prefix=MODELS,
        transitions=[
            s3.Transition(storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=cdk.Duration.days(30))
        ],
    )


def expiring(days: int) -> tuple[s3.LifecycleRule, s3.LifecycleRule]:
    """What becomes of copies that nobody approves: S3 adds a delete marker, and deletes the copy a month later.

    Only copies have the tag (signoff.aws.vault), and approval changes it; S3 cannot look for a tag that is missing. A
    lock keeps a version from being deleted, but its key from no delete marker: the tag alone says what may expire.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-lifecycle
    """
    name, value = names.UNDECIDED
    return (
        s3.LifecycleRule(
            id="ExpireUnapproved",
            prefix=MODELS,
            tag_filters={name: value},
            expiration=cdk.Duration.days(days),
            noncurrent_version_expiration=cdk.Duration.days(30),
        ),
        s3.LifecycleRule(id="ForgetExpired", prefix=MODELS, expired_object_delete_marker=True),
    )


def forgetting(days: int) -> Iterator[s3.LifecycleRule]:
    """What becomes of uploads: those of a registered submission are in the vault, the others wait for their sender."""
    name, value = names.REGISTERED
    for rule, after, tags in (("ExpireRegistered", REGISTERED_DAYS, {name: value}), ("ExpireUploads", days, None)):
        yield s3.LifecycleRule(
            id=rule,
            tag_filters=tags,
            expiration=cdk.Duration.days(after),
            noncurrent_version_expiration=cdk.Duration.days(REGISTERED_DAYS),
        )
    yield s3.LifecycleRule(id="ForgetExpired", expired_object_delete_marker=True)


def keep(bucket: s3.Bucket, settings: DeploymentSettings) -> None:
    """Have the bucket keep its policy when the stack goes: what it holds is not to be less protected then."""
    if bucket.policy and not settings.ephemeral:
        bucket.policy.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
