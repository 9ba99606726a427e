"""What a transform job reads of S3: its inputs by prefix or manifest, and its model's archive."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from local.transforms.objects import Objects, Unreadable
from tests.support.archives import member, tar


@pytest.fixture
def s3(aws: Any) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket="data")
    return client


def put(s3: Any, **objects: bytes) -> None:
    for key, body in objects.items():
        s3.put_object(Bucket="data", Key=key, Body=body)


def inputs(s3: Any, url: str, kind: str = "S3Prefix", compression: str = "None") -> list[tuple[str, bytes]]:
    source = {"S3DataType": kind, "S3Uri": url}
    found = Objects(s3).inputs({"DataSource": {"S3DataSource": source}, "CompressionType": compression})
    return [(name, content) for _, name, content in found]


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("s3://data/in/a.csv", ["a.csv", "a.csv.bak"]),  # what begins so is meant, too
        ("s3://data/in/", ["a.csv", "a.csv.bak", "deep/b.csv"]),
        ("s3://data/in", ["a.csv", "a.csv.bak", "deep/b.csv"]),
        ("s3://data/i", ["in/a.csv", "in/a.csv.bak", "in/deep/b.csv"]),
        ("s3://data/in/deep/b", ["b.csv"]),
        ("s3://data", ["in/a.csv", "in/a.csv.bak", "in/deep/b.csv"]),
    ],
)
def test_inputs_are_named_below_their_prefix(s3: Any, url: str, names: list[str]) -> None:
    put(s3, **{"in/": b"", "in/a.csv": b"1", "in/a.csv.bak": b"2", "in/deep/b.csv": b"3"})

    assert [name for name, _ in inputs(s3, url)] == names


def test_a_manifest_names_its_inputs(s3: Any) -> None:
    manifest = [{"prefix": "s3://data/in/"}, "a.csv", "deep/b.csv"]
    put(s3, **{"in/a.csv": b"1", "in/a.csv.bak": b"2", "in/deep/b.csv": b"3", "list": json.dumps(manifest).encode()})

    assert inputs(s3, "s3://data/list", "ManifestFile") == [("a.csv", b"1"), ("deep/b.csv", b"3")]


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[]", b'["a.csv"]', b"3"])
def test_what_is_no_manifest_is_refused(s3: Any, manifest: bytes) -> None:
    put(s3, list=manifest)

    with pytest.raises(Unreadable, match="is not a manifest"):
        inputs(s3, "s3://data/list", "ManifestFile")


def test_compressed_inputs_are_unpacked(s3: Any) -> None:
    put(s3, **{"a.csv.gz": gzip.compress(b"1,2\n"), "b": b"no gzip"})

    assert inputs(s3, "s3://data/a", compression="Gzip") == [("a.csv.gz", b"1,2\n")]
    with pytest.raises(Unreadable, match="s3://data/b is not a gzip file"):
        inputs(s3, "s3://data/b", compression="Gzip")


def test_what_is_not_there_cannot_be_read_or_written(s3: Any) -> None:
    with pytest.raises(Unreadable, match=r"ClientError: Could not read s3://data/none: .*NoSuchKey"):
        Objects(s3).read("s3://data/none")
    with pytest.raises(Unreadable, match=r"ClientError: Could not write s3://nowhere/a: .*NoSuchBucket"):
        Objects(s3).write("s3://nowhere/a", b"")
    with pytest.raises(Unreadable, match=r"ClientError: Could not list s3://nowhere/a: .*NoSuchBucket"):
        inputs(s3, "s3://nowhere/a")


def test_a_models_archive_is_unpacked(s3: Any, tmp_path: Path) -> None:
    put(s3, **{"model.tar.gz": gzip.compress(tar(member("code/inference.py", b"pass")))})
    (tmp_path / "model").mkdir()

    Objects(s3).extract("s3://data/model.tar.gz", tmp_path / "model")

    assert (tmp_path / "model/code/inference.py").read_bytes() == b"pass"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


CLIMBING = gzip.compress(tar(member("../escape", b"x")), mtime=0)


@pytest.mark.parametrize("data", [b"", b"no archive", CLIMBING, CLIMBING[:40]], ids=["empty", "other", "climbs", "cut"])
def test_an_archive_that_cannot_be_unpacked_is_refused(s3: Any, tmp_path: Path, data: bytes) -> None:
    put(s3, **{"model.tar.gz": data})
    (tmp_path / "model").mkdir()

    with pytest.raises(Unreadable, match=r'Failed to extract model data archive from URL "s3://data/model.tar.gz"'):
        Objects(s3).extract("s3://data/model.tar.gz", tmp_path / "model")
    assert not (tmp_path / "escape").exists()
