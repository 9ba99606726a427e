"""Documents that are nearly right: something in a valid one is dropped, replaced, doubled or made large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Path = tuple[Any, ...]
_DEEPEST = 20  # levels of a document in which something is changed


def nested(levels: int) -> Any:
    """Return an array in an array, so many levels deep."""
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


# Of each kind of value, one that is odd; the largest are about what an event or a parameter may have.
ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**53, -(2**63), 10**400, 1e308, float("nan"), float("inf")),
    *("", " ", "x", "null", "\0", "\x1b[31m", "a\nb", "\ud800", "\u202e", "../..", "%2e%2e%2f", "s3://other/key"),
    *("arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1", "x" * 2_049, "é" * 200_000),
    *([], {}, [None], {"": ""}, {"x": {"x": "x"}}, ["x"] * 5_000, {str(number): "x" for number in range(5_000)}),
    *(nested(63), nested(200)),
]


def paths(document: Any, above: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in a JSON document but the document itself."""
    named = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in named:
        yield (*above, name)
        if len(above) < _DEEPEST:
            yield from paths(value, (*above, name))


def _changed(document: Any, path: Path, how: str, odd: Any) -> None:
    *above, last = path
    for name in above:
        document = document[name]
    if how == "drop":
        del document[last]
    elif how == "replace":
        document[last] = deepcopy(odd)
    elif how == "wrap":
        document[last] = {"Value": document[last]} if isinstance(odd, dict) else [document[last]]
    elif isinstance(document, list):
        document.insert(last, deepcopy(document[last]))
    else:
        document[f"{last}{last}"] = deepcopy(document[last])


@st.composite
def mutants(draw: st.DrawFn, valid: Any) -> Any:
    """Draw a document that differs from a `valid` one in one place, or in a few."""
    document = deepcopy(valid)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        places = list(paths(document))
        if places:
            how = draw(st.sampled_from(["drop", "replace", "replace", "replace", "wrap", "double"]))
            _changed(document, draw(st.sampled_from(places)), how, draw(st.sampled_from(ODD)))
    return document


@st.composite
def texts(draw: st.DrawFn, valid: Any) -> str:
    """Draw the JSON of a document that is nearly valid, or of one that means nothing, or two things."""
    text = json.dumps(draw(mutants(valid)))
    how = draw(st.sampled_from(["as it is"] * 6 + ["doubled", "cut", "mark", "deep", "not json"]))
    return {
        "as it is": text,
        "doubled": f'{{"detail": {{}}, {text[1:]}',
        "cut": text[: len(text) // 2],
        "mark": f"\ufeff{text}",
        "deep": "[" * 100_000,
        "not json": "x=1&y=2",
    }[how]
