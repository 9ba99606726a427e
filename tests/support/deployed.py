"""The product, deployed to an engine: once per test process, from one synthesis for all of them."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deploy import Outputs, deploy, synthesise
from local.engine.process import Engine
from local.engine.seed import seed
from tests.support.aws import client
from tests.support.role_use import Observed, observe


@dataclass(frozen=True)
class Deployed:
    """A running engine with Signoff deployed to it, what the stack gave out, and what is noted there."""

    engine: Engine
    outputs: Outputs
    image: str
    request_faults: Path
    role_use: Path

    def client(self, service: str, user: str | None = None) -> Any:
        """A client of the engine as its administrator, or as one of its users."""
        return client(self.engine, service, user)

    def observed(self, assembly: Path) -> Observed:
        """What the roles of the stack, which is from that assembly, may do and have done."""
        template, where = assembly / "Signoff.template.json", (self.engine.account, self.engine.region)
        return observe(self.client, template, "Signoff", self.role_use, *where)


@contextlib.contextmanager
def deployed(directory: Path, assembly: Path, *, auth: bool = True, wait_scale: float = 0.05) -> Iterator[Deployed]:
    """Start an engine whose log, request faults and use of roles go to `directory`, and deploy `assembly` to it."""
    faults, role_use = directory / "request-faults.txt", directory / "role-use.jsonl"
    faults.touch()
    role_use.touch()
    with Engine.start(
        log=directory / "engine.log",
        faults=faults,
        auth=auth,
        wait_scale=wait_scale,
        role_use=role_use,
    ) as engine:
        image = seed(engine)
        yield Deployed(engine, deploy(engine, assembly=assembly), image, faults, role_use)


def assembly_in(shared: Path) -> Path:
    """The app's cloud assembly, synthesised by whichever test process comes first to the directory `shared`."""
    ready, made = shared / "assembly", shared / "assembly.part"
    with (shared / "assembly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(made, ignore_errors=True)
            synthesise(made)
            made.rename(ready)
    return ready


def shared_directory(base: Path) -> Path:
    """The directory that all processes of one test run share, from pytest's base directory of this one."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def policy_of(deployed: Deployed, group: str, policy: dict[str, Any]) -> None:
    """Give a group a policy of its own, as the infra app would from a file."""
    name = f"{deployed.outputs['PolicyPath']}/groups/{group.lower()}"
    deployed.client("ssm").put_parameter(Name=name, Value=json.dumps(policy), Type="String", Overwrite=True)
