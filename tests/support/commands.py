"""The `signoff` command in processes of its own that begin with everything loaded: forks of one that waits for them.

    python -m tests.support.commands SOCKET

A command that starts from nothing reads for a second before it does anything; `test_command.py` starts it like that.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from socketserver import BaseRequestHandler, ForkingMixIn, UnixStreamServer
from typing import IO, Any

from local.engine.strict_requests import FILE, make_strict
from tests.support.repository import ROOT
from tests.support.service_models import read_once
from tests.support.waiting import eventually

SECONDS = 120
SERVICES = ("cloudformation", "dynamodb", "events", "s3", "sagemaker", "servicecatalog", "ssm", "sts")


def signoff(arguments: Sequence[str], settings: Mapping[str, str], faults: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with these AWS settings, its requests checked; returns what it printed and its exit code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    asked = {"arguments": arguments, "environment": {**kept, **settings, FILE: str(faults)}}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as server:
        server.settimeout(SECONDS)
        server.connect(_address())
        socket.send_fds(server, [b"\n"], [out.fileno(), err.fileno()])
        server.sendall(json.dumps(asked).encode())
        server.shutdown(socket.SHUT_WR)
        (code,) = server.recv(1)
        return subprocess.CompletedProcess(list(arguments), code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _address() -> str:
    """Where the process listens that commands are forks of; it is started now, and ends with this one."""
    folder = tempfile.mkdtemp(prefix="signoff-commands-")
    address = Path(folder) / "socket"
    paths = os.pathsep.join([str(ROOT / "functions"), str(ROOT)])
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.support.commands", str(address)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
    )

    def end() -> None:
        process.kill()
        process.wait()
        shutil.rmtree(folder)

    atexit.register(end)
    eventually(address.exists, seconds=60, what="the process that commands are forks of")
    return str(address)


class _Forks(ForkingMixIn, UnixStreamServer):
    """Ends with the process that started it, however that one ends."""

    parent = os.getppid()

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != self.parent:
            os._exit(0)


class _Command(BaseRequestHandler):
    """One command, in the process that was forked for it."""

    def handle(self) -> None:
        _, files, _, _ = socket.recv_fds(self.request, 1, 2)
        asked = json.loads(b"".join(iter(lambda: self.request.recv(1 << 16), b"")))
        for number, file in enumerate(files, start=1):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(asked["environment"])
        self.request.sendall(bytes([_code_of(asked["arguments"])]))


def _code_of(arguments: list[str]) -> int:
    from signoff_cli.main import main

    sys.argv = ["signoff", *arguments]
    try:
        main()
    except SystemExit as end:
        code: Any = end.code
        return code if isinstance(code, int) else int(code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _load() -> None:
    """Load what any command needs, by way of one that asks AWS nothing, and read what it needs of AWS's services."""
    import boto3

    import signoff_cli

    for module in walk_packages(signoff_cli.__path__, "signoff_cli."):
        import_module(module.name)
    with redirect_stdout(io.StringIO()):
        _code_of(["manifest", "schema"])
    make_strict()
    read_once()
    for service in SERVICES:
        boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    boto3.DEFAULT_SESSION = None  # each command has one with its own settings


if __name__ == "__main__":
    address = Path(sys.argv[1])
    _load()
    with _Forks(str(address.with_suffix(".part")), _Command) as server:
        address.with_suffix(".part").rename(address)
        server.serve_forever()
