"""How a container on this machine reaches an engine that listens on loopback only."""

import contextlib
import ipaddress
import json
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator

# A container's name for its host; Docker resolves it when the container is started with ADDED_HOST.
HOST = "host.docker.internal"
ADDED_HOST = f"{HOST}:host-gateway"


class DockerMissing(Exception):
    """Raised when no Docker engine answers, or it lacks the image that a function runs in."""


def docker(*arguments: str) -> str:
    """What Docker's command line answers. Raises DockerMissing when there is none, or it fails."""
    program = shutil.which("docker")
    if program is None:
        raise DockerMissing("Docker is not installed: functions run in containers of Lambda's base image")
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        raise DockerMissing(f"docker {' '.join(arguments)} failed: {answer.stderr.strip()}")
    return answer.stdout


@contextlib.contextmanager
def reachable(port: int) -> Iterator[str]:
    """The URL under which containers reach 127.0.0.1:`port`, for as long as the block lasts.

    Only containers do: what listens is the bridge's own address, which is not on the network.
    """
    try:
        forwarder = _Forwarder(_gateway(), port)
    except OSError:
        # Docker Desktop runs containers in a machine of its own, and passes this name on to the host's loopback.
        yield f"http://{HOST}:{port}"
        return
    with forwarder:
        threading.Thread(target=forwarder.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{forwarder.server_address[1]}"
        forwarder.shutdown()


def _gateway() -> str:
    """The machine's address on Docker's default bridge; some versions name only the network, which it is first of."""
    config = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]
    return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))


class _Forwarder(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        self.port = port
        super().__init__((address, 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Forwarder

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as engine:
            answers = threading.Thread(target=_pass_on, args=(engine, self.request), daemon=True)
            answers.start()
            _pass_on(self.request, engine)
            answers.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one side has closed the connection; close the other
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
