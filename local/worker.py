"""What a Lambda worker of the engine runs before the emulator's own worker script.

A worker is the engine's interpreter with the function's bundle on its path. Two things make it more like Lambda:
a package is importable only if the bundle or Lambda's runtime has it, though a compiled one is taken from the
engine's environment (a bundle is built for Lambda's processor); and an exception keeps its class.
This file is executed by path, not imported as part of `local`: the bundle must not find the rest of the project.
"""

import builtins
import importlib
import importlib.machinery
import importlib.util
import json
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

MARK = "signoff-local-error:"
RUNTIME_PACKAGES = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awscrt", "pip", "setuptools"}
)


class BundleFinder:
    """Finds a bundle's dependencies in the engine's environment, and hides what the bundle does not hold."""

    def __init__(self, bundle: Path, site: Sequence[str]) -> None:
        self._bundle = bundle
        self._site = list(site)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a top-level package in the environment; None leaves the search to the ordinary path."""
        if path is not None or "." in name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, self._site)
        if spec is None or spec.origin is None:
            return None
        if self._bundled(name) or name in RUNTIME_PACKAGES or name.startswith("_"):
            return spec
        raise ModuleNotFoundError(f"No module named {name!r} in the function's bundle", name=name)

    def _bundled(self, name: str) -> bool:
        return (self._bundle / name).is_dir() or any(self._bundle.glob(f"{name}.*"))


def error_report(error: BaseException) -> str:
    """What the engine reads back as the error that Lambda's runtime would have reported."""
    report = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return MARK + json.dumps(report)


def reporting(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A handler whose exceptions carry their class in their text, which is all the emulator's worker passes on."""

    def handle(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except Exception as error:
            raise RuntimeError(error_report(error)) from error

    return handle


def prepare(bundle: Path) -> None:
    """Make this process import and report as Lambda's runtime does; `bundle` is the function's unpacked code."""
    packages = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    editable = [f for f in sys.meta_path if "editable" in getattr(f, "__module__", type(f).__module__).lower()]
    for finder in editable:
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, BundleFinder(bundle, packages))
    _wrap_next_import()


def _wrap_next_import() -> None:
    ordinary = importlib.import_module

    def import_handler(name: str, package: str | None = None) -> Any:
        importlib.import_module = ordinary
        _be_strict()
        module = ordinary(name, package)
        return SimpleNamespace(**{key: reporting(value) for key, value in vars(module).items() if callable(value)})

    importlib.import_module = import_handler


def _be_strict() -> None:
    if importlib.util.find_spec("signoff") is None or not os.environ.get("SIGNOFF_REQUEST_FAULTS"):
        return
    location = Path(__file__).with_name("strict.py")
    spec = importlib.util.spec_from_file_location("_signoff_local_strict", location)
    if spec is None or spec.loader is None:
        return
    strict = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(strict)
    strict.make_strict()


if getattr(builtins, "_SIGNOFF_LOCAL_WORKER", False):
    prepare(Path.cwd())
