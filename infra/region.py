"""Signoff in another region: a vault for the models that are deployed there.

SageMaker reads model data from buckets of the model's own region only, so CreateModel copies what was approved.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html (ModelDataUrl)
"""

from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

from infra import names, policy_files
from infra.access.accounts import shared
from infra.settings import DeploymentSettings
from infra.storage.buckets import AccessLogBucket, VaultBucket
from infra.storage.encryption import make_key


class SignoffRegionStack(cdk.Stack):
    """The vault of one further region; `central` is the name of the stack that writes to it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: DeploymentSettings, region: str, central: str
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(region=region),
            description="Signoff: what is deployed in this region",
        )
        others = shared(policy_files.load(settings.policies), settings.shared_prefixes)
        key = make_key(self, settings, others)
        logs = AccessLogBucket(self, "AccessLogs", settings=settings)
        # Only approved artifacts are copied here, so everything gets their retention.
        kept = replace(
            settings,
            vault_bucket_name=names.regional_vault(self.account, region, settings.suffix),
            lock_days=settings.approved_retention_days,
            unapproved_days=0,
        )
        self.vault = VaultBucket(self, "Vault", settings=kept, key=key, logs=logs)
        self.vault.open_to(others)
        maker = names.model_maker_role(self.partition, self.account, central)
        self.vault.protect(writers={"models/": [maker]}, retainers=[])
        cdk.CfnOutput(self, "VaultBucket", value=self.vault.bucket_name)
