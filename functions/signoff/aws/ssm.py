"""The policies in SSM Parameter Store, and which groups they govern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.clients import ignoring
from signoff.errors import PolicyFault
from signoff.policy import policy
from signoff.policy.policy import Policy

GOVERNED_TAG = "signoff:governed"
OWN_POLICY_TAG = "signoff:policy"


class Policies:
    """The policies in force, one parameter each under `path`: `default` and `groups/<group>`."""

    def __init__(self, ssm: Any, path: str) -> None:
        self._ssm = ssm
        self._path = path

    def own(self, group: str) -> Policy | None:
        """Return the group's own policy, or None when it has none. Raises `PolicyFault` when it cannot be read.

        Names that differ by case only are one group to SageMaker, and so they have one policy: the infra app keeps it
        under the name in lower case.
        """
        exact = self._read(f"{self._path}/groups/{group}")
        return exact if exact or group == group.lower() else self._read(f"{self._path}/groups/{group.lower()}")

    def governing(self, group: str, tags: Mapping[str, str]) -> Policy | None:
        """Return the policy that governs `group`, whose tags are `tags`, or None when Signoff does not govern it.

        Signoff governs the groups that it created, which it tags, and those that have a policy of their own. Raises
        `PolicyFault` for a group whose own policy was removed: it never falls back to the default.
        """
        own = self.own(group)
        if own is None and tags.get(OWN_POLICY_TAG):
            raise PolicyFault(f"group {group} had its own policy, which is gone; restore {self._path}/groups/{group}")
        if own is None and GOVERNED_TAG in tags:
            return self.default()
        return own

    def for_new_group(self, group: str) -> Policy:
        """Return the policy that a new `group` would have."""
        return self.own(group) or self.default()

    def default(self) -> Policy:
        """Return the policy of groups without their own. Raises `PolicyFault` when there is none."""
        default = self._read(f"{self._path}/default")
        if default is None:
            raise PolicyFault(f"there is no default policy at {self._path}/default; deploy Signoff's stack again")
        return default

    def _read(self, name: str) -> Policy | None:
        with ignoring({"ParameterNotFound"}):
            parameter = self._ssm.get_parameter(Name=name)["Parameter"]
            try:
                return policy.parse(parameter["Value"])
            except PolicyFault as fault:
                raise PolicyFault(f"{name}: {fault}") from fault
        return None
