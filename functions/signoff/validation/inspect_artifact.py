"""Inspecting one artifact, an object or a prefix, which the vault holds already: the copies are read as streams."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from posixpath import basename
from typing import Any

from signoff.artifact import inspection as archive
from signoff.artifact import report, scan
from signoff.artifact.findings import Finding, summed_up, within
from signoff.artifact.requirement_check import RequirementCheck
from signoff.artifact.requirements import Requirements
from signoff.aws.s3 import ObjectVersion, OpenedObject
from signoff.aws.vault import Vault, sha256
from signoff.model_package.artifact_room import refusals_in_room
from signoff.model_package.artifacts import ARCHIVE, ARCHIVES, DOCUMENT, inventory, is_the_model
from signoff.model_package.data_sources import is_prefix
from signoff.submission.object_list import file_faults
from signoff.validation.claimed_policy import claimed_policy
from signoff.validation.time_budget import TimeBudget, unlimited


class ArtifactInspector:
    """Inspects the artifacts of claimed packages, as ArtifactKeeper has kept them.

    `budget` is the time for one artifact, by default unlimited.
    """

    def __init__(self, vault: Vault, budget: TimeBudget | None = None) -> None:
        self._vault = vault
        self._budget = budget or unlimited()

    def inspect(self, claim: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was found in `kept`, one of the claim's artifacts, with a pointer to all findings in the vault.

        The result says the SHA-256 of what was read, which must be that of what was kept. Raises `ObjectMissing` when
        it cannot be read: that is an error of the validation, not of the artifact; `TakesTooLong` when there is no time
        for all of it.
        """
        about = {field: kept[field] for field in ("name", "url", "kind")}
        if is_prefix(kept["url"]):
            return self._prefix(claim, about, kept["key"])
        opened = self._vault.opened(kept["key"], kept["version_id"])
        self._budget.expect(opened.stored.size)
        if kept["kind"] == DOCUMENT:
            return {"sha256": sha256(self._read(opened)), "refusals": [], "refusal_count": 0}
        inspect = self._archive if kept["kind"] == ARCHIVE else self._object
        found = inspect(about, opened, self._requirements(claim, about))
        return {**found, **_refused(found["refusals"], found["refusal_count"], claim)}

    def _archive(self, about: Mapping[str, str], opened: OpenedObject, requirements: Requirements) -> dict[str, Any]:
        """Return an archive's result and all its errors; the findings go to the vault, with `about`."""
        inspection = inspect_archive(self._read(opened), requirements)
        findings = self._vault.write("findings", {"artifact": dict(about), **inspection.document()})
        return {
            "sha256": inspection.sha256,
            "members": inspection.members,
            "findings": findings.uri,
            **_errors(inspection),
        }

    def _object(self, about: Mapping[str, str], opened: OpenedObject, requirements: Requirements) -> dict[str, Any]:
        """Return a file's result and all its errors; the findings go to the vault, with `about`."""
        inspection = inspect_object(self._read(opened), requirements, basename(opened.stored.key))
        found = {"sha256": inspection.sha256, **_errors(inspection)}
        if not inspection.findings:
            return found
        document = self._vault.write("findings", {"artifact": dict(about), **inspection.document()})
        return {**found, "findings": document.uri}

    def _file(
        self, name: str, stored: ObjectVersion, check: RequirementCheck
    ) -> tuple[dict[str, Any], report.Inspection]:
        inspection = archive.inspect_file(self._read(self._opened(stored)), name, scan.scan, check)
        return {"sha256": inspection.sha256, **_errors(inspection)}, inspection

    def _opened(self, stored: ObjectVersion) -> OpenedObject:
        return self._vault.opened(stored.key, stored.version_id)

    def _read(self, opened: OpenedObject) -> Iterator[bytes]:
        return self._budget.keep(opened.chunks)

    def _requirements(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> Requirements:
        """Return the policy's requirements for this artifact: required files only apply to a container's model."""
        requirements = claimed_policy(claim, self._vault).requirements
        if is_the_model(artifact["name"]):
            return requirements
        return replace(requirements, required_files=(), licence=False, model_card=False)

    def _prefix(self, claim: Mapping[str, Any], artifact: Mapping[str, str], prefix: str) -> dict[str, Any]:
        """Inspect all objects under a prefix, with one digest and one findings document for all."""
        copies = self._vault.under(prefix)
        self._budget.expect(sum(copy.size for copy in copies))
        names = [copy.key.removeprefix(prefix) for copy in copies]
        requirements = self._requirements(claim, artifact)
        named = list(zip(names, copies, strict=True))
        errors = list(_impossible(names))
        if artifact["kind"] == ARCHIVES:
            objects = [self._archive_under(name, copy, requirements) for name, copy in named]
        else:
            check = RequirementCheck(requirements)
            objects = [self._file_under(name, copy, check) for name, copy in named]
            errors += check.all_together(lambda glob: bool(fnmatch.filter(names, glob)))
        count = len(errors) + sum(each["refusal_count"] for each in objects)
        about_all = {"artifact": dict(artifact), "findings": [dataclasses.asdict(error) for error in errors]}
        errors += [within(each["name"], error) for each in objects for error in each.pop("refusals")]
        findings = self._vault.write("findings", {**about_all, "objects": objects})
        return {
            "sha256": inventory(objects, "sha256"),
            "members": len(objects),
            "findings": findings.uri,
            **_refused(errors, count, claim),
        }

    def _file_under(self, name: str, stored: ObjectVersion, check: RequirementCheck) -> dict[str, Any]:
        found, inspection = self._file(name, stored, check)
        listed = {"findings": inspection.document()["findings"]} if inspection.findings else {}
        return {**_fact(name, stored), "kind": inspection.inventory[0].kind, **found, **listed}

    def _archive_under(self, name: str, stored: ObjectVersion, requirements: Requirements) -> dict[str, Any]:
        # Each has a findings document of its own, because a thousand inventories in one would be too large to read.
        return {**_fact(name, stored), **self._archive({"name": name}, self._opened(stored), requirements)}


def inspect_archive(chunks: Iterable[bytes], requirements: Requirements) -> report.Inspection:
    """Return the inspection of the archive in `chunks`, checked against a policy's `artifact` requirements."""
    return archive.inspect(chunks, requirements, scan.scan)


def inspect_object(chunks: Iterable[bytes], requirements: Requirements, name: str) -> report.Inspection:
    """Return the inspection of an artifact that is the one file `name`, checked against `requirements`."""
    return archive.inspect_file(chunks, name, scan.scan, RequirementCheck(requirements), alone=True)


def inspect_objects(files: Iterable[tuple[str, Iterable[bytes]]], requirements: Requirements) -> report.Inspection:
    """Return the inspection of all files of an uncompressed artifact together, with one digest for all."""
    check = RequirementCheck(requirements)
    inspected = {name: archive.inspect_file(chunks, name, scan.scan, check) for name, chunks in files}
    together = check.all_together(lambda glob: bool(fnmatch.filter(inspected, glob)))
    digests = [{"name": name, "sha256": each.sha256} for name, each in inspected.items()]
    return report.combined(inventory(digests, "sha256"), list(inspected.values()), list(together))


def _fact(name: str, stored: ObjectVersion) -> dict[str, Any]:
    return {"name": name, "version_id": stored.version_id, "size": stored.size}


def _impossible(names: Sequence[str]) -> Iterator[Finding]:
    for name, rule, reason in file_faults(names):
        yield Finding(name, rule, "error", f"Cannot be a file of the model: {reason}")


def _refused(errors: Sequence[Finding], count: int, claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the workflow's state has room for of errors; all of them are in the findings document."""
    refusals = refusals_in_room(summed_up(errors), len(claim["artifacts"]))
    return {"refusals": refusals, "refusal_count": count}


def _errors(inspection: report.Inspection) -> dict[str, Any]:
    errors = [finding for finding in inspection.findings if finding.severity == "error"]
    return {"refusals": errors, "refusal_count": inspection.errors}
