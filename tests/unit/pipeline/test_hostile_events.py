"""Whatever comes in place of an event is answered by a named refusal, and its neighbours in the batch as ever."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.aws.ledger_items import entry_item
from signoff.errors import LedgerBroken, SignoffError
from signoff.ledger.entries import Kind
from signoff.ledger.history import unknown_key
from tests.support.depth import examples
from tests.support.handlers import Handlers, inserted, queued
from tests.support.mutants import mutants, nested, texts
from tests.support.world import APPROVER, BUS, World

DECISION, ANNOTATION = "Model Approval Decision", "Model Annotation"
REGISTRY = "SageMaker Model Package State Change"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"
LIBERAL = settings(
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Outlets:
    """The bus and the topics."""

    def __init__(self) -> None:
        self.announced: list[Any] = []

    def put(self, events: Any) -> None:
        self.announced += events

    def publish(self, _: Any) -> None: ...


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def outlets() -> Outlets:
    return Outlets()


@pytest.fixture
def handlers(world: World, outlets: Outlets, monkeypatch: pytest.MonkeyPatch) -> Handlers:
    return Handlers(world, outlets, monkeypatch)


def event(detail_type: str, detail: Any, source: str = "acme.tickets") -> dict[str, Any]:
    """An event as EventBridge passes it on."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-03-02T09:15:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


def uploaded(key: str) -> dict[str, Any]:
    stored = {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "00617F08299329D189"}
    detail = {"version": "0", "bucket": {"name": "artifacts"}, "object": stored, "reason": "PutObject"}
    return event("Object Created", detail, "aws.s3")


def changed(arn: str) -> dict[str, Any]:
    fields = {"ModelApprovalStatus": "Approved", "UpdatedModelPackageFields": ["ModelApprovalStatus"]}
    detail = {"ModelPackageArn": arn, "ModelPackageGroupName": "churn", "ModelPackageVersion": 1, **fields}
    return event(REGISTRY, detail, "aws.sagemaker")


def decision(arn: str = PACKAGE) -> dict[str, Any]:
    said = {"package": arn, "decision": "approve", "reason": "because", "approver": APPROVER, "evidence": "e" * 64}
    proof = {"statement": "decision", "audience": BUS, "time": "2026-03-02T09:15:20.000Z", "proof": "https://sts/?a=b"}
    return event(DECISION, {**said, "accepts": ["a"], "standing": "5" * 64, **proof})


def annotation() -> dict[str, Any]:
    added = {"Name": "gpu", "Containers": [{"Image": "i", "Environment": {"a": "b"}}]}
    said = {"package": PACKAGE, "set": {"a": "b"}, "remove": ["c"], "add_specifications": [added], "reason": "because"}
    return event(ANNOTATION, {**said, "statement": "annotation", "audience": BUS, "by": APPROVER})


def assert_only_the_one_in_the_middle_fails(handlers: Handlers, function: str, batch: dict[str, Any]) -> bool:
    """Invoke a function with three messages; return whether that in the middle failed, by an error of Signoff's own."""
    failed = handlers.failed(function, batch)
    assert failed in ([], ["1"])
    assert all(isinstance(error, SignoffError) for error in handlers.errors), handlers.errors
    assert len(handlers.errors) == len(failed)
    handlers.errors.clear()
    return bool(failed)


