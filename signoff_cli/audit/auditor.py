"""Auditing: which ledgers are meant, all that is known of each, and whether it fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from signoff.aws.ledger_items import package_row
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.parallel import in_parallel
from signoff.aws.s3 import VersionRecord
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.errors import LedgerBroken, UnknownPackage
from signoff.governance.kept_signatures import key_of
from signoff.governance.registrations import registration_key
from signoff.ledger import checkpoints
from signoff.ledger.entries import Kind, Status, package_of
from signoff.ledger.history import History, baseline_key, package_key
from signoff.ledger.state import State
from signoff.ledger.witnessed import KINDS, SINCE
from signoff_cli.audit import unrecorded
from signoff_cli.audit import verification as audit
from signoff_cli.audit.checkpoints import CheckpointDocument, CheckpointHistory, verify_days
from signoff_cli.audit.evidence import artifacts, evidence_named, policies_named
from signoff_cli.audit.facts import AuditedLedger, Discrepancy, RecordedHead, decision_key, evidence_key, policy_key
from signoff_cli.audit.registry import model_names
from signoff_cli.errors import CommandFailed
from signoff_cli.packages import lookup

_AT_ONCE = 8  # ledgers, or days, that are read at once
_PAUSE = 2.0  # seconds until what does not fit is looked at again: it may have been on its way
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, LedgerBroken)


def settle() -> None:
    """Wait for what may have been on its way."""
    time.sleep(_PAUSE)


@dataclass(frozen=True)
class VerificationResult:
    """What came of verifying one ledger: how many entries and heads it has, and what does not fit."""

    package: str
    entries: int
    heads: int
    findings: Sequence[Discrepancy]


class Auditor:
    """Reads all that is known of ledgers, and never writes. `pause` waits before anything is called a finding."""

    def __init__(
        self,
        ledger: LedgerTable,
        vault: Vault,
        registry: Registry,
        *,
        bytes_too: bool = False,
        pause: Callable[[], None] = settle,
    ) -> None:
        self._ledger = ledger
        self._vault = vault
        self._registry = registry
        self._bytes_too = bytes_too
        self._pause = pause

    # Which ledgers

    def find_keys(self, what: str) -> list[str]:
        """Return the keys of the ledgers that `what` (an ARN, `group/version`, or a group) names in the index."""
        if lookup.is_package_name(what):
            head = lookup.find(self._ledger, what)
            return [str(head["package"])] if head else []
        spelled = self._registry.group_name(what)
        if spelled is None:  # it may be gone, and have been spelled in any way
            return self.matching_keys(what, (key for key, _, _ in self._ledger.chain_heads()))
        return self._keys_of_group(what, spelled)

    def _keys_of_group(self, group: str, spelled: str) -> list[str]:
        """Return the keys of a group that SageMaker has, which it spells as `spelled`.

        Packages of another spelling were deleted with their group, and say so.
        """
        keys = {str(row["package"]) for name in {group, spelled} for row in self._ledger.rows_by_group(name)}
        beside = in_parallel(self._keys_of_kind, (Kind.PACKAGE_DELETED, Kind.REGISTRATION_FAILED))
        keys |= {*self.matching_keys(group, chain.from_iterable(beside))}
        baseline = baseline_key(group)
        return sorted(keys | ({baseline} if self._ledger.indexed(baseline) else set()))

    def keys_between(self, since: str | None, until: str | None, what: str | None) -> list[str]:
        """Return the keys of the ledgers in which something happened in that time, of those that `what` may mean.

        The entries of that time are read, and their keys only.
        """
        happened = in_parallel(lambda kind: self._keys_of_kind(kind, since, until), Kind)
        keys = {*chain.from_iterable(happened)}
        return self.matching_keys(what, keys) if what else sorted(keys)

    def _keys_of_kind(self, kind: Kind, since: str | None = None, until: str | None = None) -> set[str]:
        bounds = {name: each for name, each in (("since", since), ("until", until)) if each}
        return {*self._ledger.keys_by_kind(kind, **bounds)}

    def histories(self, keys: Sequence[str]) -> Iterator[History]:
        """Yield what can be read of each of these ledgers, in order, a few at once."""
        return _in_parallel(lambda key: self._ledger.verbatim(key)[0], keys)

    def all_keys(self) -> list[str]:
        """Return the keys of all ledgers that the index has."""
        return sorted(key for key, _, _ in self._ledger.chain_heads())

    def matching_keys(self, what: str, keys: Iterable[str]) -> list[str]:
        """Return those of `keys` that `what`, an ARN, `group/version` or a group, may mean."""
        return sorted(key for key in keys if _means(what, key))

    def unrecorded_keys(self, known: Sequence[str], now: datetime) -> list[str]:
        """Return the keys of ledgers that packages in SageMaker should have, beside those that are `known`."""
        return sorted(unrecorded.package_keys(self._registry, known, now))

    def models_without_ledger(self) -> list[Discrepancy]:
        """Return a finding for each of Signoff's models that no ledger is about."""
        return list(unrecorded.model_findings(self._registry, self._vault, self._ledger))

    # What is known

    def checkpoint_history(self, now: Any, keys: Sequence[str], what: str | None = None) -> CheckpointHistory:
        """Return the verified daily checkpoints of the vault up to `now`, for verifying the ledgers `keys`.

        They are read from the day on which the first of these packages was made, or else from the first. Of the heads
        those are kept that `what` may mean (all without it).
        """
        since = _since(keys)
        written = self._vault.written(checkpoints.PREFIX)
        days = [
            key for key in sorted(written) if (checkpoints.date_of(key) or "") >= since and checkpoints.date_of(key)
        ]
        whole = not since or days == [key for key in sorted(written) if checkpoints.date_of(key)]
        yesterday = timestamps.text(now - timedelta(days=1))
        due = any(self._older(key, yesterday) for key in keys[:_AT_ONCE])
        return verify_days(
            self._days(days, written),
            checkpoints.day(now),
            whole=whole,
            due=due,
            wanted=lambda key: what is None or _means(what, key),
        )

    def _older(self, key: str, than: str) -> bool:
        created = package_of(key)[1]
        if created is not None:
            return created < than
        entries = self._ledger.verbatim(key)[0].entries
        return bool(entries) and entries[0].time < than

    def _days(self, keys: Sequence[str], written: Mapping[str, list[VersionRecord]]) -> Iterator[CheckpointDocument]:
        return _in_parallel(lambda key: self._day(key, written[key]), keys)

    def _day(self, key: str, written: Sequence[VersionRecord]) -> CheckpointDocument:
        versions = [each for each in written if not each.deletes]
        deleted = len(versions) < len(written)
        if not versions:
            return CheckpointDocument(key, b"", 0, deleted, locked=False)
        first = versions[0].version_id
        locked = self._vault.retained_until(key, first) is not None
        return CheckpointDocument(key, self._vault.bytes_of(key, first), len(versions), deleted, locked)

    def collect(self, package: str, named: Sequence[RecordedHead]) -> AuditedLedger:
        """Return all that is known of the ledger `package`, of which the vault's heads are `named`."""
        history, fault = self._ledger.verbatim(package)
        row = self._ledger.indexed(package)
        expected, state = (None, None) if fault or history.broken_at else _folded(history)
        described = self._described(package)
        documents = {key: self._vault.data(key) for key in (_documents(history) if state else ())}
        audited = AuditedLedger(
            history, fault, (*named, *_beside(described)), row, expected, documents, described=described
        )
        registration = next((key for key in documents if key.startswith("registrations/")), None)
        documents |= {key: self._vault.data(key) for key in _signature(audited.document(registration or ""))}
        rewritten = {registration} if registration and self._rewritten(registration) else set()
        names = model_names(state) if state else []
        keys = [str(artifact["key"]) for artifact in artifacts(audited)]
        return replace(
            audited,
            rewritten=frozenset(rewritten),
            models={name: self._registry.describe_model(name) for name in names},
            others=self._others(package, state),
            versions={key: self._vault.version_at(key) for key in keys},
            digests={key: self._vault.sha256_at(key) for key in keys} if self._bytes_too else {},
        )

    def _described(self, package: str) -> dict[str, Any] | None:
        """Return what SageMaker says of the very package, and not of another that has its ARN now."""
        arn, _ = package_of(package)
        if arn is None:
            return None
        try:
            described = self._registry.describe(arn)
        except UnknownPackage:
            return None
        # Not every answer of SageMaker's tells a time to more than the second.
        same = package_key(arn, described["CreationTime"]).rpartition(".")[0] == package.rpartition(".")[0]
        return described if same else None

    def _rewritten(self, key: str) -> bool:
        return len(self._vault.written(key).get(key, ())) > 1

    def _others(self, package: str, state: State | None) -> frozenset[str]:
        if state is None or state.status is not Status.DELETED or state.group is None:
            return frozenset()
        heads_of_group = self._ledger.rows_by_group(state.group)
        models = [head["model"] for head in heads_of_group if head.get("model") and head["package"] != package]
        return frozenset(model.rpartition("/")[2].lower() for model in models)

    # Whether it fits

    def verify(self, packages: Sequence[str], named: Mapping[str, list[RecordedHead]]) -> Iterator[VerificationResult]:
        """Yield what comes of verifying each of `packages`, of which the vault's heads are `named`, in order."""
        return _in_parallel(lambda package: self._verified(package, named.get(package, ())), packages)

    def _verified(self, package: str, named: Sequence[RecordedHead]) -> VerificationResult:
        audited = self.collect(package, named)
        found = audit.findings(audited)
        if found:
            # Registry, index and vault follow the ledger with a short delay: only what still differs is a finding.
            self._pause()
            audited = self.collect(package, named)
            found = audit.findings(audited)
        return VerificationResult(package, len(audited.entries), len(audited.heads), found)


