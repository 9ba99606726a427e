"""Lambda: an exception keeps its class, a function acts under its role, a worker imports as Lambda's runtime does."""

import compileall
import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from zipfile import ZipFile

from local.patches import lambda_worker, quotas

_LOCK = Path(__file__).resolve().parents[2] / "requirements" / "functions.txt"
_PREFIX = """
import importlib.util, pathlib
_spec = importlib.util.spec_from_file_location("_signoff_local_worker", {path!r})
_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_worker)
_worker.prepare(pathlib.Path.cwd(), {locked!r})
"""


def install() -> None:
    """Patch Lambda in the running emulator."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    lambda_runtime.Worker.__init__ = _with_bytecode(lambda_runtime.Worker.__init__)
    lambda_runtime._detect_runtime_binary = _prepared(lambda_runtime._detect_runtime_binary)
    lambda_runtime.execution_credentials = _function_session
    lambda_svc._execute_function_warm = _naming_errors(lambda_svc._execute_function_warm)
    lambda_svc._throttle_response = _named_for_states(lambda_svc._throttle_response)
    lambda_svc._sqs_esm_concurrency = _within_processors(lambda_svc._sqs_esm_concurrency)


def _within_processors(concurrency: Callable[..., int]) -> Callable[..., int]:
    """Take no more batches from a queue at once than there are processors: each new worker takes seconds to start.

    As many as the mapping says where the account's concurrency is the limit.
    """
    most = max(2, os.cpu_count() or 2)

    def at_once(*args: Any, **more: Any) -> int:
        mapped = concurrency(*args, **more)
        return min(mapped, most) if quotas.in_force().concurrency is None else mapped

    return at_once


def _with_bytecode(init: Callable[..., None]) -> Callable[..., None]:
    one_at_a_time = Lock()

    def initialise(worker: Any, name: str, config: dict[str, Any], code_zip: bytes) -> None:
        with one_at_a_time:
            code = with_bytecode(code_zip) if config.get("Runtime", "").startswith("python") else code_zip
        init(worker, name, config, code)

    return initialise


@cache
def with_bytecode(code_zip: bytes) -> bytes:
    """A bundle with its modules compiled: each worker unpacks one of its own, and compiling takes half of its start."""
    with TemporaryDirectory(prefix="signoff-bundle-") as folder, BytesIO() as packed:
        with ZipFile(BytesIO(code_zip)) as bundle:
            bundle.extractall(folder)
        unchecked = PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(folder, quiet=2, stripdir=folder, invalidation_mode=unchecked)
        with ZipFile(packed, "w") as compiled:
            for file in sorted(Path(folder).rglob("*")):
                compiled.write(file, file.relative_to(folder))
        return packed.getvalue()


def role_session(role_arn: str, name: str, of: str) -> dict[str, str]:
    """A session of a role, whether or not policies are evaluated.

    `name` is the session's name, `of` the ARN of what runs, which always gets the same session.
    """
    from ministack.services import sts

    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    digest = hashlib.sha256(f"{of} {role}".encode()).hexdigest().upper()
    session = {
        "AWS_ACCESS_KEY_ID": f"ASIA{digest[:16]}",
        "AWS_SECRET_ACCESS_KEY": digest[:40],
        "AWS_SESSION_TOKEN": digest,
    }
    described = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "UserId": f"{role}:{name}",
        "SecretAccessKey": session["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": session["AWS_SESSION_TOKEN"],
    }
    sts.register_session(session["AWS_ACCESS_KEY_ID"], described)
    return session


def _function_session(config: dict[str, Any]) -> dict[str, str]:
    return role_session(config["Role"], config["FunctionName"][:64], config["FunctionArn"])


def locked_packages(lock: Path = _LOCK) -> list[str]:
    """The top-level names of the packages that the functions' lock file names, as far as they are installed."""
    names: set[str] = set()
    for project in re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(), re.MULTILINE):
        try:
            files = importlib.metadata.distribution(project).files or []
        except importlib.metadata.PackageNotFoundError:
            continue
        names.update(file.parts[0].partition(".")[0] for file in files if file.suffix in (".py", ".so"))
    return sorted(names - {""})  # a file above site-packages, such as a script, has no name to import


def _prepared(detect: Callable[[str], tuple[str, str]]) -> Callable[[str], tuple[str, str]]:
    locked: list[str] = []

    def detect_runtime(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        if not runtime.startswith("python"):
            return binary, script
        if not locked:
            locked.extend(locked_packages())
        return binary, _PREFIX.format(path=str(Path(lambda_worker.__file__)), locked=locked) + script

    return detect_runtime


def _naming_errors(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def execute_function(*args: Any, **more: Any) -> dict[str, Any]:
        result = execute(*args, **more)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            text = str(body.get("errorMessage", ""))
            if text.startswith(lambda_worker.MARK):
                result["body"] = json.loads(text.removeprefix(lambda_worker.MARK))
            elif text == "Worker process died":
                result["body"] = {"errorType": "Runtime.ExitError", "errorMessage": "Error: Runtime exited"}
        return result

    return execute_function


def _named_for_states(throttle: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A throttled invocation has, for a state machine, the name by which its Retry knows it."""

    def throttle_response(*args: Any, **more: Any) -> dict[str, Any]:
        result = throttle(*args, **more)
        body = result["body"]
        named = {"errorType": f"Lambda.{body['__type']}", "errorMessage": body["message"]}
        return {**result, "body": {**body, **named}}

    return throttle_response
