"""A package's models in its targets, beside the registry's own account and region, as a pure function of entries.

A place is written `<account>/<region>`. A package's targets are part of what was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from signoff.identity.principals import account_of


@dataclass(frozen=True)
class TargetState:
    """The state of a package's model in one target.

    `failed` says why the last attempt to create or delete it failed; `blocked_by` names the endpoints that use it.
    """

    model: dict[str, Any] | None = None
    blocked_by: tuple[str, ...] = ()
    failed: str | None = None

    @property
    def stuck(self) -> bool:
        """Whether it needs somebody to act."""
        return bool(self.blocked_by) or self.failed is not None


Places = Mapping[str, TargetState]


def place_of(target: Mapping[str, Any], package: str) -> str:
    """Return the place of a policy's `target`; its default account is that of the `package` (an ARN)."""
    return f"{target['account'] or account_of(package)}/{target['region']}"


def targets_by_place(deployment: Mapping[str, Any], package: str) -> dict[str, Mapping[str, Any]]:
    """Return the targets of a signed deployment's policy by their places; earlier versions signed none."""
    return {place_of(target, package): target for target in deployment["policy"].get("targets") or ()}


def awaited(places: Places, names: Iterable[str]) -> dict[str, TargetState]:
    """Return `places` with new ones in which a model is to be created."""
    return {**{name: TargetState() for name in names}, **places}


def created(places: Places, name: str, model: dict[str, Any]) -> dict[str, TargetState]:
    """Return `places` after the model was created in one of them."""
    return {**places, name: TargetState(model)}


def retired(places: Places, name: str) -> dict[str, TargetState]:
    """Return `places` after the model was deleted in one of them."""
    return {**places, name: TargetState()}


def blocked(places: Places, name: str, endpoints: Iterable[str]) -> dict[str, TargetState]:
    """Return `places` after endpoints were found to use the model that is to be deleted."""
    return {**places, name: replace(places.get(name, TargetState()), blocked_by=tuple(endpoints), failed=None)}


def failed(places: Places, name: str, because: str) -> dict[str, TargetState]:
    """Return `places` after creating or deleting the model in one of them failed."""
    return {**places, name: replace(places.get(name, TargetState()), failed=because)}
