"""Inspecting at length what takes too long for a function: what is asked for and what was found meet in the vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.vault import Vault
from signoff.errors import DocumentMissing
from signoff.validation.inspect_artifact import ArtifactInspector

_PREFIX = "findings/at-length"


class LongInspections:
    """Hands an artifact over, from who has no time for it to who has.

    A request is known by the SHA-256 of what it says (claim and artifact), so that the same one again is the same.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def ask(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> str:
        """Ask for the inspection of `artifact`, one of the claim's. Returns the request."""
        return self._vault.write(_PREFIX, {"claim": dict(claim), "artifact": dict(artifact)}).sha256

    def run(self, request: str, inspector: ArtifactInspector) -> dict[str, Any]:
        """Inspect what `request` asks for, unless that was done before. Returns what was found, as `found` does."""
        known = self.known(request)
        if known is not None:
            return known
        asked = self._vault.read(_PREFIX, request)
        found = inspector.inspect(asked["claim"], asked["artifact"])
        self._vault.write_named(_key(request), found)
        return found

    def known(self, request: str) -> dict[str, Any] | None:
        """Return what was found for `request`, or None as long as nobody has carried it out."""
        return self._vault.read_named(_key(request))

    def found(self, request: str) -> dict[str, Any]:
        """Return what was found for `request`. Raises `DocumentMissing` when nobody has carried it out."""
        known = self.known(request)
        if known is None:
            raise DocumentMissing(f"{self._vault.uri(_key(request))} is not there: nothing was found at length")
        return known


def _key(request: str) -> str:
    return f"{_PREFIX}/{request}/found.json"
