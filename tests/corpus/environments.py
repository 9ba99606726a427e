"""`make corpus`: what older versions of the libraries write passes inspection, every estimator of theirs.

Each version is installed in an environment of its own in `build/corpus`, with the Python that it needs: any on the path
or of pyenv; a version whose Python is not here is left out, and told.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.repository import ROOT
from tests.support.scans import scanned

FOLDER = ROOT / "build" / "corpus"
ESTIMATORS = ROOT / "tests" / "corpus" / "estimators.py"
# By scikit-learn's version: Python's, and what else is installed with it.
ENVIRONMENTS = {
    "0.20.4": ("3.7", "numpy<1.17 scipy<1.3 pandas<1 pytest"),
    "0.21.3": ("3.7", "numpy<1.17 scipy<1.4 pandas<1 pytest cython"),
    "0.22.2": ("3.7", "numpy<1.18 scipy<1.5 pandas<1.1"),
    "0.23.2": (
        "3.7",
        "numpy<1.20 scipy<1.6 joblib<1 xgboost==1.3.3 lightgbm==3.1.1 imbalanced-learn==0.7.0 category_encoders==2.2.2",
    ),
    "0.24.2": ("3.8", "numpy<1.24 pandas<1.5 catboost==1.0.6 xgboost==1.6.2 lightgbm==3.2.1 imbalanced-learn==0.8.1"),
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
# scikit-learn's helper for its own tests, which no model holds.
NO_MODELS = ("CheckingClassifier",)


def python(version: str) -> str | None:
    """Return a Python of this version, None where none is here."""
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


def write(version: str) -> Path | None:
    """Return the folder with what a version writes; None where it cannot be installed."""
    wanted, others = ENVIRONMENTS[version]
    environment, written = FOLDER / f"environment-{version}", FOLDER / version
    interpreter = python(wanted)
    if interpreter is None:
        return None
    if not written.exists():
        subprocess.run([interpreter, "-m", "venv", environment], check=True)
        install = [environment / "bin" / "pip", "install", "--quiet", "--only-binary", ":all:"]
        subprocess.run([*install, f"scikit-learn=={version}", *others.split()], check=True)
        subprocess.run([environment / "bin" / "python", ESTIMATORS, written], check=True)
    return written


def refused(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file that is refused, and why."""
    for path in sorted(folder.iterdir()):
        for _, _, reason in scanned(path.read_bytes()):
            if not path.name.startswith(NO_MODELS):
                yield reason.partition(" (byte")[0], path.name


def main() -> None:
    """Make what is asked for, or all, and say what is refused."""
    failed = False
    for version in sys.argv[1:] or ENVIRONMENTS:
        folder = write(version)
        if folder is None:
            print(f"scikit-learn {version}: needs Python {ENVIRONMENTS[version][0]}, which is not here")
            continue
        reasons: dict[str, list[str]] = defaultdict(list)
        for reason, name in refused(folder):
            reasons[reason].append(name)
        failed = failed or bool(reasons)
        print(f"scikit-learn {version}: {len(list(folder.iterdir()))} files, {len(reasons)} reasons to refuse some")
        for reason, names in reasons.items():
            print(f"  {reason}: {', '.join(names[:5])}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
