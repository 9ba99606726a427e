"""Inspecting one artifact: from wherever it is into the vault, and then that copy, as a stream."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from posixpath import basename
from typing import Any
from urllib.parse import urlsplit

from signoff import archive
from signoff.errors import ObjectMissing
from signoff.objects import Bucket, Stored
from signoff.policy import of_document
from signoff.vault import Vault

_SHOWN = 5  # refusals that travel with the workflow's state; all of them are in the findings document


class Inspection:
    """Inspects the artifacts of claimed packages. `bucket` gives the bucket of a name, to copy from."""

    def __init__(self, vault: Vault, bucket: Callable[[str], Bucket]) -> None:
        self._vault = vault
        self._bucket = bucket

    def inspect(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> dict[str, Any]:
        """Return what was found of `artifact` (one of the claim's), with a pointer to all findings in the vault.

        Raises `ObjectMissing` when its bytes cannot be had: that is an error of the validation, not of the artifact.
        """
        if artifact["kind"] == "unsupported":
            return {**artifact, "refusals": ["model data of this form cannot be inspected yet"], "refusal_count": 1}
        stored = self._in_vault(claim, artifact["url"])
        found = {**artifact, "key": stored.key, "version_id": stored.version_id, "size": stored.size}
        if artifact["kind"] == "document":
            return {**found, "sha256": self._digest(stored), "refusals": [], "refusal_count": 0}
        return {**found, **self._inspected(claim, artifact, stored)}

    def _inspected(self, claim: Mapping[str, Any], artifact: Mapping[str, str], stored: Stored) -> dict[str, Any]:
        policy = of_document(self._vault.read("policies", claim["policy"]))
        inspection = archive.inspect(self._vault.stream(stored), policy.artifact.required_files)
        findings = self._vault.write("findings", {"artifact": dict(artifact), **inspection.document()})
        refusals = [finding for finding in inspection.findings if finding.severity == "error"]
        return {
            "sha256": inspection.sha256,
            "members": inspection.members,
            "findings": findings.uri,
            "refusals": [_sentence(finding) for finding in refusals[:_SHOWN]],
            "refusal_count": len(refusals),
        }

    def _in_vault(self, claim: Mapping[str, Any], url: str) -> Stored:
        key = self._vault.key_of(url)
        if key is not None:
            return _there(self._vault.current(key), url)
        parts = urlsplit(url)
        if parts.scheme != "s3":
            raise ObjectMissing(f"{url} is not in S3: only model data in S3 can be kept in the vault")
        source = _there(self._bucket(parts.netloc).current(url.removeprefix(f"s3://{parts.netloc}/")), url)
        return self._vault.keep(source, _elsewhere_key(claim, source))

    def _digest(self, stored: Stored) -> str:
        digest = hashlib.sha256()
        for chunk in self._vault.stream(stored):
            digest.update(chunk)
        return digest.hexdigest()


def _elsewhere_key(claim: Mapping[str, Any], source: Stored) -> str:
    unique = hashlib.sha256(f"{claim['package']} {source.uri} {source.version_id}".encode()).hexdigest()[:32]
    return f"models/{claim['group']}/{unique}/{basename(source.key)}"


def _there(stored: Stored | None, url: str) -> Stored:
    if stored is None:
        raise ObjectMissing(f"{url} is not there: upload it, then `signoff revalidate` the package")
    return stored


def _sentence(finding: archive.Finding) -> str:
    where = f"{finding.member}: " if finding.member else ""
    return f"{where}{finding.reason} ({finding.rule})"[:400]
