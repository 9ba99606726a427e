"""Lambda: an exception keeps its class, and a worker imports and reports as Lambda's runtime does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import worker

_PREFIX = """
import builtins, runpy
builtins._SIGNOFF_LOCAL_WORKER = True
runpy.run_path({path!r}, run_name="_signoff_local_worker")
"""


def close() -> None:
    """Close Lambda's gaps in the running emulator."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    lambda_runtime._detect_runtime_binary = _prepared(lambda_runtime._detect_runtime_binary)
    lambda_svc._execute_function_warm = _naming_errors(lambda_svc._execute_function_warm)


def _prepared(detect: Callable[[str], tuple[str, str]]) -> Callable[[str], tuple[str, str]]:
    def detect_runtime(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        if not runtime.startswith("python"):
            return binary, script
        return binary, _PREFIX.format(path=str(Path(worker.__file__))) + script

    return detect_runtime


def _naming_errors(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def execute_function(*args: Any, **more: Any) -> dict[str, Any]:
        result = execute(*args, **more)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            text = str(body.get("errorMessage", ""))
            if text.startswith(worker.MARK):
                result["body"] = json.loads(text.removeprefix(worker.MARK))
        return result

    return execute_function
