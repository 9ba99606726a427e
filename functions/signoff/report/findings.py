"""What was found of a package's artifacts, from the documents that its inspections left in the vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from signoff.artifact.findings import listed, within
from signoff.aws.clients import error_message
from signoff.errors import DocumentMissing

if TYPE_CHECKING:
    from signoff.aws.vault import Vault


_OBJECTS = 20  # under one prefix, whose findings are shown: an archive's are read one by one

Artifact = dict[str, Any]


def of_evidence(evidence: Mapping[str, Any] | None, vault: Vault) -> tuple[list[Artifact], list[str]]:
    """Return what was found of each artifact of a piece of evidence, and what could not be read and why.

    An artifact has its `artifact` (a name), `errors`, `warnings` and `findings`.
    """
    notes: list[str] = []
    try:
        artifacts = evidence["artifacts"] if evidence else ()
        found = [_artifact(artifact, vault, notes) for artifact in artifacts if "findings" in artifact]
    except (DocumentMissing, ClientError) as error:
        why = error_message(error) if isinstance(error, ClientError) else error
        return [], [f"the findings cannot be read from the vault, so that only the ledger's summary is shown: {why}"]
    return [each for each in found if each["findings"]], notes


def _artifact(artifact: Mapping[str, Any], vault: Vault, notes: list[str]) -> Artifact:
    document = _read(artifact["findings"], vault)
    found = list(document.get("findings", ()))
    refused = [each for each in document.get("objects", ()) if each.get("refusal_count", 1) and "findings" in each]
    for each in refused[:_OBJECTS]:
        # Of an archive they are in a document of its own, of a file they are here.
        inside = each["findings"] if isinstance(each["findings"], list) else _read(each["findings"], vault)["findings"]
        found += [asdict(within(each["name"], finding)) for finding in listed(inside)]
    if len(refused) > _OBJECTS:
        notes.append(f"{artifact['name']}: findings of {_OBJECTS} objects are shown, and {len(refused)} were refused")
    warnings = document.get("warnings", sum(finding["severity"] == "warning" for finding in found))
    return {"artifact": artifact["name"], "errors": artifact["refusal_count"], "warnings": warnings, "findings": found}


def _read(uri: str, vault: Vault) -> Any:
    return vault.read("findings", PurePosixPath(uri).stem)
