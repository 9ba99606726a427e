"""The queue: packages that are waiting for a decision, evaluated by the policies of their groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signoff.report.standing import evaluate
from signoff_cli.packages.index import Row
from signoff_cli.packages.policy_view import GroupPolicies, may_decide


def evaluate_all(rows: Iterable[Row], policies: GroupPolicies, me: str) -> list[Row]:
    """Return `rows`, of packages that are waiting for a decision, each with what its policy says of it.

    To the fields of `signoff.report.standing.evaluate` it adds `mine`: whether `me` (an ARN) may decide on the package
    and has not done so yet; None when the policy cannot be read.
    """
    return [{**each, **_evaluate(each, policies, me)} for each in rows]


def _evaluate(row: Row, policies: GroupPolicies, me: str) -> dict[str, Any]:
    policy = policies.policy(row["group"])
    return {**evaluate(policy, row), "mine": may_decide(policy, row, me) if policy else None}


def select(rows: Iterable[Row], role: str | None, *, everybody: bool) -> list[Row]:
    """Return those of `rows` that wait for one's own decision, or anybody's; with `role`, for one of its members.

    Those whose policy cannot be read are among them: they may.
    """
    return [each for each in rows if (everybody or each["mine"] is not False) and (role is None or _needs(each, role))]


def _needs(row: Row, role: str) -> bool:
    return row["needs"] is not None and role in row["needs"]["roles"]
