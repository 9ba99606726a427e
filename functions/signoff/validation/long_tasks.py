"""Long tasks, for what a function has no time for: requests and results are exchanged through the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.aws.clients import trying_again
from signoff.aws.vault import Vault
from signoff.errors import DocumentMissing, TakesTooLong

REQUESTS = "requests"
# Where the builds of the two tasks leave their results: each may write only its own.
KEEPING, INSPECTION = "kept", "inspected"

Task = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]


class LongTasks:
    """Hands one kind of task, by the prefix of its `results`, over from a function to a build.

    A request's id is the SHA-256 of its content (claim and artifact), so that repeating it makes no second one. A
    result is named by its build too: that id is known to the build and to who started it only, so that a build which
    its artifact has taken over leaves no result for another one's request.
    """

    def __init__(self, vault: Vault, results: str) -> None:
        self._vault = vault
        self._results = results

    def begin(self, task: Task, claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of `task`, or `at_length`, the request for a build, when there is no time for it."""
        try:
            return task(claim, artifact)
        except TakesTooLong:
            return {"at_length": self.ask(claim, artifact)}

    def ask(self, claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> str:
        """Request the task for `artifact`, one of the claim's. Returns the request's id."""
        return self._vault.write(REQUESTS, {"claim": dict(claim), "artifact": dict(artifact)}).sha256

    def run(self, request: str, build: str, task: Task) -> dict[str, Any]:
        """Carry out `task` for a `request` in a `build`, by its id, and return its result.

        After a transient error it is tried again, twice: the workflow retries a function then, but not a build.
        """
        return trying_again(self._run)(request, build, task)

    def _run(self, request: str, build: str, task: Task) -> dict[str, Any]:
        asked = self._vault.read(REQUESTS, request)
        found = task(asked["claim"], asked["artifact"])
        self._vault.write_named(self._key(request, build), found)
        return found

    def found(self, request: str, build: str) -> dict[str, Any]:
        """Return the result of `request` by `build`. Raises `DocumentMissing` while there is none."""
        key = self._key(request, build)
        known: dict[str, Any] | None = self._vault.read_named(key)
        if known is None:
            raise DocumentMissing(f"{self._vault.uri(key)} does not exist: the build has left no result")
        return known

    def _key(self, request: str, build: str) -> str:
        return f"{self._results}/{build}/{request}.json"
