"""Creates the adapters from a function's settings; each handler takes only what its function uses."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.aws.clients import client
from signoff.aws.ecr import ImageResolver
from signoff.aws.image_scans import ImageScans
from signoff.aws.ledger_table import LedgerTable, Witness
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.deployment.champions import Champions
from signoff.governance.candidates import Governance
from signoff.governance.registrations import Registrations
from signoff.runtime.clock import utc_now


@dataclass(frozen=True)
class LedgerSettings:
    """Where the ledger and its index are."""

    ledger_table: str
    packages_table: str


@dataclass(frozen=True)
class PackageSettings(LedgerSettings):
    """The settings of every function that works on packages: the ledger, the policies, the vault and the registry.

    `registry` is the prefix of the registry's package ARNs: `arn:aws:sagemaker:<region>:<account>`.
    """

    registry: str
    policy_path: str
    vault_bucket: str


@dataclass(frozen=True)
class RegistrationSettings(PackageSettings):
    """The further settings of functions that may be the first to see a package.

    `registrar` is the ARN of the role, without its path, that makes packages of submissions.
    """

    registrar: str


@dataclass(frozen=True)
class ChampionSettings(PackageSettings):
    """The further settings of functions that publish champions."""

    champion_path: str


@dataclass(frozen=True)
class BuildSettings:
    """The settings of a build. `request` is the id that a function returned when it had no time, `build` its own."""

    vault_bucket: str
    request: str
    build: str


def ledger(settings: LedgerSettings, witness: Witness | None = None) -> LedgerTable:
    """Return the ledger, with a `witness` of what is appended."""
    return LedgerTable(client("dynamodb"), settings.ledger_table, settings.packages_table, utc_now, witness=witness)


def registry() -> Registry:
    """Return SageMaker's registry."""
    return Registry(client("sagemaker"))


def policies(settings: PackageSettings) -> Policies:
    """Return the policies in force."""
    return Policies(client("ssm"), settings.policy_path)


def governance(settings: PackageSettings) -> Governance:
    """Return what finds the packages that Signoff governs."""
    return Governance(registry(), policies(settings), settings.registry)


def champions(settings: ChampionSettings) -> Champions:
    """Return the champions, both in the ledger and as published."""
    return Champions(client("ssm"), settings.champion_path, ledger(settings))


def bucket(name: str, owner: str | None = None) -> Bucket:
    """Return the bucket of that name, which must belong to the account `owner` if that is given."""
    return Bucket(client("s3"), name, owner)


def vault(name: str) -> Vault:
    """Return the vault in the bucket of that name."""
    return Vault(bucket(name))


def registrations(settings: RegistrationSettings) -> Registrations:
    """Return the registrations in the vault."""
    return Registrations(vault(settings.vault_bucket), settings.registrar)


def images() -> ImageResolver:
    """Return what resolves images in Amazon ECR."""
    return ImageResolver(lambda region: client("ecr", region), client("ecr").meta.region_name)


def image_scans() -> ImageScans:
    """Return what asks Amazon ECR about scans and signatures of images."""
    return ImageScans(lambda region: client("ecr", region), lambda region: client("inspector2", region), utc_now)


def identity_verifier(audience: str) -> IdentityVerifier:
    """Return what verifies proofs for `audience` (a bus's ARN) with this region's STS."""
    return IdentityVerifier.of(client("sts"), audience, utc_now)
