"""The gates that a candidate must pass: who submitted what, and the results of inspecting its artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from signoff.documents.remote_sources import fetches
from signoff.documents.text import beginning, fitting, joined
from signoff.identity.principals import UNKNOWN
from signoff.ledger import checkpoints
from signoff.ledger.state import State
from signoff.model_package.artifacts import ARCHIVE, ARCHIVES, FILES
from signoff.model_package.customer_metadata import own_metadata
from signoff.model_package.package_rules import METADATA_KEYS, OWN_METADATA_KEYS
from signoff.policy.policy import Policy
from signoff.policy.provenance import Provenance
from signoff.policy.submitters import refusal
from signoff.validation.checks import Check, failed, passed

DOCUMENT_LIMIT = 16 * 1024 * 1024  # bytes of a document that is read as a whole
_LISTED = 20  # objects with a check of their own; the last check counts the others
_REFUSED = 700  # characters about one artifact: with its name it fits into an ApprovalDescription


def submitter_check(
    policy: Policy, submitter: str | None, signed: Mapping[str, str] | None, unproven: str | None
) -> Iterator[Check]:
    """Yield the check of the submitter, if the policy requires it or the submission is `signed` (name to SHA-256).

    `unproven` says why it is not proven that the submitter is who the ledger says, if that is so.
    """
    refused = unproven or refusal(policy, submitter)
    if refused:
        yield failed("submitter", refused)
    elif signed:
        yield passed("submitter", f"{submitter} signed the content of {len(signed)} objects")
    elif policy.submissions.submitters or policy.approvals.unknown_submitter == "refuse":
        yield passed("submitter", f"{submitter or 'an unknown submitter'} may submit to this group")


def metadata_check(described: Mapping[str, Any]) -> Iterator[Check]:
    """Yield a failed check if a package, registered elsewhere, leaves Signoff no room for its own metadata.

    Without the ledger's head in the registry, nobody could tell that the ledger was exchanged as a whole.
    """
    count, most = len(own_metadata(described)), METADATA_KEYS - OWN_METADATA_KEYS
    if count > most:
        remedy = f"remove {count - most} (`signoff annotate --remove`), and revalidate it"
        yield failed(
            checkpoints.ROOM,
            f"has {count} entries of customer metadata of SageMaker's {METADATA_KEYS}, of which Signoff needs "
            f"{OWN_METADATA_KEYS}: {remedy}",
        )


def specification_check(policy: Policy, state: State, changed: Sequence[str]) -> Iterator[Check]:
    """Yield the check of a package that is not, or not only, what its submitter submitted.

    `changed` are the fields that are not as its registration asked for, if it has one. Nobody unknown may change what
    they could not submit.
    """
    name, others = "submitter:specification", ", ".join(state.changers)
    if state.unmatched:
        yield failed(name, f"{state.unmatched}; submit it anew")
    elif changed:
        fields = ", ".join(changed)
        yield failed(name, f"not as it was submitted: {fields}; set that back and revalidate, or submit it anew")
    elif UNKNOWN in state.changers and refusal(policy, None):
        yield failed(name, f"may have been changed since it was registered, by {others}; register it anew")
    elif others:
        yield passed(name, f"may have been changed since it was registered, by {others}: none of them may approve it")


def request_check(changed: Sequence[str]) -> Iterator[Check]:
    """Yield a failed check if a registration is not what its signed manifest asks for, in the fields `changed`."""
    if changed:
        because = f"not what the signed manifest asks for with the policy's present defaults: {', '.join(changed)}"
        yield failed("submitter:request", f"{because}; submit it anew")


def object_checks(signed: Mapping[str, str], found: Iterable[tuple[str, str | None]]) -> list[Check]:
    """Return a failed check for each of `found`, pairs of name and SHA-256, that differs from what was `signed`.

    What is not known, None, differs.
    """
    others = sorted({(name, sha256 is None) for name, sha256 in found if sha256 is None or signed.get(name) != sha256})
    checks = [failed(f"submitter:{name}", _reason(name, signed, unknown)) for name, unknown in others[:_LISTED]]
    if len(others) > _LISTED:
        more = f"{len(others) - _LISTED} more objects do not match what their submitter signed"
        checks.append(failed("submitter:more", more))
    return checks


def _reason(name: str, signed: Mapping[str, str], unknown: bool) -> str:
    if name in signed and unknown:
        return (
            f"{name} cannot be compared with what its submitter signed: no container loads it, it is too large to be "
            "read as a document, and S3 has no SHA-256 of all its bytes; submit it as smaller files, or leave it out"
        )
    if name in signed:
        return f"{name} does not match what its submitter signed"
    return f"{name} was not signed by the package's submitter"


def artifact_check(artifact: Mapping[str, Any]) -> Check:
    """Return the check of one inspected artifact, as `inspect_artifact` reported it."""
    name = f"artifact:{artifact['name']}"
    refusals = artifact["refusals"]
    if refusals or artifact.get("refusal_count"):
        return failed(name, _refused(refusals, artifact["refusal_count"]))
    return passed(name, f"{_described(artifact)}, sha256 {artifact['sha256']}")


def _refused(refusals: Sequence[str], count: int) -> str:
    shown = fitting(refusals, _REFUSED)
    more = ["And more."] if len(shown) < len(refusals) else []
    return " ".join([f"{count:,} error{'s' if count > 1 else ''}:", *shown, *more]).rstrip(".")


def _described(artifact: Mapping[str, Any]) -> str:
    if artifact["kind"] == ARCHIVE:
        return f"a readable archive of {artifact['members']} members"
    if artifact["kind"] == ARCHIVES:
        return f"{artifact['members']} readable archives"
    if artifact["kind"] == FILES:
        return f"{artifact['members']} files of {artifact['size']:,} bytes"
    return f"a file of {artifact['size']:,} bytes"


def provenance_checks(policy: Provenance, said: Mapping[str, str]) -> Iterator[Check]:
    """Yield the check of each field of MetadataProperties that the policy asks for; `said` are the package's."""
    asked = [*policy.required, *(["Repository"] if policy.repositories else [])]
    for field in dict.fromkeys(asked):
        name, found = f"provenance:{field}", (said.get(field) or "").strip()
        if not found:
            yield failed(name, f"the package does not say it: set MetadataProperties.{field} in the manifest")
        elif field == "Repository" and not policy.allows(found):
            allowed = joined(policy.repositories, "or")
            yield failed(name, f"is {found}, and models of this group come from {allowed}").compared(allowed, found)
        else:
            yield passed(name, f"says {found}; nobody has proved it")


