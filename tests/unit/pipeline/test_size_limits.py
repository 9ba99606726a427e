"""Each size that AWS limits on the way of a model, tried as large as Signoff lets it become."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from signoff.aws.eventbridge import Bus
from signoff.aws.ledger_items import entry_item
from signoff.aws.sns import Topics
from signoff.errors import TooManyArtifacts
from signoff.ledger.entries import Entry, Stage, Status
from signoff.ledger.history import submission_key
from signoff.model_package.artifact_room import refusals_in_room
from signoff.notification.announcements import announcements
from signoff.notification.notifications import notifications
from signoff.validation.open_validation import ValidationRequest
from tests.support.archives import honest
from tests.support.size_limits import EVENT, ITEM, MESSAGE, item_size
from tests.support.world import IMAGE, MANIFEST, MODEL, QUALITY, SPECIFICATION, World

WIDE = "\N{GRINNING FACE}"  # four bytes, and twelve where JSON has no other characters than ASCII's
CUT_OFF = gzip.compress(honest(), mtime=0)[:-20]
PREFIX = "churn/run"


def submission(specifications: int, data: bytes, name: str) -> dict[str, Any]:
    """Return the objects of a submission that loads `data` in each of five containers of so many specifications."""
    objects: dict[str, Any] = {"quality.json": QUALITY}

    def specification(number: int) -> dict[str, Any]:
        names = [f"{number}-{position}-{name}.tar.gz" for position in range(5)]
        objects.update(dict.fromkeys(names, data))
        loaded = [{"Image": IMAGE, "ModelDataUrl": each, "ContainerHostname": each[:3].strip("-")} for each in names]
        return {**SPECIFICATION, "Containers": loaded}

    first, *more = (specification(number) for number in range(specifications))
    added = [{"Name": f"{'s' * 60}{number}", **each} for number, each in enumerate(more)]
    said = {
        "InferenceSpecification": first,
        "CustomerMetadataProperties": {f"{'k' * 120}{number}": "v" * 256 for number in range(40)},
        "ModelPackageDescription": "d" * 1024,
        **({"AdditionalInferenceSpecifications": added} if added else {}),
    }
    return {**objects, "manifest.json": {**MANIFEST, **said}}


def submitted(world: World, objects: dict[str, Any]) -> str:
    for key, data in world.signed(PREFIX, objects).items():
        world.put(key, data)
    return world.registrar.uploaded(f"{PREFIX}/submission.json")


class Aws:
    """EventBridge and SNS, as far as they look at sizes."""

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as in AWS's API
        for entry in Entries:
            sent = ("Source", "DetailType", "Detail")
            assert sum(len(entry[name].encode()) for name in sent) < EVENT
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    def publish(self, *, Subject: str, Message: str, MessageAttributes: dict[str, Any], **_: Any) -> None:  # noqa: N803
        attributes = sum(len(name) + len(json.dumps(value)) for name, value in MessageAttributes.items())
        assert len(Subject.encode()) + len(Message.encode()) + attributes < MESSAGE


def assert_fits(entry: Entry) -> None:
    """An entry fits into the table, and what is told of it into an event and a message."""
    assert item_size(entry_item(entry)) < ITEM
    aws = Aws()
    Bus(aws, "signoff").put(announcements(entry))
    for each in notifications(entry):
        Topics(aws, dict.fromkeys(Stage, "arn")).publish(each)


def assert_all_fit(world: World) -> None:
    for history in world.ledger.histories.values():
        for entry in history.entries:
            assert_fits(entry)


@pytest.mark.parametrize("name", ["n" * 480, WIDE * 120], ids=["ascii", "wide"])
@pytest.mark.parametrize(("data", "status"), [(MODEL, "PendingApproval"), (CUT_OFF, "ValidationFailed")])
def test_the_largest_package_that_is_registered_gets_through(name: str, data: bytes, status: str):
    """`Deliveries` sees to it that each state of the workflow has room for what it is given."""
    most, world = 16, World()
    while not (answer := submitted(world, submission(most, data, name))).startswith("registered"):
        assert "too many to be validated at once" in answer
        most, world = most - 1, World()
    assert most >= 5
    world.deliver()
    (arn,) = world.registry.described
    assert world.state(arn).status == status
    assert_all_fit(world)


def test_what_others_register_with_more_than_there_is_room_for_is_an_error_with_a_name():
    world = World()
    world.set_policy("groups/churn")
    containers = [
        {"Image": IMAGE, "ModelDataUrl": f"s3://pipelines/{'n' * 900}/{number}.tar.gz"} for number in range(90)
    ]
    arn = world.elsewhere(InferenceSpecification={**SPECIFICATION, "Containers": containers})
    with pytest.raises(TooManyArtifacts, match="the 90 artifacts that it loads are too many"):
        world.opener.open(ValidationRequest(arn, "execution"))


@pytest.mark.parametrize("artifacts", [1, 15, 75, 10_000])
def test_what_is_refused_is_never_without_a_reason_and_all_reasons_have_room(artifacts: int):
    refusals = [WIDE * 700] * 6
    shown = refusals_in_room(refusals, artifacts)
    assert shown[0][:17] == WIDE * 17
    assert len(json.dumps(shown)) * artifacts < 45_000 or artifacts == 10_000
    assert refusals_in_room(["a", "b"], 15) == ["a", "b"]


LONG_KEY = "k" * 900_000
DEEP = f'{{"{WIDE * 100}":' * 50 + "[" + "NaN," * 300 + "1]" + "}" * 50
HOSTILE_MANIFESTS: dict[str, Any] = {
    "a field as long as a manifest": {LONG_KEY: 1},
    "many unknown fields below a long one": {"InferenceSpecification": {LONG_KEY: dict.fromkeys(map(str, range(300)))}},
    "many faults below a long path": DEEP.encode(),
    "many unknown fields with long names": {f"{WIDE * 200}{number}": 1 for number in range(300)},
    "half a character for a name": b'{"\\ud800": 1}',
    "long values": {**MANIFEST, "ModelPackageDescription": LONG_KEY},
    "more than is read": {**MANIFEST, "ModelPackageDescription": 2 * LONG_KEY},
}


@pytest.mark.parametrize("hostile", HOSTILE_MANIFESTS)
def test_a_manifest_is_refused_by_an_entry_an_event_and_a_message_that_fit(hostile: str):
    world = World()
    answer = submitted(world, {"manifest.json": HOSTILE_MANIFESTS[hostile]})
    assert answer.startswith("refused")
    (refusal,) = world.refusals(submission_key(PREFIX))
    assert refusal["faults"]
    assert_all_fit(world)


def test_the_longest_approval_fits():
    world = World()
    arn = world.pending()
    accepts = [f"{WIDE * 240}{number}" for number in range(200)]
    world.decide(arn, "approve", reason=WIDE * 2000, accepts=accepts)
    assert world.state(arn).status is Status.APPROVED
    world.deliver()
    assert len(world.registry.models) == 1
    assert_all_fit(world)


# S3 takes any text of 1,024 bytes for a key.
KEYS = [
    *("a" * 1024, "/", "//", "///x", "churn//x", "churn/run/", "churn/run/..", "../run/x", "churn/../x/manifest.json"),
    *("churn/run/a%2Fb", "churn/run/a+b c", "churn%2Frun%2Fx", "churn/run/\x00", "churn/run/\x01\x1b[31m\x7f"),
    *(
        "CHURN/run/x",
        "\u202e/run/x",
        "-bad-/run/manifest.json",
        "churn\\run/x/y",
        "churn/run/registration-report.json/x",
    ),
    *("churn/run/submission.json/x", "churn/ /manifest.json", f"churn/{WIDE}/manifest.json", "churn/run/\ufffe\uffff"),
    *(f"churn/{'r' * 1000}/x", f"churn/run/{'é' * 507}", f"{WIDE * 250}/run/x", "churn/run/\u0000/\u2028\u2029"),
]


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_whatever_is_uploaded_under_whatever_key_is_refused_or_waits_and_is_told_in_what_fits(key: str):
    world = World()
    world.inbox.put(key, b"{}")
    assert world.registrar.uploaded(key).startswith(("refused", "waits for"))
    world.sweep()
    world.sweep(hours=2)
    assert "problem" not in world.sweep()
    refusals = [entry for history in world.ledger.histories.values() for entry in history.entries]
    assert refusals
    assert_all_fit(world)
