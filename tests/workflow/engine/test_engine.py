"""The engine starts, stops, and leaves nothing behind."""

import http.client
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.engine.process import Engine, EngineError
from tests.support.aws import client
from tests.support.functions import create_function
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]


def answers(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def alive(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_an_engine_answers_at_once_and_not_after_it_is_stopped(tmp_path: Path) -> None:
    with Engine.start(log=tmp_path / "log") as engine:
        assert answers(engine.url)

    assert not answers(engine.url)
    engine.stop()


def test_a_stopped_engine_takes_its_functions_with_it(tmp_path: Path) -> None:
    source = "import os\ndef handler(event, context): return os.getpid()"
    with Engine.start(log=tmp_path / "log") as engine:
        create_function(engine, "f", {"main.py": source})
        process = int(client(engine, "lambda").invoke(FunctionName="f")["Payload"].read())
        assert alive(process)

    assert not alive(process)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes where Linux keeps them")
def test_an_engine_does_not_outlive_a_killed_starter(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom local.engine.process import Engine\n"
        f"print(Engine.start(log=Path({str(tmp_path / 'log')!r})).url, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    started = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )

    assert started.stdout.startswith("http://127.0.0.1:"), started.stderr
    assert eventually(lambda: not answers(started.stdout.strip()))


def test_a_port_that_is_taken_is_a_named_fault(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Address already in use"):
        Engine.start(port=engine.port, log=tmp_path / "log")


def test_two_engines_know_nothing_of_each_other(engine: Engine, tmp_path: Path) -> None:
    with Engine.start(log=tmp_path / "log") as other:
        client(other, "s3").create_bucket(Bucket="only-there")

        names = [each["Name"] for each in client(engine, "s3").list_buckets()["Buckets"]]

    assert "only-there" not in names


def test_importing_the_package_and_its_commands_does_not_load_the_emulator() -> None:
    script = "import sys, local, local.commands; print([m for m in sys.modules if m.startswith(('ministack', 'moto'))])"

    command = [sys.executable, "-c", script]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert found.stdout.strip() == "[]"
