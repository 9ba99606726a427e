"""Whether a package is what its submitter signed: who that is, each object, and what the manifest asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from signoff.aws.parallel import in_parallel
from signoff.aws.vault import Vault
from signoff.errors import DocumentMissing
from signoff.governance.registrations import Registrations
from signoff.ledger.history import History
from signoff.model_package.data_sources import is_prefix
from signoff.policy.policy import Policy
from signoff.submission.layout import MANIFEST
from signoff.submission.signed_manifest import unlike_manifest
from signoff.validation import gates
from signoff.validation.checks import Check
from signoff.validation.inspected import lists_what_was_kept


@dataclass(frozen=True)
class SignatureGate:
    """Compares packages with what their submitters signed."""

    vault: Vault
    registrations: Registrations

    def checks(
        self,
        history: History,
        policy: Policy,
        registration: Mapping[str, Any] | None,
        described: Mapping[str, Any],
        artifacts: Sequence[Mapping[str, Any]],
    ) -> list[Check]:
        """Return the checks of the submitter, and of whether the objects match what they signed."""
        signed = (registration or {}).get("digests") or {}
        submitter = history.state.submitter
        unproven = self.registrations.unproven(submitter, registration, described)
        checks = [*gates.submitter_check(policy, submitter, signed, unproven)]
        if registration and signed:
            inspected = dict(self._inspected(registration, artifacts))
            manifest = self._manifest(registration)
            found = [*inspected.items(), *self._beside(registration, inspected, manifest)]
            checks += gates.object_checks(signed, found)
            home, defaults = self._home(registration), policy.registration_defaults
            checks += gates.request_check(unlike_manifest(registration, defaults, home, manifest))
        return checks

    def _manifest(self, registration: Mapping[str, Any]) -> bytes | None:
        """Return the bytes of the manifest, or None if there is none."""
        kept = next((each for each in registration["objects"] if each["name"] == MANIFEST), None)
        if kept is None:
            return None
        # Registrations of before have a copy of it beside the others.
        content = kept.get("content")
        return (
            self.vault.bytes_of(self._key(kept), kept["vault"]["version_id"]) if content is None else content.encode()
        )

    def _key(self, kept: Mapping[str, Any]) -> str:
        return self.vault.key_of(kept["vault"]["uri"]) or ""

    def _home(self, registration: Mapping[str, Any]) -> str:
        return self.vault.uri(f"models/{registration['group']}/{registration['id']}/")

    def _inspected(
        self, registration: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[str, str]]:
        """Yield name and SHA-256 of each inspected object; the name of one that was not submitted is its URL.

        A prefix yields each of its objects, from the findings.
        """
        home = self._home(registration)
        for artifact in artifacts:
            name = artifact["url"].removeprefix(home)
            if is_prefix(name):
                findings = self.vault.read("findings", PurePosixPath(artifact["findings"]).stem)
                if not lists_what_was_kept(findings["objects"], artifact):
                    raise DocumentMissing(f"{artifact['findings']} lists other objects than are in the vault")
                yield from ((f"{name}{each['name']}", each["sha256"]) for each in findings["objects"])
            else:
                yield name, artifact["sha256"]

    def _beside(
        self, registration: Mapping[str, Any], inspected: Container[str], manifest: bytes | None
    ) -> Iterator[tuple[str, str | None]]:
        """Return name and SHA-256 of submitted objects that no container loads, the `manifest` among them.

        None stands for one that S3 does not know of an object that is too large to be read.
        """
        others = [kept for kept in registration["objects"] if kept["name"] not in inspected]
        found = in_parallel(partial(self._sha256, manifest), others)
        return zip((kept["name"] for kept in others), found, strict=True)

    def _sha256(self, manifest: bytes | None, kept: Mapping[str, Any]) -> str | None:
        """Return the SHA-256 of an object that a registration lists, if it takes no long reading."""
        if kept["name"] == MANIFEST and manifest is not None:
            return hashlib.sha256(manifest).hexdigest()
        stored = self.vault.version(self._key(kept), kept["vault"]["version_id"])
        known = self.vault.sha256_by_s3(stored)
        return known or (self.vault.sha256(stored) if stored.size <= gates.DOCUMENT_LIMIT else None)
