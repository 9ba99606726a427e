"""The CDK's libraries, loaded by Node when they are used: a process that only collects their tests needs none of it."""

from typing import Any

from jsii._kernel.providers import process
from jsii._kernel.types import LoadRequest, LoadResponse


def load_when_used() -> None:
    """Have jsii start Node, and load in it what was imported until then, at the first call and not at each import."""
    waiting: list[LoadRequest] = []
    running: list[Any] = []
    start = process._NodeProcess.start

    def start_and_load(node: Any) -> None:
        start(node)
        running.append(node)
        for request in waiting:
            node.send(request, LoadResponse)

    def load(_: Any, request: LoadRequest) -> None:
        if running:
            running[0].send(request, LoadResponse)
        else:
            waiting.append(request)

    process._NodeProcess.start = start_and_load
    process.ProcessProvider.load = load