def model_data_checks(image_only: Iterable[str], policy: Policy) -> Iterator[Check]:
    """Yield the check of each container, by its path, that is `image_only`: it has no artifact that could be inspected.

    It fails if the policy asks anything of artifacts, unless its `sources.unpinned` accepts `image`.
    """
    asked, none = [f"artifact.{field}" for field in policy.artifact.asked], "model data: none (image only)"
    for path in image_only:
        name = f"artifact:{path}"
        if not asked:
            yield passed(name, none)
        elif "image" in policy.sources.unpinned:
            yield passed(name, f"{none}; the policy accepts `image`")
        else:
            remedy = (
                "name the model in the container's ModelDataUrl, or accept `image` in the policy's sources.unpinned"
            )
            yield failed(name, f"{none}, and the policy sets {joined(asked, 'and')}: {remedy}")


def image_digest_checks(
    containers: Iterable[tuple[str, Mapping[str, Any]]], pinned: Mapping[str, str]
) -> Iterator[Check]:
    """Yield a failed check for each container whose ImageDigest differs from its image's."""
    for path, container in containers:
        said, image = str(container.get("ImageDigest", "")).lower(), pinned.get(container.get("Image", ""))
        if said and image and not image.endswith(f"@{said}"):
            yield failed(f"image:{path}.ImageDigest", f"is {said}, but the image is {image}")


def unpinned_checks(found: Sequence[tuple[str, str]], accepted: Sequence[str]) -> list[Check]:
    """Return a check for each source, `(kind, path)`, of a package that is not in the vault.

    It cannot be pinned or inspected, so it passes only if the policy's `sources.unpinned` accepts that kind.
    """
    checks = []
    for kind, path in found:
        name = f"unpinned:{path}"
        if kind in accepted:
            checks.append(passed(name, f"cannot be pinned or inspected; the policy accepts `{kind}`"))
        else:
            reason = f"cannot be pinned or inspected, and `{kind}` is not in the policy's sources.unpinned"
            checks.append(failed(name, reason))
    return checks


def environment_checks(environments: Sequence[tuple[str, Mapping[str, str]]], accepted: Sequence[str]) -> list[Check]:
    """Return a check for each variable that makes a container fetch code or weights when it starts.

    `environments` are those of the containers, each with the path it stands at; `accepted` the policy's patterns.
    """
    checks = []
    for path, environment in environments:
        for name, value in sorted(environment.items()):
            if fetches(name, value):
                checks.append(_fetched(f"environment:{path}.{name}", f"{name}={value}", accepted))
    return checks


def _fetched(name: str, variable: str, accepted: Sequence[str]) -> Check:
    shown = beginning(variable, 200)
    if any(fnmatchcase(variable, pattern) for pattern in accepted):
        return passed(name, f"{shown} fetches when the container starts; the policy accepts it")
    reason = f"{shown} lets the container fetch code or weights that were not inspected when it starts"
    return failed(name, reason)
