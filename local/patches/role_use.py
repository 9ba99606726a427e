"""Services act under roles, and what each role was let do and was not is noted, for tests to compare with its policies.

The file that `SIGNOFF_ROLE_USE` names gets one JSON line for each way in which a role was used.
"""

import contextvars
import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FILE = "SIGNOFF_ROLE_USE"
Statements = list[list[Any]]
Evaluation = tuple[Any, Statements, str]  # what was asked, the policies, and the decision
_evaluated: contextvars.ContextVar[list[Evaluation] | None] = contextvars.ContextVar("evaluated", default=None)


def install() -> None:
    """Patch the evaluation of requests in the running emulator, if there is a file for what is noted."""
    from ministack.core import iam_evaluator

    if os.environ.get(FILE):
        iam_evaluator.evaluate = _remembering(iam_evaluator.evaluate)
        iam_evaluator.enforce = _noting(iam_evaluator.enforce)


def refusal(role: str, session: str, action: str, resource: str, context: Mapping[str, Any] | None = None) -> str:
    """Why a role (ARN), which a service has assumed, may not do an action; empty if it may, or if nobody asks.

    The words are those of AWS's services.
    """
    from ministack import app
    from ministack.core import iam_evaluator

    if not app.AUTH:
        return ""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3] if resource.startswith("arn:") else "",
        service_context={key.lower(): value for key, value in (context or {}).items()},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    allowed = iam_evaluator.evaluate(asked, policies).decision == "Allow"
    note(asked, policies, allowed)
    denied = f"User: {asked.principal_arn} is not authorized to perform: {action} on resource: {resource}"
    return "" if allowed else f"{denied} because no identity-based policy allows the {action} action"


def note(asked: Any, policies: Statements, allowed: bool) -> None:
    """Note what a role asked for, and by which resources of its own policies it may do that."""
    if not os.environ.get(FILE) or ":assumed-role/" not in asked.principal_arn:
        return
    role, granted = asked.principal_arn.split("/")[1], _granted(asked, policies) if allowed else []
    line = {"account": asked.principal_account, "role": role, "action": asked.action, "granted": granted}
    _Notes.add({**line, "resource": asked.resource_arn, "allowed": allowed})


class _Notes:
    """What was noted, once: of what was allowed, one resource for each pattern is example enough."""

    _known: set[str] = set()  # noqa: RUF012 - shared by everything in this process
    _lock = threading.Lock()

    @classmethod
    def add(cls, line: dict[str, Any]) -> None:
        left_out = {"resource"} if line["allowed"] else set()
        key = json.dumps({name: value for name, value in line.items() if name not in left_out})
        with cls._lock:
            if key in cls._known:
                return
            cls._known.add(key)
            with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(line)}\n")


def _granted(asked: Any, policies: Statements) -> list[str]:
    from ministack.core import iam_evaluator

    found: set[str] = set()
    for statement in (each for policy in policies for each in policy):
        if iam_evaluator._first_match(asked, [statement], "Allow"):
            matching = (iam_evaluator._resource_matches(asked.resource_arn, [each], []) for each in statement.resources)
            found.update(each for each, matches in zip(statement.resources, matching, strict=True) if matches)
    return sorted(found)


def _remembering(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate_policies(asked: Any, policies: Statements, *limits: Any) -> Any:
        result, heard = evaluate(asked, policies, *limits), _evaluated.get()
        if heard is not None:
            heard.append((asked, policies, result.decision))
        return result

    return evaluate_policies


def _noting(enforce: Callable[..., Any]) -> Callable[..., Any]:
    def enforce_policies(*args: Any, **more: Any) -> Any:
        heard: list[Evaluation] = []
        token = _evaluated.set(heard)
        try:
            denied = enforce(*args, **more)
        finally:
            _evaluated.reset(token)
        # The caller's own policies are evaluated first. What they allow and the resource's own forbids is meant so.
        for asked, policies, decision in heard[:1]:
            if denied is None or decision != "Allow":
                note(asked, policies, denied is None)
        return denied

    return enforce_policies
