"""Signoff as its users install it: a wheel, in an environment that has what its metadata asks for and nothing else."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

from tests.support.repository import ROOT

_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def build_wheel(directory: Path) -> Path:
    """The wheel that `pip wheel` makes of a copy of the repository, in which no build before has left anything."""
    source = directory / "source"
    made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "node_modules", "cdk.out", "build")
    shutil.copytree(ROOT, source, ignore=made)
    options = ("--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={directory}")
    subprocess.run([*_PIP, "wheel", *options, str(source)], check=True)  # noqa: S603 - our own arguments
    (wheel,) = directory.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment, and a directory for whoever works in it, which is not the repository."""

    environment: Path
    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment with none of this process's own paths and AWS settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        return subprocess.run(  # noqa: S603 - our own command
            [str(self.environment / "bin" / program), *arguments],
            cwd=self.directory,
            env=kept | self.settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def install(wheel: Path, directory: Path, extra: str = "") -> Installed:
    """Install `wheel` with `extra` into a new environment below `directory`, from what is installed here.

    Other distributions are linked, so nothing is downloaded; pip itself then says whether all that the wheel
    asks for is there.
    """
    environment, work = directory / "environment", directory / "work"
    work.mkdir(parents=True)
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    for each in set(_needed(_requirements(wheel), extra)):
        _link(distribution(each), packages)
    target = f"signoff{f'[{extra}]' if extra else ''} @ {wheel.as_uri()}"
    command = [*_PIP, f"--python={environment / 'bin' / 'python'}", "install", "--no-index", "--no-compile", target]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments
    return Installed(environment, work)


def _requirements(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]


def _needed(requirements: list[str], extra: str) -> Iterator[str]:
    """The names of all distributions that `requirements` come to, theirs among them."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement.name
            for inner in requirement.extras or {""}:
                yield from _needed(distribution(requirement.name).requires or [], inner)


def _link(installed: Distribution, packages: Path) -> None:
    tops = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
    for top in tops:
        (packages / top).symlink_to(installed.locate_file(top))
