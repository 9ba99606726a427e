"""Where a package's models are, beside the registry's own account and region: pure, as the ledger's entries say it.

A place is written `<account>/<region>`. Which places a package's models are wanted in is part of what was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from signoff.identity.principals import account_of


@dataclass(frozen=True)
class TargetState:
    """How it stands with a package's model in one place.

    `failed` says why the last try to make or delete it came to nothing; `blocked_by` names the endpoints that use it.
    """

    model: dict[str, Any] | None = None
    blocked_by: tuple[str, ...] = ()
    failed: str | None = None

    @property
    def stuck(self) -> bool:
        """Whether somebody has to do something before it goes on."""
        return bool(self.blocked_by) or self.failed is not None


Places = Mapping[str, TargetState]


def place_of(target: Mapping[str, Any], package: str) -> str:
    """Return the place of a policy's `target`; without an account it is in that of the `package` (an ARN)."""
    return f"{target['account'] or account_of(package)}/{target['region']}"


def targets_by_place(deployment: Mapping[str, Any], package: str) -> dict[str, Mapping[str, Any]]:
    """Return the targets of a signed deployment's policy by their places; earlier versions signed none."""
    return {place_of(target, package): target for target in deployment["policy"].get("targets") or ()}


def awaited(places: Places, names: Iterable[str]) -> dict[str, TargetState]:
    """Return `places` with those that a model is wanted in and that are not known yet."""
    return {**{name: TargetState() for name in names}, **places}


def created(places: Places, name: str, model: dict[str, Any]) -> dict[str, TargetState]:
    """Return `places` once the model was made in one of them."""
    return {**places, name: TargetState(model)}


def retired(places: Places, name: str) -> dict[str, TargetState]:
    """Return `places` once the model was deleted in one of them."""
    return {**places, name: TargetState()}


def blocked(places: Places, name: str, endpoints: Iterable[str]) -> dict[str, TargetState]:
    """Return `places` once it is known that endpoints use the model that should go."""
    return {**places, name: replace(places.get(name, TargetState()), blocked_by=tuple(endpoints), failed=None)}


def failed(places: Places, name: str, because: str) -> dict[str, TargetState]:
    """Return `places` once making or deleting the model in one of them came to nothing."""
    return {**places, name: replace(places.get(name, TargetState()), failed=because)}
