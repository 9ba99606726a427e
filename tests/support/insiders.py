"""People and their marks: whatever a person chooses for a model says whose choice it was.

A human being may have several principals, which Signoff cannot know.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from signoff.governance.kept_signatures import SIGNATURES
from tests.support.archives import WEIGHTS, member, tar
from tests.support.world import REPOSITORY, World

ACCOUNT = "123456789012"
HUMANS = ("sam", "eve", "tim", "mallory", "ann", "ben")


def user(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


# Each principal, and the human being who acts as it.
PRINCIPALS = {
    **{user(name): name for name in HUMANS},
    f"arn:aws:sts::{ACCOUNT}:federated-user/eve": "eve",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Training/eve": "eve",
    f"arn:aws:iam::{ACCOUNT}:root": "eve",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Studio/mallory": "mallory",
}


def image(human: str) -> str:
    return f"{REPOSITORY}:{human}"


def image_digest(human: str) -> str:
    return f"sha256:{hashlib.sha256(human.encode()).hexdigest()}"


def archive(human: str) -> bytes:
    code = member("code/inference.py", f"BY = {human!r}\n".encode())
    return gzip.compress(tar(member("model.joblib", WEIGHTS), code), mtime=0)


ARCHIVES = {human: archive(human) for human in HUMANS}
TOKENS = {
    human: (image_digest(human), f"by-{human}", hashlib.sha256(ARCHIVES[human]).hexdigest(), image(human))
    for human in HUMANS
}


def marks(document: Any) -> set[str]:
    """Return the human beings whose mark a document carries."""
    text = json.dumps(document, default=str)
    return {human for human, tokens in TOKENS.items() if any(token in text for token in tokens)}


def specification(human: str, url: str = "model.tar.gz") -> dict[str, Any]:
    container = {"Image": image(human), "ModelDataUrl": url, "Environment": {"BY": f"by-{human}"}}
    mime = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    return {"Containers": [container], **mime}


def unsigned(prefix: str, objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return `objects` by key, as they are uploaded without a signature."""
    return {f"{prefix}/{name}": data for name, data in objects.items()}


def keeping(theirs: Mapping[str, Any], before: Mapping[str, Any], *kept: str) -> dict[str, Any]:
    """Return the specification `theirs`, but with the fields that are `kept` of the container `before`."""
    container = {**theirs["Containers"][0], **{field: before[field] for field in kept if field in before}}
    return {**theirs, "Containers": [container]}


CHURN, FRAUD = "churn", "fraud"
APPROVERS = {CHURN: ("ann", "ben", "eve"), FRAUD: ("tim",)}
POLICIES: list[dict[str, Any]] = [
    {"approvals": {"approvers": [user("ann"), user("ben"), user("eve")]}},
    {"approvals": {"approvers": [user("ann"), user("ben"), user("eve")], "needed": 2}},
    {"approvals": {"approvers": [user("ann"), user("ben"), user("eve")], "unknown_submitter": "refuse"}},
    {"approvals": {"approvers": [user("ann"), user("ben"), user("eve")], "registry_edits": "count"}},
    {"approvals": {"approvers": [user("ann"), user("ben"), user("eve")], "needed": 2, "revocation": {"after": "P1D"}}},
    {"approvals": {}},
    {
        "submissions": {"submitters": [user("sam"), user("eve")]},
        "approvals": {"approvers": [user("ann"), user("ben"), user("eve")]},
    },
]


def says_that_another_signed(world: World, human: str) -> None:
    """Take over the next registration: it names `human` as who signed, by a real signature if there is one."""
    vault, write = world.vault, world.vault.write_first
    keys = [key for key in world.vault_bucket.versions if key.startswith(f"{SIGNATURES}/")]
    theirs = [kept for kept in map(vault.read_named, keys) if kept and kept["submitter"] == user(human)]
    kept = theirs[0] if theirs else {"id": "0" * 64, "proof": "0" * 64, "user_id": None}
    signed = {name: kept[name] for name in ("id", "proof", "user_id")}

    def lies(key: str, document: Any) -> Any:
        if key.startswith("registrations/"):
            vault.write_first = write  # type: ignore[method-assign]
            document.update(submitter=user(human), signed=signed)
        return write(key, document)

    vault.write_first = lies  # type: ignore[method-assign]