def _means(what: str, key: str) -> bool:
    arn, _ = package_of(key)
    if what.startswith("arn:"):
        return (arn or "").lower() == what.lower() or key == what
    parse_version = lookup.parse_version(what)
    if parse_version:
        return (arn or "").endswith(f":model-package/{parse_version[0].lower()}/{parse_version[1]}")
    group = what.lower()
    ours = f":model-package/{group}/" in (arn or "") or key == baseline_key(group)
    return ours or key.lower().startswith(f"submission:{group}/")


def _since(keys: Sequence[str]) -> str:
    """Return the first day on which the heads can name one of `keys`; empty where they do not say."""
    created = [package_of(key)[1] for key in keys]
    return min((each[:10] for each in created if each), default="") if all(created) else ""


def _folded(history: History) -> tuple[dict[str, Any] | None, State | None]:
    """Return what the index should say of a ledger and where its package stands, if its entries can be understood."""
    try:
        return (package_row(history), history.state) if history.entries else (None, None)
    except _UNREADABLE:
        return None, None


def _documents(history: History) -> list[str]:
    """Return the keys of the documents in the vault that a ledger names."""
    keys = [policy_key(sha256) for entry in history.entries for sha256 in policies_named(entry)]
    keys += [decision_key(entry.hash) for entry in history.entries if entry.kind in KINDS]
    evidence = (evidence_named(entry) for entry in history.entries)
    keys += [evidence_key(str(sha256)) for sha256 in evidence if sha256 is not None]
    first = next((entry for entry in history.entries if entry.kind is Kind.REGISTERED), None)
    if first and first.details.get("registration"):
        keys.append(registration_key(str(first.details["registration"])))
    return list(dict.fromkeys([*keys, SINCE]))


def _signature(registration: Any) -> list[str]:
    """Return the key of the signature that a registration, if it is one, names."""
    key = key_of(registration) if isinstance(registration, dict) else None
    return [key] if key else []


def _beside(described: Mapping[str, Any] | None) -> list[RecordedHead]:
    """Return the head that stands beside a package in the registry, if one does."""
    written = ((described or {}).get("CustomerMetadataProperties") or {}).get(checkpoints.METADATA)
    head = checkpoints.parse(written) if written else None
    return [RecordedHead(head, f"the package's metadata {checkpoints.METADATA}")] if head else []


def _in_parallel(act: Callable[[str], Any], items: Sequence[str]) -> Iterator[Any]:
    """Yield what `act` makes of each item, in order, a few at once, and no more of it in memory."""
    remaining = iter(items)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while chunk := list(islice(remaining, _AT_ONCE)):
            yield from pool.map(act, chunk)


def unknown_name(what: str) -> CommandFailed:
    """Return the error about a name that no ledger has."""
    return CommandFailed(
        f"there is no package or group {what} in Signoff's ledger; `signoff list` shows those there are"
    )
