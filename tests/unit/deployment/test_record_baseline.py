"""The baseline of a group: a model that a stack deploys, approved by the review of its code, recorded as such."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.aws.cloudformation import Stacks
from signoff.errors import BaselineRefused, EventFault
from signoff.ledger.history import History, baseline_key
from signoff.runtime import custom_resource
from signoff.runtime.custom_resource import CustomResourceRequest
from tests.support.depth import examples
from tests.support.interruptions import Died
from tests.support.world import ROLE, World

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Churn/51af3dc0-da77-11e4-872e-1234567db123"
OTHER = STACK.replace("Churn", "Fraud")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1.2"
LISTED = {"create": True, "baselines": ["arn:aws:cloudformation:*:123456789012:stack/Churn/*"]}
URL = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/answer"


def world(**policy: Any) -> World:
    """Signoff whose default policy takes baselines of the stack Churn."""
    return World(**{"groups": LISTED, **policy})


def deployed(world: World, name: str = "base", stack: str = STACK) -> str:
    """Make a model as CloudFormation does for a stack, and return its ARN."""
    container = {"Image": IMAGE, "ModelDataUrl": "s3://assets/model.tar.gz"}
    world.registry.create_model({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container})
    arn = str(world.registry.models[name]["ModelArn"])
    world.stacks[stack, f"Model{name}"] = arn
    return arn


def asked(kind: str, arn: str, number: str = "1", stack: str = STACK, **properties: Any) -> CustomResourceRequest:
    """Return a request about the baseline whose model is `arn`."""
    name = arn.rpartition("/")[2]
    said = {"Group": "churn", "ModelName": name, "ModelArn": arn, "ModelLogicalId": f"Model{name}", **properties}
    identity = None if kind == "Create" else f"{said['Group']}@{arn}"
    return CustomResourceRequest(kind, number, stack, URL, "Record", identity, said)


def history(world: World, group: str = "churn") -> History:
    return world.ledger.history(baseline_key(group)).verified()


def kinds(world: World) -> list[str]:
    return [str(entry.kind) for entry in history(world).entries]


# Recording


def test_a_baseline_is_recorded_with_the_stack_its_review_and_what_sagemaker_shows_and_becomes_champion():
    signoff = world()
    arn = deployed(signoff)
    identity = signoff.baseline_recorder.handle(asked("Create", arn, Review="https://example.com/pull/7"))
    (entry,) = history(signoff).entries
    assert (identity, entry.kind, entry.actor, entry.group) == (f"churn@{arn}", "BaselineDeployed", STACK, "churn")
    assert entry.details["model"] == {"name": "base", "arn": arn}
    assert entry.details["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": "s3://assets/model.tar.gz"}
    assert (entry.details["ExecutionRoleArn"], entry.details["EnableNetworkIsolation"]) == (ROLE, False)
    assert entry.details["review"] == "https://example.com/pull/7"
    assert signoff.published() == {"churn": arn}


def test_an_approved_package_stays_champion_when_a_baseline_is_deployed():
    signoff = world()
    package = signoff.approved()
    signoff.baseline_recorder.handle(asked("Create", deployed(signoff)))
    assert signoff.published() == {"churn": signoff.state(package).model["arn"]}


def test_a_replaced_model_makes_way_and_its_end_changes_nothing_more():
    signoff = world()
    old, new = deployed(signoff, "old"), deployed(signoff, "new")
    signoff.baseline_recorder.handle(asked("Create", old, "1"))
    signoff.baseline_recorder.handle(asked("Update", new, "2"))
    assert signoff.published() == {"churn": new}
    signoff.baseline_recorder.handle(asked("Delete", old, "3"))
    assert (signoff.published(), kinds(signoff)[-1]) == ({"churn": new}, "BaselineRetired")


def test_an_update_that_is_rolled_back_leaves_the_old_model_as_it_was():
    signoff = world()
    old, new = deployed(signoff, "old"), deployed(signoff, "new")
    for number, (kind, arn) in enumerate([("Create", old), ("Update", new), ("Update", old), ("Delete", new)]):
        signoff.baseline_recorder.handle(asked(kind, arn, str(number)))
    assert signoff.published() == {"churn": old}


def test_a_stack_that_goes_takes_its_baseline_back():
    signoff = world()
    arn = deployed(signoff)
    signoff.baseline_recorder.handle(asked("Create", arn, "1"))
    signoff.baseline_recorder.handle(asked("Delete", arn, "2"))
    assert (signoff.published(), kinds(signoff)) == ({}, ["BaselineDeployed", "BaselineRetired"])


@pytest.mark.parametrize(("group", "written"), [("Churn", "churn"), ("churn", "CHURN")])
def test_a_baseline_is_that_of_its_group_in_whatever_case_that_is_written(group: str, written: str):
    signoff = world()
    baseline = deployed(signoff)
    signoff.baseline_recorder.handle(asked("Create", baseline, "1", Group=written))
    assert signoff.published() == {"churn": baseline}
    package = signoff.approved(prefix=f"{group}/run-7")
    assert signoff.baseline_recorder.handle(asked("Update", baseline, "again", Group=written)) == f"churn@{baseline}"
    signoff.baseline_recorder.handle(asked("Update", deployed(signoff, "newer"), "2", Group=written))
    assert signoff.published() == {"churn": signoff.state(package).model["arn"]}
    signoff.decide(package, "revoke")
    signoff.deliver()
    assert signoff.published() == {"churn": signoff.stacks[STACK, "Modelnewer"]}


def test_what_was_never_recorded_goes_without_a_trace():
    signoff = world()
    for identity in (f"churn@{deployed(signoff)}", f"{STACK}/Record", "", "2026/11/20/[$LATEST]abc"):
        request = CustomResourceRequest("Delete", "1", STACK, URL, "Record", identity, {})
        assert signoff.baseline_recorder.handle(request) == identity
    assert [key for key in signoff.ledger.histories if key.startswith("baseline:")] == []


def test_no_stack_takes_back_the_baseline_of_another():
    signoff = world()
    arn = deployed(signoff)
    signoff.baseline_recorder.handle(asked("Create", arn, "1"))
    signoff.baseline_recorder.handle(asked("Delete", arn, "2", stack=OTHER))
    assert signoff.published() == {"churn": arn}


# Refusing


def not_listed(signoff: World) -> CustomResourceRequest:
    return asked("Create", deployed(signoff, stack=OTHER), stack=OTHER)


def a_model_that_is_not_there(signoff: World) -> CustomResourceRequest:
    del signoff.registry.models[deployed(signoff).rpartition("/")[2]]
    return asked("Create", signoff.stacks[STACK, "Modelbase"])


def a_model_of_another_account(signoff: World) -> CustomResourceRequest:
    arn = signoff.stacks[STACK, "Modelbase"] = deployed(signoff).replace("123456789012", "999999999999")
    return asked("Create", arn)


def a_model_of_another_stack(signoff: World) -> CustomResourceRequest:
    return asked("Create", deployed(signoff, stack=OTHER))


def another_resource_of_the_stack(signoff: World) -> CustomResourceRequest:
    signoff.stacks[STACK, "Bucket"] = "bucket"
    return asked("Create", deployed(signoff), ModelLogicalId="Bucket")


def a_group_of_somebody_elses(signoff: World) -> CustomResourceRequest:
    signoff.registry.tags["theirs"] = {}
    return asked("Create", deployed(signoff), Group="theirs")


def nothing_said(signoff: World) -> CustomResourceRequest:
    return asked("Create", deployed(signoff), Group="")


REFUSALS = {
    not_listed: "accepts no baseline from",
    a_model_that_is_not_there: "there is no model",
    a_model_of_another_account: "there is no model",
    a_model_of_another_stack: "is not the model",
    another_resource_of_the_stack: "is not the model",
    a_group_of_somebody_elses: "does not govern it",
    nothing_said: "deploy a BaselineModel",
}


@pytest.mark.parametrize(("situation", "why"), REFUSALS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_baseline_that_may_not_be_is_refused_by_name_and_leaves_no_trace(
    situation: Callable[[World], CustomResourceRequest], why: str
):
    signoff = world()
    request = situation(signoff)
    with pytest.raises(BaselineRefused, match=why):
        signoff.baseline_recorder.handle(request)
    assert signoff.published() == {}
    assert [key for key in signoff.ledger.histories if key.startswith("baseline:")] == []


def test_no_policy_takes_a_baseline_unless_it_says_so():
    signoff = World()
    with pytest.raises(BaselineRefused, match="accepts no baseline"):
        signoff.baseline_recorder.handle(asked("Create", deployed(signoff)))


# Again, late, and interrupted


@given(st.lists(st.sampled_from(range(4)), max_size=8))
@settings(max_examples=examples(50))
def test_requests_that_come_again_in_any_order_change_nothing(again: list[int]):
    signoff = world()
    old, new = deployed(signoff, "old"), deployed(signoff, "new")
    life = [asked("Create", old, "1"), asked("Update", new, "2"), asked("Delete", old, "3"), asked("Delete", new, "4")]
    for request in life[:3]:
        signoff.baseline_recorder.handle(request)
    before = signoff.outcome()
    for number in again:
        if number < 3:
            signoff.baseline_recorder.handle(life[number])
    assert signoff.outcome() == before


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_a_function_that_dies_before_any_call_and_is_tried_again_comes_to_the_same(kind: str):
    def prepared() -> tuple[World, CustomResourceRequest]:
        signoff = world()
        arn = deployed(signoff)
        if kind == "Delete":
            signoff.baseline_recorder.handle(asked("Create", arn, "1"))
        return signoff, asked(kind, arn, "2")

    signoff, request = prepared()
    signoff.interruptions.arm(None)
    signoff.baseline_recorder.handle(request)
    calls, expected = signoff.interruptions.calls, signoff.outcome()
    assert calls > 3
    for call in range(1, calls + 1):
        signoff, request = prepared()
        signoff.interruptions.arm(call)
        with pytest.raises(Died):
            signoff.baseline_recorder.handle(request)
        signoff.interruptions.arm(None)
        signoff.baseline_recorder.handle(request)
        assert signoff.outcome() == expected, f"died before call {call} of {calls}"


# Answering CloudFormation

EVENT = {
    "RequestType": "Create",
    "RequestId": "unique-id",
    "StackId": STACK,
    "ResponseURL": URL,
    "ResourceType": "Custom::SignoffBaseline",
    "LogicalResourceId": "Record",
    "ResourceProperties": {"Group": "churn"},
}


def answer(act: Callable[[CustomResourceRequest], str], **changed: Any) -> dict[str, Any]:
    told: list[tuple[str, bytes]] = []
    CustomResourceRequest.of({**EVENT, **changed}).answer(act, lambda url, body: told.append((url, body)))
    ((url, body),) = told
    assert url == URL
    assert len(body) <= 4096
    found: dict[str, Any] = json.loads(body)
    return found


def test_cloudformation_is_told_what_was_done_and_of_which_request():
    assert answer(lambda request: f"{request.properties['Group']}@arn") == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "churn@arn",
        "RequestId": "unique-id",
        "StackId": STACK,
        "LogicalResourceId": "Record",
    }


def failing(error: Exception) -> Callable[[CustomResourceRequest], str]:
    def act(_: CustomResourceRequest) -> str:
        raise error

    return act


def test_whatever_fails_is_told_with_its_reason():
    refused = answer(failing(BaselineRefused("no model of yours")))
    assert (refused["Status"], refused["Reason"]) == ("FAILED", "BaselineRefused: no model of yours")
    assert refused["PhysicalResourceId"] == f"{STACK}/Record"
    assert len(answer(failing(ValueError("x" * 9999)))["Reason"]) == 1000


def test_a_resource_whose_update_fails_keeps_its_identity():
    changed = {"RequestType": "Update", "PhysicalResourceId": "churn@arn"}
    assert answer(failing(ValueError("x")), **changed)["PhysicalResourceId"] == "churn@arn"


@pytest.mark.parametrize("field", ["RequestType", "StackId", "ResponseURL", "ResourceProperties"])
def test_what_is_no_request_of_cloudformations_is_an_error(field: str):
    with pytest.raises(EventFault, match=field):
        CustomResourceRequest.of({name: value for name, value in EVENT.items() if name != field})


class Answers(BaseHTTPRequestHandler):
    """S3 behind the signed URL: what it is sent, and the statuses that it answers."""

    statuses: list[int]
    got: list[tuple[str | None, bytes]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers["Content-Type"], body))
        self.send_response(self.statuses.pop(0))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def receiver(socket_enabled: None) -> Iterator[tuple[str, type[Answers]]]:
    handler = type("Receiver", (Answers,), {"statuses": [200], "got": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/answer", handler
        server.shutdown()
        thread.join()


def test_the_answer_is_put_to_the_signed_url_without_a_content_type(receiver: tuple[str, type[Answers]]):
    url, handler = receiver
    custom_resource.put(url, b"{}")
    assert handler.got == [("", b"{}")]


def test_an_answer_that_is_not_taken_is_an_error_so_that_the_request_comes_again(receiver: tuple[str, type[Answers]]):
    url, handler = receiver
    handler.statuses = [403]
    with pytest.raises(EventFault, match="403"):
        custom_resource.put(url, b"{}")
    assert handler.got == [("", b"{}")]


# Stacks


class CloudFormation:
    """The part of CloudFormation that `Stacks` calls, with one resource, or failing with one error."""

    def __init__(self, code: str | None = None) -> None:
        self._code = code

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        if self._code or (StackName, LogicalResourceId) != (STACK, "Model"):
            code = self._code or "ValidationError"
            raise ClientError({"Error": {"Code": code, "Message": "does not exist"}}, "DescribeStackResource")
        return {"StackResourceDetail": {"PhysicalResourceId": "arn:model"}}


def test_a_stacks_resource_is_known_by_its_physical_id_and_what_is_not_there_by_none():
    stacks = Stacks(CloudFormation())
    assert stacks.resource(STACK, "Model") == "arn:model"
    assert stacks.resource(STACK, "Other") is None
    with pytest.raises(ClientError, match="Throttling"):
        Stacks(CloudFormation("Throttling")).resource(STACK, "Model")
