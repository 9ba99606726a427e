"""The targets outside the registry's own account and region: SageMaker, SSM and the vault of each place.

Another account has a role for Signoff that only CreateModel assumes (infra/workload.py); SageMaker reads model data
from buckets of its own region, so each further region has a vault (infra/region.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import client, client_as, error_code, error_message
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.errors import TargetFault
from signoff.identity.principals import account_of

ROLE = "role/signoff/SignoffDeployer"
_DENIED = {"AccessDenied", "AccessDeniedException"}
# A session that expires sooner is not used.
_LEFT = timedelta(minutes=5)


class TargetAccounts:
    """SageMaker, SSM and the vault of each place. `vaults` are the names of the vaults of further regions."""

    def __init__(self, home: Vault, vaults: Mapping[str, str], sts: Any, now: Clock) -> None:
        self._home = home
        self._vaults = vaults
        self._sts = sts
        self._now = now
        self._sessions: dict[str, dict[str, Any]] = {}

    def registry(self, place: str, package: str) -> Registry:
        """Return SageMaker of `place` (`<account>/<region>`) for a `package` (an ARN) of the registry.

        Raises `TargetFault` when Signoff cannot access the place's account.
        """
        return Registry(self._client("sagemaker", place, package))

    def parameters(self, place: str, package: str) -> Any:
        """Return the SSM client of `place`, where its champions are published. Raises `TargetFault` as `registry`."""
        return self._client("ssm", place, package)

    def vault(self, place: str, package: str) -> Vault:
        """Return the vault that models in `place` load from. Raises `TargetFault` for a region that has none."""
        region = place.split("/")[1]
        if region == package.split(":")[3]:
            return self._home
        if region not in self._vaults:
            raise TargetFault(f"there is no vault in {region}; deploy Signoff with `-c regions={region}` first")
        return Vault(Bucket(client("s3", region), self._vaults[region]))

    def _client(self, service: str, place: str, package: str) -> Any:
        account, region = place.split("/")
        if account == account_of(package):
            return client(service, region)
        return client_as(self._session(account, package.split(":")[1]), service, region)

    def _session(self, account: str, partition: str) -> dict[str, Any]:
        kept = self._sessions.get(account)
        if kept is None or kept["Expiration"] < self._now() + _LEFT:
            kept = self._sessions[account] = self._assumed(f"arn:{partition}:iam::{account}:{ROLE}")
        return kept

    def _assumed(self, role: str) -> dict[str, Any]:
        try:
            answer = self._sts.assume_role(RoleArn=role, RoleSessionName="signoff-create-model")
        except ClientError as error:
            if error_code(error) not in _DENIED:
                raise
            raise TargetFault(
                f"{role} cannot be assumed ({error_message(error)}); deploy SignoffWorkload in that account"
            ) from error
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials
