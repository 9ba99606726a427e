"""Archives made in memory, and what an inspection says of them."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
from typing import Any

from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from signoff.artifact.streams.limits import Limits

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LINKS = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}
WEIGHTS = pickle.dumps({"weights": [0.5] * 100}, protocol=4)
FILES = {"model.joblib": WEIGHTS, "code/inference.py": b"def model_fn(model_dir): ..."}


def member(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def link(name: str, target: str, kind: str = "symbolic") -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=LINKS[kind], linkname=target)


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    """Return a zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def honest(form: int = tarfile.PAX_FORMAT) -> bytes:
    return tar(*(member(name, content) for name, content in FILES.items()), form=form)


def inspected(data: bytes, *required: str, chunk: int = 64 * 1024, limits: Limits | None = None) -> Inspection:
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return inspect(chunks, Requirements(required_files=required, limits=limits or Limits()))


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> Inspection:
    return inspected(gzip.compress(tar(member("model.joblib", b"weights"), *members)))


def rules(inspection: Inspection) -> list[str]:
    return [finding.rule for finding in inspection.findings]


def found(inspection: Inspection) -> list[tuple[str | None, str, str]]:
    return [(finding.member, finding.rule, finding.severity) for finding in inspection.findings]
