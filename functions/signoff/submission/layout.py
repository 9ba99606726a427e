"""A submission: artifacts plus manifest under one key prefix, `<group>/<submission>/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signoff.documents.canonical_json import digest
from signoff.model_package.groups import is_group_name

MANIFEST = "manifest.json"
SUBMISSION = "submission.json"
REPORT = "registration-report.json"
# Metadata of objects that will be signed: it announces that a signature is still to be uploaded.
TO_BE_SIGNED = {"signoff-submission": "signed"}
# Further metadata of theirs: the ARN of who will sign, in whose name nobody else completes the submission.
SIGNER = "signoff-submitter"
# The field of a signed submission.json that asks for the group to be created.
CREATE_GROUP = "create_group"


@dataclass(frozen=True)
class Submission:
    """A submission's group and its name, which together form its prefix."""

    group: str
    name: str

    @classmethod
    def of(cls, key: str) -> Submission | None:
        """Return the submission that an object's key belongs to, or None."""
        group, _, rest = key.partition("/")
        name, slash, within = rest.partition("/")
        return cls(group, name) if group and name and slash and within else None

    @property
    def names_a_group(self) -> bool:
        """Whether the group is a valid name of a model package group."""
        return is_group_name(self.group)

    @property
    def prefix(self) -> str:
        """The prefix without its final slash, which is also the submission's key in the ledger."""
        return f"{self.group}/{self.name}"

    def key(self, name: str) -> str:
        """Return the key of one of its objects, by the name relative to it."""
        return f"{self.prefix}/{name}"

    def attempt(self, versions: Mapping[str, str]) -> str:
        """Return the id of one attempt to register it: a hash of its prefix and the version id of each object."""
        return digest({"submission": self.prefix, "versions": dict(versions)})[:32]
