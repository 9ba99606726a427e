"""Verifying one piece of evidence: what it names by a digest is read from the vault and hashed again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.clients import error_message
from signoff.documents.canonical_json import digest
from signoff.errors import ObjectMissing, SignoffError
from signoff.model_package.artifacts import inventory
from signoff.model_package.data_sources import is_prefix
from signoff.model_package.subject import subject_digest
from signoff.validation.evidence import signed_subject
from signoff_cli.audit.evidence import different_facts, evidence_named
from signoff_cli.audit.facts import evidence_key, parsed, policy_key, states
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.s3 import ObjectVersion
    from signoff.aws.vault import Vault
    from signoff.ledger.entries import Entry
    from signoff.ledger.history import History
    from signoff.ledger.state import State

Result = Literal["same", "differs", "unreadable", "outside"]
# Where evidence names what its submitter or the policy keeps elsewhere; everything else lies in the vault.
_ELSEWHERE = ("dataset", "data")
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True)
class Comparison:
    """One comparison: of what (a path in the evidence), where that lies, and the two values that were compared.

    `found` is None when nothing could be read, for the reason `because`; then `outside` says that it lies outside the
    vault, so that nobody tried.
    """

    what: str
    where: str
    expected: str
    found: str | None = None
    because: str | None = None
    outside: bool = False

    @property
    def result(self) -> Result:
        """What came of it."""
        if self.outside:
            return "outside"
        if self.found is None:
            return "unreadable"
        return "same" if self.found == self.expected else "differs"

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against the evidence."""
        return self.result in {"same", "outside"}

    @property
    def document(self) -> dict[str, Any]:
        """The comparison as JSON-ready data."""
        return {
            "what": self.what,
            "where": self.where,
            "result": self.result,
            "expected": self.expected,
            "found": self.found,
            "because": self.because,
        }


def recorded_evidence(history: History, sha256: str | None = None) -> tuple[Entry, State]:
    """Return the entry of a ledger that names the evidence `sha256`, or else the newest, and the state before it.

    Raises `CommandFailed` when there is none.
    """
    named = [
        (entry, state)
        for entry, state in zip(history.entries, states(history), strict=False)
        if evidence_named(entry) and sha256 in {None, evidence_named(entry)}
    ]
    if not named:
        which = f"evidence {sha256}" if sha256 else "evidence yet"
        raise CommandFailed(f"the package has no {which}: `signoff show` says where it stands")
    return named[-1]


