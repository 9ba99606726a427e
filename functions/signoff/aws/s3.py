"""S3 as Signoff uses it: exact versions of objects, read as streams, copied server-side, written once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from signoff.aws.clients import error_code, ignoring
from signoff.aws.part_copies import PART, copy_in_parts
from signoff.aws.range_reads import RANGE, in_order
from signoff.errors import ObjectMissing

_MIB = 1024 * 1024
_CHUNK = _MIB
# With each copy S3 computes the SHA-256 of what it writes (`Bucket.checksum`).
_CHECKSUM = {"ChecksumAlgorithm": "SHA256"}
# For a range whose connection breaks, and for a write that meets another; botocore retries other errors itself.
_TRIES = 4
_PAUSE = 0.1  # seconds, doubled after each try
_ABSENT = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed", "405"}
# Something is at the key.
_CONFLICT = {"PreconditionFailed", "412"}
# Another write is under way, and may yet come to nothing: S3 asks to try again.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_UNDER_WAY = {"ConditionalRequestConflict"}
# Something else is at the key, nothing is there any more, or another write is under way: look again.
_OVERTAKEN = {*_CONFLICT, *_ABSENT, *_UNDER_WAY}
_FORBIDDEN = {"403", "AccessDenied"}
_REMEDY = ": submit it instead, or have whoever deploys Signoff name its bucket (`-c sourceBuckets`)"


def marks_a_folder(key: str, size: int) -> bool:
    """Whether an object of `size` bytes is one of the empty ones that S3's console makes for a folder.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-folders.html
    """
    return key.endswith("/") and size == 0


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object: where it is, its size in bytes and its metadata."""

    bucket: str
    key: str
    version_id: str
    size: int
    etag: str
    metadata: Mapping[str, str]

    @property
    def uri(self) -> str:
        """The object's `s3://` URI, which names no version."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def marks_a_folder(self) -> bool:
        """Whether it is one of the empty objects that S3's console makes for a folder."""
        return marks_a_folder(self.key, self.size)


@dataclass(frozen=True)
class OpenedObject:
    """A version of an object that is being read: the version, S3's own SHA-256 (`Bucket.checksum`), and its bytes."""

    stored: ObjectVersion
    checksum: str | None
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class VersionRecord:
    """A version or a delete marker of `key`; the `latest` is what readers get."""

    key: str
    version_id: str
    latest: bool
    deletes: bool


