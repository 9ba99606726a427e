"""What is found in the layouts of models: folders as libraries and servers have them, and the archives of these."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from signoff.artifact import scan
from signoff.artifact.findings import Finding
from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from signoff.validation.inspect_artifact import inspect_objects
from tests.support import tensor_files
from tests.support.archives import member, tar

SAMPLES = tensor_files.SAMPLES / "layouts"
Files = Mapping[str, bytes]

# Honest and refused, by how the layout's name begins and the file's ends: docs/formats.md says why, and what to do.
EXPLAINED: Mapping[tuple[str, str], set[str]] = {
    ("hugging-face", "training_args.bin"): {"unsafe-pickle", "unknown-global", "own-class"},
    ("mlflow-statsmodels", "model.statsmodels"): {"unsafe-pickle", "unknown-global", "own-class"},
    ("mlflow-own", "python_model.pkl"): {"unsafe-pickle", "unknown-global", "own-class"},
    ("servers-torchserve", "handler.py"): {"code-out-of-place"},
}


def names_of(folder: Path) -> list[str]:
    """Return the names of the layouts in a folder, sorted."""
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def files_of(folder: Path) -> Files:
    """Return the contents of the files of a layout, by their paths in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def packed(files: Files) -> bytes:
    """Return files as the archive that SageMaker takes, the same for the same files."""
    return gzip.compress(tar(*(member(name, data) for name, data in files.items())), mtime=0)


def of_folder(files: Files) -> Inspection:
    """Inspect files as a prefix in S3 has them."""
    return inspect_objects(((name, [data]) for name, data in files.items()), Requirements())


def of_archive(files: Files) -> Inspection:
    """Inspect files as an archive has them."""
    return inspect([packed(files)], Requirements(), scan.scan)


def judged(folder: Path) -> Iterator[Finding]:
    """Yield what is found in a layout as a folder, and what is found besides in its archive."""
    files = files_of(folder)
    found = of_folder(files).findings
    yield from found
    yield from (finding for finding in of_archive(files).findings if finding not in found)


@cache
def explained_rules(layout: str, member: str) -> frozenset[str]:
    """Return the rules that a file of an honest layout is refused by, as the documentation explains."""
    return frozenset(
        rule
        for (part, end), rules in EXPLAINED.items()
        for rule in rules
        if layout.startswith(part) and member.partition(" > ")[0].endswith(end)
    )


def explained(layout: str, finding: Finding) -> bool:
    """Whether the documentation explains why this is found in an honest layout."""
    return finding.rule in explained_rules(layout, finding.member or "")
