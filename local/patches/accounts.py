"""Access across accounts: event buses, buckets to copy from, and the calling principal.

The emulator isolates accounts. Roles can be assumed and buckets reached across them already; here an event reaches
another account's bus when the rule's role and the bus's policy say so, and keeps the account that it is from.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

import contextlib
import contextvars
import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from local.patches.role_use import note

Answer = tuple[int, dict[str, str], Any]
Event = dict[str, Any]

_log = logging.getLogger(__name__)
_asking: contextvars.ContextVar[bool] = contextvars.ContextVar("asking", default=False)
# The bucket of another account that is being copied from, and that account.
_source: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("source", default=None)


def install() -> None:
    """Patch access between accounts in the running emulator."""
    from ministack.core import iam_evaluator
    from ministack.services import eventbridge, s3

    eventbridge._dispatch_to_event_bus = _to_other_buses(eventbridge._dispatch_to_event_bus)
    eventbridge._put_events = _on_other_buses(eventbridge._put_events)
    eventbridge._put_permission = _with_whole_policies(eventbridge._put_permission)
    s3._apply_bucket_scope = _of_the_expected_owner(s3._apply_bucket_scope, s3)
    s3._foreign_bucket_allows = _asked_in_person(s3._foreign_bucket_allows)
    iam_evaluator.evaluate_resource_policy = _of_the_caller(iam_evaluator.evaluate_resource_policy)
    for name in ("_buckets", "_object_versions", "_object_tags"):
        setattr(s3, name, _readable_by_copies(getattr(s3, name)))
    s3._copy_object = _from_other_accounts(s3._copy_object)
    s3._upload_part_copy = _from_other_accounts(s3._upload_part_copy)


def _to_other_buses(dispatch: Callable[..., None]) -> Callable[..., None]:
    """A rule's target may be the bus of another account or region: the rule's role sends it there."""

    def dispatch_to_event_bus(spec: Any, event: Event, rule: Event, path: Any, payload: str | None = None) -> None:
        from ministack.core.responses import get_account_id, get_region

        here = (get_account_id(), get_region())
        if (spec.account_id, spec.region) == here or not spec.resource.startswith("event-bus/"):
            dispatch(spec, event, rule, path, payload)
        elif event.get("Account", here[0]) != here[0]:
            _log.warning("an event of another account is not forwarded to a third: %s", spec)
        elif _may_send(_role_of(rule, spec), event, str(spec)):
            _deliver(spec, {**event, **({"Detail": payload} if payload is not None else {})})

    return dispatch_to_event_bus


def _role_of(rule: Event, spec: Any) -> str:
    from ministack.services import eventbridge

    key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    roles = [target["RoleArn"] for target in eventbridge._targets.get(key, []) if target["Arn"] == str(spec)]
    return str(roles[0])


def _may_send(role: str, event: Event, bus: str) -> bool:
    """Whether a rule's role may put an event on another account's bus: both its policies and the bus's must say so."""
    from ministack import app
    from ministack.core import iam_evaluator

    if not app.AUTH:
        return True
    account, name = role.split(":")[4], role.rpartition("/")[2]
    context = _putting(f"arn:aws:sts::{account}:assumed-role/{name}/events", account, event, bus)
    policies = iam_evaluator._gather_role_policies(name, account)
    identity = iam_evaluator.evaluate(context, policies)
    policy, owner = iam_evaluator._resource_policy("events", bus) or ("", bus.split(":")[4])
    allowed = iam_evaluator.combine_resource_policy(identity, context, policy, owner).decision == "Allow"
    note(context, policies, allowed)
    if not allowed:
        _log.warning("%s may not put %s on %s", role, event.get("DetailType"), bus)
    return bool(allowed)


def _putting(principal: str, account: str, event: Event, bus: str) -> Any:
    from ministack.core.iam_evaluator import EvalContext

    return EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole" if ":assumed-role/" in principal else "User",
        principal_account=account,
        action="events:PutEvents",
        resource_arn=bus,
        region=bus.split(":")[3],
        service_context={"events:source": event.get("Source"), "events:detail-type": event.get("DetailType")},
    )


