"""Other scanners, as loaders that raise what they find: what one of them finds, we should find too."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from attack.loaders.registry import Loader, each_file

PEERS = ("picklescan", "modelscan", "fickling")


class Found(Exception):
    """Raised when a scanner would refuse a file."""


def by_picklescan() -> dict[str, Loader]:
    """Return picklescan, which takes each file for what its name says, and for a pickle."""
    from picklescan.scanner import SafetyLevel, scan_bytes

    def scan(path: Path) -> None:
        for suffix in (path.suffix, ".pkl"):
            with path.open("rb") as file:
                result = scan_bytes(file, str(path), suffix)
            if result.issues_count or result.infected_files:
                named = [
                    f"{each.module}.{each.name}" for each in result.globals if each.safety == SafetyLevel.Dangerous
                ]
                raise Found(", ".join(named))

    return {"picklescan": each_file(scan)}


def by_modelscan() -> dict[str, Loader]:
    """Return modelscan, which goes by names: each file is given to it under its own and under those of pickles."""
    from modelscan.modelscan import ModelScan

    def scan(path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", ".pkl", ".bin"):
                shutil.copy(path, Path(folder, path.name + suffix))
            issues = ModelScan().scan(folder)["issues"]
        if issues:
            raise Found(", ".join(str(each["description"]) for each in issues))

    return {"modelscan": each_file(scan)}


def by_fickling() -> dict[str, Loader]:
    """Return fickling's judgement of each file as a row of pickles."""
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    def scan(path: Path) -> None:
        with path.open("rb") as file:
            pickles = StackedPickle.load(file)
        for each in pickles:
            result = check_safety(each)
            if result.severity > Severity.LIKELY_SAFE:
                raise Found(str(result.to_string())[:150])

    return {"fickling": each_file(scan)}
