"""Asks the process that has the loaders what becomes of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from attack.grammar import Files

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20  # for all loaders of one case together
CALM = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True)
class Outcome:
    """What became of a loader: `marked`, `loaded`, `refused`, `ended` (its process) or `late`, and a word about it."""

    what: str
    word: str


class SandboxEnded(Exception):
    """Raised when the process with the loaders is not there any more, or never was."""


class Sandbox:
    """The loaders of one environment: the Python interpreter that has their libraries. A context manager."""

    def __init__(self, python: str = sys.executable, wanted: Sequence[str] = ()) -> None:
        self._python = python
        self._home = tempfile.TemporaryDirectory(prefix="signoff-attack-home-")
        home = self._home.name
        environment = {**CALM, "PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
        self._server = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", "attack.sandbox.server", *wanted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self.loaders: list[str] = self._line()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._server.stdin.close()  # type: ignore[union-attr]
        self._server.terminate()
        self._server.wait()
        if self._server.stdout:
            self._server.stdout.close()
        self._home.cleanup()

    def load(self, files: Files, loaders: Iterable[str], seconds: int = SECONDS) -> dict[str, Outcome]:
        """Return what becomes of each of `loaders` that is there, given a folder of `files`."""
        with tempfile.TemporaryDirectory(prefix="signoff-attack-", dir=self._home.name) as folder:
            write(files, Path(folder))
            self._send({"folder": folder, "loaders": [*loaders], "seconds": seconds})
            return {name: Outcome(*told) for name, told in self._line().items()}

    def _send(self, request: dict[str, Any]) -> None:
        assert self._server.stdin
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()

    def _line(self) -> Any:
        assert self._server.stdout
        line = self._server.stdout.readline()
        if not line:
            self.close()
            raise SandboxEnded(f"{self._python} gives no answer")
        return json.loads(line)


def write(files: Files, folder: Path) -> None:
    """Write an artifact's files below `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
