"""DynamoDB's tables in memory, behind a real client: each request is checked by botocore, counted, and paged.

Far larger tables fit than an emulator fills in the time of a test. Only what the command reads with is answered.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

Item = dict[str, dict[str, Any]]
_PAGE = 1_000_000  # bytes that one request reads at most (AWS: 1 MB)
_TERM = re.compile(r"(#?\w+) (=|>=|BETWEEN) (:\w+)(?: AND (:\w+))?")


def _value(item: Mapping[str, Any], key: str) -> Any:
    ((kind, value),) = item[key].items()
    return int(value) if kind == "N" else value


@dataclass
class Table:
    """A table's keys, those of its indexes by name, and its items."""

    keys: Sequence[str]
    indexes: Mapping[str, Sequence[str]]
    items: list[Item] = field(default_factory=list)
    _sorted: dict[str | None, dict[Any, list[Item]]] = field(default_factory=dict)

    def put(self, items: Iterable[Item]) -> None:
        """Add items, none of which was there."""
        self.items += items
        self._sorted.clear()

    def of(self, index: str | None) -> Sequence[str]:
        """Return the keys of an index, or the table's own."""
        return self.indexes[index] if index else self.keys

    def partition(self, index: str | None, value: Any) -> list[Item]:
        """Return the items of one partition, in order."""
        if index not in self._sorted:
            self._sorted[index] = self._in_order(self.of(index))
        return self._sorted[index].get(value, [])

    def _in_order(self, keys: Sequence[str]) -> dict[Any, list[Item]]:
        partitions: dict[Any, list[Item]] = {}
        for item in sorted(self.having(keys), key=lambda item: _value(item, keys[-1])):
            partitions.setdefault(_value(item, keys[0]), []).append(item)
        return partitions

    def having(self, keys: Sequence[str]) -> list[Item]:
        """Return the items that have all `keys`: others are not in an index of these."""
        return [item for item in self.items if all(key in item for key in keys)]


@dataclass
class MemoryTables:
    """Answers Query, Scan and GetItem; `read` counts the items that were."""

    tables: Mapping[str, Table]
    read: Counter[str] = field(default_factory=Counter)
    _sizes: dict[int, int] = field(default_factory=dict)

    def serve(self, dynamodb: Any) -> None:
        """Answer the requests of a client."""
        for operation in ("Query", "Scan", "GetItem"):
            dynamodb.meta.events.register(f"before-call.dynamodb.{operation}", self._answer)

    def _answer(self, params: Mapping[str, Any], model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        asked = json.loads(params["body"])
        answer = getattr(self, f"_{model.name.lower()}")(self.tables[asked["TableName"]], asked)
        return SimpleNamespace(status_code=200), answer

    def _getitem(self, table: Table, asked: Mapping[str, Any]) -> dict[str, Any]:
        key = [next(iter(asked["Key"][name].values())) for name in table.keys]
        found = [each for each in table.partition(None, key[0]) if len(key) == 1 or each[table.keys[1]]["N"] == key[1]]
        self._count(found)
        return {"Item": found[0]} if found else {}

    def _scan(self, table: Table, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._page(table, asked, table.having(table.of(asked.get("IndexName"))))

    def _query(self, table: Table, asked: Mapping[str, Any]) -> dict[str, Any]:
        index, keys = asked.get("IndexName"), table.of(asked.get("IndexName"))
        names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
        terms = {names.get(name, name): rest for name, *rest in _TERM.findall(asked["KeyConditionExpression"])}
        bound = {name: _value(values, name) for name in values}
        items = table.partition(index, bound[terms[keys[0]][1]])
        if len(keys) > 1 and keys[1] in terms:
            comparison, low, high = terms[keys[1]]
            least, most = bound[low], {"=": bound[low], ">=": None}.get(comparison, bound.get(high))
            in_order = [item for item in items if least <= _value(item, keys[1])]
            items = [item for item in in_order if most is None or _value(item, keys[1]) <= most]
        return self._page(table, asked, items if asked.get("ScanIndexForward", True) else items[::-1])

    def _page(self, table: Table, asked: Mapping[str, Any], items: Sequence[Item]) -> dict[str, Any]:
        begin = 0
        if "ExclusiveStartKey" in asked:
            last = {name: asked["ExclusiveStartKey"][name] for name in table.keys}
            begin = 1 + next(at for at, item in enumerate(items) if last.items() <= item.items())
        end, size = begin, 0
        while end < len(items) and end - begin < asked.get("Limit", len(items)) and size < _PAGE:
            size += self._size(items[end])
            end += 1
        self._count(items[begin:end])
        more: dict[str, Any] = {}
        if end < len(items):
            keys = {*table.keys, *table.of(asked.get("IndexName"))}
            more["LastEvaluatedKey"] = {name: items[end - 1][name] for name in keys}
        return {"Items": list(items[begin:end]), "Count": end - begin, **more}

    def _size(self, item: Item) -> int:
        """Return about how many bytes an item takes, which is counted once: the time for it is not the command's."""
        if id(item) not in self._sizes:
            self._sizes[id(item)] = len(str(item))
        return self._sizes[id(item)]

    def _count(self, items: Sequence[Item]) -> None:
        self.read["items"] += len(items)


def count_calls(clients: Iterable[Any]) -> Counter[str]:
    """Return what counts, from now on, every call that `clients` make, by service and operation."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[f"{model.service_model.service_name}:{model.name}"] += 1

    for client in clients:
        client.meta.events.register("before-parameter-build", count)
    return calls
