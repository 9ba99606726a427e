"""A group's own policy as its parameter has it: beside the policy, how the group's name is spelled.

Names that differ by case only are one group, and have one policy. The CDK app keeps it under the name in lower case; if
its file spells the name otherwise, that is the member `group` of the parameter's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.errors import PolicyFault
from signoff.model_package.groups import same_name
from signoff.policy.policy import Policy, decoded, of_document

_SPELLING = "group"


@dataclass(frozen=True)
class GroupPolicy:
    """The policy that governs a group, and the group's name in the one spelling that submissions may use.

    `is_default` says that the group has no policy of its own.
    """

    group: str
    policy: Policy
    is_default: bool = False

    @property
    def name(self) -> str:
        """The policy's name, as that of its file: `groups/<group>` or `default`."""
        return "default" if self.is_default else f"groups/{self.group}"


def with_spelling(document: Mapping[str, Any], group: str | None) -> Mapping[str, Any]:
    """Return what a parameter holds of the policy `document` of `group` (None: of several groups)."""
    return document if group is None or group == group.lower() else {_SPELLING: group, **document}


def read(data: str, group: str) -> GroupPolicy:
    """Return the policy that the parameter of `group` holds. Raises `PolicyFault`, also if it is for another group."""
    document = decoded(data)
    spelled = document.pop(_SPELLING, group) if isinstance(document, dict) else group
    if not isinstance(spelled, str) or not same_name(spelled, group):
        raise PolicyFault(f"it is for another group than {group} (`{_SPELLING}`)")
    return GroupPolicy(spelled, of_document(document))


def spelling(data: str, group: str) -> str:
    """Return how the policy that the parameter of `group` holds spells the group; `group` if it cannot be read."""
    try:
        return read(data, group).group
    except PolicyFault:
        return group
