"""Long inspections, for what a function has no time for: requests and results are exchanged through the vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.vault import Vault
from signoff.errors import DocumentMissing
from signoff.validation.inspect_artifact import ArtifactInspector

_PREFIX = "findings/at-length"


class LongInspections:
    """Hands the inspection of an artifact over from a function to a build.

    A request's id is the SHA-256 of its content (claim and artifact), so that repeating it makes no second one.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def ask(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> str:
        """Request the inspection of `artifact`, one of the claim's. Returns the request's id."""
        return self._vault.write(_PREFIX, {"claim": dict(claim), "artifact": dict(artifact)}).sha256

    def run(self, request: str, inspector: ArtifactInspector) -> dict[str, Any]:
        """Run the inspection of `request`, unless that was done before, and return its result."""
        known = self.known(request)
        if known is not None:
            return known
        asked = self._vault.read(_PREFIX, request)
        found = inspector.inspect(asked["claim"], asked["artifact"])
        self._vault.write_named(_key(request), found)
        return found

    def known(self, request: str) -> dict[str, Any] | None:
        """Return the result of `request`, or None while there is none."""
        return self._vault.read_named(_key(request))

    def found(self, request: str) -> dict[str, Any]:
        """Return the result of `request`. Raises `DocumentMissing` while there is none."""
        known = self.known(request)
        if known is None:
            raise DocumentMissing(f"{self._vault.uri(_key(request))} does not exist: the long inspection has no result")
        return known


def _key(request: str) -> str:
    return f"{_PREFIX}/{request}/found.json"
