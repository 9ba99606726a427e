"""What each group demands: the policy files of the app, read and checked before anything is deployed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signoff.documents.faults import Fault

# The bytes that SSM Parameter Store takes in an advanced parameter.
_MOST = 8192
_ANY_ROLE = "arn:aws:iam::123456789012:role/filled-in-by-the-app"


class PolicyFileFault(ValueError):
    """Raised when a policy file cannot be deployed; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class PolicyFile:
    """One policy: its name below names.POLICIES ("default" or "groups/<group>"), where it stands, and what it says."""

    name: str
    path: Path
    document: Mapping[str, Any]

    @property
    def group(self) -> str | None:
        """The group whose own policy it is, or None for the default."""
        return self.name.removeprefix("groups/") if self.name.startswith("groups/") else None

    @property
    def execution_roles(self) -> set[str]:
        """The roles that the file names for deployed models, to be used or chosen; what it leaves out is the app's."""
        deployment = self.document.get("deployment", {})
        named = {deployment["execution_role"]} if "execution_role" in deployment else set()
        return {*named, *deployment.get("choices", {}).get("execution_roles", ())}

    @property
    def validation_roles(self) -> set[str]:
        """The roles that the file names for SageMaker's own tests of packages."""
        return set(self.document.get("validation", {}).get("roles", ()))

    @property
    def publishers(self) -> dict[str, list[str]]:
        """The event sources that the file believes, each with patterns of the principals who may speak as it."""
        return {**self.document.get("approvals", {}).get("publishers", {})}

    @property
    def submitters(self) -> list[str]:
        """Patterns of those who may submit; none where anyone may who can upload."""
        return [*self.document.get("submissions", {}).get("submitters", ())]

    def text(self, default_execution_role: str) -> str:
        """The policy as the functions read it, with the execution role filled in when the file leaves it out."""
        from signoff.policy.lint import with_execution_role

        document = with_execution_role(self.document, default_execution_role)
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)

    @property
    def size(self) -> int:
        """The bytes of its text, with a role like those that the app fills in."""
        return len(self.text(_ANY_ROLE).encode())


def load(folder: Path) -> list[PolicyFile]:
    """The policies in `folder`: default.json and groups/*.json.

    Raises PolicyFileFault when one is missing, is not JSON, is too large, or is not a policy, or when two are for names
    that differ by case only.
    """
    files = [folder / "default.json", *sorted((folder / "groups").glob("*.json"))]
    policies = list(_read(folder, files))
    spelled: dict[str, PolicyFile] = {}
    for policy in policies:
        other = spelled.setdefault(policy.name.lower(), policy)
        if other is not policy:
            raise PolicyFileFault(f"{policy.path}: {other.path.name} is for the same group: only the case differs")
    return policies


def refuse_conflicts(policies: Iterable[PolicyFile]) -> None:
    """Raise PolicyFileFault when two of `policies` let different principals speak as one event source."""
    from signoff.policy.lint import publisher_conflicts
    from signoff.policy.policy import parse

    faults = publisher_conflicts({str(policy.path): parse(policy.text(_ANY_ROLE)) for policy in policies})
    if faults:
        raise PolicyFileFault("\n".join(f"{name}: {fault}" for name, fault in faults))


def load_projects(folder: Path) -> list[PolicyFile]:
    """The policies that a project may choose from: projects/*.json in `folder`. Raises PolicyFileFault."""
    return list(_read(folder, sorted((folder / "projects").glob("*.json"))))


def _read(folder: Path, files: list[Path]) -> Iterator[PolicyFile]:
    # The functions' package is not on the path of every tool that reads this module.
    from signoff.documents.strict_json import parse

    for path in files:
        try:
            document, faults = parse(path.read_bytes())
        except OSError as error:
            raise PolicyFileFault(f"{path}: {error}") from error
        if faults:
            raise PolicyFileFault(_told(path, faults))
        if not isinstance(document, dict):
            raise PolicyFileFault(f"{path}: a policy is a JSON object")
        policy = PolicyFile(path.relative_to(folder).with_suffix("").as_posix(), path, document)
        _check(policy)
        yield policy


def _check(policy: PolicyFile) -> None:
    """Look for all faults of the policy, so that they stop the deployment and not a submission."""
    from signoff.policy.lint import all_faults, with_execution_role
    from signoff.policy.policy import of_document

    if policy.size > _MOST:
        raise PolicyFileFault(f"{policy.path}: {policy.size} bytes, and SSM Parameter Store takes {_MOST}")
    document = with_execution_role(policy.document)
    faults = all_faults(document)
    if faults:
        raise PolicyFileFault(_told(policy.path, faults))
    found = of_document(document)
    if policy.group is None and (found.accounts.submit or found.accounts.deploy or found.deployment.targets):
        raise PolicyFileFault(f"{policy.path}: other accounts and targets belong into the policy of one group")


def _told(path: Path, faults: "Iterable[Fault]") -> str:
    """Every fault on a line of its own, which says the file."""
    return "\n".join(f"{path}: {fault}" for fault in faults)
