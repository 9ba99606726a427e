"""A model's container, which is a process here: its server, and the requests of SageMaker's contract to it.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html

The process has no credentials, whether or not the model asks for network isolation, and it is no prison: it runs as the
user who started the engine. Its `/opt/ml` is a folder elsewhere: `base_dir` and `SM_MODEL_DIR` say where, and variables
that begin with `/opt/ml` are changed to it.
"""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# The image's repository, and the server that is in it. What is in no row does not start.
_SERVERS = ((re.compile(r"(?:^|/)(?:sagemaker-scikit-learn|sklearn-inference)$"), "examples/serving/scikit_learn.py"),)
_REPOSITORY = re.compile(r"^[^/]+/(?P<name>[^:@]+)")
_OPT_ML = "/opt/ml"
_PING_SECONDS = 60.0  # SageMaker waits half an hour; a process that has ended is not waited for
_NOT_PINGED = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
    "responds with an HTTP 200 status code"
)


class ContainerFailed(Exception):
    """Raised for a container that does not serve; the message is the job's FailureReason."""


class BadAnswer(Exception):
    """Raised for an answer that is no success: its HTTP status (0: none) and its body."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body[:1000].decode(errors='replace')}")
        self.status = status

    @property
    def refused(self) -> bool:
        """Whether the container blames the request: another time it would answer the same."""
        return 400 <= self.status < 500


class Container:
    """One running container. `folder` is its `/opt/ml`, `log` gets what it prints, line by line."""

    def __init__(self, image: str, environment: Mapping[str, str], folder: Path, log: Callable[[str], None]) -> None:
        server = _server(image)
        if server is None:
            log(f"no server is known for the image {image}")
            raise ContainerFailed(_NOT_PINGED)
        self._port = _free_port()
        self._process = subprocess.Popen(  # noqa: S603 - the server of the image
            [sys.executable, str(_ROOT / server), "serve"],
            cwd=folder,
            env=_environment(environment, folder, self._port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, args=(log,), daemon=True)
        self._reader.start()

    def wait_until_ready(self, seconds: float = _PING_SECONDS) -> None:
        """Ask for `/ping` until it is answered with 200; raises ContainerFailed when it never is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(BadAnswer):
                self._ask("GET", "/ping", b"", {}, timeout=2.0)
                return
            time.sleep(0.02)
        raise ContainerFailed(_NOT_PINGED)

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[bytes, str]:
        """The answer to a mini-batch, and its content type; raises BadAnswer."""
        return self._ask("POST", "/invocations", body, headers, timeout)

    def kill(self) -> None:
        """End the container, and wait for its last words; what it has started ends with the engine."""
        self._process.kill()
        self._process.wait()
        self._reader.join(1.0)

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise BadAnswer(0, repr(error).encode()) from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise BadAnswer(answer.status, content)
        return content, answer.headers.get("Content-Type", "")

    def _read(self, log: Callable[[str], None]) -> None:
        for line in self._process.stdout or ():
            log(line.rstrip("\n"))


def _server(image: str) -> str | None:
    found = _REPOSITORY.match(image)
    name = found["name"] if found else ""
    return next((server for pattern, server in _SERVERS if pattern.search(name)), None)


def _environment(given: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    """The variables of the process: the given ones, with `/opt/ml` where it is here, and none of the engine's own."""
    moved = {
        name: f"{folder}{value.removeprefix(_OPT_ML)}" if value.startswith(_OPT_ML) else value
        for name, value in given.items()
    }
    own = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.defpath)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "base_dir": str(folder),
        "SM_MODEL_DIR": str(folder / "model"),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    return {**moved, **own}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
