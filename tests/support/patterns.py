"""EventBridge's matching of events, as far as the rules here use it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import Any

ABSENT = object()
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Return whether `event` has, for every field of `pattern`, a value that one of the field's matchers accepts."""
    if "$or" in pattern:
        rest = {field: wanted for field, wanted in pattern.items() if field != "$or"}
        return any(matches({**rest, **branch}, event) for branch in pattern["$or"])
    return all(_field(wanted, event.get(field, ABSENT)) for field, wanted in pattern.items())


def _field(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        # Of a field that is not there, a pattern can still ask that something below it does not exist.
        return matches(wanted, found if isinstance(found, dict) else {})
    # EventBridge compares a list's elements, each by itself; an empty list is as good as absent.
    values = found if isinstance(found, list) else [found]
    return any(_accepts(matcher, value) for matcher in wanted for value in values or [ABSENT])


def _accepts(matcher: Any, value: Any) -> bool:
    if isinstance(matcher, dict):
        if len(matcher) != 1:
            raise ValueError(f"A matcher is one operator: {matcher}")
        (operator, operand), *_ = matcher.items()
        if operator == "exists":
            return (value is not ABSENT) == operand
        return value is not ABSENT and _OPERATORS[operator](operand, value)
    return value is not ABSENT and type(value) is type(matcher) and bool(value == matcher)


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        (operator, inner), *_ = operand.items()
        return not any(_OPERATORS[operator](one, value) for one in _listed(inner))
    return value not in _listed(operand)


def _affix(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda operand, value: isinstance(value, str) and test(value, operand)


def _numeric(operand: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_COMPARE[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True))


def _listed(operand: Any) -> list[Any]:
    return operand if isinstance(operand, list) else [operand]


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _affix(lambda value, operand: value.casefold() == operand.casefold()),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
