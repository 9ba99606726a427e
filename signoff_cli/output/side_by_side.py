"""Two packages beside each other, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.text import clean
from signoff.metrics.rounding import shown, signed
from signoff.notification.comparison import label, part_changed
from signoff_cli.output import columns
from signoff_cli.output.comparison import MOST, changed_lines, more_lines

_DATA = {"same": "the same data", "other": "other data each", "unknown": "data that may differ"}


def lines(document: Mapping[str, Any], width: int | None = None) -> Iterator[str]:
    """Yield the lines about two packages (`packages.side_by_side`), tables in `width` characters if they can be."""
    names = [clean(each["name"]) for each in document["packages"]]
    yield from columns.lines(["", *names], list(_facts(document["packages"])), width, cut=(1, 2))
    yield ""
    if document["basis"] is None:
        yield f"No metrics can be compared: {clean(document['because'])}."
    else:
        yield f"Metrics, {document['basis']} on {_DATA[document['data']]}"
        yield from _metrics(document["metrics"], names, width)
    yield ""
    changes = [part_changed(each) for each in document["changed"]]
    yield f"Changed from {names[0]} to {names[1]}" if changes else "Nothing changed that is known."
    yield from changed_lines(changes)


def _facts(packages: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    yield ["status", *(str(each["status"]) for each in packages)]
    yield ["verdict", *(str(each["verdict"]) for each in packages)]
    yield ["policy", *(f"{each['policy']['name'] or 'unknown'} {each['policy']['sha256'][:12]}" for each in packages)]
    yield ["evidence", *(each["evidence"]["sha256"][:12] for each in packages)]


def _metrics(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int | None) -> list[str]:
    table = [
        [
            label(row),
            *("-" if value is None else shown(value) for value in row["values"]),
            _difference(row["difference"]),
        ]
        for row in rows[:MOST]
    ]
    found = columns.lines(["metric", *names, "difference"], table, width, numbers=(1, 2, 3), cut=(0,))
    return [*found, *more_lines(len(rows))]


def _value(value: float | None) -> str:
    return "-" if value is None else shown(value)


def _difference(difference: float | None) -> str:
    return "" if difference is None else signed(difference)
