"""`make corpus`: what the libraries write passes inspection: every estimator of older versions, and every layout.

Each version is installed in an environment of its own in `build/corpus`, with the Python that it needs: any on the path
or of pyenv; what cannot be installed here is left out, and told. What was written once is kept, and judged again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.corpus.layouts.judged import explained, judged, names_of
from tests.support.repository import ROOT
from tests.support.scans import scanned

FOLDER = ROOT / "build" / "corpus"
SCRIPTS = ROOT / "tests" / "corpus"
ESTIMATORS = "estimators.py"


class Environment(NamedTuple):
    """A version of Python, what is installed with it, and the script of `tests/corpus` that writes what it can."""

    python: str
    packages: str
    script: str = ESTIMATORS


# By scikit-learn's version.
ESTIMATORS_OF = {
    "0.20.4": ("3.7", "numpy<1.17 scipy<1.3 pandas<1 pytest xgboost==0.90"),
    "0.21.3": ("3.7", "numpy<1.17 scipy<1.4 pandas<1 pytest cython xgboost==1.0.2"),
    "0.22.2": ("3.7", "numpy<1.18 scipy<1.5 pandas<1.1 xgboost==1.2.1"),
    "0.23.2": (
        "3.7",
        "numpy<1.20 scipy<1.6 joblib<1 xgboost==1.3.3 lightgbm==3.1.1 imbalanced-learn==0.7.0 category_encoders==2.2.2",
    ),
    "0.24.2": (
        "3.8",
        "numpy<1.24 scipy<1.9 pandas<1.5 catboost==1.0.6 xgboost==1.6.2 lightgbm==3.2.1 imbalanced-learn==0.8.1",
    ),
    "1.0.2": ("3.7", "numpy<1.22 scipy<1.8 pandas<1.4 xgboost==1.5.2 lightgbm==3.3.2"),
    "1.1.3": ("3.9", "numpy<1.24 scipy<1.10 pandas<1.6"),
    "1.2.2": ("3.9", "numpy<1.25 scipy<1.11 pandas<2 xgboost==1.7.6 imbalanced-learn==0.10.1"),
    "1.3.2": ("3.9", "numpy<1.27 scipy<1.12 pandas<2.2"),
    "1.4.2": ("3.11", "numpy<2 scipy<1.13 pandas<2.3"),
    "1.5.2": (
        "3.11",
        "numpy<2 scipy<1.14 pandas imbalanced-learn==0.12.4 category_encoders==2.6.4 catboost xgboost<2.2 lightgbm",
    ),
    "1.6.1": ("3.11", "numpy>2 pandas"),
    "1.7.2": ("3.11", "numpy>2 pandas imbalanced-learn==0.14.0 category_encoders==2.8.1 xgboost-cpu lightgbm catboost"),
    "1.8.0": ("3.11", "numpy>2 pandas"),
    "1.9.1": ("3.13", "numpy>2 pandas xgboost-cpu lightgbm imbalanced-learn category_encoders catboost"),
}
ENVIRONMENTS: Mapping[str, Environment] = {
    **{
        version: Environment(python, f"scikit-learn=={version} {others}")
        for version, (python, others) in ESTIMATORS_OF.items()
    },
    "keras-2": Environment("3.11", "tensorflow-cpu==2.15.1", "layouts/keras_models.py"),
    "keras-3": Environment("3.11", "tensorflow-cpu==2.20.0 keras==3.15.1", "layouts/keras_models.py"),
    "hugging-face": Environment(
        "3.11", "torch transformers peft sentence-transformers sentencepiece accelerate", "layouts/hugging_face.py"
    ),
    "mlflow": Environment(
        "3.11",
        "mlflow scikit-learn<1.8 skops xgboost-cpu lightgbm statsmodels onnxmltools onnxruntime",
        "layouts/mlflow_folders.py",
    ),
    "servers": Environment(
        "3.11", "scikit-learn<1.8 xgboost-cpu lightgbm skl2onnx torch-model-archiver", "layouts/servers.py"
    ),
    "libraries": Environment("3.11", "spacy fasttext-wheel prophet", "layouts/libraries.py"),
}
# scikit-learn's helper for its own tests, which no model holds.
NO_MODELS = ("CheckingClassifier",)


class CannotBeWritten(Exception):
    """Raised when an environment is not to be had here; says why."""


def python(version: str) -> str:
    """Return a Python of this version. Raises `CannotBeWritten`."""
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    if not found and not (on_path := shutil.which(f"python{version}")):
        raise CannotBeWritten(f"needs Python {version}, which is not here")
    return str(found[-1] if found else on_path)


def write(name: str) -> Path:
    """Return the folder with what an environment writes, made where it is not there yet. Raises `CannotBeWritten`."""
    wanted, packages, script = ENVIRONMENTS[name]
    environment, written = FOLDER / f"environment-{name}", FOLDER / name
    if written.exists():
        return written
    interpreter, unfinished = python(wanted), FOLDER / f"unfinished-{name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        subprocess.run([interpreter, "-m", "venv", environment], check=True)
        install = [environment / "bin" / "pip", "install", "--quiet", "--only-binary", ":all:"]
        subprocess.run([*install, *packages.split()], check=True)
    except subprocess.CalledProcessError:
        raise CannotBeWritten("cannot be installed here") from None
    subprocess.run([environment / "bin" / "python", SCRIPTS / script, unfinished], check=True)
    unfinished.rename(written)
    return written


def refused(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield why something is refused, and what: a file, or a member of a layout."""
    if ENVIRONMENTS[name].script != ESTIMATORS:
        for layout in names_of(folder):
            for finding in judged(folder / layout):
                if finding.severity == "error" and not explained(f"{name}-{layout}", finding):
                    yield f"{finding.rule}: {finding.reason}", f"{layout}/{finding.member}"
        return
    for path in sorted(folder.iterdir()):
        for _, _, reason in scanned(path.read_bytes()):
            if not path.name.startswith(NO_MODELS):
                yield reason.partition(" (byte")[0], path.name


def judge(name: str) -> tuple[int, bool]:
    """Say what is refused of an environment's files; return how many there are, and whether any is."""
    folder = write(name)
    reasons: dict[str, list[str]] = defaultdict(list)
    for reason, file in refused(name, folder):
        reasons[reason].append(file)
    files = sum(path.is_file() for path in folder.rglob("*"))
    print(f"{name}: {files} files, {len(reasons)} reasons to refuse some")
    for reason, names in reasons.items():
        print(f"  {reason}: {', '.join(names[:5])}")
    return files, bool(reasons)


def main() -> None:
    """Make what is asked for, or all, and say what is refused, and what was left out."""
    files, failed, left_out = 0, [], []
    names = sys.argv[1:] or list(ENVIRONMENTS)
    for name in names:
        try:
            more, refuses = judge(name)
        except CannotBeWritten as reason:
            left_out.append(name)
            print(f"{name}: {reason}")
        except subprocess.CalledProcessError:
            failed.append(name)
            print(f"{name}: cannot be written, though it is installed")
        else:
            files += more
            failed += [name] * refuses
    print(f"{len(names) - len(left_out)} of {len(names)} environments, {files} files")
    for what, those in (("left out", left_out), ("failed", failed)):
        if those:
            print(f"{what}: {len(those)} ({', '.join(those)})")
    sys.exit(bool(failed) or not files)


if __name__ == "__main__":
    main()
