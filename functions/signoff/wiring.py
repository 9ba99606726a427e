"""Puts the adapters together for a function's settings; each handler takes from here just what its function uses."""

from __future__ import annotations

from typing import Protocol

from signoff.clients import client
from signoff.governance import Governance
from signoff.images import Images
from signoff.moments import utc_now
from signoff.objects import Bucket
from signoff.policies import Policies
from signoff.registry import Registry
from signoff.tables import LedgerTable
from signoff.vault import Vault


class LedgerSettings(Protocol):
    """Where the ledger and its index are."""

    @property
    def ledger_table(self) -> str: ...  # noqa: D102
    @property
    def packages_table(self) -> str: ...  # noqa: D102


class GovernanceSettings(LedgerSettings, Protocol):
    """The ledger, and where policies are."""

    @property
    def policy_path(self) -> str: ...  # noqa: D102


def ledger(settings: LedgerSettings) -> LedgerTable:
    """Return the ledger."""
    return LedgerTable(client("dynamodb"), settings.ledger_table, settings.packages_table, utc_now)


def registry() -> Registry:
    """Return SageMaker's registry."""
    return Registry(client("sagemaker"))


def policies(settings: GovernanceSettings) -> Policies:
    """Return the policies in force."""
    return Policies(client("ssm"), settings.policy_path)


def governance(settings: GovernanceSettings) -> Governance:
    """Return what tells Signoff's packages from others."""
    return Governance(registry(), policies(settings), ledger(settings))


def bucket(name: str) -> Bucket:
    """Return the bucket of that name."""
    return Bucket(client("s3"), name)


def vault(name: str) -> Vault:
    """Return the vault that is kept in the bucket of that name."""
    return Vault(bucket(name))


def images() -> Images:
    """Return the images in Amazon ECR."""
    return Images(client("ecr"))
