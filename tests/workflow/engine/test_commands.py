"""`signoff local up`, without the command around it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.deploy import DeploymentError, deploy
from local.engine.process import Engine
from tests.support.deployed import assembly_in, shared_directory
from tests.support.waiting import eventually
from tests.workflow.engine.test_engine import alive, answers

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import json, sys
from pathlib import Path
from local import commands

if sys.argv[2:]:
    commands.deploy = lambda *_, **__: {}

def ready(engine, outputs):
    print(json.dumps({"url": engine.url, "outputs": outputs}), flush=True)

commands.up(port=0, on_ready=ready, assembly=Path(sys.argv[1]))
"""


def test_it_deploys_says_so_and_stays_until_it_is_interrupted(tmp_path_factory: pytest.TempPathFactory) -> None:
    said = interrupted([str(assembly_in(shared_directory(tmp_path_factory.getbasetemp())))], signal.SIGINT)
    assert "VaultBucket" in said["outputs"]


def test_it_ends_in_the_same_way_when_it_is_told_to(tmp_path: Path) -> None:
    assert interrupted([str(tmp_path), "deploying nothing"], signal.SIGTERM)["outputs"] == {}


def interrupted(arguments: list[str], number: signal.Signals) -> dict[str, Any]:
    """Return what a started engine said, once it was sent a signal and has ended with nothing left of it."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            assert answers(said["url"])
            process.send_signal(number)
            ended = process.wait(30)
        finally:
            process.kill()

    assert ended == 0
    assert eventually(lambda: not answers(said["url"]) and not alive(process.pid))
    return dict(said)


@pytest.mark.deep
def test_a_deployment_that_fails_says_why(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="cdk deploy failed"):
        deploy(engine, assembly=tmp_path)
