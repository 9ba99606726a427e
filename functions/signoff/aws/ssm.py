"""The policies in SSM Parameter Store, and which groups they govern."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, TypeVar

from signoff.aws.clients import ignoring
from signoff.errors import PolicyFault
from signoff.model_package.groups import same_name
from signoff.policy import parameter, policy
from signoff.policy.parameter import GroupPolicy
from signoff.policy.policy import Policy

T = TypeVar("T")

GOVERNED_TAG = "signoff:governed"
OWN_POLICY_TAG = "signoff:policy"


class Policies:
    """The policies in force, one parameter each under `path`: `default` and `groups/<group>`.

    Names of groups that differ by case only are one group, which has one policy: the platform's, which is kept under
    the name in lower case, before that of a project, which has the project's spelling.
    """

    def __init__(self, ssm: Any, path: str) -> None:
        self._ssm = ssm
        self._path = path

    def own(self, group: str) -> GroupPolicy | None:
        """Return the group's own policy, or None when it has none. Raises `PolicyFault` when it cannot be read.

        A project's is found by the spelling of the group that SageMaker has, or else by `elsewhere_spelled`.
        """
        names = dict.fromkeys((group.lower(), group))
        return next((found for name in names if (found := self._read_own(name))), None)

    def governing(self, group: str, tags: Mapping[str, str]) -> GroupPolicy | None:
        """Return the policy that governs `group`, whose tags are `tags`, or None when Signoff does not govern it.

        Signoff governs the groups that it created, which it tags, and those that have a policy of their own. Raises
        `PolicyFault` for a group whose own policy was removed: it never falls back to the default.
        """
        own = self.own(group)
        if own is None and tags.get(OWN_POLICY_TAG):
            raise PolicyFault(f"group {group} had its own policy, which is gone; restore {self._path}/groups/{group}")
        if own is None and GOVERNED_TAG in tags:
            return GroupPolicy(group, self.default(), is_default=True)
        return own

    def for_new_group(self, group: str) -> GroupPolicy:
        """Return the policy that a new `group` would have."""
        return self.own(group) or GroupPolicy(group, self.default(), is_default=True)

    def elsewhere_spelled(self, group: str) -> str | None:
        """Return how the own policy of `group` spells the name, if it is not found by `own`; lists all policies.

        Of a group that does not exist any more, SageMaker cannot say how it was spelled.
        """
        names = (name for name, _ in self._all_own())
        return next((name for name in names if same_name(name, group) and name not in {group, group.lower()}), None)

    def groups(self) -> list[str]:
        """Return the names of all groups that have a policy of their own, as their policies spell them."""
        return [parameter.spelling(value, name) for name, value in self._all_own()]

    @property
    def path(self) -> str:
        """The path that the parameters lie under."""
        return self._path

    def texts(self) -> dict[str, str]:
        """Return what every parameter under the path holds, whoever wrote it, by its whole name."""
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self._path, Recursive=True)
        return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}

    def last_writer(self, name: str) -> str | None:
        """Return the ARN of whoever wrote what the parameter of that name holds now, or None when SSM does not say."""
        with ignoring({"ParameterNotFound"}):
            pages = self._ssm.get_paginator("get_parameter_history").paginate(Name=name)
            versions = [each for page in pages for each in page["Parameters"]]
            newest: dict[str, Any] = max(versions, key=itemgetter("Version"), default={})
            return newest.get("LastModifiedUser")
        return None

    def default(self) -> Policy:
        """Return the policy of groups without their own. Raises `PolicyFault` when there is none."""
        default = self._read("default", policy.parse)
        if default is None:
            raise PolicyFault(f"there is no default policy at {self._path}/default; deploy Signoff's stack again")
        return default

    def _all_own(self) -> Iterator[tuple[str, str]]:
        """Yield the name, as its parameter has it, and the text of every group's own policy."""
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{self._path}/groups")
        return ((each["Name"].rpartition("/")[2], each["Value"]) for page in pages for each in page["Parameters"])

    def _read_own(self, group: str) -> GroupPolicy | None:
        return self._read(f"groups/{group}", lambda data: parameter.read(data, group))

    def _read(self, name: str, read: Callable[[str], T]) -> T | None:
        path = f"{self._path}/{name}"
        with ignoring({"ParameterNotFound"}):
            found = self._ssm.get_parameter(Name=path)["Parameter"]
            try:
                return read(found["Value"])
            except PolicyFault as fault:
                raise PolicyFault(f"{path}: {fault}") from fault
        return None