class Bucket:
    """One S3 bucket, which must belong to the account `owner` if that is given: S3 refuses to read it otherwise.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    def __init__(
        self, s3: Any, name: str, owner: str | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._s3 = s3
        self._pause = pause
        self.name = name
        self._owned = {"ExpectedBucketOwner": owner} if owner else {}

    def current(self, key: str) -> ObjectVersion | None:
        """Return the version of `key` that a reader without a version gets now, or None when there is none."""
        return self._head(Key=key)

    def version(self, key: str, version_id: str) -> ObjectVersion | None:
        """Return one version of `key`, or None when it is not there."""
        return self._head(Key=key, VersionId=version_id)

    def checksum(self, stored: ObjectVersion) -> str | None:
        """Return S3's own SHA-256 of one version, or None when it has computed none.

        It is of all bytes or, for an object made in parts, of the SHA-256 of each, and says which of the two. So equal
        ones are of equal bytes, however these were divided. Raises `ObjectMissing` when the version is gone.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
        """
        head = self._answer(self._s3.head_object, Key=stored.key, VersionId=stored.version_id, ChecksumMode="ENABLED")
        if head is None:
            raise _gone(stored)
        return _checksum(head)

    def opened(self, key: str, version_id: str | None = None) -> OpenedObject | None:
        """Return an object as it is now, or one version, with its bytes in chunks; None when it is not there.

        That is one request, unless the object is large: then its bytes are read as `stream` does.
        """
        which = {"VersionId": version_id} if version_id else {}
        answer = self._answer(self._s3.get_object, Key=key, ChecksumMode="ENABLED", **which)
        if answer is None:
            return None
        stored, body = self._stored(key, answer), answer["Body"]
        if stored.size > RANGE:
            body.close()
        chunks = self.stream(stored) if stored.size > RANGE else _chunks(body)
        return OpenedObject(stored, _checksum(answer), chunks)

    def _answer(self, ask: Callable[..., Any], **which: str) -> dict[str, Any] | None:
        try:
            return dict(ask(Bucket=self.name, **which, **self._owned))
        except ClientError as error:
            if error_code(error) in _ABSENT:
                return None
            if error_code(error) in _FORBIDDEN:
                raise ObjectMissing(f"s3://{self.name}/{which['Key']} cannot be read by Signoff{_REMEDY}") from error
            raise

    def _head(self, **which: str) -> ObjectVersion | None:
        head = self._answer(self._s3.head_object, **which)
        return None if head is None else self._stored(which["Key"], head)

    def _stored(self, key: str, answer: Mapping[str, Any]) -> ObjectVersion:
        version_id, etag = answer.get("VersionId", "null"), answer.get("ETag", "").strip('"')
        return ObjectVersion(self.name, key, version_id, answer["ContentLength"], etag, answer.get("Metadata", {}))

    def read(self, stored: ObjectVersion) -> bytes:
        """Return the bytes of a small object's version."""
        return b"".join(self.stream(stored))

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a small object as it is now, or None when there is none."""
        with ignoring(_ABSENT), closing(self._s3.get_object(Bucket=self.name, Key=key)["Body"]) as body:
            return bytes(body.read())
        return None

    def stream(self, stored: ObjectVersion) -> Iterator[bytes]:
        """Yield the bytes of one version in chunks; a large one is read by several ranges at once.

        Only a range whose connection breaks is read again. Raises `ObjectMissing` when the version is gone.
        """
        if stored.size > RANGE:
            yield from in_order(lambda first, last: self._range(stored, first, last), stored.size)
            return
        yield from _chunks(self._body(stored))

    def _range(self, stored: ObjectVersion, first: int, last: int) -> bytes:
        for _ in range(_TRIES - 1):
            with suppress(HTTPClientError, IncompleteReadError):
                return self._range_once(stored, first, last)
        return self._range_once(stored, first, last)

    def _range_once(self, stored: ObjectVersion, first: int, last: int) -> bytes:
        with closing(self._body(stored, Range=f"bytes={first}-{last}")) as body:
            return bytes(body.read())

    def _body(self, stored: ObjectVersion, **which: str) -> Any:
        try:
            found = {"Bucket": self.name, "Key": stored.key, "VersionId": stored.version_id, **which}
            return self._s3.get_object(**found)["Body"]
        except ClientError as error:
            if error_code(error) in _ABSENT:
                raise _gone(stored) from error
            raise

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield the key and the modification time of each object under `prefix`, but for those that mark a folder."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            for listed in page.get("Contents", ()):
                if not marks_a_folder(listed["Key"], listed["Size"]):
                    yield listed["Key"], listed["LastModified"]

    def etags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield the key and the ETag of each object under `prefix`."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            yield from ((listed["Key"], listed["ETag"].strip('"')) for listed in page.get("Contents", ()))

    def page(self, after: str, most: int = 1000) -> list[tuple[str, datetime]]:
        """Return key and modification time of the first `most` objects (1,000 at most) with keys after `after`."""
        answer = self._s3.list_objects_v2(Bucket=self.name, StartAfter=after, MaxKeys=most)
        return [(listed["Key"], listed["LastModified"]) for listed in answer.get("Contents", ())]

    def listing(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield the current version of each object under `prefix`, by key, without its metadata.

        Raises `ObjectMissing` when the bucket does not exist or cannot be listed.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
        """
        for page in self._version_pages(prefix):
            for listed in page.get("Versions", ()):
                if listed["IsLatest"]:
                    etag = listed["ETag"].strip('"')
                    yield ObjectVersion(self.name, listed["Key"], listed["VersionId"], listed["Size"], etag, {})

    def history(self, prefix: str) -> Iterator[VersionRecord]:
        """Yield all versions and delete markers under `prefix`, by key, the oldest first."""
        written: dict[str, list[tuple[datetime, VersionRecord]]] = {}
        for page in self._version_pages(prefix):
            for deletes, found in ((False, page.get("Versions", ())), (True, page.get("DeleteMarkers", ()))):
                for each in found:
                    one = VersionRecord(each["Key"], each["VersionId"], each["IsLatest"], deletes)
                    written.setdefault(one.key, []).append((each["LastModified"], one))
        for key in sorted(written):
            # S3 lists the newest first, with times in seconds: within one second, the order of the listing decides.
            written[key].reverse()
            yield from (one for _, one in sorted(written[key], key=lambda each: (each[1].latest, each[0])))

    def retained_until(self, key: str, version_id: str) -> datetime | None:
        """Return until when one version is under Object Lock, or None when it is not."""
        kept = self._retention({"Bucket": self.name, "Key": key, "VersionId": version_id})
        return kept.get("RetainUntilDate")

    def _version_pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        try:
            pages = self._s3.get_paginator("list_object_versions")
            yield from pages.paginate(Bucket=self.name, Prefix=prefix, **self._owned)
        except ClientError as error:
            if error_code(error) not in {*_FORBIDDEN, "NoSuchBucket"}:
                raise
            raise ObjectMissing(f"s3://{self.name}/{prefix} cannot be listed by Signoff{_REMEDY}") from error

    def copy_from(
        self,
        source: ObjectVersion,
        key: str,
        metadata: Mapping[str, str],
        going_on: Callable[[], None] = lambda: None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion | None:
        """Copy one version to `key` server-side, with `metadata` and `tags`, and none of the source's.

        A large one is copied by parts.

        Return the copy, or None when something is at `key` already. What `going_on` raises before a part ends the copy.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html
        """
        settings = {"Metadata": dict(metadata), **_CHECKSUM, **({"Tagging": urlencode(tags)} if tags else {})}
        try:
            copied = (
                self._copy_in_parts(source, key, settings, going_on)
                if source.size > PART
                else self._copy_whole(source, key, settings)
            )
        except ClientError as error:
            if error_code(error) in {*_ABSENT, *_CONFLICT}:
                raise _gone(source) from error
            raise
        if copied is None:
            return None
        etag = copied.get("ETag", "").strip('"')
        return ObjectVersion(self.name, key, copied.get("VersionId", "null"), source.size, etag, dict(metadata))

    def _copy_whole(self, source: ObjectVersion, key: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        replace = {"MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE"}
        with ignoring(_CONFLICT):
            copied = self._alone(self._s3.copy_object, Key=key, CopySource=_whence(source), **replace, **settings)
            return {**copied, **copied.get("CopyObjectResult", {})}
        return None

    def _copy_in_parts(
        self, source: ObjectVersion, key: str, settings: Mapping[str, Any], going_on: Callable[[], None]
    ) -> dict[str, Any] | None:
        if self.current(key) is not None:
            return None
        # In a bucket without versions another object may come to be at the key while parts are copied.
        whence = {"CopySource": _whence(source), "CopySourceIfMatch": f'"{source.etag}"'}
        return copy_in_parts(self._s3, {"Bucket": self.name, "Key": key}, whence, source.size, settings, going_on)

    def put_once(self, key: str, data: bytes) -> bool:
        """Write JSON to `key` unless something is there. Returns whether it was written."""
        return self._put_new(key, data)

    def _put_new(self, key: str, data: bytes | IO[bytes], **lock: Any) -> bool:
        with ignoring(_CONFLICT):
            self._alone(self._s3.put_object, Key=key, Body=data, ContentType="application/json", **lock)
            return True
        return False

    def _alone(self, write: Callable[..., dict[str, Any]], **said: Any) -> dict[str, Any]:
        """Write a new object, trying again for a moment while another write of its key is under way."""
        for attempt in range(_TRIES - 1):
            with ignoring(_UNDER_WAY):
                return write(Bucket=self.name, IfNoneMatch="*", **said)
            self._pause(_PAUSE * 2**attempt)
        return write(Bucket=self.name, IfNoneMatch="*", **said)

    def put_locked(self, key: str, data: bytes | IO[bytes], mode: str, until: datetime) -> bool:
        """Write JSON, or a file of it, to `key` unless something is there, under Object Lock (`mode`) until then.

        Returns whether it was written.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
        """
        return self._put_new(key, data, ObjectLockMode=mode, ObjectLockRetainUntilDate=until)

    def put_after(self, known: ObjectVersion | None, key: str, data: bytes) -> bool:
        """Write JSON to `key` if what is there is still what was `known` of it (None: nothing). Returns whether it was.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition = {"IfMatch": f'"{known.etag}"'} if known else {"IfNoneMatch": "*"}
        with ignoring(_OVERTAKEN):
            self._s3.put_object(Bucket=self.name, Key=key, Body=data, ContentType="application/json", **condition)
            return True
        return False

    def tag(self, key: str, version_id: str, tags: Mapping[str, str], unless: Mapping[str, str] | None = None) -> None:
        """Add `tags` to those of one version, unless it has others; PutObjectTagging would replace the whole set."""
        which = {"Bucket": self.name, "Key": key, "VersionId": version_id}
        present = self._tags(which)
        merged = {**present, **tags}
        if unless and unless.items() <= present.items():
            return
        if len(merged) <= 10 and merged != present:
            self._s3.put_object_tagging(**which, Tagging={"TagSet": _tag_set(merged)})

    def tag_once(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Give one version `tags` instead of all that it has, unless it has these and may not be tagged any more."""
        which = {"Bucket": self.name, "Key": key, "VersionId": version_id}
        try:
            self._s3.put_object_tagging(**which, Tagging={"TagSet": _tag_set(tags)})
        except ClientError as error:
            if error_code(error) not in _FORBIDDEN or not tags.items() <= self._tags(which).items():
                raise

    def _tags(self, which: Mapping[str, str]) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self._s3.get_object_tagging(**which)["TagSet"]}

    def retain(self, key: str, version_id: str | None, until: datetime, mode: str) -> None:
        """Extend the Object Lock of one version (None: the current one) to `until`, in `mode`.

        A longer retention stays, and so does the mode of one that S3 does not change: it is looked at only where S3
        refuses, as it does without `BypassGovernanceRetention` whatever would weaken it. Raises `ObjectMissing` when
        there is no such version.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-periods
        """
        which = {"Bucket": self.name, "Key": key, **({"VersionId": version_id} if version_id else {})}
        try:
            self._s3.put_object_retention(**which, Retention={"Mode": mode, "RetainUntilDate": until})
        except ClientError as error:
            if error_code(error) in _ABSENT:
                raise ObjectMissing(f"s3://{self.name}/{key} does not exist") from error
            kept = self._retention(which)
            if "RetainUntilDate" in kept and kept["RetainUntilDate"] >= until:
                return
            if kept.get("Mode", mode) == mode:
                raise
            self._s3.put_object_retention(**which, Retention={**kept, "RetainUntilDate": until})

    def _retention(self, which: Mapping[str, str]) -> dict[str, Any]:
        with ignoring({"NoSuchObjectLockConfiguration"}):
            return dict(self._s3.get_object_retention(**which)["Retention"])
        return {}


def _tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _chunks(body: Any) -> Iterator[bytes]:
    with closing(body):
        yield from body.iter_chunks(_CHUNK)


def _checksum(answer: Mapping[str, Any]) -> str | None:
    kind, sha256 = answer.get("ChecksumType"), answer.get("ChecksumSHA256")
    return f"{kind} {sha256}" if kind and sha256 else None


def _whence(source: ObjectVersion) -> dict[str, str]:
    return {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id}


def _gone(stored: ObjectVersion) -> ObjectMissing:
    return ObjectMissing(f"{stored.uri} version {stored.version_id} no longer exists")