def noted(adapter: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note what one of an adapter's calls is asked from now on."""
    call, asked = getattr(adapter, name), list[Any]()
    monkeypatch.setattr(adapter, name, lambda *said: asked.append(said[0]) or call(*said))  # type: ignore[func-returns-value]
    return asked


@pytest.mark.parametrize("function", ["register_model", "keep_signature"])
@LIBERAL
@given(mutant=texts(uploaded("churn/run/model.tar.gz")))
def test_what_is_no_upload_keeps_no_other_from_being_handled(
    world: World, handlers: Handlers, monkeypatch: pytest.MonkeyPatch, function: str, mutant: str
):
    keys = [f"churn/{name}/submission.json" for name in ("one", "two")]
    looked = noted(world.inbox, "current", monkeypatch)
    assert_only_the_one_in_the_middle_fails(handlers, function, queued(uploaded(keys[0]), mutant, uploaded(keys[1])))
    assert {*keys} <= {*looked}


@pytest.mark.parametrize("function", ["apply_decision", "create_model"])
@LIBERAL
@given(mutant=texts(changed(PACKAGE)))
def test_what_is_no_change_of_the_registry_keeps_no_other_from_being_handled(
    world: World, handlers: Handlers, monkeypatch: pytest.MonkeyPatch, function: str, mutant: str
):
    arns = [PACKAGE.replace("churn", name) for name in ("one", "two")]
    looked = noted(world.registry, "describe", monkeypatch)
    assert_only_the_one_in_the_middle_fails(handlers, function, queued(changed(arns[0]), mutant, changed(arns[1])))
    assert {*arns} <= {*looked}


@LIBERAL
@given(mutant=texts(decision()) | texts(annotation()))
def test_whoever_sends_what_is_no_decision_reads_why_it_is_refused(world: World, handlers: Handlers, mutant: str):
    world.clock.forward(days=1)
    around = [decision(f"{PACKAGE[:-1]}{number}") for number in (7, 8)]
    failed = assert_only_the_one_in_the_middle_fails(handlers, "apply_decision", queued(around[0], mutant, around[1]))
    entries = world.ledger.history(unknown_key(world.ledger.today)).verified().entries
    assert {entry.kind for entry in entries} == {Kind.DECISION_REFUSED}
    about = [entry.details["package"] for entry in entries]
    assert (about[0], about[-1]) == (around[0]["detail"]["package"], around[1]["detail"]["package"])
    if kind_of(mutant) in {DECISION, ANNOTATION, None}:
        assert (failed, len(entries)) == (False, 3)


def kind_of(text: str) -> Any:
    """Return the type of an event, or None where nobody can tell."""
    try:
        return str(json.loads(text)["detail-type"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@LIBERAL
@given(mutant=texts({"task": "heads", "grace_seconds": 300}))
def test_the_sweep_is_kept_from_nothing_by_what_is_no_call_for_it(world: World, handlers: Handlers, mutant: str):
    assert_only_the_one_in_the_middle_fails(handlers, "sweep", queued({"task": "heads"}, mutant, {"task": "heads"}))


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ("", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"detail": null}', "detail: must be an object"),
        ('{"detail": {}, "id": 1}', "id: must be a string"),
        ('{"detail": {"a": 1, "a": 2}}', "detail.a: is given more than once"),
        ('{"detail": {"a": NaN}}', "detail.a: is NaN"),
        (json.dumps({"detail": nested(900)}), "nested deeper than 64 levels"),  # EventBridge takes a thousand
        ("[" * 500_000, "nested deeper than 64 levels"),
        ('{"detail": {"package": "\\ud800"}}', "detail.package: contains an unpaired surrogate"),
        ("\ud800", "is not UTF-8"),
        ("x" * 1_100_000, "is 1,100,000 bytes long"),
    ],
    ids=lambda value: value[:30] if len(value) < 60 else f"{len(value)} characters",
)
def test_what_cannot_be_read_as_an_event_is_refused_as_a_decision(
    world: World, handlers: Handlers, body: str, because: str
):
    assert handlers.failed("apply_decision", queued(body)) == []
    (refusal,) = world.refusals(unknown_key(world.ledger.today))
    assert refusal["refusal"] == "MalformedDecision"
    assert because in refusal["because"]


@pytest.mark.parametrize("said", ["set", "remove", "accepts", "reason", "package", "approver"])
def test_a_statement_as_large_as_an_event_is_refused_by_an_entry_that_fits(handlers: Handlers, world: World, said: str):
    arn = world.pending()
    large = "\N{GRINNING FACE}" * 240_000
    values: dict[str, Any] = {"set": {large: "x"}, "remove": [large], "accepts": [large[:1024]] * 200}
    kind, verb = ("annotation", {}) if said in {"set", "remove"} else ("decision", {"decision": "approve"})
    seen = {"evidence": world.evidence(arn), "reason": "because"} if verb else {}
    statement = {"statement": kind, "audience": BUS, "package": arn, **verb, **seen, said: values.get(said, large)}
    sent = event(DECISION if verb else ANNOTATION, world.sts.signed(statement, by=APPROVER))
    assert handlers.failed("apply_decision", queued(sent)) == []
    keys = (unknown_key(world.ledger.today), world.history(arn).package)
    assert [refusal["refusal"] for key in keys for refusal in world.refusals(key)] != []


# The ledger's stream


@pytest.fixture
def items(world: World) -> list[dict[str, Any]]:
    """Return the items of a ledger whose entries are all announced."""
    arn = world.pending()
    world.decide(arn, "reject")
    return [entry_item(entry) for entry in world.history(arn).entries if entry.effect.events]


@LIBERAL
@given(data=st.data())
def test_what_is_no_entry_is_not_announced_and_nothing_else_is_announced_twice(
    handlers: Handlers, outlets: Outlets, items: list[dict[str, Any]], data: st.DataObject
):
    mutant = data.draw(mutants(items[0]))
    outlets.announced.clear()
    failed = assert_only_the_one_in_the_middle_fails(handlers, "announce", inserted(items[0], mutant, items[-1]))
    told = [each.detail["sequence"] for each in outlets.announced]
    first, last = (int(item["sequence"]["N"]) for item in (items[0], items[-1]))
    if failed:
        assert told == [first] * 2  # from what failed, Lambda reads the stream again
    else:
        assert (told[0], told[-1]) == (first, last)


def test_an_entry_whose_hash_is_not_its_own_is_not_announced(
    handlers: Handlers, outlets: Outlets, items: list[dict[str, Any]]
):
    forged = {**items[0], "actor": {"S": "arn:aws:iam::123456789012:user/mallory"}}
    assert handlers.failed("announce", inserted(forged)) == ["0"]
    assert ([type(error) for error in handlers.errors], outlets.announced) == ([LedgerBroken], [])
