"""What `signoff local up` and `signoff local env` do."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from local.deploy import Outputs, deploy
from local.engine import users
from local.engine.process import Engine
from local.engine.seed import seed
from local.patches.quotas import Quotas

DEFAULT_PORT = 4566
_FAULTS, _ROLE_USE = "request-faults.txt", "role-use.jsonl"


def environment(port: int = DEFAULT_PORT, user: str | None = None, host: str = "127.0.0.1") -> dict[str, str]:
    """The AWS_* settings for the engine that listens on `port`, as its administrator or as one of its users.

    The engine is not called: it may run in another process. Raises ValueError for an unknown user.
    """
    return users.environment(f"http://{host}:{port}", user)


def up(
    port: int = DEFAULT_PORT,
    host: str = "127.0.0.1",
    on_ready: Callable[[Engine, Outputs], None] = lambda engine, outputs: None,
    progress: Callable[[str], None] = lambda line: None,
    auth: bool = True,
    assembly: Path | None = None,
    quotas: Quotas | None = None,
    notes: Path | None = None,
) -> None:
    """Start the engine, seed it, deploy the product to it, call `on_ready`, and stay until interrupted.

    `progress` is given the deployment's lines as they come; `auth` checks signatures and evaluates policies;
    `assembly` is a synthesised app, made anew when not given; `quotas` are in force once all is deployed; `notes` is a
    directory for what `refused` reads. Raises EngineError and DeploymentError.
    """
    faults, role_use = (notes / _FAULTS, notes / _ROLE_USE) if notes else (None, None)
    with Engine.start(port=port, host=host, auth=auth, faults=faults, role_use=role_use) as engine:
        seed(engine)
        outputs = deploy(engine, progress, assembly=assembly)
        if quotas:
            engine.limit(quotas)
        with _interruptible():
            on_ready(engine, outputs)
            engine.wait()


def refused(notes: Path) -> list[str]:
    """What the functions asked that AWS would not take, and what roles asked that their policies do not allow."""
    found = {name: _lines(notes / name) for name in (_FAULTS, _ROLE_USE)}
    uses = [json.loads(line) for line in found[_ROLE_USE]]
    denied = [f"{use['role']} may not {use['action']} on {use['resource']}" for use in uses if not use["allowed"]]
    return [*(f"no service takes {fault}" for fault in found[_FAULTS]), *denied]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@contextmanager
def _interruptible() -> Iterator[None]:
    """End what is within at SIGINT or SIGTERM, without an error."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # A shell that starts it in the background ignores interrupts; here they end it.
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
