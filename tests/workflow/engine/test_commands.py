"""`signoff local up`, without the command around it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

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
from local.commands import up

def ready(engine, outputs):
    print(json.dumps({"url": engine.url, "outputs": outputs}), flush=True)

up(port=0, on_ready=ready, assembly=Path(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_deploys_says_so_and_stays_until_it_is_interrupted(
    tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    assembly = assembly_in(shared_directory(tmp_path_factory.getbasetemp()))
    command = [sys.executable, "-c", SCRIPT, str(assembly)]

    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            assert answers(said["url"])
            process.send_signal(number)
            ended = process.wait(30)
        finally:
            process.kill()

    assert (ended, "VaultBucket" in said["outputs"]) == (0, True)
    assert eventually(lambda: not answers(said["url"]) and not alive(process.pid))


def test_a_deployment_that_fails_says_why(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="cdk deploy failed"):
        deploy(engine, assembly=tmp_path)
