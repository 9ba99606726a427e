"""What SageMaker has of which there is no ledger: somebody removed it, or it was never made."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import GOVERNED_TAG, OWN_POLICY_TAG
from signoff.aws.vault import Vault
from signoff.errors import UnknownPackage
from signoff.ledger.entries import package_of
from signoff.ledger.history import package_key
from signoff.model_package.model_request import EVIDENCE_TAG
from signoff_cli.audit.facts import Discrepancy, evidence_key, parsed

# A registered package has a ledger within minutes, and if its event was lost after the next sweep.
_SETTLED = timedelta(hours=1)


def package_keys(registry: Registry, known: Collection[str], now: datetime) -> Iterator[str]:
    """Yield the keys of the ledgers that packages of governed groups should have, and that are not `known`.

    Groups are governed that have Signoff's tags, or that a known ledger is about: tags can be removed.
    """
    ledgers, groups = {_to_the_second(key) for key in known}, {_group(key) for key in known}
    for group, tags in registry.groups():
        if group.lower() in groups or {GOVERNED_TAG, OWN_POLICY_TAG} & set(tags):
            for summary in registry.packages(group):
                arn, created = str(summary["ModelPackageArn"]), summary["CreationTime"]
                if created < now - _SETTLED and _to_the_second(package_key(arn, created)) not in ledgers:
                    yield from _described_key(registry, arn)


def _described_key(registry: Registry, arn: str) -> Iterator[str]:
    # Lists do not always tell a time to more than the second.
    try:
        yield package_key(arn, registry.describe(arn)["CreationTime"])
    except UnknownPackage:
        return  # deleted meanwhile


def model_findings(registry: Registry, vault: Vault, ledger: LedgerTable) -> Iterator[Discrepancy]:
    """Yield a finding for each of Signoff's models whose evidence is gone, or is of a package without a ledger."""
    for name, arn in registry.list_models():
        sha256 = registry.tags_of(arn).get(EVIDENCE_TAG)
        if sha256 is None:
            continue
        document = parsed(vault.data(evidence_key(sha256)))
        package = document.get("package") if isinstance(document, dict) else None
        if not isinstance(package, str):
            because = f"model {name} is there, and its evidence {evidence_key(sha256)} is not in the vault"
            yield Discrepancy(arn, "EvidenceMissing", because)
        elif not ledger.verbatim(package)[0].entries:
            because = f"model {name} is there, and of its package there is no entry at all"
            yield Discrepancy(package, "LedgerMissing", because, 1)


def _to_the_second(key: str) -> str:
    arn, created = package_of(key)
    return f"{arn.lower()}@{created[:19]}" if arn and created else key


def _group(key: str) -> str:
    """Return the group that a package's ledger is about, in lower case; empty for other ledgers."""
    arn, _ = package_of(key)
    return arn.split("/")[-2].lower() if arn and arn.count("/") >= 2 else ""
