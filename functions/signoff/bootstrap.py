"""Puts the adapters together for a function's settings; each handler takes from here just what its function uses."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.aws.clients import client
from signoff.aws.ecr import ImageResolver
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.deployment.champions import Champions
from signoff.governance.candidates import Governance
from signoff.runtime.clock import utc_now


@dataclass(frozen=True)
class LedgerSettings:
    """Where the ledger and its index are."""

    ledger_table: str
    packages_table: str


@dataclass(frozen=True)
class PackageSettings(LedgerSettings):
    """What every function needs that works on packages: the ledger, the policies, the vault and the registry.

    `registry` is what the ARNs of the registry's packages begin with: `arn:aws:sagemaker:<region>:<account>`.
    """

    registry: str
    policy_path: str
    vault_bucket: str


@dataclass(frozen=True)
class ChampionSettings(PackageSettings):
    """What the functions need besides that publish champions."""

    champion_path: str


def ledger(settings: LedgerSettings) -> LedgerTable:
    """Return the ledger."""
    return LedgerTable(client("dynamodb"), settings.ledger_table, settings.packages_table, utc_now)


def registry() -> Registry:
    """Return SageMaker's registry."""
    return Registry(client("sagemaker"))


def policies(settings: PackageSettings) -> Policies:
    """Return the policies in force."""
    return Policies(client("ssm"), settings.policy_path)


def governance(settings: PackageSettings) -> Governance:
    """Return what tells Signoff's packages from others."""
    return Governance(registry(), policies(settings), settings.registry)


def champions(settings: ChampionSettings) -> Champions:
    """Return the champions, as the ledger knows them and as they are published."""
    return Champions(client("ssm"), settings.champion_path, ledger(settings))


def bucket(name: str, owner: str | None = None) -> Bucket:
    """Return the bucket of that name, which must be of the account `owner` if that is given."""
    return Bucket(client("s3"), name, owner)


def vault(name: str) -> Vault:
    """Return the vault that is kept in the bucket of that name."""
    return Vault(bucket(name))


def images() -> ImageResolver:
    """Return the images in Amazon ECR."""
    return ImageResolver(client("ecr"))


def identity_verifier(audience: str) -> IdentityVerifier:
    """Return the callers of this region's STS, who prove what they state to `audience` (a bus's ARN)."""
    return IdentityVerifier.of(client("sts"), audience, utc_now)