class EvidenceVerifier:
    """Reads from the vault what one piece of evidence names; `read` is called with the bytes of each part read."""

    def __init__(self, vault: Vault, read: Callable[[int], None] = lambda _: None) -> None:
        self._vault = vault
        self._read = read

    def verify(self, entry: Entry, before: State) -> Iterator[Comparison]:
        """Yield each comparison; `before` is the state of the package before `entry`, which names the evidence.

        Nothing of a document is believed, or looked at, unless it has the digest that the ledger names.
        """
        sha256 = str(evidence_named(entry))
        data, because = self._data(evidence_key(sha256))
        found = None if data is None else hashlib.sha256(data).hexdigest()
        uri = self._vault.uri(evidence_key(sha256))
        yield Comparison("evidence", uri, sha256, found, because)
        document = parsed(data) if found == sha256 else None
        if not isinstance(document, dict):
            return
        try:
            yield from self._contents(document, entry, before)
        except _MALFORMED as error:
            yield Comparison("form", uri, "evidence", None, f"what it says cannot be understood: {error!r}")

    def _contents(self, document: Mapping[str, Any], entry: Entry, before: State) -> Iterator[Comparison]:
        ledger, uri = f"entry {entry.sequence} of the ledger", self._vault.uri(evidence_key(str(evidence_named(entry))))
        yield Comparison("canonical form", uri, str(evidence_named(entry)), digest(document))
        different = ", ".join(different_facts(document, entry, before)) or "nothing"
        yield Comparison("facts that differ", ledger, "nothing", different)
        subject = signed_subject(document)
        yield Comparison("subject", uri, str(document["subject"]["sha256"]), subject_digest(subject))
        yield self._document("policy", policy_key(str(document["policy"])), str(document["policy"]))
        for artifact in document["artifacts"]:
            yield from self._artifact(artifact)
        keys = {str(artifact["url"]): str(artifact["key"]) for artifact in document["artifacts"]}
        for path, uri, sha256 in _named(document):
            yield self._named(path, uri, sha256, keys.get(uri) or self._vault.key_of(uri))

    def _artifact(self, artifact: Mapping[str, Any]) -> Iterator[Comparison]:
        name, key = f"artifacts {artifact['name']}", str(artifact["key"])
        where = f"{self._vault.uri(key)} version {artifact['version_id']}"
        found, because = self._try(lambda: self._bytes(artifact))
        yield Comparison(name, where, str(artifact["sha256"]), found, because)
        version, because = self._try(lambda: _there(self._vault.version_at(key)))
        read = f"{name}, the version that is read"
        yield Comparison(read, self._vault.uri(key), str(artifact["version_id"]), version, because)
        if "findings" in artifact:
            yield from self._findings(f"{name}, findings", str(artifact["findings"]))

    def _findings(self, what: str, uri: str) -> Iterator[Comparison]:
        """Yield what comes of a document of findings, which is named by its digest, and of those that it names."""
        sha256, key = PurePosixPath(uri).stem, self._vault.key_of(uri)
        data, because = self._data(key) if key else (None, "it does not lie in the vault")
        yield Comparison(what, uri, sha256, None if data is None else hashlib.sha256(data).hexdigest(), because)
        document = parsed(data)
        listed = document.get("objects") if isinstance(document, dict) else None
        for each in listed or ():
            if isinstance(each.get("findings"), str):
                yield from self._findings(f"{what} in {each['name']}", each["findings"])

    def _named(self, path: str, uri: str, sha256: str, key: str | None) -> Comparison:
        if key is not None:
            found, because = self._try(lambda: _there(self._hash(key)))
            return Comparison(path, uri, sha256, found, because)
        elsewhere = any(part in _ELSEWHERE for part in path.split("."))
        return Comparison(path, uri, sha256, None, "it does not lie in the vault", outside=elsewhere)

    def _document(self, what: str, key: str, sha256: str) -> Comparison:
        data, because = self._data(key)
        found = None if data is None else hashlib.sha256(data).hexdigest()
        return Comparison(what, self._vault.uri(key), sha256, found, because)

    def _data(self, key: str) -> tuple[bytes | None, str | None]:
        return self._try(lambda: _there(self._vault.data(key)))

    def _bytes(self, artifact: Mapping[str, Any]) -> str:
        """Return the SHA-256 of the very version that was judged, or of a prefix its inventory."""
        key = str(artifact["key"])
        if is_prefix(key):
            return str(_there(self._hash(key)))
        return self._sha256(self._vault.version(key, str(artifact["version_id"])))

    def _hash(self, key: str) -> str | None:
        objects = self._vault.at(key)
        if not is_prefix(key):
            return self._sha256(objects[0]) if objects else None
        listed = [{"name": each.key.removeprefix(key), "sha256": self._sha256(each)} for each in objects]
        return inventory(listed, "sha256") if listed else None

    def _sha256(self, stored: ObjectVersion) -> str:
        made = hashlib.sha256()
        for chunk in self._vault.stream(stored):
            made.update(chunk)
            self._read(len(chunk))
        return made.hexdigest()

    @staticmethod
    def _try(read: Callable[[], Any]) -> tuple[Any, str | None]:
        """Return what `read` returns and None, or None and why nothing can be read."""
        try:
            return read(), None
        except ClientError as error:
            return None, error_message(error)
        except (BotoCoreError, SignoffError) as error:
            return None, str(error)


def size(document: Any) -> int:
    """Return how many bytes of artifacts a piece of evidence, if it is one, names."""
    listed = document.get("artifacts") if isinstance(document, dict) else None
    return sum(each["size"] for each in listed or () if isinstance(each.get("size"), int))


def _there(value: Any) -> Any:
    if value is None:
        raise ObjectMissing("it is not in the vault")
    return value


def _named(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the path, `uri` and `sha256` of everything below `value` that has both."""
    if isinstance(value, Mapping):
        if isinstance(value.get("uri"), str) and isinstance(value.get("sha256"), str):
            yield path, value["uri"], value["sha256"]
        for name, item in value.items():
            yield from _named(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        yield from _each(value, path)


def _each(items: Iterable[Any], path: str) -> Iterator[tuple[str, str, str]]:
    for number, item in enumerate(items):
        yield from _named(item, f"{path}[{number}]")
