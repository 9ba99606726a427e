"""Requiring of a submission that its submitter's signature is kept, where only the function that asked STS writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.documents.canonical_json import digest

SIGNATURES = "signatures"


def signature_key(statement: str, proof: str) -> str:
    """Return the vault's key of what is kept of a signature, by the hashes that identify statement and proof."""
    return f"{SIGNATURES}/{digest({'id': statement, 'proof': proof})}.json"


def key_of(registration: Mapping[str, Any]) -> str | None:
    """Return the vault's key of the signature that a registration names, or None if it names none."""
    signed = registration.get("signed")
    return signature_key(str(signed.get("id")), str(signed.get("proof"))) if isinstance(signed, Mapping) else None


def unproven(registration: Mapping[str, Any], read: Callable[[str], Any | None]) -> str | None:
    """Return why nobody has proven that the submitter of `registration` submitted this, or None.

    `read` returns a document in the vault by its key. RegisterModel wrote the registration: it is compared with what
    the submitter signed.
    """
    key, submitter = key_of(registration), registration.get("submitter")
    if key is None:
        return f"{submitter} is said to have submitted it, and the registration has no signature" if submitter else None
    kept = read(key)
    if not isinstance(kept, Mapping):
        return f"the vault has no document {key} of the submitter's signature: KeepSignature was not asked"
    said, signed = _facts(registration, registration["signed"]), _facts({**kept, **_named(kept)}, kept)
    different = ", ".join(name for name, value in said.items() if signed[name] != value)
    return f"the registration is not what {kept.get('submitter')} signed ({different})" if different else None


def _named(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a kept statement says, by the names that a registration has for it."""
    statement = kept.get("statement")
    said = statement if isinstance(statement, Mapping) else {}
    return {"submission": said.get("submission"), "digests": said.get("objects")}


def _facts(about: Mapping[str, Any], signer: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: about.get(name) for name in ("submitter", "submission", "digests")}
    return {**facts, **{name: signer.get(name) for name in ("user_id", "id", "proof")}}
