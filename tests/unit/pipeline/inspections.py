"""What an inspection says of small archives and files whose bytes are the same on every machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from signoff.artifact import scan
from signoff.artifact.inspection import inspect, inspect_file
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from tests.support.archives import honest, link, member, tar
from tests.support.golden import Redaction, as_json
from tests.support.pickled import calling, named
from tests.support.tarballs import stored_gzip
from tests.support.tensor_files import array, npy, safetensors, tensor

SYSTEM, ORDERED = calling("os", "system"), b"\x80\x04" + named("collections", "OrderedDict") + b")R."
TENSORS = safetensors({"w": tensor(0, 4), "b": tensor(4, 8)}, 8)
OVERLAPPING = safetensors({"w": tensor(0, 4), "b": tensor(2, 8)}, 8)


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip of files that are stored as they are, of no date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            archive.writestr(info, content)
    return buffer.getvalue()


def _archive(*members: Any) -> bytes:
    return stored_gzip(tar(*members))


def _files(**files: bytes) -> bytes:
    return _archive(*(member(name.replace("__", "."), content) for name, content in files.items()))


ARCHIVES: dict[str, tuple[bytes, Requirements]] = {
    "honest": (stored_gzip(honest()), Requirements()),
    "honest_with_demands": (
        stored_gzip(honest()),
        Requirements(
            required_files=("model.pkl", "code/*"), forbidden_files=("*.joblib",), licence=True, model_card=True
        ),
    ),
    "names_and_links": (
        _archive(
            member("../escape", b"x"),
            member("/etc/passwd", b"x"),
            member("Model", b"x"),
            member("model", b"x"),
            link("out", "../../outside"),
            link("model.bin", "Model", "hard"),
        ),
        Requirements(),
    ),
    "pickles": (_files(bad__pkl=SYSTEM, good__pkl=ORDERED, text__txt=b"text"), Requirements()),
    "tensors": (_files(good__safetensors=TENSORS, bad__safetensors=OVERLAPPING), Requirements()),
    "formats": (_files(good__safetensors=TENSORS, good__pkl=ORDERED), Requirements(formats=("safetensors",))),
    "zips_within": (_files(model__zip=zipped({"data.pkl": SYSTEM, "version": b"3\n", "../up": b"x"})), Requirements()),
    "archives_within": (_files(inner__tar=tar(member("deep.pkl", SYSTEM))), Requirements()),
    "truncated": (stored_gzip(honest())[:-9], Requirements()),
    "not_an_archive": (honest(), Requirements()),
    "empty": (stored_gzip(b"\0" * 1024), Requirements()),
}
FILES: dict[str, bytes] = {
    "weights.safetensors": TENSORS,
    "overlapping.safetensors": OVERLAPPING,
    "system.pkl": SYSTEM,
    "ordered.pkl": ORDERED,
    "array.npy": npy(array("'<f8'", "(1,)"), bytes(8)),
    "objects.npy": npy(array("'|O'", "(1,)"), SYSTEM),
    "model.zip": zipped({"data.pkl": SYSTEM}),
    "code.py": b"import os\n",
    "program": b"\x7fELF" + bytes(60),
}


def inspected_archive(name: str) -> tuple[Any, Any]:
    """Return the document about an archive without its sentences, and those."""
    data, requirements = ARCHIVES[name]
    return _redacted(lambda: inspect(iter([data]), requirements, scan.scan))


def inspected_file(name: str) -> tuple[Any, Any]:
    """Return the document about a file without its sentences, and those."""
    return _redacted(lambda: inspect_file(iter([FILES[name]]), name, scan.scan))


def _redacted(inspection: Callable[[], Inspection]) -> tuple[Any, Any]:
    redaction = Redaction()
    return redaction.of(as_json(inspection().document())), redaction.hidden
