"""Inspecting one artifact, an object or a prefix: it is copied to the vault, and the copies are read as streams."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from posixpath import basename
from typing import Any
from urllib.parse import urlsplit

from signoff.artifact import inspection as archive
from signoff.artifact import report, scan
from signoff.artifact.findings import Finding, summed_up, within
from signoff.artifact.requirement_check import RequirementCheck
from signoff.artifact.requirements import Requirements
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.vault import Vault, sha256
from signoff.errors import ObjectMissing
from signoff.identity.principals import UNKNOWN_OWNER
from signoff.model_package.artifacts import ARCHIVE, ARCHIVES, DOCUMENT, inventory, is_the_model
from signoff.model_package.data_sources import is_prefix
from signoff.policy.policy import of_document
from signoff.submission.object_list import MAX_OBJECTS, file_faults
from signoff.validation.time_budget import TimeBudget, unlimited


class ArtifactInspector:
    """Inspects the artifacts of claimed packages.

    `bucket` returns the bucket to copy from, by its name and perhaps its owner's account; `budget` is the time for one
    artifact, by default unlimited.
    """

    def __init__(
        self, vault: Vault, bucket: Callable[[str, str | None], Bucket], budget: TimeBudget | None = None
    ) -> None:
        self._vault = vault
        self._bucket = bucket
        self._budget = budget or unlimited()

    def inspect(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> dict[str, Any]:
        """Return the result for `artifact` (one of the claim's), with a pointer to all findings in the vault.

        Raises `ObjectMissing` when it cannot be read: that is an error of the validation, not of the artifact;
        `TakesTooLong` when there is no time for all of them.
        """
        if is_prefix(artifact["url"]):
            return {**artifact, **self._prefix(claim, artifact)}
        stored = self._in_vault(claim, artifact["url"])
        self._budget.expect(stored.size)
        found: dict[str, Any] = {**artifact, "key": stored.key, "version_id": stored.version_id, "size": stored.size}
        if artifact["kind"] == DOCUMENT:
            return {**found, "sha256": sha256(self._read(stored)), "refusals": [], "refusal_count": 0}
        inspect = self._archive if artifact["kind"] == ARCHIVE else self._object
        found |= inspect(artifact, stored, self._requirements(claim, artifact))
        return {**found, **_refused(found["refusals"], found["refusal_count"])}

    def _archive(self, about: Mapping[str, str], stored: ObjectVersion, requirements: Requirements) -> dict[str, Any]:
        """Return an archive's result and all its errors; the findings go to the vault, with `about`."""
        inspection = inspect_archive(self._read(stored), requirements)
        findings = self._vault.write("findings", {"artifact": dict(about), **inspection.document()})
        return {
            "sha256": inspection.sha256,
            "members": inspection.members,
            "findings": findings.uri,
            **_errors(inspection),
        }

    def _object(self, about: Mapping[str, str], stored: ObjectVersion, requirements: Requirements) -> dict[str, Any]:
        """Return a file's result and all its errors; the findings go to the vault, with `about`."""
        inspection = inspect_object(self._read(stored), requirements, basename(stored.key))
        found = {"sha256": inspection.sha256, **_errors(inspection)}
        if not inspection.findings:
            return found
        document = self._vault.write("findings", {"artifact": dict(about), **inspection.document()})
        return {**found, "findings": document.uri}

    def _file(
        self, name: str, stored: ObjectVersion, check: RequirementCheck
    ) -> tuple[dict[str, Any], report.Inspection]:
        inspection = archive.inspect_file(self._read(stored), name, scan.scan, check)
        return {"sha256": inspection.sha256, **_errors(inspection)}, inspection

    def _read(self, stored: ObjectVersion) -> Iterator[bytes]:
        return self._budget.keep(self._vault.stream(stored))

    def _requirements(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> Requirements:
        """Return the policy's requirements for this artifact: required files only apply to a container's model."""
        requirements = of_document(self._vault.read("policies", claim["policy"])).requirements
        if is_the_model(artifact["name"]):
            return requirements
        return replace(requirements, required_files=(), licence=False, model_card=False)

    def _prefix(self, claim: Mapping[str, Any], artifact: Mapping[str, str]) -> dict[str, Any]:
        """Inspect all objects under a prefix, with one digest and one findings document for all."""
        prefix, copies = self._all_in_vault(claim, artifact["url"])
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
            "key": prefix,
            "version_id": inventory(objects, "version_id"),
            "sha256": inventory(objects, "sha256"),
            "size": sum(copy.size for copy in copies),
            "members": len(objects),
            "findings": findings.uri,
            **_refused(errors, count),
        }

    def _file_under(self, name: str, stored: ObjectVersion, check: RequirementCheck) -> dict[str, Any]:
        found, inspection = self._file(name, stored, check)
        listed = {"findings": inspection.document()["findings"]} if inspection.findings else {}
        return {**_fact(name, stored), "kind": inspection.inventory[0].kind, **found, **listed}

    def _archive_under(self, name: str, stored: ObjectVersion, requirements: Requirements) -> dict[str, Any]:
        # Each has a findings document of its own, because a thousand inventories in one would be too large to read.
        return {**_fact(name, stored), **self._archive({"name": name}, stored, requirements)}

    def _in_vault(self, claim: Mapping[str, Any], url: str) -> ObjectVersion:
        key = self._vault.key_of(url)
        if key is not None:
            return _there(self._vault.current(_own(claim, key)), url)
        bucket, source_key = _parts(url)
        source = _there(self._source(claim, bucket).current(source_key), url)
        return self._vault.keep(source, f"{_copy_prefix(claim, [source])}/{basename(source.key)}")

    def _all_in_vault(self, claim: Mapping[str, Any], url: str) -> tuple[str, list[ObjectVersion]]:
        """Return the prefix in the vault, and every object under it, for a prefix that a package names."""
        prefix = self._vault.key_of(url)
        if prefix is not None:
            _own(claim, prefix)
        else:
            bucket, source_prefix = _parts(url)
            listed = self._source(claim, bucket).listing(source_prefix)
            sources = _some((each for each in listed if not each.marks_a_folder), url)
            # Separate from copies of single objects, of which one may be the only object under this prefix.
            prefix = f"{_copy_prefix(claim, sources)}/all/"
            for source in sources:
                self._budget.check()
                self._vault.keep(source, prefix + source.key.removeprefix(source_prefix))
        return prefix, _some(iter(self._vault.under(prefix)), url)

    def _source(self, claim: Mapping[str, Any], bucket: str) -> Bucket:
        owner = claim.get("source_owner")
        if owner == UNKNOWN_OWNER:
            raise ObjectMissing(
                f"it is not known who registered {claim['arn']}, and its group is open to other accounts: only what is "
                "in the vault already can be deployed; submit it instead"
            )
        return self._bucket(bucket, owner)


def inspect_archive(chunks: Iterable[bytes], requirements: Requirements) -> report.Inspection:
    """Return the inspection of the archive in `chunks`, checked against a policy's `artifact` requirements."""
    return archive.inspect(chunks, requirements, scan.scan)


def inspect_object(chunks: Iterable[bytes], requirements: Requirements, name: str) -> report.Inspection:
    """Return the inspection of an artifact that is the one file `name`, checked against `requirements`."""
    # A single file cannot contain a licence or a model card, nor have others beside it.
    check = RequirementCheck(replace(requirements, required_files=(), licence=False, model_card=False))
    return archive.inspect_file(chunks, name, scan.scan, check, alone=True)


def inspect_objects(files: Iterable[tuple[str, Iterable[bytes]]], requirements: Requirements) -> report.Inspection:
    """Return the inspection of all files of an uncompressed artifact together, with one digest for all."""
    check = RequirementCheck(requirements)
    inspected = {name: archive.inspect_file(chunks, name, scan.scan, check) for name, chunks in files}
    together = check.all_together(lambda glob: bool(fnmatch.filter(inspected, glob)))
    digests = [{"name": name, "sha256": each.sha256} for name, each in inspected.items()]
    return report.combined(inventory(digests, "sha256"), list(inspected.values()), list(together))


def _own(claim: Mapping[str, Any], key: str) -> str:
    """Return `key`, or a prefix, of the vault, which for a package of another account must belong to the same group."""
    if claim.get("source_owner") and not key.startswith(f"models/{claim['group']}/"):
        raise ObjectMissing(f"{key} in the vault belongs to a group other than the package's")
    return key


def _parts(url: str) -> tuple[str, str]:
    """Return the bucket and the key, or prefix, of an `s3://` URL."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise ObjectMissing(f"{url} is not in S3: only model data in S3 can be copied to the vault")
    return parts.netloc, url.removeprefix(f"s3://{parts.netloc}/")


def _copy_prefix(claim: Mapping[str, Any], sources: Sequence[ObjectVersion]) -> str:
    """Return the prefix in the vault for a package's copies of exactly these versions."""
    versions = " ".join(f"{source.uri} {source.version_id}" for source in sources)
    unique = hashlib.sha256(f"{claim['package']} {versions}".encode()).hexdigest()[:32]
    return f"models/{claim['group']}/{unique}"


def _some(objects: Iterator[ObjectVersion], url: str) -> list[ObjectVersion]:
    found = list(islice(objects, MAX_OBJECTS + 1))
    if not found:
        raise ObjectMissing(f"there are no objects under {url}: upload them, then `signoff revalidate` the package")
    if len(found) > MAX_OBJECTS:
        raise ObjectMissing(
            f"there are more than {MAX_OBJECTS} objects under {url}, which is the limit of an inspection"
        )
    return found


def _there(stored: ObjectVersion | None, url: str) -> ObjectVersion:
    if stored is None:
        raise ObjectMissing(f"{url} does not exist: upload it, then `signoff revalidate` the package")
    return stored


def _fact(name: str, stored: ObjectVersion) -> dict[str, Any]:
    return {"name": name, "version_id": stored.version_id, "size": stored.size}


def _impossible(names: Sequence[str]) -> Iterator[Finding]:
    for name, rule, reason in file_faults(names):
        yield Finding(name, rule, "error", f"Cannot be a file of the model: {reason}")


def _refused(errors: Sequence[Finding], count: int) -> dict[str, Any]:
    """Return the summary of errors for the workflow's state; all of them are in the findings document."""
    return {"refusals": summed_up(errors), "refusal_count": count}


def _errors(inspection: report.Inspection) -> dict[str, Any]:
    errors = [finding for finding in inspection.findings if finding.severity == "error"]
    return {"refusals": errors, "refusal_count": inspection.errors}
