"""Objects in S3 that a transform job reads and writes, as its model's execution role may."""

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.sagemaker.account import Document


class Unreadable(Exception):
    """Raised for what a job cannot read or write; the message is the job's FailureReason."""


class Objects:
    """The objects that a role sees through `s3`, a client that acts as that role."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def inputs(self, given: Document) -> Iterator[tuple[str, str, bytes]]:
        """Each input of a TransformInput: its URL, its name below the prefix, and its content, unpacked."""
        source = given["DataSource"]["S3DataSource"]
        listed = (
            self._listed(source["S3Uri"]) if source["S3DataType"] == "S3Prefix" else self._manifest(source["S3Uri"])
        )
        for url, name in listed:
            content = self.read(url)
            yield url, name, _unpacked(content, url) if given["CompressionType"] == "Gzip" else content

    def read(self, url: str) -> bytes:
        """An object's content; raises Unreadable."""
        bucket, key = _place(url)
        try:
            content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.ClientError as error:
            raise Unreadable(f"ClientError: Could not read {url}: {error}") from error
        return content

    def write(self, url: str, content: bytes) -> None:
        """Store an object; raises Unreadable."""
        bucket, key = _place(url)
        try:
            self._s3.put_object(Bucket=bucket, Key=key, Body=content)
        except self._s3.exceptions.ClientError as error:
            raise Unreadable(f"ClientError: Could not write {url}: {error}") from error

    def extract(self, url: str, folder: Path) -> None:
        """Unpack the archive of a model's data into a folder; raises Unreadable."""
        archive = folder.parent / "model.tar.gz"
        archive.write_bytes(self.read(url))
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise Unreadable(
                f'ClientError: Failed to extract model data archive from URL "{url}". '
                f"Please ensure that the object located at the URL is a valid tar.gz archive. ({error})"
            ) from error
        archive.unlink()

    def _listed(self, url: str) -> Iterator[tuple[str, str]]:
        bucket, prefix = _place(url)
        try:
            pages = list(self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        except self._s3.exceptions.ClientError as error:
            raise Unreadable(f"ClientError: Could not list {url}: {error}") from error
        for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
            if not key.endswith("/"):
                yield f"s3://{bucket}/{key}", _below(prefix, key)

    def _manifest(self, url: str) -> Iterator[tuple[str, str]]:
        """The objects that a manifest names: [{"prefix": "s3://bucket/prefix/"}, "name", ...]."""
        try:
            head, *names = json.loads(self.read(url))
            prefix = head["prefix"]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable(f"ClientError: {url} is not a manifest: {error!r}") from error
        for name in names:
            yield f"{prefix}{name}", str(name)


def _below(prefix: str, key: str) -> str:
    """A key's name below a prefix, which may be a folder's, with or without its slash, or the beginning of a name."""
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    return key.removeprefix(folder) if key.startswith(folder) else key[prefix.rfind("/") + 1 :]


def _place(url: str) -> tuple[str, str]:
    bucket, _, key = url.partition("://")[2].partition("/")
    return bucket, key


def _unpacked(content: bytes, url: str) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise Unreadable(f"ClientError: {url} is not a gzip file: {error}") from error
