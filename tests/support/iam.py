"""IAM's evaluation of a policy document, as far as the policies here use it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, Any]


def denied(policy: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    """Return whether a statement of `policy` denies `action` on `resource` (an ARN) to the request of `context`."""
    return any(_applies(statement, action, resource, context) for statement in _of(policy, "Deny"))


def allowed(policy: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    """Return whether `policy` allows the request and does not deny it."""
    granted = any(_applies(statement, action, resource, context) for statement in _of(policy, "Allow"))
    return granted and not denied(policy, action, resource, context)


def _of(policy: Mapping[str, Any], effect: str) -> Iterable[Mapping[str, Any]]:
    return (statement for statement in policy["Statement"] if statement["Effect"] == effect)


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    named = listed(statement["NotAction"] if "NotAction" in statement else statement["Action"])
    if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in named) is ("NotAction" in statement):
        return False
    if "NotResource" in statement:
        reached = not any(fnmatchcase(resource, pattern) for pattern in listed(statement["NotResource"]))
    else:
        reached = any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
    return reached and all(
        _holds(operator, context.get(key), listed(wanted))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, found: Any, wanted: list[Any]) -> bool:
    if operator.endswith("IfExists"):
        return found is None or _holds(operator.removesuffix("IfExists"), found, wanted)
    if operator == "Null":
        return any(str(found is None).lower() == str(one).lower() for one in wanted)
    if operator.startswith("ForAnyValue:"):
        return any(_holds(operator.removeprefix("ForAnyValue:"), one, wanted) for one in listed(found or []))
    # A negated operator holds for a key that the request does not have.
    if operator in _NEGATED:
        return found is None or not any(_NEGATED[operator](found, one) for one in wanted)
    return found is not None and any(_PLAIN[operator](found, one) for one in wanted)


def listed(value: Any) -> list[Any]:
    """Return `value` as a list, which IAM's JSON leaves out around a single one."""
    return value if isinstance(value, list) else [value]


def _like(found: Any, wanted: Any) -> bool:
    return fnmatchcase(str(found), str(wanted))


def _equals(found: Any, wanted: Any) -> bool:
    return str(found) == str(wanted)


_PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": _equals,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equals,
}
_NEGATED: dict[str, Callable[[Any, Any], bool]] = {
    "StringNotEquals": _equals,
    "StringNotLike": _like,
    "ArnNotEquals": _like,
    "ArnNotLike": _like,
}
