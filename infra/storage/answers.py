"""The bucket where the transform jobs of temporary models write what these answered."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import DeploymentSettings
from infra.storage.buckets import AccessLogBucket, deny
from infra.storage.life_cycles import common, keep, life_cycle

# The vault has a copy by then.
ANSWER_DAYS = 7


class AnswersBucket(s3.Bucket):
    """Where the transform jobs of temporary models write what these answered, for a few days.

    Only the role that SageMaker runs these models under may write: what is read here decides about them.
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
        super().__init__(
            scope,
            construct_id,
            **common(settings, key),
            lifecycle_rules=life_cycle(
                settings, s3.LifecycleRule(id="Expire", expiration=cdk.Duration.days(ANSWER_DAYS))
            ),
            server_access_logs_bucket=logs,
            server_access_logs_prefix="answers/",
        )
        keep(self, settings)

    def protect(self, writer: iam.IRole) -> None:
        """Let nobody put objects here but `writer`."""
        self.add_to_resource_policy(
            deny("OnlyAnswers", ["s3:PutObject"], [self.arn_for_objects("*")], unless=[writer.role_arn])
        )