def _deliver(spec: Any, event: Event) -> None:
    """Dispatch an event on the bus, with the account and region that it is from."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    name = spec.resource.partition("/")[2]
    with request_scope(spec.account_id, spec.region):
        if name == "default" or name in eventbridge._event_buses:
            kept = {key: value for key, value in event.items() if key != "_DispatchPath"}
            eventbridge._dispatch_event({**kept, "EventBusName": name})


def _on_other_buses(put: Callable[..., Answer]) -> Callable[..., Answer]:
    """PutEvents takes the ARN of another account's bus, whose policy then decides."""

    def put_events(data: dict[str, Any], allow_aws_source: bool = False) -> Answer:
        from ministack.core.arn import parse_arn
        from ministack.core.responses import get_account_id
        from ministack.services import eventbridge

        entries = data.get("Entries", [])
        buses = {each["EventBusName"] for each in entries if str(each.get("EventBusName", "")).startswith("arn:")}
        if allow_aws_source or not {bus for bus in buses if bus.split(":")[4] != get_account_id()}:
            return put(data, allow_aws_source)
        for entry in entries:
            if not _caller_may_send(entry):
                message = f"not authorized to perform: events:PutEvents on resource: {entry['EventBusName']}"
                return eventbridge.error_response_json("AccessDeniedException", message, 400)  # type: ignore[no-any-return]
        results = []
        for entry in entries:
            results.append({"EventId": eventbridge.new_uuid()})
            _deliver(parse_arn(entry["EventBusName"]), _record(entry, results[-1]["EventId"]))
        return eventbridge.json_response({"FailedEntryCount": 0, "Entries": results})  # type: ignore[no-any-return]

    return put_events


def _caller_may_send(entry: dict[str, Any]) -> bool:
    from ministack import app
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id

    bus, account = str(entry.get("EventBusName", "")), get_account_id()
    if not app.AUTH or not bus.startswith("arn:") or bus.split(":")[4] == account:
        return True
    context = _putting(iam_evaluator.caller_arn(), account, entry, bus)
    policy, _ = iam_evaluator._resource_policy("events", bus) or ("", "")
    return bool(iam_evaluator.evaluate_resource_policy(policy, context).decision == "Allow")


def _record(entry: dict[str, Any], event_id: str) -> Event:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge

    return {
        "EventId": event_id,
        "Source": entry.get("Source", ""),
        "DetailType": entry.get("DetailType", ""),
        "Detail": entry.get("Detail", "{}"),
        "Time": int(eventbridge._now_ts()),
        "Resources": entry.get("Resources", []),
        "Account": get_account_id(),
        "Region": get_region(),
    }


def _with_whole_policies(put: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    """PutPermission takes a whole policy, too, in place of the one that is there."""

    def put_permission(data: dict[str, Any]) -> Answer:
        from ministack.services import eventbridge

        if "Policy" not in data:
            return put(data)
        eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])
        return eventbridge.json_response({})  # type: ignore[no-any-return]

    return put_permission


def _of_the_expected_owner(apply: Callable[..., Any], s3: Any) -> Callable[..., Any]:
    """A request with an expected bucket owner is refused when the owner differs."""

    def apply_bucket_scope(method: str, bucket: str, key: str, headers: dict[str, str], *more: Any) -> Any:
        expected, owner = headers.get("x-amz-expected-bucket-owner"), s3._bucket_owner_account(bucket)
        if expected and owner and expected != owner:
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}")
        return apply(method, bucket, key, headers, *more)

    return apply_bucket_scope


def _asked_in_person(allows: Callable[..., bool]) -> Callable[..., bool]:
    """A bucket's policy is evaluated for the actual caller, where the emulator uses the account."""

    def foreign_bucket_allows(*args: Any, **more: Any) -> bool:
        token = _asking.set(True)
        try:
            return allows(*args, **more)
        finally:
            _asking.reset(token)

    return foreign_bucket_allows


def _of_the_caller(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate_resource_policy(policy: Any, context: Any, *args: Any, **more: Any) -> Any:
        from ministack.core.iam_evaluator import caller_arn

        if _asking.get() and context.principal_type == "Root":
            context = dataclasses.replace(context, principal_arn=caller_arn())
        return evaluate(policy, context, *args, **more)

    return evaluate_resource_policy


def _readable_by_copies(store: Any) -> Any:
    """The same store, in which a copy finds the bucket that it copies from in the account that owns it."""

    class Readable(type(store)):  # type: ignore[misc]
        """The emulator's store, by bucket or by bucket and key, of one account or another."""

        __slots__ = ()

        def _scoped(self, key: Any) -> Any:
            source = _source.get()
            if source and source[0] == (key[0] if isinstance(key, tuple) else key):
                return source[1], key
            return super()._scoped(key)

        def get(self, key: Any, default: Any = None) -> Any:
            return self._data.get(self._scoped(key), default)

    readable = Readable()
    readable._data = store._data
    return readable


def _from_other_accounts(copy: Callable[..., Answer]) -> Callable[..., Answer]:
    def copy_object(*args: Any) -> Answer:
        headers = args[-1]
        with _reading(headers.get("x-amz-copy-source", "")):
            return copy(*args)

    return copy_object


@contextlib.contextmanager
def _reading(source: str) -> Iterator[None]:
    from ministack.core.responses import get_account_id
    from ministack.services import s3

    bucket = unquote(source.partition("?")[0]).lstrip("/").partition("/")[0]
    owner = s3._bucket_owner_account(bucket) if bucket else None
    token = _source.set((bucket, owner) if owner and owner != get_account_id() else None)
    try:
        yield
    finally:
        _source.reset(token)
