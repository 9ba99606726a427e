"""Writes each manifest of `examples/manifests` as a submission: the manifest, and small files of the kinds it names.

    python -m examples.artifacts OUT_DIR [--image URI]

The files are real ones (archives, safetensors, JSON, CSV) of models too small to be good. ETags and digests in the
manifests are zeros; they are filled in here, as those of the files that were written.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import struct
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from signoff.model_package import etags
from signoff.model_package.data_sources import is_prefix
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.manifest import Manifest
from signoff.submission.manifest_shape import manifest_shape

MANIFESTS = Path(__file__).with_name("manifests")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn-inference:1.7"
# What lies under a prefix: of a multi-model container, of data to test with, of uncompressed model data.
ARCHIVES = ("north.tar.gz", "south.tar.gz")
ROWS = ("rows.csv",)
FILES = ("config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
CONFIG = {"model_type": "logistic-regression", "features": 3}
WEIGHTS = (0.25, -1.5, 3.0, 0.125)


def names() -> list[str]:
    """Return the names of the examples, which are those of their folders, sorted."""
    return sorted(folder.name for folder in MANIFESTS.iterdir())


def policy(name: str) -> dict[str, Any]:
    """Return the policy that an example needs where the default one refuses it: empty when it needs none.

    It is a policy file as the CDK app reads it: without an execution role, which the app fills in.
    """
    return _read(MANIFESTS / name / "policy.json") if (MANIFESTS / name / "policy.json").exists() else {}


def manifest(name: str) -> dict[str, Any]:
    """Return an example's manifest from its folder."""
    return _read(MANIFESTS / name / "manifest.json")


def submission(document: dict[str, Any], image: str = IMAGE) -> dict[str, bytes]:
    """Return all objects of a submission by name: every one that the manifest `document` names, and then the manifest.

    The manifest says their ETags and digests, and `image` where it says IMAGE.
    """
    files = {name: content(name) for name in _objects(document)}
    finished = Manifest(_described(document, files), "", "", _shape()).with_images({IMAGE: image}).document
    return {**files, "manifest.json": _as_json(finished)}


def content(name: str) -> bytes:
    """Return the bytes of a file of that name, the same each time."""
    if name.endswith(".tar.gz"):
        return _archive({"model.json": _as_json({**CONFIG, "weights": WEIGHTS})})
    if name.endswith(".safetensors"):
        return _safetensors()
    if name.endswith(".csv"):
        return b"0.1,0.2,0.3\n0.4,0.5,0.6\n"
    return _as_json({"version": 0.0, "of": name, **CONFIG})


def _objects(document: dict[str, Any]) -> Iterator[str]:
    for path, location in Manifest(document, "", "", _shape()).locations():
        yield from (f"{location}{name}" for name in _under(path)) if is_prefix(location) else (location,)


def _under(path: str) -> tuple[str, ...]:
    if path.startswith("ValidationSpecification"):
        return ROWS
    return ARCHIVES if path.endswith("ModelDataUrl") else FILES


def _described(document: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """Return a copy of a manifest with each ETag and digest as that of its file."""
    replaced = etags.replaced(document, lambda name: hashlib.md5(files[name], usedforsecurity=False).hexdigest())
    for report in _with(replaced, "ContentDigest"):
        report["ContentDigest"] = f"sha256:{hashlib.sha256(files[report['S3Uri']]).hexdigest()}"
    return replaced


def _with(value: Any, field: str) -> Iterator[dict[str, Any]]:
    """Yield every object in `value` that has that field."""
    if isinstance(value, dict):
        if field in value:
            yield value
        for item in value.values():
            yield from _with(item, field)
    elif isinstance(value, list):
        for item in value:
            yield from _with(item, field)


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def _safetensors() -> bytes:
    """Return one tensor in the format of https://huggingface.co/docs/safetensors: header's length, header, numbers."""
    data = struct.pack(f"<{len(WEIGHTS)}f", *WEIGHTS)
    tensor = {"dtype": "F32", "shape": [len(WEIGHTS)], "data_offsets": [0, len(data)]}
    header = json.dumps({"weights": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + data


def _shape() -> Any:
    return manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _as_json(document: Any) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"


def main() -> None:
    """Write every example to a folder of its own in the directory given."""
    parser = argparse.ArgumentParser(description="Write the example manifests with files to submit.")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--image", default=IMAGE, help="URI of the inference image (default: %(default)s)")
    arguments = parser.parse_args()
    for name in names():
        for within, data in submission(manifest(name), arguments.image).items():
            path = arguments.out_dir / name / within
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        sys.stdout.write(f"{arguments.out_dir / name}\n")


if __name__ == "__main__":
    main()
