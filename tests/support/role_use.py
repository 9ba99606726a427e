"""What roles used in a test run, what they were denied, and how that differs from what their policies allow.

The engine notes each way in which a role was used (`local.patches.role_use`). When a deployment's tests have ended, its
notes are compared with the template's policies, and kept in a directory that all test processes share. What all
processes kept makes the difference.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from tests.support.rare_uses import rare_uses
from tests.support.service_uses import Use, granted, service_uses
from tests.support.template import SynthesizedTemplate

Note = Mapping[str, Any]
# A package may name buckets that nobody named to Signoff, which then are not read; a test's begin so.
BY_DESIGN = ("KeepArtifactRole", "arn:aws:s3:::elsewhere-")


class Observed(msgspec.Struct, frozen=True):
    """What one deployment's roles may do, of that what they did, and what else they asked for."""

    granted: set[Use]
    used: set[Use]
    denied: set[Use]


class Difference(NamedTuple):
    """What roles may do and never did, and what they asked for and may not do."""

    unused: list[Use]
    missing: list[Use]

    def __str__(self) -> str:
        """Return the difference for people, with what to do about it; empty if there is none."""
        unused = "Allowed, and never used (take it out of infra/, or test what uses it):"
        missing = "Asked for, and not allowed (allow it in infra/, or do not ask for it):"
        parts = [f"{title}\n{_table(uses)}" for title, uses in ((unused, self.unused), (missing, self.missing)) if uses]
        return "\n".join(parts)


def observed(template: SynthesizedTemplate, deployed: SynthesizedTemplate, notes: Iterable[Note]) -> Observed:
    """Return what the engine's `notes` come to, in the names that a `template` has without what was `deployed`."""
    names = {
        str(deployed.resolve({"Ref": logical})): template.name(logical)
        for logical in template.logical_ids("AWS::IAM::Role")
    }
    account = deployed.pseudo["AWS::AccountId"]
    ours = [note for note in notes if note["account"] == account and note["role"] in names]
    by = {(names[note["role"]], note["action"], resource) for note in ours for resource in note["granted"]}
    pairs = zip(granted(template), granted(deployed), strict=True)
    return Observed(
        granted={*granted(template)},
        used={use for use, there in pairs if there in by} | {*service_uses(template), *rare_uses(template)},
        denied={Use(names[note["role"]], note["action"], note["resource"]) for note in ours if not note["allowed"]},
    )


def difference(found: Iterable[Observed]) -> Difference:
    """Return how what was observed of all deployments differs from what their roles may do."""
    every = list(found)
    may, did = ({use for one in every for use in getattr(one, which)} for which in ("granted", "used"))
    denied = {use for one in every for use in one.denied if not _by_design(use)}
    return Difference(sorted(may - did), sorted(denied))


def _by_design(use: Use) -> bool:
    role, beginning = BY_DESIGN
    return use.role == role and use.resource.startswith(beginning)


def keep(folder: Path, one: Observed) -> None:
    """Keep what was observed of a deployment where all test processes find it."""
    folder.mkdir(exist_ok=True)
    (folder / f"{uuid4().hex}.json").write_bytes(msgspec.json.encode(one))


def kept(folder: Path) -> list[Observed]:
    """Return what all test processes have kept."""
    return [msgspec.json.decode(path.read_bytes(), type=Observed) for path in sorted(folder.glob("*.json"))]


def observe(aws: Any, template: Path, stack: str, notes: Path, account: str, region: str) -> Observed:
    """Return what an engine noted of a stack's roles; `aws` makes a client of a service for the account and region."""
    pages = aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    listed = [resource for page in pages for resource in page["StackResourceSummaries"]]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
    synthesised = SynthesizedTemplate(json.loads(template.read_bytes()))
    lines = notes.read_text(encoding="utf-8").splitlines()
    return observed(synthesised, synthesised.deployed_as(names, account, region), map(json.loads, lines))


def _table(uses: Iterable[Use]) -> str:
    return "\n".join(f"  {use.role}: {use.action} on {use.resource}" for use in uses)
