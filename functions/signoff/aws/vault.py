"""The vault: the bucket of immutable copies and documents. Everything in it is written once."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from tempfile import TemporaryFile
from typing import Any

from signoff.aws.parallel import in_parallel
from signoff.aws.s3 import Bucket, ObjectVersion, OpenedObject, VersionRecord
from signoff.documents.canonical_json import canonical
from signoff.errors import DocumentMissing, ObjectMissing, VaultConflict
from signoff.model_package.artifacts import inventory
from signoff.model_package.data_sources import is_prefix

# What the bucket's life cycle knows copies by: the first expire (infra/storage/life_cycles.py).
UNDECIDED, APPROVED = {"signoff:kept": "until-decided"}, {"signoff:kept": "approved"}


@dataclass(frozen=True)
class VaultDocument:
    """A document in the vault, named by the SHA-256 of its bytes."""

    uri: str
    key: str
    sha256: str


class Vault:
    """The vault: copies of model artifacts under `models/`, and documents by digest under prefixes of their own."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self._bucket.name

    def uri(self, key: str) -> str:
        """Return the `s3://` URI of `key`."""
        return f"s3://{self.name}/{key}"

    def key_of(self, uri: str) -> str | None:
        """Return the key that an `s3://` URI names in the vault, or None when it points elsewhere."""
        prefix = f"s3://{self.name}/"
        return uri.removeprefix(prefix) if uri.startswith(prefix) else None

    def keep(
        self, source: ObjectVersion, key: str, going_on: Callable[[], None] = lambda: None, *, expires: bool = True
    ) -> ObjectVersion:
        """Return the vault's copy of `source` at `key`, created now unless it exists.

        One that `expires` is deleted by the bucket's life cycle some day, unless it is approved before. Raises
        `VaultConflict` when the key holds a copy of something else. `going_on` is called again and again, and what it
        raises ends a copy.
        """
        going_on()
        metadata = source_metadata(source)
        copy = self._bucket.copy_from(source, key, metadata, going_on, UNDECIDED if expires else None)
        if copy is not None:
            return copy
        present = self._bucket.current(key)
        if present is None or dict(present.metadata) != metadata:
            raise VaultConflict(f"{self.uri(key)} is not a copy of {source.uri} version {source.version_id}")
        return present

    def keep_all(
        self,
        copies: Iterable[tuple[ObjectVersion, str]],
        going_on: Callable[[], None] = lambda: None,
        *,
        expires: bool = True,
    ) -> list[ObjectVersion]:
        """Return the vault's copies of several sources, each by its key, as `keep` does; several are made at once."""
        return in_parallel(lambda each: self.keep(*each, going_on, expires=expires), copies)

    def current(self, key: str) -> ObjectVersion | None:
        """Return the current version of `key`, or None."""
        return self._bucket.current(key)

    def under(self, prefix: str) -> list[ObjectVersion]:
        """Return the current versions of all keys that begin with `prefix` (`models/.../`)."""
        return list(self._bucket.listing(prefix))

    def at(self, key: str) -> list[ObjectVersion]:
        """Return the current versions of the objects that an artifact at `key` consists of: one, or all of a prefix."""
        if is_prefix(key):
            return self.under(key)
        stored = self.current(key)
        return [stored] if stored else []

    def checksum(self, key: str, objects: Sequence[ObjectVersion]) -> str | None:
        """Return S3's own SHA-256 of an artifact, all `objects` at `key`; of a prefix their inventory.

        Returns None when S3 has not computed it of every object.
        """
        return self.checksum_of(key, objects, in_parallel(self._bucket.checksum, objects))

    def checksum_of(self, key: str, objects: Sequence[ObjectVersion], found: Sequence[str | None]) -> str | None:
        """Return the same where S3's SHA-256 of each object is `found` already."""
        if not found or None in found:
            return None
        return self._together(key, objects, "s3_sha256", found)

    def matches(self, artifact: Mapping[str, Any], objects: Sequence[ObjectVersion]) -> bool:
        """Return whether `objects` have the bytes of `artifact`, as the evidence lists it.

        S3's own SHA-256 tells, where that was recorded beside Signoff's or is of all bytes of an object. Where it does
        not, the bytes are read.
        """
        key, recorded = artifact["key"], artifact.get("s3_sha256")
        if recorded is not None and self.checksum(key, objects) == recorded:
            return True
        digests = (known or self.sha256(each) for each, known in zip(objects, self._known(objects), strict=True))
        return bool(objects) and self._together(key, objects, "sha256", digests) == artifact["sha256"]

    def _known(self, objects: Sequence[ObjectVersion]) -> list[str | None]:
        return in_parallel(self.sha256_by_s3, objects)

    def stream(self, stored: ObjectVersion) -> Iterator[bytes]:
        """Yield the bytes of one version."""
        return self._bucket.stream(stored)

    def sha256(self, stored: ObjectVersion) -> str:
        """Return the SHA-256 (hexadecimal) of one version, read as a stream."""
        return sha256(self.stream(stored))

    def sha256_by_s3(self, stored: ObjectVersion) -> str | None:
        """Return the SHA-256 (hexadecimal) of one version as S3 has it, or None when it has none of all bytes."""
        kind, _, value = (self._bucket.checksum(stored) or "").partition(" ")
        return b64decode(value).hex() if kind == "FULL_OBJECT" else None

    def version_at(self, key: str) -> str | None:
        """Return the current version id of `key`, which SageMaker would read, or None.

        For a prefix it is the inventory of the objects under it, as in the evidence, or None when there are none.
        """
        return self._fact_at(key, "version_id", lambda stored: stored.version_id)

    def sha256_at(self, key: str) -> str | None:
        """Return the SHA-256 of the current version, read as a stream; for a prefix its inventory."""
        return self._fact_at(key, "sha256", self.sha256)

    def _fact_at(self, key: str, name: str, fact: Callable[[ObjectVersion], str]) -> str | None:
        objects = self.at(key)
        return self._together(key, objects, name, map(fact, objects)) if objects else None

    def _together(self, key: str, objects: Sequence[ObjectVersion], name: str, facts: Iterable[Any]) -> str:
        """Return one fact of an artifact at `key` for those of its objects: of a prefix the inventory."""
        if not is_prefix(key):
            return str(next(iter(facts)))
        listed = zip(objects, facts, strict=True)
        return inventory([{"name": each.key.removeprefix(key), name: fact} for each, fact in listed], name)

    def write(self, prefix: str, document: Any) -> VaultDocument:
        """Write `document` as canonical JSON under `prefix/<sha256>.json`; the same document again is the same key."""
        data = canonical(document)
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"{prefix}/{sha256}.json"
        self._bucket.put_once(key, data)
        return VaultDocument(self.uri(key), key, sha256)

    def write_named(self, key: str, document: Any) -> None:
        """Write `document` to `key`. Raises `VaultConflict` when it holds another one."""
        data = canonical(document)
        if not self._bucket.put_once(key, data) and self._bucket.get(key) != data:
            raise VaultConflict(f"{self.uri(key)} holds another document")

    def write_first(self, key: str, document: Any) -> Any:
        """Write `document` to `key` unless there is one, whatever that says; return the one that is there."""
        return document if self._bucket.put_once(key, canonical(document)) else self.read_named(key)

    def write_locked(self, key: str, parts: Iterable[bytes], mode: str, until: datetime) -> bool:
        """Write a document, in `parts`, to `key`, locked (`mode`) until then, unless there is one.

        However large it is, it takes room on the disk only. Returns whether it was written.
        """
        with TemporaryFile() as file:
            file.writelines(parts)
            file.seek(0)
            return self._bucket.put_locked(key, file, mode, until)

    def data(self, key: str) -> bytes | None:
        """Return the bytes of the document at `key`, or None when there is none."""
        return self._bucket.get(key)

    def written(self, prefix: str) -> dict[str, list[VersionRecord]]:
        """Return by key all versions and delete markers under `prefix`, the oldest first."""
        return {key: list(each) for key, each in groupby(self._bucket.history(prefix), attrgetter("key"))}

    def retained_until(self, key: str, version_id: str) -> datetime | None:
        """Return until when one version is under Object Lock, or None when it is not."""
        return self._bucket.retained_until(key, version_id)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`, sorted."""
        return sorted(key for key, _ in self._bucket.names(prefix))

    def read(self, prefix: str, sha256: str) -> Any:
        """Return the document of that digest. Raises `DocumentMissing` when it is gone or was tampered with."""
        data = self._bucket.get(f"{prefix}/{sha256}.json")
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentMissing(f"{self.uri(prefix)}/{sha256}.json is not the document of that digest")
        return json.loads(data)

    def holds(self, prefix: str, sha256: str) -> bool:
        """Return whether there is a document of that digest."""
        data = self._bucket.get(f"{prefix}/{sha256}.json")
        return data is not None and hashlib.sha256(data).hexdigest() == sha256

    def read_named(self, key: str) -> Any | None:
        """Return the document at `key`, or None when there is none."""
        data = self._bucket.get(key)
        return None if data is None else json.loads(data)

    def version(self, key: str, version_id: str) -> ObjectVersion:
        """Return one version of an object. Raises `ObjectMissing` when it is not there."""
        stored = self._bucket.version(key, version_id)
        if stored is None:
            raise ObjectMissing(f"{self.uri(key)} version {version_id} does not exist")
        return stored

    def bytes_of(self, key: str, version_id: str) -> bytes:
        """Return one version of a small object. Raises `ObjectMissing` when it is not there."""
        return b"".join(self.opened(key, version_id).chunks)

    def opened(self, key: str, version_id: str) -> OpenedObject:
        """Return one version of an object with its bytes in chunks. Raises `ObjectMissing` when it is not there."""
        found = self._bucket.opened(key, version_id)
        if found is None:
            raise ObjectMissing(f"{self.uri(key)} version {version_id} does not exist")
        return found

    def opened_now(self, key: str) -> OpenedObject | None:
        """Return the current version of `key` with its bytes in chunks, or None."""
        return self._bucket.opened(key)

    def keep_approved(self, key: str, version_id: str, *, again: bool = False) -> None:
        """Let one version of a copy never expire. `again` says that it was approved before, and should be already.

        Nobody else may tag what is in the vault, so no tag is lost; and nobody may tag what is approved
        (infra/storage/buckets.py).
        """
        (self._bucket.tag if again else self._bucket.tag_once)(key, version_id, APPROVED)

    def write_kept(self, prefix: str, document: Any, mode: str, until: datetime) -> bool:
        """Write `document` as `write` does, locked (`mode`) until then at least. Returns whether it was not there."""
        data = canonical(document)
        key = f"{prefix}/{hashlib.sha256(data).hexdigest()}.json"
        written = self._bucket.put_locked(key, data, mode, until)
        if not written:
            self._bucket.retain(key, None, until, mode)
        return written

    def retain(self, key: str, version_id: str | None, until: datetime, mode: str) -> None:
        """Keep one version (None: the current one) under Object Lock (`mode`) until `until` at least.

        Raises `ObjectMissing` when there is no such version.
        """
        self._bucket.retain(key, version_id, until, mode)


def sha256(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 (hexadecimal) of all `chunks` together."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def source_metadata(source: ObjectVersion) -> dict[str, str]:
    """Return a copy's metadata about its source: the version and, as metadata must be short, the digest of its URI."""
    return {
        "signoff-source-version": source.version_id,
        "signoff-source-uri-sha256": hashlib.sha256(source.uri.encode()).hexdigest(),
    }
