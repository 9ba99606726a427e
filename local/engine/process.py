"""Starts and stops the engine's process, and provides the settings to call it.

    with Engine.start() as engine:
        boto3.client("s3", endpoint_url=engine.url, ...)

`python -m local.engine.process` is that process.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from local.engine import users
from local.engine.settings import EngineSettings
from local.patches.quotas import Quotas

_READY_SECONDS = 60.0
_STOP_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parents[2]


class EngineError(Exception):
    """Raised when the engine cannot be started; the message ends with the last lines of its log."""


class Engine:
    """A running engine. Stops with its `with` block, with `stop()`, and with the process that started it."""

    def __init__(self, process: subprocess.Popen[bytes], settings: EngineSettings, port: int) -> None:
        self._process = process
        self._settings = settings
        self.port = port
        self.account = settings.account
        self.region = settings.region
        self.log = Path(settings.log)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        auth: bool = False,
        account: str = users.ACCOUNT,
        accounts: tuple[str, ...] = (),
        region: str = users.REGION,
        wait_scale: float = 1.0,
        log: Path | None = None,
        faults: Path | None = None,
        quotas: Quotas | None = None,
        role_use: Path | None = None,
    ) -> Self:
        """Start an engine and return when it answers; see `EngineSettings` for what the arguments mean.

        `quotas` are in force from the start; `limit` changes them.

        Raises EngineError when it ends, or does not answer within a minute.
        """
        log = log or _log_file()
        limits = log.with_suffix(".quotas")
        if quotas:
            quotas.write(limits)
        settings = EngineSettings(
            host=host,
            port=port,
            auth=auth,
            account=account,
            accounts=accounts,
            region=region,
            wait_scale=wait_scale,
            log=str(log),
            faults=str(faults or ""),
            quotas=str(limits),
            role_use=str(role_use or ""),
        )
        with Path(settings.log).open("ab") as log_file:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "local.engine.process", "--settings", msgspec.json.encode(settings).decode()],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                start_new_session=True,
            )
        try:
            return cls(process, settings, _port_when_ready(process, Path(settings.log)))
        except BaseException:
            _end(process)
            raise

    @property
    def url(self) -> str:
        """The endpoint for AWS_ENDPOINT_URL."""
        host = self._settings.host
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"  # noqa: S104

    def environment(
        self, user: str | None = None, account: str | None = None, region: str | None = None
    ) -> dict[str, str]:
        """The AWS_* settings to call this engine as the administrator, or one of `users.USERS`, of an account."""
        return users.environment(self.url, user, account or self.account, region or self.region)

    @property
    def session(self) -> int:
        """The id of the session of processes that the engine leads, its functions among them."""
        return self._process.pid

    def limit(self, quotas: Quotas) -> None:
        """Put other quotas in force from now on; `Quotas()` lifts them."""
        quotas.write(Path(self._settings.quotas))

    def wait(self) -> int:
        """Wait until the engine ends by itself; returns its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """Stop the engine and everything it started. Stopping twice is harmless."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _log_file() -> Path:
    handle, name = tempfile.mkstemp(prefix="signoff-local-", suffix=".log")
    os.close(handle)
    return Path(name)


def _port_when_ready(process: subprocess.Popen[bytes], log: Path) -> int:
    if process.stdout is None:
        raise EngineError("The engine has no output to wait for")
    deadline = time.monotonic() + _READY_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([process.stdout], [], [], left)
        if readable:
            line = process.stdout.readline()
            if not line:
                break
            return int(json.loads(line)["port"])
    lines = log.read_text(errors="replace").splitlines()[-20:]
    raise EngineError("The local engine did not start:\n" + "\n".join(lines))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin and not process.stdin.closed:
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    # The engine leads a session of its own: whatever its functions have left running goes with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _settings(arguments: list[str]) -> EngineSettings:
    parser = argparse.ArgumentParser(prog="python -m local.engine.process", description="AWS on one machine")
    parser.add_argument("--settings", default="{}", help="local.engine.settings.Settings as JSON")
    parser.add_argument("--port", type=int)
    parser.add_argument("--host")
    parser.add_argument("--auth", action="store_true", default=None)
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    settings = msgspec.json.decode(given.pop("settings"), type=EngineSettings)
    return msgspec.structs.replace(settings, **given)


def main() -> None:
    """Be the engine's process: serve until standard input ends or a signal says stop."""
    from local.engine.server import serve

    serve(_settings(sys.argv[1:]))


if __name__ == "__main__":
    main()
