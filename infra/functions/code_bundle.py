"""The functions' code and its dependencies in one folder, made without Docker.

Run as a program it makes the bundle and prints where it is and how large.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.settings import ROOT

FUNCTIONS = ROOT / "functions"
LOCK = ROOT / "requirements" / "functions.txt"
BUILD = ROOT / "build" / "functions"
PYTHON = "3.13"
# Wheels are tagged with the oldest C library that they run on; Lambda's Python 3.13 has glibc 2.34.
PLATFORMS = {
    "arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
}
# Of botocore's 400 services, those the functions call and X-Ray, for which its SDK makes a client when it is imported;
# botocore's other data files say how to call any.
SERVICES = {
    "cloudformation",
    "dynamodb",
    "ecr",
    "events",
    "inspector2",
    "lambda",
    "s3",
    "sagemaker",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
    "xray",
}
UNUSED = ("__pycache__", "tests", "test")


def bundle(architecture: str, kind: str) -> tuple[Path, str]:
    """The folder of the Lambda bundle, and a digest of all its inputs.

    architecture: "arm64" or "x86_64"; kind: "wheels" for the locked dependencies, "source" for none.
    A bundle of the same sources and lock file is reused.
    """
    digest = _digest(architecture if kind == "wheels" else "any", kind)
    folder = BUILD / digest[:16]
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        # Built elsewhere and moved as a whole, so that an incomplete bundle never looks finished.
        with tempfile.TemporaryDirectory(dir=BUILD) as temporary:
            made = Path(temporary) / "bundle"
            _make(made, architecture, kind)
            _move(made, folder)
    return folder, digest


def archive(folder: Path) -> tuple[Path, str]:
    """A bundle as one zip file, and that file's SHA-256: the same files make the same bytes."""
    path = folder.with_suffix(".zip")
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary) / path.name
            _zip(folder, made)
            made.replace(path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        for file in _files(folder):
            # Of 1980, like all that a ZipInfo says of no other time.
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            zipped.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _move(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        # Another process has built the same bundle meanwhile.
        if not folder.exists():
            raise


def _make(folder: Path, architecture: str, kind: str) -> None:
    folder.mkdir()
    if kind == "wheels":
        _install(folder, architecture)
        _prune(folder)
    for source in _sources():
        target = folder / source.relative_to(FUNCTIONS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _install(folder: Path, architecture: str) -> None:
    platforms = [f"--platform={platform}" for platform in PLATFORMS[architecture]]
    # Arguments are the module's own constants and paths of this checkout.
    subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"),
            *platforms,
            *(f"--python-version={PYTHON}", "--implementation=cp", f"--requirement={LOCK}", f"--target={folder}"),
        ],
        check=True,
    )


def _prune(folder: Path) -> None:
    """Remove what no function reads: Lambda unpacks everything at each cold start."""
    for data in (folder / "botocore" / "data", folder / "boto3" / "data"):
        for entry in data.iterdir():
            if entry.is_dir() and entry.name not in SERVICES:
                shutil.rmtree(entry)
    for entry in list(folder.rglob("*")):
        if entry.is_dir() and entry.name in UNUSED:
            shutil.rmtree(entry, ignore_errors=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def _sources() -> Iterator[Path]:
    yield from _files(FUNCTIONS)


def _digest(*choices: str) -> str:
    """A SHA-256 of all inputs of a bundle, including this module's settings."""
    parts: Iterable[tuple[str, bytes]] = [
        ("choices", repr((choices, PYTHON, PLATFORMS, sorted(SERVICES), UNUSED)).encode()),
        ("lock", LOCK.read_bytes()),
        *((source.relative_to(FUNCTIONS).as_posix(), source.read_bytes()) for source in _sources()),
    ]
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def sizes(folder: Path) -> tuple[int, int]:
    """The size of `folder` in bytes, as files and as the zip that Lambda gets."""
    return sum(path.stat().st_size for path in _files(folder)), archive(folder)[0].stat().st_size


def main() -> None:
    """Make the bundle for the architecture named on the command line (arm64 unless said) and print its size."""
    folder, _ = bundle(sys.argv[1] if len(sys.argv) > 1 else "arm64", "wheels")
    unzipped, zipped = sizes(folder)
    print(f"{folder}: {unzipped / 1e6:.1f} MB, zipped {zipped / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
