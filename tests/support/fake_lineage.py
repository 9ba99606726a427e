"""SageMaker's lineage in memory, with the interface of `Lineage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.fake_registry import ACCOUNT


class FakeLineage:
    """`actions` are by name, `artifacts` the types by SourceUri, `associations` sources, destinations and types."""

    def __init__(self) -> None:
        self.actions: dict[str, dict[str, Any]] = {}
        self.artifacts: dict[str, str] = {}
        self.associations: set[tuple[str, str, str]] = set()

    def update_action(self, name: str, changed: Mapping[str, Any]) -> str | None:
        if name not in self.actions:
            return None
        # Properties are added, and those that were there stay, as AWS has PropertiesToRemove beside them.
        properties = {**self.actions[name].get("Properties", {}), **changed.get("Properties", {})}
        self.actions[name].update({**changed, "Properties": properties})
        return f"{ACCOUNT}:action/{name}"

    def create_action(self, name: str, request: Mapping[str, Any]) -> str:
        assert name not in self.actions
        self.actions[name] = dict(request)
        return f"{ACCOUNT}:action/{name}"

    def artifact(self, uri: str, kind: str) -> str:
        self.artifacts.setdefault(uri, kind)
        return f"{ACCOUNT}:artifact/{list(self.artifacts).index(uri)}"

    def associate(self, source: str, destination: str, kind: str) -> None:
        self.associations.add((source, destination, kind))

    def associate_new(self, source: str, destination: str, kind: str) -> None:
        assert not any(each[0] == source for each in self.associations)
        self.associations.add((source, destination, kind))
