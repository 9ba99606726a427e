"""What stands in a document that may be a metric, each with its name and a JMESPath expression that finds it.

Paths are such as a policy may contain: `binary_classification_metrics.auc.value`, `"macro avg"."f1-score"`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 8  # levels of names
# SageMaker's metrics are an object each: {"value": 0.97, "standard_deviation": "NaN"}.
_VALUE, _DEVIATION = "value", "standard_deviation"


@dataclass(frozen=True)
class Leaf:
    """A value, the keys that lead to it, its path, and the standard deviation beside it, if that is its form."""

    keys: tuple[str, ...]
    path: str
    value: Any
    standard_deviation: Any = None


def leaves(document: Any, keys: tuple[str, ...] = (), path: str = "") -> Iterator[Leaf]:
    """Yield what may be a metric in a JSON value, in its own order, and what is none: texts, lists, matrices."""
    if isinstance(document, Mapping) and document and not _is_matrix(keys) and len(keys) < MAX_DEPTH:
        if keys and _is_reading(document):
            deviation = document.get(_DEVIATION)
            yield Leaf(keys, below(path, _VALUE), document[_VALUE], deviation)
        else:
            for key, value in document.items():
                yield from leaves(value, (*keys, key), below(path, key))
    elif isinstance(document, list) and _is_history(document):
        yield from _logged(document, keys, path)
    else:
        yield Leaf(keys, path, document)


def below(path: str, key: str) -> str:
    """Return the JMESPath expression for member `key` of the object at `path`."""
    plain = key.isascii() and key.isidentifier()
    name = key if plain else json.dumps(key, ensure_ascii=False)
    return f"{path}.{name}" if path else name


def _is_matrix(keys: Sequence[str]) -> bool:
    return bool(keys) and (keys[-1] == "confusion_matrix" or keys[-1].endswith("_curve"))


def _is_reading(document: Mapping[str, Any]) -> bool:
    """Return whether an object is one number, perhaps with words about it."""
    others = (value for key, value in document.items() if key not in {_VALUE, _DEVIATION})
    return _VALUE in document and all(isinstance(each, str | bool | None) for each in others)


def _is_history(document: Sequence[Any]) -> bool:
    """Return whether a list holds MLflow's metrics: {"key", "value", "timestamp", "step"}.

    https://mlflow.org/docs/latest/api_reference/rest-api.html#mlflowmetric
    """
    return bool(document) and all(
        isinstance(each, Mapping) and isinstance(each.get("key"), str) and _VALUE in each for each in document
    )


def _logged(history: Sequence[Mapping[str, Any]], keys: tuple[str, ...], path: str) -> Iterator[Leaf]:
    """Yield of each key the value that was logged at the last step; of one step the latest, then the last."""
    last: dict[str, tuple[tuple[float, float, int], Mapping[str, Any]]] = {}
    for index, each in enumerate(history):
        order = (_order(each.get("step")), _order(each.get("timestamp")), index)
        last[each["key"]] = max(last.get(each["key"], (order, each)), (order, each), key=lambda found: found[0])
    for key, (order, each) in last.items():
        yield Leaf((*keys, key), f"{path}[{order[-1]}].{_VALUE}", each[_VALUE])


def _order(number: Any) -> float:
    return number if isinstance(number, int | float) and not isinstance(number, bool) else 0
