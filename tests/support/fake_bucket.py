"""S3 in memory: versions, metadata, tags, conditional writes and Object Lock, with the interface of `Bucket`."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO

from signoff.aws.s3 import ObjectVersion, OpenedObject, VersionRecord, marks_a_folder
from signoff.documents.timestamps import Clock
from signoff.errors import ObjectMissing


@dataclass
class FakeVersion:
    """One version of an object."""

    id: str
    data: bytes
    changed: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    retained_until: datetime | None = None


class FakeS3:
    """All buckets, so that one can be copied from another."""

    def __init__(self, now: Clock) -> None:
        self.now = now
        self.buckets: dict[str, FakeBucket] = {}
        self.owners: dict[str, str] = {}  # of the buckets that are not the registry's account's

    def owned(self, name: str, owner: str | None) -> FakeBucket:
        """Return the bucket of that name, which holds nothing to be read unless it is of the account `owner`."""
        if owner in {None, self.owners.get(name, "123456789012")}:
            return self.bucket(name)
        return Forbidden(self, name)

    def bucket(self, name: str) -> FakeBucket:
        """Return the bucket of that name, empty when it is new."""
        return self.buckets.setdefault(name, FakeBucket(self, name))


class FakeBucket:
    """One bucket; `writes` lists what was done to it, and `reads` the keys of the versions that were read.

    `multipart` makes each version's ETag one of its own. Without `checksums` S3 has no SHA-256 of its own,
    with `composite` one of an object's parts.
    """

    def __init__(self, s3: FakeS3, name: str) -> None:
        self._s3 = s3
        self.name = name
        self.versions: dict[str, list[FakeVersion]] = defaultdict(list)
        self.writes: list[tuple[str, str]] = []
        self.reads: list[str] = []
        self.checksums, self.composite = True, False
        self.multipart = False

    def current(self, key: str) -> ObjectVersion | None:
        versions = self.versions.get(key)
        return self._stored(key, versions[-1]) if versions else None

    def version(self, key: str, version_id: str) -> ObjectVersion | None:
        found = next((each for each in self.versions.get(key, ()) if each.id == version_id), None)
        return self._stored(key, found) if found else None

    def opened(self, key: str, version_id: str | None = None) -> OpenedObject | None:
        stored = self.version(key, version_id) if version_id else self.current(key)
        return OpenedObject(stored, self.checksum(stored), self.stream(stored)) if stored else None

    def read(self, stored: ObjectVersion) -> bytes:
        return b"".join(self.stream(stored))

    def get(self, key: str) -> bytes | None:
        versions = self.versions.get(key)
        return versions[-1].data if versions else None

    def stream(self, stored: ObjectVersion) -> Iterator[bytes]:
        found = self._found(stored)
        self.reads.append(stored.key)
        yield found.data

    def checksum(self, stored: ObjectVersion) -> str | None:
        if not self.checksums:
            return None
        digest = hashlib.sha256(self._found(stored).data).digest()
        if self.composite:
            return f"COMPOSITE {b64encode(hashlib.sha256(digest).digest()).decode()}-1"
        return f"FULL_OBJECT {b64encode(digest).decode()}"

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        for key in sorted(self.versions):
            newest = self.versions[key][-1]
            if key.startswith(prefix) and not marks_a_folder(key, len(newest.data)):
                yield key, newest.changed

    def etags(self, prefix: str) -> Iterator[tuple[str, str]]:
        for key in sorted(self.versions):
            if key.startswith(prefix):
                yield key, self._stored(key, self.versions[key][-1]).etag

    def page(self, after: str, most: int = 1000) -> list[tuple[str, datetime]]:
        keys = sorted(key for key in self.versions if key > after and self.versions[key])
        return [(key, self.versions[key][-1].changed) for key in keys[:most]]

    def listing(self, prefix: str) -> Iterator[ObjectVersion]:
        for key in sorted(self.versions):
            if key.startswith(prefix) and self.versions[key]:
                yield replace(self._stored(key, self.versions[key][-1]), metadata={})

    def copy_from(
        self,
        source: ObjectVersion,
        key: str,
        metadata: Mapping[str, str],
        going_on: Callable[[], None] = lambda: None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion | None:
        if self.versions.get(key):
            return None
        data = self._s3.bucket(source.bucket)._found(source).data
        copy = self._add(key, data, dict(metadata))
        self._found(copy).tags = dict(tags or {})
        return copy

    def put_once(self, key: str, data: bytes) -> bool:
        if self.versions.get(key):
            return False
        self._add(key, data, {})
        return True

    def put_locked(self, key: str, data: bytes | IO[bytes], mode: str, until: datetime) -> bool:
        if self.versions.get(key):
            return False
        whole = data if isinstance(data, bytes) else data.read()
        self.retain(key, self._add(key, whole, {}).version_id, until, mode)
        return True

    def history(self, prefix: str) -> Iterator[VersionRecord]:
        for key in sorted(self.versions):
            if key.startswith(prefix):
                for version in self.versions[key]:
                    yield VersionRecord(key, version.id, version is self.versions[key][-1], False)

    def retained_until(self, key: str, version_id: str) -> datetime | None:
        return next(each for each in self.versions[key] if each.id == version_id).retained_until

    def put(
        self,
        key: str,
        data: bytes,
        metadata: Mapping[str, str] | None = None,  # by those who upload; Signoff itself gives none
    ) -> ObjectVersion:
        return self._add(key, data, dict(metadata or {}))

    def put_after(self, known: ObjectVersion | None, key: str, data: bytes) -> bool:
        present = self.current(key)
        if (present and present.etag) != (known and known.etag):
            return False
        self._add(key, data, {})
        return True

    def tag(self, key: str, version_id: str, tags: Mapping[str, str], unless: Mapping[str, str] | None = None) -> None:
        kept = next(each for each in self.versions[key] if each.id == version_id)
        if unless and unless.items() <= kept.tags.items():
            return
        merged = {**kept.tags, **tags}
        if len(merged) <= 10 and merged != kept.tags:
            kept.tags = merged
            self.writes.append(("tag", key))

    def tag_once(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        kept = next(each for each in self.versions[key] if each.id == version_id)
        if kept.tags != tags:
            kept.tags = dict(tags)
            self.writes.append(("tag", key))

    def tags(self, key: str) -> dict[str, str]:
        """Return the tags of the current version of `key`."""
        return self.versions[key][-1].tags

    def retain(self, key: str, version_id: str | None, until: datetime, mode: str) -> None:
        found = [each for each in self.versions[key] if version_id in (None, each.id)]
        if not found:
            raise ObjectMissing(f"s3://{self.name}/{key} does not exist")
        kept = found[-1]
        if kept.retained_until is None or kept.retained_until < until:
            kept.retained_until = until
            self.writes.append(("retain", key))

    def _add(self, key: str, data: bytes, metadata: dict[str, str]) -> ObjectVersion:
        added = FakeVersion(f"{self.name}-{key}-{len(self.versions[key]) + 1}", data, self._s3.now(), metadata)
        self.versions[key].append(added)
        self.writes.append(("put", key))
        return self._stored(key, added)

    def _found(self, stored: ObjectVersion) -> FakeVersion:
        if stored.bucket != self.name or self.version(stored.key, stored.version_id) is None:
            raise ObjectMissing(f"{stored.uri} version {stored.version_id} no longer exists")
        return next(each for each in self.versions[stored.key] if each.id == stored.version_id)

    def _stored(self, key: str, version: FakeVersion) -> ObjectVersion:
        etag = hashlib.md5(version.data, usedforsecurity=False).hexdigest()
        if self.multipart:
            etag = f"{hashlib.md5(version.id.encode(), usedforsecurity=False).hexdigest()}-2"
        return ObjectVersion(self.name, key, version.id, len(version.data), etag, dict(version.metadata))


class Forbidden(FakeBucket):
    """A bucket that S3 lets nobody read who expects another owner."""

    def current(self, key: str) -> ObjectVersion | None:
        raise ObjectMissing(f"s3://{self.name}/{key} cannot be read by Signoff")

    def opened(self, key: str, version_id: str | None = None) -> OpenedObject | None:
        raise ObjectMissing(f"s3://{self.name}/{key} cannot be read by Signoff")

    def listing(self, prefix: str) -> Iterator[ObjectVersion]:
        raise ObjectMissing(f"s3://{self.name}/{prefix} cannot be read by Signoff")
