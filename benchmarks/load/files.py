"""What is uploaded: models so small that what is measured is the work around them."""

import gzip
import io
import json
import struct
import tarfile
from collections.abc import Mapping


def submission(image: str, accuracy: float | None = None) -> Mapping[str, bytes]:
    """The files of a submission of one container, with a model quality document where `accuracy` is given."""
    container = {"Image": image, "ModelDataUrl": "model.tar.gz"}
    text = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    manifest: dict[str, object] = {"InferenceSpecification": {"Containers": [container], **text}}
    files = {"model.tar.gz": _archive("model.safetensors", _tensors())}
    if accuracy is not None:
        scores = {"binary_classification_metrics": {"accuracy": {"value": accuracy, "standard_deviation": 0.01}}}
        files["model_quality.json"] = json.dumps(scores).encode()
        document = {"ContentType": "application/json", "S3Uri": "model_quality.json"}
        manifest["ModelMetrics"] = {"ModelQuality": {"Statistics": document}}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def _tensors() -> bytes:
    header = json.dumps({"weights": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<4f", 0.5, 0.25, 0.125, 1.0)


def _archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)
