"""The part of JSONPath that batch transform has: children, wildcards, lists of names or indexes, and slices.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators

A slice with an end is refused: AWS's page calls its end included, and the JsonPath that it refers to excludes it.
"""

import re
from typing import Any

_STEP = re.compile(
    r"\.?\[(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\]"
    r"|\.?\[(?P<start>-?\d*):(?P<end>-?\d*)\]"
    r"|\.?\[(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\]"
    r"|(?P<all>\.\*|\.?\[\*\])"
    r"|\.(?P<name>[^.\[\]'*\s]+)"
)
Step = tuple[str, Any]


class NotAPath(ValueError):
    """Raised for what is no JSONPath of batch transform, and for a value in which a path finds nothing."""


def parse(path: str) -> list[Step]:
    """The steps of a path, each its kind (`index`, `indexes`, `from`, `names`, `name`, `all`) and its argument."""
    if not path.startswith("$"):
        raise NotAPath(f"{path!r} does not begin with $")
    steps, at = [], 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or found["end"]:
            raise NotAPath(f"{path!r} cannot be read from character {at + 1}")
        steps.append(_step(found))
        at = found.end()
    return steps


def select(path: str, value: Any) -> Any:
    """What a path selects of a value; raises NotAPath where there is no such field or element."""
    for kind, argument in parse(path):
        try:
            value = _selected(value, kind, argument)
        except (LookupError, TypeError) as missing:
            raise NotAPath(f"{path!r} finds nothing in the record") from missing
    return value


def _step(found: re.Match[str]) -> Step:
    if found["indexes"] is not None:
        numbers = [int(number) for number in found["indexes"].split(",")]
        return ("indexes", numbers) if len(numbers) > 1 else ("index", numbers[0])
    if found["start"] is not None:
        return "from", int(found["start"] or 0)
    if found["names"] is not None:
        names = re.findall(r"'([^']*)'", found["names"])
        return ("names", names) if len(names) > 1 else ("name", names[0])
    return ("all", None) if found["all"] else ("name", found["name"])


def _selected(value: Any, kind: str, argument: Any) -> Any:
    if kind == "all":
        return list(value.values()) if isinstance(value, dict) else list(value)
    if kind == "names":
        return {name: value[name] for name in argument}
    if kind == "name":
        return value[argument]
    if not isinstance(value, list):
        raise TypeError(value)
    if kind == "from":
        return value[argument:]
    return [value[index] for index in argument] if kind == "indexes" else value[argument]
