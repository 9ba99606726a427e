"""Other scanners, as loaders that raise what they find: what one of them finds, we should find too."""

from __future__ import annotations

from pathlib import Path

from attack.loaders.registry import Loader, each_file

PEERS = ("picklescan", "modelscan", "fickling")


class Found(Exception):
    """Raised when a scanner would refuse a file."""


def by_picklescan() -> dict[str, Loader]:
    """Return picklescan, as its command scans a folder."""
    from picklescan.scanner import SafetyLevel, scan_directory_path

    def scan(folder: Path) -> None:
        result = scan_directory_path(str(folder))
        named = [f"{each.module}.{each.name}" for each in result.globals if each.safety == SafetyLevel.Dangerous]
        if result.issues_count or result.infected_files:
            raise Found(", ".join(named))

    return {"picklescan": scan}


def by_modelscan() -> dict[str, Loader]:
    """Return modelscan, with its default settings."""
    from modelscan.modelscan import ModelScan

    def scan(folder: Path) -> None:
        issues = ModelScan().scan(str(folder))["issues"]
        if issues:
            raise Found(", ".join(str(each["description"]) for each in issues))

    return {"modelscan": scan}


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
