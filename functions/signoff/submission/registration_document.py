"""The registration document: what a submission consists of, who signed it, and what SageMaker is asked for.

It is in the vault before the package is created, and everything later is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signoff.aws.s3 import ObjectVersion
from signoff.governance.registrations import REGISTRATION_HINT
from signoff.submission.intake import CompleteSubmission
from signoff.submission.layout import SUBMISSION


def vault_key(complete: CompleteSubmission, name: str) -> str:
    """Return the vault's key of a submission's object or prefix, by its name."""
    return f"models/{complete.submission.group}/{complete.attempt}/{name}"


def signed_sha256(complete: CompleteSubmission, copies: Mapping[str, ObjectVersion], uri: str) -> str | None:
    """Return the SHA-256 that the submitter signed of the object that was copied to `uri`, if they signed any."""
    digests = complete.signature.digests if complete.signature else {}
    return next((digests[name] for name, copy in copies.items() if copy.uri == uri and name in digests), None)


def registration_document(
    complete: CompleteSubmission, resolved: dict[str, Any], copies: dict[str, ObjectVersion]
) -> dict[str, Any]:
    """Return the document of a submission with `copies` by name, of whose manifest everything is `resolved`."""
    signature, submission_file = complete.signature, complete.submission_file
    deployment, data = resolved.pop("Deployment", {}), resolved.pop("EvaluationData", None)
    metadata = {**resolved.pop("CustomerMetadataProperties", {}), REGISTRATION_HINT: complete.attempt}
    return {
        "id": complete.attempt,
        "group": complete.submission.group,
        "submission": complete.submission.prefix,
        "submitter": signature.submitter if signature else None,
        "signed": signature.document if signature else None,
        "digests": dict(signature.digests) if signature else {},
        "statement": submission_file.stored.version_id if submission_file else None,
        "statement_etag": submission_file.stored.etag if submission_file else None,
        "policy": complete.policy.digest,
        "policy_name": complete.group.governing.name,
        "creates_group": complete.group.is_new,
        "objects": [
            {
                "name": name,
                "size": stored.size,
                "source": {"uri": stored.uri, "version_id": stored.version_id, "etag": stored.etag},
                **_kept(complete, copies.get(name)),
            }
            for name, stored in sorted(complete.objects.items())
        ],
        "deployment": deployment,
        "evaluation_data": data,
        "request": {
            **resolved,
            "ModelPackageGroupName": complete.submission.group,
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties": metadata,
            "ClientToken": complete.attempt,
        },
    }


def _kept(complete: CompleteSubmission, copy: ObjectVersion | None) -> dict[str, Any]:
    """Return where the vault has an object, or the `content` of the manifest, which was read as UTF-8."""
    if copy is None:
        return {"content": (complete.manifest_data or b"").decode()}
    return {"vault": {"uri": copy.uri, "version_id": copy.version_id}}


def registered_versions(registration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the version id of each object that was registered, and of the statement if there is one."""
    yield from ((each["name"], each["source"]["version_id"]) for each in registration["objects"])
    if registration.get("statement"):
        yield SUBMISSION, registration["statement"]


def known_versions(registration: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the version id and the ETag of each object that was registered, and of the statement, by name."""
    sources = {each["name"]: each["source"] for each in registration["objects"]}
    known = {name: {source["version_id"], source["etag"]} for name, source in sources.items()}
    statement = {registration.get("statement"), registration.get("statement_etag")}
    return known | ({SUBMISSION: statement - {None}} if "statement" in registration else {})
