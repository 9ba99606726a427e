"""The submissions table in DynamoDB, by prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from signoff.aws.clients import ignoring
from signoff.aws.dynamodb import from_item, to_item
from signoff.errors import Transient

# No prefix of a submission is without a slash.
_ROUND = "sweep"
_NEW = "attribute_not_exists(submission)"
_REFUSED = {":refused": "refused"}


def _open(due: str) -> dict[str, str]:
    """Return the attributes that the index of open submissions is made of; others have none."""
    return {"open": "open", "due": due}


class SubmissionsTable:
    """The submissions: waiting for objects, being registered, registered, or refused."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, prefix: str) -> dict[str, Any] | None:
        """Return the row of the submission under `prefix` (`group/submission`), or None."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"submission": prefix}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def get_all(self, prefixes: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of the submissions under `prefixes` (100 at most) by prefix, as far as there are any.

        Raises `Transient` when DynamoDB had no time for some of them.
        """
        keys = [to_item({"submission": prefix}) for prefix in dict.fromkeys(prefixes)]
        answer = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        if answer.get("UnprocessedKeys"):
            raise Transient("DynamoDB had no time for some submissions")
        return {row["submission"]: row for row in map(from_item, answer["Responses"].get(self._table, ()))}

    def open(self, since: str, now: str, most: int) -> list[dict[str, Any]]:
        """Return the rows of submissions that have waited, or are being registered, until a time from `since` to `now`.

        They are the first `most` by that time.
        """
        answer = self._dynamodb.query(
            TableName=self._table,
            IndexName="by-open",
            KeyConditionExpression="#open = :open AND #due BETWEEN :since AND :now",
            ExpressionAttributeNames={"#open": "open", "#due": "due"},
            ExpressionAttributeValues=to_item({":open": "open", ":since": since, ":now": now}),
            Limit=most,
        )
        return [from_item(item) for item in answer["Items"]]

    def round(self) -> dict[str, Any]:
        """Return what is kept of the sweep's round, consistently read; empty before the first."""
        return self.get(_ROUND) or {}

    def keep_round(self, state: Mapping[str, Any], seen: str | None) -> bool:
        """Keep the `state` of the sweep's round, unless another run has kept one since `seen`, its token.

        Returns whether it was kept.
        """
        only: dict[str, Any] = {"ConditionExpression": _NEW}
        if seen:
            only = {"ConditionExpression": "#token = :token", "ExpressionAttributeNames": {"#token": "token"}}
            only |= {"ExpressionAttributeValues": to_item({":token": seen})}
        item = to_item({"submission": _ROUND, **state, "token": uuid4().hex})
        with ignoring({"ConditionalCheckFailedException"}):
            self._dynamodb.put_item(TableName=self._table, Item=item, **only)
            return True
        return False

    def announce(self, prefix: str, signature: str, since: str) -> bool:
        """Note that a submission of which nothing is known waits for its `signature`, the name of an object.

        Returns whether it does: False when there is a row already.
        """
        values: dict[str, Any] = {"state": "waiting", "missing": [signature], "since": since, "announced": True}
        values |= _open(since)
        with ignoring({"ConditionalCheckFailedException"}):
            item = to_item({"submission": prefix, **values})
            self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression=_NEW)
            return True
        return False

    def wait(self, prefix: str, missing: Sequence[str], since: str, *, announced: bool = False) -> dict[str, Any]:
        """Note that a submission waits for the objects `missing`, unless it has progressed further.

        `announced` says that whatever else is uploaded changes nothing before its signature is. Returns the row as it
        was before.
        """
        values: dict[str, Any] = {"state": "waiting", "missing": list(missing), "since": since, **_open(since)}
        values |= {"announced": True} if announced else {}
        free = f"{_NEW} OR #state IN (:waiting, :refused)"
        return self._replaced(prefix, values, free, {":waiting": "waiting", **_REFUSED}) or {}

    def claim(self, prefix: str, attempt: str, now: str, until: str) -> bool:
        """Claim the submission for one attempt to register it. Returns whether the caller holds the claim.

        A claim past its `until` belonged to a function that died. Each call has a token of its own: botocore asks again
        when an answer was lost, and must not take the claim that it wrote for another's.
        """
        token = uuid4().hex
        values = {"state": "registering", "attempt": attempt, "since": now, "until": until, "token": token}
        values |= _open(until)
        over = "(#state = :registering AND #until < :now)"
        free = f"{_NEW} OR #state IN (:waiting, :refused) OR {over} OR #token = :token"
        facts = {":waiting": "waiting", ":registering": "registering", ":now": now, ":token": token, **_REFUSED}
        return self._replaced(prefix, values, free, facts, {"#until": "until", "#token": "token"}) is not None

    def release(self, prefix: str, attempt: str, now: str) -> None:
        """Release the claim of a failed attempt, so that a retry need not wait until it expires."""
        values = {"state": "registering", "attempt": attempt, "since": now, "until": "", **_open(now)}
        facts = {":registering": "registering", ":attempt": attempt}
        self._replaced(prefix, values, "#state = :registering AND #attempt = :attempt", facts, {"#attempt": "attempt"})

    def refuse(self, prefix: str, attempt: str, since: str, *, claimed: bool = False) -> bool:
        """Note that an attempt, begun at `since`, was refused, unless another is under way or it is registered.

        `claimed` says that the caller holds the claim of that attempt, which ends then. Returns whether it is refused.
        """
        values = {"state": "refused", "attempt": attempt, "since": since}
        free, facts = f"{_NEW} OR #state IN (:waiting, :refused)", {":waiting": "waiting", **_REFUSED}
        if not claimed:
            return self._replaced(prefix, values, free, facts) is not None
        own = "(#state = :registering AND #attempt = :attempt)"
        facts |= {":registering": "registering", ":attempt": attempt}
        return self._replaced(prefix, values, f"{free} OR {own}", facts, {"#attempt": "attempt"}) is not None

    def close(self, prefix: str, attempt: str, package: str, now: str) -> None:
        """Note that a submission is registered as `package`: its prefix is closed from now on."""
        values = {"state": "registered", "attempt": attempt, "package": package, "since": now}
        self._replaced(prefix, values, f"{_NEW} OR #state <> :registered", {":registered": "registered"})

    def _replaced(
        self,
        prefix: str,
        values: Mapping[str, Any],
        condition: str,
        facts: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """Write a row under a condition, and return what it replaced (perhaps nothing), or None if it was not met."""
        with ignoring({"ConditionalCheckFailedException"}):
            answer = self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item({"submission": prefix, **values}),
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state", **(names or {})},
                ExpressionAttributeValues=to_item(facts),
                ReturnValues="ALL_OLD",
            )
            return from_item(answer.get("Attributes", {}))
        return None
