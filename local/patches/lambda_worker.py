"""What a Lambda worker of the engine runs before the emulator's own worker script.

A worker is the engine's interpreter with the function's bundle on its path. Two things make it more like Lambda:
a package is importable only if the bundle or Lambda's runtime has it, though a compiled one is taken from the
engine's environment (a bundle is built for Lambda's processor); and an exception keeps its class.
This file is executed by path, not imported as part of `local`: the bundle must not find the rest of the project.
"""

import importlib
import importlib.machinery
import importlib.util
import json
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

MARK = "signoff-local-error:"
RUNTIME_PACKAGES = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awscrt", "pip", "setuptools"}
)


class BundleFinder:
    """Finds a bundle's dependencies in the engine's environment, and hides packages that the bundle lacks.

    `locked` are the top-level names of what a whole bundle would hold: a bundle with none of them is one of sources
    alone, made for the engine, and gets them all.
    """

    def __init__(self, bundle: Path, site: Sequence[str], locked: Collection[str] = ()) -> None:
        self._bundle = bundle
        self._site = list(site)
        sources_alone = not any(self._bundled(name) for name in locked)
        self._lent = RUNTIME_PACKAGES | set(locked if sources_alone else ())

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a top-level package in the environment; None leaves the search to the ordinary path."""
        if path is not None or "." in name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, self._site)
        if spec is None or spec.origin is None:
            return None
        if self._bundled(name) or name in self._lent or name.startswith("_"):
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


def prepare(bundle: Path, locked: Collection[str]) -> None:
    """Make this process import and report as Lambda's runtime does; `bundle` is the function's unpacked code."""
    packages = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    editable = [f for f in sys.meta_path if "editable" in getattr(f, "__module__", type(f).__module__).lower()]
    for finder in editable:
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, BundleFinder(bundle, packages, locked))
    os.environ["POWERTOOLS_TRACE_DISABLED"] = "true"  # nothing takes traces here
    _wrap_handler_import()


def _wrap_handler_import() -> None:
    ordinary = importlib.import_module

    def import_module(name: str, package: str | None = None) -> Any:
        # The emulator's script, and nothing else that runs as the main module, imports the handler's module.
        if sys._getframe(1).f_globals.get("__name__") != "__main__":
            return ordinary(name, package)
        importlib.import_module = ordinary
        _be_strict()
        handlers = {key: reporting(value) for key, value in vars(ordinary(name)).items() if callable(value)}
        return SimpleNamespace(**handlers)

    importlib.import_module = import_module


def _be_strict() -> None:
    if importlib.util.find_spec("signoff") is None or not os.environ.get("SIGNOFF_REQUEST_FAULTS"):
        return
    location = Path(__file__).parents[1] / "engine" / "strict_requests.py"
    spec = importlib.util.spec_from_file_location("_signoff_local_strict", location)
    if spec is None or spec.loader is None:
        return
    strict = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(strict)
    strict.make_strict()
