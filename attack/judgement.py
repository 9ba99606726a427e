"""What Signoff's inspection says of an artifact, as `signoff inspect` does, by the default policy."""

from __future__ import annotations

import gzip
import io
import tarfile
from functools import cache

from attack.grammar import Files
from signoff.artifact.report import Inspection
from signoff.policy.policy import Policy
from signoff_cli.submissions.inspection import ArtifactSource, default_policy, inspect_artifact


@cache
def _policy() -> Policy:
    return default_policy()


def packed(files: Files) -> bytes:
    """Return an artifact's files as the archive that is submitted."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(file.getvalue(), 1, mtime=0)


def inspected(files: Files) -> Inspection:
    """Return the inspection of an artifact with those files."""
    return inspected_archive(packed(files))


def inspected_archive(data: bytes) -> Inspection:
    """Return the inspection of an archive."""
    return inspect_artifact(ArtifactSource("model.tar.gz", len(data), [data]), _policy(), lambda _read: None)


def errors(inspection: Inspection) -> list[str]:
    """Return the rules for which an artifact would be refused."""
    return sorted({finding.rule for finding in inspection.findings if finding.severity == "error"})
