"""The evidence of a package, as it is in the vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_message
from signoff.errors import DocumentMissing
from signoff.report import findings

if TYPE_CHECKING:
    from signoff.aws.vault import Vault

Evidence = Mapping[str, Any]
# What evidence says beside what its ledger does; version 1 says nothing of these.
SAID = ("description", "metrics", "comparison", "images", "evaluation", "smoke", "bias", "provenance")


def read(recorded: Mapping[str, Any] | None, vault: Vault) -> tuple[Evidence | None, list[str]]:
    """Return the evidence that a ledger recorded (`sha256`), and a note of why it cannot be read if it cannot.

    It is None where there is none.
    """
    if recorded is None:
        return None, []
    try:
        return vault.read("evidence", recorded["sha256"]), []
    except (DocumentMissing, ClientError) as error:
        why = error_message(error) if isinstance(error, ClientError) else error
        return None, [f"the evidence cannot be read from the vault, so that only the ledger's summary is shown: {why}"]


def with_evidence(document: Mapping[str, Any], vault: Vault) -> tuple[dict[str, Any], list[str]]:
    """Return `document`, of `packages.document`, with what its evidence says, and notes on what could not be read.

    Each part of `SAID` is None where the evidence says nothing of it; `findings` are those of its artifacts.
    """
    evidence, unread = read(document["evidence"], vault)
    found, unfound = findings.of_evidence(evidence, vault)
    said = {part: (evidence or {}).get(part) for part in SAID}
    return {**document, **said, "findings": found}, [*unread, *unfound]
