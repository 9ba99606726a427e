"""What each group requires: the policy files of the app, read and checked before anything is deployed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signoff.policy.policy import Policy


class PolicyFileFault(ValueError):
    """Raised when a policy file cannot be deployed; the message names the file and its faults."""


@dataclass(frozen=True)
class PolicyFile:
    """One policy: its name below names.POLICIES ("default" or "groups/<group>"), its file, and what it says.

    `document` is what the file says, `policy` the same with every default, and some role where it names none. `folder`
    is the one below `groups` that the file lies in, or None.
    """

    name: str
    path: Path
    document: Mapping[str, Any]
    policy: "Policy"
    folder: str | None = None

    @property
    def group(self) -> str | None:
        """The group whose own policy it is, or None for the default."""
        return self.name.removeprefix("groups/") if self.name.startswith("groups/") else None

    @property
    def execution_roles(self) -> set[str]:
        """The roles that the file names for deployed models, to be used or chosen; the default role is the app's."""
        named = self.document.get("deployment", {}).get("execution_role")
        return {*([named] if named else ()), *self.policy.deployment.choices.execution_roles}

    @property
    def uses_vpc(self) -> bool:
        """Whether models of the registry's account may be put into a VPC under it."""
        deployment = self.policy.deployment
        elsewhere = any(target.vpc for target in deployment.targets if target.account is None)
        return bool(deployment.vpc or deployment.choices.vpcs or elsewhere)

    def text(self, default_execution_role: str) -> str:
        """The policy as the functions read it: with the execution role if the file leaves it out, and the spelling."""
        from signoff.policy import files, parameter

        document = files.with_execution_role(self.document, default_execution_role)
        return files.text(parameter.with_spelling(document, self.group))


def load(folder: Path) -> list[PolicyFile]:
    """The policies in `folder`: default.json, groups/*.json and groups/*/*.json.

    A folder below `groups` is deployed as a stack of its own within the app's, which AWS limits to 500 resources.
    Raises PolicyFileFault when a file is missing, is not JSON, is too large, or is not a policy, or when two are for
    names that differ by case only.
    """
    groups = folder / "groups"
    files = [folder / "default.json", *sorted(groups.glob("*.json")), *sorted(groups.glob("*/*.json"))]
    return _each_spelled_once(list(_read(folder, files)))


def refuse_conflicts(policies: Iterable[PolicyFile]) -> None:
    """Raise PolicyFileFault when two of `policies` let different principals use one event source."""
    from signoff.policy.lint import publisher_conflicts

    faults = publisher_conflicts({str(each.path): each.policy for each in policies})
    if faults:
        raise PolicyFileFault("\n".join(f"{name}: {fault}" for name, fault in faults))


def load_projects(folder: Path) -> list[PolicyFile]:
    """The policies that a project may choose from: projects/*.json in `folder`. Raises PolicyFileFault."""
    return _each_spelled_once(list(_read(folder, sorted((folder / "projects").glob("*.json")))))


def _each_spelled_once(policies: list[PolicyFile]) -> list[PolicyFile]:
    first: dict[str, PolicyFile] = {}
    for each in policies:
        other = first.setdefault(each.name.casefold(), each)
        if other is not each:
            raise PolicyFileFault(
                f"{each.path}: {other.path} is for the same group, whatever its case; keep one of them"
            )
    return policies


def _read(folder: Path, paths: list[Path]) -> Iterator[PolicyFile]:
    # The functions' package is not on the path of every tool that reads this module.
    from signoff.policy import files

    for path in paths:
        try:
            found = files.read(path.read_bytes())
        except OSError as error:
            raise PolicyFileFault(f"{path}: {error}") from error
        if found.policy is None:
            raise PolicyFileFault("\n".join(f"{path}: {fault}" for fault in found.faults))
        folders = path.relative_to(folder).parts[:-1]  # (), ("groups",) or ("groups", "fraud")
        name = "/".join([*folders[:1], path.stem])
        policy = PolicyFile(name, path, found.document, found.policy, "/".join(folders[1:]) or None)
        accounts = policy.policy.accounts
        if policy.group is None and (accounts.submit or accounts.deploy or found.policy.deployment.targets):
            raise PolicyFileFault(f"{path}: other accounts and targets belong into the policy of one group")
        yield policy
