"""Inspecting an artifact before it is submitted: the very same inspection that Signoff makes of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.artifact.report import Inspection
    from signoff.policy.policy import Policy

_CHUNK = 1024 * 1024
_ROLE = "arn:aws:iam::123456789012:role/not-looked-at"


@dataclass(frozen=True)
class ArtifactSource:
    """The bytes of an artifact, in pieces, and how many there are."""

    size: int
    chunks: Iterable[bytes]


def default_policy() -> Policy:
    """Return the policy of a group that says nothing of artifacts."""
    from signoff.policy.policy import of_document

    return of_document({"deployment": {"execution_role": _ROLE}})


@contextmanager
def open_artifact(artifact: str) -> Iterator[ArtifactSource]:
    """Give the bytes of a file, or of an object in S3 by its `s3://` URI. Raises `CommandFailed` when there is none."""
    if artifact.startswith("s3://"):
        yield _in_s3(artifact)
        return
    with _file(Path(artifact)) as file:
        yield ArtifactSource(Path(artifact).stat().st_size, iter(lambda: file.read(_CHUNK), b""))


def _file(path: Path) -> BinaryIO:
    if path.is_dir():
        raise CommandFailed(
            f"{path} is a folder: pack it (`tar -czf model.tar.gz -C {path} .`), and inspect the archive"
        )
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error


def _in_s3(uri: str) -> ArtifactSource:
    from signoff.aws.clients import client
    from signoff.aws.s3 import Bucket

    parts = urlsplit(uri)
    key = uri.removeprefix(f"s3://{parts.netloc}/")
    if not parts.netloc or not key or key.endswith("/") or key == uri:
        raise CommandFailed(f"{uri} is not the URI of an object; give s3://bucket/key of one archive")
    bucket = Bucket(client("s3"), parts.netloc)
    stored = bucket.current(key)
    if stored is None:
        raise CommandFailed(f"there is no object {uri}")
    return ArtifactSource(stored.size, bucket.stream(stored))


def inspect_artifact(source: ArtifactSource, policy: Policy, progress: Callable[[int], None]) -> Inspection:
    """Return what is found in an artifact, checked against `policy`; `progress` gets each number of bytes read."""
    from signoff.validation.inspect_artifact import inspect_archive

    def counted_chunks() -> Iterator[bytes]:
        for chunk in source.chunks:
            progress(len(chunk))
            yield chunk

    return inspect_archive(counted_chunks(), policy.requirements)
