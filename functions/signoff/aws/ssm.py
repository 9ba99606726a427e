"""The policies in SSM Parameter Store, and which groups they govern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

from signoff.aws.clients import ignoring
from signoff.errors import PolicyFault
from signoff.model_package.groups import same_name
from signoff.policy import parameter, policy
from signoff.policy.parameter import GroupPolicy
from signoff.policy.policy import Policy

T = TypeVar("T")

_DEFAULT = "default"
_NAMES = 10  # that one GetParameters takes

GOVERNED_TAG = "signoff:governed"
OWN_POLICY_TAG = "signoff:policy"


def values_of(ssm: Any, names: Sequence[str]) -> dict[str, str]:
    """Return what the parameters hold that exist of those with these whole `names`, by name; ten with a call.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
    """
    found: dict[str, str] = {}
    for start in range(0, len(names), _NAMES):
        answer = ssm.get_parameters(Names=names[start : start + _NAMES])
        found |= {each["Name"]: each["Value"] for each in answer["Parameters"]}
    return found


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
        return self._own(group, self._values(_own_names(group)))

    def own_all(self, groups: Iterable[str]) -> dict[str, GroupPolicy | PolicyFault | None]:
        """Return the own policy of each group, or why it cannot be read, or None; ten names with a call."""
        asked = list(groups)
        values = self._values(list(dict.fromkeys(name for group in asked for name in _own_names(group))))
        return {group: self._own_or_fault(group, values) for group in asked}

    def _own_or_fault(self, group: str, values: Mapping[str, str]) -> GroupPolicy | PolicyFault | None:
        try:
            return self._own(group, values)
        except PolicyFault as fault:
            return fault

    def governing(self, group: str, tags: Mapping[str, str]) -> GroupPolicy | None:
        """Return the policy that governs `group`, whose tags are `tags`, or None when Signoff does not govern it.

        Signoff governs the groups that it created, which it tags, and those that have a policy of their own. Raises
        `PolicyFault` for a group whose own policy was removed: it never falls back to the default.
        """
        return self._governing(group, tags, self._values([*_own_names(group), _DEFAULT]))

    def governing_of(
        self, group: str, look: Callable[[], tuple[str, Mapping[str, str]]]
    ) -> tuple[GroupPolicy | None, Mapping[str, str] | None]:
        """Return what `governing` returns, and the group's tags if they had to be looked at.

        `look` returns the group's name as SageMaker spells it, by which a project's policy is found, and its tags: it
        is called only where the platform has no policy of the group's own.
        """
        values = self._values([*_own_names(group), _DEFAULT])
        own = self._own(group.lower(), values)
        if own is not None:
            return own, None
        spelled, tags = look()
        known = values if spelled in {group, group.lower()} else self._values([*_own_names(spelled), _DEFAULT])
        return self._governing(spelled, tags, known), tags

    def _governing(self, group: str, tags: Mapping[str, str], values: Mapping[str, str]) -> GroupPolicy | None:
        own = self._own(group, values)
        if own is None and tags.get(OWN_POLICY_TAG):
            raise PolicyFault(f"group {group} had its own policy, which is gone; restore {self._path}/groups/{group}")
        if own is None and GOVERNED_TAG in tags:
            return GroupPolicy(group, self._default(values), is_default=True)
        return own

    def for_new_group(self, group: str) -> GroupPolicy:
        """Return the policy that a new `group` would have."""
        values = self._values([*_own_names(group), _DEFAULT])
        return self._own(group, values) or GroupPolicy(group, self._default(values), is_default=True)

    def for_new_groups(self, groups: Iterable[str]) -> dict[str, GroupPolicy | PolicyFault]:
        """Return the policy that each of these groups would have if it were new, or why that cannot be read."""
        wanted = dict.fromkeys(groups)
        values = self._values([_DEFAULT, *dict.fromkeys(name for group in wanted for name in _own_names(group))])
        return {group: self._for_new_group(group, values) for group in wanted}

    def _for_new_group(self, group: str, values: Mapping[str, str]) -> GroupPolicy | PolicyFault:
        try:
            return self._own(group, values) or GroupPolicy(group, self._default(values), is_default=True)
        except PolicyFault as fault:
            return fault

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
        return self._default(self._values([_DEFAULT]))

    def _all_own(self) -> Iterator[tuple[str, str]]:
        """Yield the name, as its parameter has it, and the text of every group's own policy."""
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{self._path}/groups")
        return ((each["Name"].rpartition("/")[2], each["Value"]) for page in pages for each in page["Parameters"])

    def _own(self, group: str, values: Mapping[str, str]) -> GroupPolicy | None:
        """Return the policy among `values` that is the group's own, the platform's before that of a project."""
        for name in _own_names(group):
            found = self._parsed(name, values, partial(parameter.read, group=name.rpartition("/")[2]))
            if found is not None:
                return found
        return None

    def _default(self, values: Mapping[str, str]) -> Policy:
        default = self._parsed(_DEFAULT, values, policy.parse)
        if default is None:
            raise PolicyFault(f"there is no default policy at {self._path}/default; deploy Signoff's stack again")
        return default

    def _parsed(self, name: str, values: Mapping[str, str], parse: Callable[[str], T]) -> T | None:
        if name not in values:
            return None
        try:
            return parse(values[name])
        except PolicyFault as fault:
            raise PolicyFault(f"{self._path}/{name}: {fault}") from fault

    def _values(self, names: Sequence[str]) -> dict[str, str]:
        """Return what the parameters of these names, without the path, hold, by name."""
        found = values_of(self._ssm, [f"{self._path}/{name}" for name in names])
        return {name.removeprefix(f"{self._path}/"): value for name, value in found.items()}


def _own_names(group: str) -> list[str]:
    """Return the names, without the path, that a group's own policy may be under."""
    return [f"groups/{name}" for name in dict.fromkeys((group.lower(), group))]
