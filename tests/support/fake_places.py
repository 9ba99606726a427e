"""Further accounts and regions in memory: SageMaker, SSM and vault of each, with the interface of `TargetAccounts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.errors import TargetFault
from tests.support.fake_bucket import FakeS3
from tests.support.fake_registry import FakeRegistry
from tests.support.fakes import FakeParameters

HOME = "us-east-1"


class FakeTargetAccounts:
    """Places are made when first asked for; `closed` are those that let nobody in, `vaults` the further regions'.

    `wrap` is put around what is given out, so that a test can interrupt calls to it.
    """

    def __init__(self, s3: FakeS3, now: Clock, vaults: dict[str, str], wrap: Callable[[Any], Any]) -> None:
        self._wrap = wrap
        self._s3 = s3
        self._now = now
        self.vaults = vaults
        self.registries: dict[str, FakeRegistry] = {}
        self.stores: dict[str, FakeParameters] = {}
        self.closed: set[str] = set()
        self.failures: dict[str, Exception] = {}

    def of(self, place: str) -> FakeRegistry:
        """SageMaker of a place."""
        account, region = place.split("/")
        where = f"arn:aws:sagemaker:{region}:{account}"
        return self.registries.setdefault(place, FakeRegistry(self._now, where=where))

    def registry(self, place: str, package: str) -> FakeRegistry:
        if place in self.closed:
            raise TargetFault(f"the role of {place} cannot be assumed")
        if place in self.failures:
            raise self.failures[place]
        wrapped: FakeRegistry = self._wrap(self.of(place))
        return wrapped

    def store(self, place: str) -> FakeParameters:
        """SSM of a place."""
        return self.stores.setdefault(place, FakeParameters(self._now))

    def parameters(self, place: str, package: str) -> FakeParameters:
        if place in self.closed:
            raise TargetFault(f"the role of {place} cannot be assumed")
        wrapped: FakeParameters = self._wrap(self.store(place))
        return wrapped

    def vault(self, place: str, package: str) -> Vault:
        region = place.split("/")[1]
        if region == HOME:
            return Vault(self._wrap(self._s3.bucket("vault")))
        if region not in self.vaults:
            raise TargetFault(f"there is no vault in {region}")
        return Vault(self._wrap(self._s3.bucket(self.vaults[region])))
