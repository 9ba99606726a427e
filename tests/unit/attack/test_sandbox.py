"""Loaders run in a process of their own: it tells what became of them, whatever they do."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from attack.loaders.registry import Loader
from attack.sandbox import server
from attack.sandbox.client import Sandbox, SandboxEnded


def mark(_folder: Path) -> None:
    Path("mark").touch()


def run(tmp_path: Path, **loaders: Loader) -> dict[str, str]:
    return {name: what for name, (what, _) in server.run(tmp_path, loaders, 2).items()}


def fail(_folder: Path) -> None:
    raise ValueError("no model")


def take(_folder: Path) -> None:
    bytearray(1 << 36)


def mark_and_fail(folder: Path) -> None:
    mark(folder)
    raise SystemExit


def test_it_tells_what_became_of_each(tmp_path: Path) -> None:
    told = run(tmp_path, marks=mark, loads=lambda _: None, fails=fail, both=mark_and_fail)

    assert told == {"marks": "marked", "loads": "loaded", "fails": "refused", "both": "marked"}


def test_a_loader_that_ends_its_process_ends_no_other(tmp_path: Path) -> None:
    told = run(tmp_path, ends=lambda _: os._exit(3), dies=lambda _: os.kill(os.getpid(), signal.SIGKILL), marks=mark)

    assert told == {"ends": "ended", "dies": "ended", "marks": "marked"}


def test_a_loader_that_does_not_end_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()

    told = run(tmp_path, loads=lambda _: None, waits=lambda _: time.sleep(600), marks=mark)

    assert told == {"loads": "loaded", "waits": "late", "marks": "marked"}
    assert time.monotonic() - began < 60


def test_a_loader_has_little_memory(tmp_path: Path) -> None:
    assert run(tmp_path, takes=take) == {"takes": "refused"}


def test_a_payload_reaches_no_network() -> None:
    call = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    marks = f"try:\n {call}\nexcept PermissionError:\n open('mark', 'w')"
    data = b"cbuiltins\nexec\n(" + b"V" + marks.encode().replace(b"\n", b"\\u000a") + b"\ntR."

    with Sandbox(wanted=["pickle"]) as sandbox:
        told = sandbox.load({"model.pkl": data}, ["pickle"])

    assert told["pickle"].what == "marked"


def test_the_loaders_that_are_there_are_told() -> None:
    with Sandbox(sys.executable, ["pickle", "joblib"]) as sandbox:
        assert sandbox.loaders == ["pickle", "joblib"]
        assert sandbox.load({}, ["torch"]) == {}


def test_an_environment_without_it_is_told() -> None:
    with pytest.raises(SandboxEnded, match="/bin/true"):
        Sandbox("/bin/true")
