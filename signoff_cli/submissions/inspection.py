"""Inspecting an artifact before it is submitted: the very same inspection that Signoff makes of it afterwards."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from signoff_cli.errors import CommandFailed
from signoff_cli.submissions import folders

if TYPE_CHECKING:
    from signoff.artifact.report import Inspection
    from signoff.policy.policy import Policy

_CHUNK = 1024 * 1024
_ROLE = "arn:aws:iam::123456789012:role/not-looked-at"


@dataclass(frozen=True)
class ArtifactSource:
    """An artifact: its `name`, how many bytes it has, and these in pieces; for a folder those of each `file` in it."""

    name: str
    size: int
    chunks: Iterable[bytes] = ()
    files: Mapping[str, Path] | None = None

    @property
    def is_archive(self) -> bool:
        """Whether it is to be unpacked: by its name, as SageMaker tells a single file from an archive."""
        return self.name.endswith((".tar.gz", ".tgz"))


def default_policy() -> Policy:
    """Return the policy of a group that says nothing of artifacts."""
    from signoff.policy.policy import of_document

    return of_document({"deployment": {"execution_role": _ROLE}})


@contextmanager
def open_artifact(artifact: str) -> Iterator[ArtifactSource]:
    """Give a file, a folder, or an object in S3 by its `s3://` URI. Raises `CommandFailed` when there is none."""
    if artifact.startswith("s3://"):
        yield _in_s3(artifact)
    elif (path := Path(artifact)).is_dir():
        files = _files(path)
        yield ArtifactSource(str(path), sum(file.stat().st_size for file in files.values()), files=files)
    else:
        with _file(path) as file:
            yield ArtifactSource(path.name, path.stat().st_size, _chunks(file))


def _files(path: Path) -> Mapping[str, Path]:
    folder = folders.read(path)
    if folder.faults:
        name, fault = next(iter(folder.faults.items()))
        raise CommandFailed(f"{path}/{name} {fault}")
    if not folder.files:
        raise CommandFailed(f"{path} is a folder without a file")
    return folder.files


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")


def _in_s3(uri: str) -> ArtifactSource:
    from signoff.aws.clients import client
    from signoff.aws.s3 import Bucket

    parts = urlsplit(uri)
    key = uri.removeprefix(f"s3://{parts.netloc}/")
    if not parts.netloc or not key or key.endswith("/") or key == uri:
        raise CommandFailed(f"{uri} is not the URI of an object; give s3://bucket/key of one object")
    bucket = Bucket(client("s3"), parts.netloc)
    stored = bucket.current(key)
    if stored is None:
        raise CommandFailed(f"there is no object {uri}")
    return ArtifactSource(posixpath.basename(key), stored.size, bucket.stream(stored))


def inspect_artifact(source: ArtifactSource, policy: Policy, progress: Callable[[int], None]) -> Inspection:
    """Return what is found in an artifact, checked against `policy`; `progress` gets each number of bytes read."""
    from signoff.validation.inspect_artifact import inspect_archive, inspect_object, inspect_objects

    def counted(chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            progress(len(chunk))
            yield chunk

    def opened(path: Path) -> Iterator[bytes]:
        with _file(path) as file:
            yield from counted(_chunks(file))

    if source.files is not None:
        return inspect_objects(((name, opened(path)) for name, path in source.files.items()), policy.requirements)
    inspect = inspect_archive if source.is_archive else partial(inspect_object, name=source.name)
    return inspect(counted(source.chunks), policy.requirements)
