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

    A request's id is the SHA-256 of its content (claim and artifact), so that repeating it makes no second one.
    """

    def __init__(self, vault: Vault, results: str) -> None:
        self._vault = vault
        self._results = results

    def begin(self, task: Task, claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of `task`, or `at_length`, the request for a build, when there is no time for it."""
        try:
            return task(claim, artifact)
        except TakesTooLong:
            request = self.ask(claim, artifact)
            return self.known(request) or {"at_length": request}

    def ask(self, claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> str:
        """Request the task for `artifact`, one of the claim's. Returns the request's id."""
        return self._vault.write(REQUESTS, {"claim": dict(claim), "artifact": dict(artifact)}).sha256

    def run(self, request: str, task: Task) -> dict[str, Any]:
        """Carry out `task` for a `request`, unless that was done before, and return its result.

        After a transient error it is tried again, twice: the workflow retries a function then, but not a build.
        """
        return trying_again(self._run)(request, task)

    def _run(self, request: str, task: Task) -> dict[str, Any]:
        known = self.known(request)
        if known is not None:
            return known
        asked = self._vault.read(REQUESTS, request)
        found = task(asked["claim"], asked["artifact"])
        self._vault.write_named(self._key(request), found)
        return found

    def known(self, request: str) -> dict[str, Any] | None:
        """Return the result of `request`, or None while there is none."""
        return self._vault.read_named(self._key(request))

    def found(self, request: str) -> dict[str, Any]:
        """Return the result of `request`. Raises `DocumentMissing` while there is none."""
        known = self.known(request)
        if known is None:
            raise DocumentMissing(f"{self._vault.uri(self._key(request))} does not exist: the build has left no result")
        return known

    def _key(self, request: str) -> str:
        return f"{self._results}/{request}.json"
