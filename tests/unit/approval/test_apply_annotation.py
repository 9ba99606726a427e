"""Annotations, from the bus to the registry and the ledger: customer metadata and further specifications."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.approval import statements
from signoff.approval.annotations import evaluate, parse
from signoff.approval.decisions import Refusal
from signoff.aws.dynamodb import from_item
from signoff.aws.ledger_items import package_row_item
from signoff.errors import EventFault, RegistryRefused
from signoff.ledger.entries import Kind, Status
from signoff.ledger.history import unknown_key
from signoff.service_model.sagemaker import sagemaker_shape
from tests.support.depth import examples
from tests.support.entries import ARN
from tests.support.interruptions import Died
from tests.support.world import APPROVER, PINNED, SPECIFICATION, SUBMITTER, World

SHAPE = sagemaker_shape("UpdateModelPackage")
NOBODY = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/99"
OWN = {"signoff:evidence", "signoff:subject", "signoff:verdict"}


def specification(world: World, arn: str, name: str = "gpu", **fields: Any) -> dict[str, Any]:
    """Another specification on the same bytes."""
    url = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    return {"Name": name, **SPECIFICATION, "Containers": [{"Image": PINNED, "ModelDataUrl": url}], **fields}


def metadata(world: World, arn: str) -> dict[str, str]:
    """A package's metadata without what Signoff sets."""
    found = world.registry.describe(arn).get("CustomerMetadataProperties", {})
    return {key: value for key, value in found.items() if not key.startswith("signoff:")}


def refusal(world: World, arn: str, **said: Any) -> str:
    refused = world.annotate(arn, **said)
    assert isinstance(refused, Refusal)
    return refused.name


# What is said is shown and recorded


def test_metadata_is_set_changed_and_removed_beside_what_signoff_sets():
    world = World()
    arn = world.pending(CustomerMetadataProperties={"team": "churn", "draft": "yes"})
    assert world.annotate(arn, set={"team": "retention", "ticket": "CHG-1"}, remove=["draft"]) is None
    assert metadata(world, arn) == {"team": "retention", "ticket": "CHG-1"}
    assert set(world.registry.describe(arn)["CustomerMetadataProperties"]) >= OWN


def test_an_annotation_is_an_entry_that_says_who_changed_what_and_why():
    world = World()
    arn = world.pending()
    world.annotate(arn, by=APPROVER, set={"ticket": "CHG-1"}, remove=["draft"], reason="Reviewed", event="e-1")
    entry = world.history(arn).entries[-1]
    assert (entry.kind, entry.actor, entry.details["event"]) == (Kind.ANNOTATED, APPROVER, "e-1")
    said = {name: entry.details[name] for name in ("set", "removed", "added", "reason")}
    assert said == {"set": {"ticket": "CHG-1"}, "removed": ["draft"], "added": [], "reason": "Reviewed"}


def test_the_index_carries_the_metadata_of_registration_and_of_annotations():
    world = World()
    arn = world.pending(CustomerMetadataProperties={"team": "churn", "draft": "yes"})
    world.annotate(arn, set={"ticket": "CHG-1"}, remove=["draft"])
    head = from_item(package_row_item(world.history(arn)))
    assert head["metadata"] == {"team": "churn", "ticket": "CHG-1"}


@pytest.mark.parametrize("decision", [None, "approve", "reject"])
def test_metadata_may_be_said_of_a_package_wherever_it_stands_and_changes_nothing_else(decision: str | None):
    world = World()
    arn = world.pending()
    if decision:
        world.decide(arn, decision)
        world.deliver()
    before = world.state(arn)
    assert world.annotate(arn, set={"ticket": "CHG-1"}) is None
    world.deliver()
    world.sweep()
    after = world.state(arn)
    assert (after.status, after.model, after.decision) == (before.status, before.model, before.decision)


def test_a_package_that_nobody_has_seen_yet_is_annotated_behind_its_first_entry():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere(CustomerMetadataProperties={"team": "churn"})
    assert world.annotate(arn, set={"ticket": "CHG-1"}) is None
    assert world.kinds(arn) == ["Registered", "Annotated"]
    assert world.state(arn).metadata == {"team": "churn", "ticket": "CHG-1"}


def test_the_ledger_of_a_package_that_is_annotated_first_begins_with_a_policy_that_only_reports():
    world = World()
    world.set_policy("groups/churn", mode="report")
    arn = world.elsewhere()
    assert world.annotate(arn, set={"ticket": "CHG-1"}) is None
    assert world.kinds(arn) == ["Registered", "EnforcementChanged", "Annotated"]
    assert not world.state(arn).enforced


def test_a_specification_added_to_a_pending_package_is_validated_before_anybody_decides():
    world = World()
    arn = world.pending()
    assert world.annotate(arn, add_specifications=[specification(world, arn)]) is None
    world.deliver()
    state = world.state(arn)
    assert (state.status, state.attempt) == (Status.PENDING_APPROVAL, 2)
    evidence = world.vault.read("evidence", state.evidence["sha256"])
    assert [each["Name"] for each in evidence["subject"]["additional_inference_specifications"]] == ["gpu"]


# What is said twice, or halfway


def test_the_same_event_again_changes_nothing_even_when_it_would_now():
    world = World()
    arn = world.pending()
    world.annotate(arn, set={"stage": "one"}, event="e-1")
    world.annotate(arn, set={"stage": "two"}, event="e-2")
    before, kinds = metadata(world, arn), world.kinds(arn)
    world.annotate(arn, set={"stage": "one"}, event="e-1")
    assert (metadata(world, arn), world.kinds(arn)) == (before, kinds) == ({"stage": "two"}, kinds)


def test_a_job_that_says_the_same_every_hour_leaves_one_entry():
    world = World()
    arn = world.pending()
    for hour in range(3):
        world.annotate(arn, set={"stage": "one"}, event=f"e-{hour}")
    assert world.kinds(arn).count("Annotated") == 1


def test_what_is_said_already_is_not_written_again():
    world = World()
    arn = world.pending(CustomerMetadataProperties={"team": "churn"})
    written = list(world.registry.writes)
    assert world.annotate(arn, set={"team": "churn"}, remove=["draft"]) is None
    assert world.registry.writes == written
    assert world.kinds(arn)[-1] == "Annotated"


@pytest.mark.parametrize("added", [False, True])
def test_an_annotation_that_dies_at_any_call_is_made_good_by_the_next_try(added: bool):
    world, said = annotated_world(added)
    world.interruptions.arm(None)
    world.annotate(**said)
    calls = world.interruptions.calls
    expected = outcome(world, said["arn"])
    assert calls > 4
    for call in range(1, calls + 1):
        world, said = annotated_world(added)
        world.interruptions.arm(call)
        with pytest.raises(Died):
            world.annotate(**said)
        world.interruptions.arm(None)
        assert world.annotate(**said) is None
        assert outcome(world, said["arn"]) == expected


def annotated_world(added: bool) -> tuple[World, dict[str, Any]]:
    world = World()
    arn = world.pending(CustomerMetadataProperties={"draft": "yes"})
    more = {"add_specifications": [specification(world, arn)]} if added else {}
    return world, {"arn": arn, "set": {"ticket": "CHG-1"}, "remove": ["draft"], "event": "e-1", **more}


def outcome(world: World, arn: str) -> tuple[Any, ...]:
    world.deliver()
    described = world.registry.describe(arn)
    names = [each["Name"] for each in described.get("AdditionalInferenceSpecifications", ())]
    return metadata(world, arn), names, sorted(world.kinds(arn)), world.state(arn).metadata


def test_of_two_annotations_that_cross_registry_and_ledger_show_the_same():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeLedger.append"] = lambda: world.annotate(arn, by=APPROVER, set={"stage": "two"})
    world.annotate(arn, set={"stage": "one"})
    assert metadata(world, arn) == world.state(arn).metadata == {"stage": "one"}
    assert [entry.actor for entry in world.history(arn).entries[-2:]] == [APPROVER, SUBMITTER]


# What is refused, each by name


def test_an_annotation_of_a_package_that_does_not_exist_is_an_unknown_package():
    world = World()
    assert refusal(world, NOBODY, set={"a": "b"}) == "UnknownPackage"
    assert world.refusals(unknown_key(world.ledger.today))[0]["decision"] == "annotate"


def test_an_annotation_of_a_package_of_another_group_touches_nothing():
    world = World()
    arn = world.elsewhere()
    written = list(world.registry.writes)
    assert refusal(world, arn, set={"a": "b"}) == "UngovernedPackage"
    assert world.registry.writes == written


@pytest.mark.parametrize("key", ["signoff:evidence", "Signoff:Verdict", "SIGNOFF:x", "\u017fignoff:x"])
@pytest.mark.parametrize("how", ["set", "remove"])
def test_signoffs_own_entries_are_protected_in_every_case_of_their_keys(how: str, key: str):
    world = World()
    arn = world.pending()
    before = world.registry.describe(arn)
    assert refusal(world, arn, **{how: {key: "x"} if how == "set" else [key]}) == "NotAllowed"
    assert world.registry.describe(arn) == before
    assert "reserved for Signoff" in world.refusals(world.history(arn).package)[-1]["because"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"set": {"k" * 129: "v"}}, "at most 128"),
        ({"set": {"k": "v" * 257}}, "at most 256"),
        ({"set": {"k": ""}}, "at least 1"),
        ({"set": {"k": "what?"}}, "CustomerMetadataProperties.k"),
        ({"set": {"a;b": "v"}}, "CustomerMetadataProperties"),
        ({"remove": [""]}, "at least 1"),
        ({"set": {f"k{n}": "v" for n in range(43)}}, "43 entries; at most 42 are allowed"),
        ({"add_specifications": [{"Name": "gpu"}]}, "Containers"),
        ({"add_specifications": [{"Name": "gpu", "Containers": []}]}, "at least 1"),
        ({"add_specifications": [{"Name": "-", "Containers": [{"Image": PINNED}]}]}, "Name"),
        ({"add_specifications": [{"Name": "gpu", "Containers": [{}]}]}, "needs an image"),
        ({"add_specifications": [{"Name": "gpu", "Containers": [{"Image": PINNED, "Immage": "x"}]}]}, "Immage"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_with_its_path(said: dict[str, Any], told: str):
    world = World()
    arn = world.pending()
    refused = world.annotate(arn, **said)
    assert refused.name == "NotAllowed"
    assert told in refused.reason
    assert metadata(world, arn) == {}


def test_there_is_always_room_for_signoffs_own_entries_and_a_full_package_can_be_relieved():
    world = World()
    world.set_policy("groups/churn")
    full = {f"k{n}": "v" for n in range(45)}
    arn = world.elsewhere(CustomerMetadataProperties=full)
    assert refusal(world, arn, set={"one": "more"}) == "NotAllowed"
    assert world.annotate(arn, set={"k1": "w"}, remove=["k2"]) is None
    assert len(metadata(world, arn)) == 44


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_no_specification_is_added_to_what_was_decided_on(decision: str):
    world = World()
    arn = world.pending()
    world.decide(arn, decision)
    world.deliver()
    before = world.state(arn)
    assert refusal(world, arn, add_specifications=[specification(world, arn)], set={"a": "b"}) == "AlreadyDecided"
    world.deliver()
    assert world.state(arn) == before
    assert metadata(world, arn) == {}


def test_nobody_makes_a_ledger_endless_by_annotating(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(statements._LIMITS, Kind.ANNOTATED, (5, 8))
    world = World()
    arn = world.pending()
    for person, least in ((SUBMITTER, 5), (APPROVER, 3)):
        for number in range(10):
            world.annotate(arn, person, set={"number": f"{person[-3:]} {number}"})
        assert [entry.actor for entry in world.history(arn).entries if entry.kind is Kind.ANNOTATED].count(
            person
        ) == least
    assert world.annotate(arn, set={"one": "more"}).name == "TooManyAnnotations"


def test_no_specification_is_added_while_a_package_is_validated():
    world = World()
    arn = world.submit()
    assert refusal(world, arn, add_specifications=[specification(world, arn)]) == "BeingValidated"


def test_a_specification_whose_name_another_has_is_refused():
    world = World()
    arn = world.pending()
    gpu = specification(world, arn)
    world.annotate(arn, add_specifications=[gpu])
    world.deliver()
    assert world.annotate(arn, add_specifications=[gpu], reason="again") is None
    refused = world.annotate(arn, add_specifications=[specification(world, arn, Description="another")])
    assert "gpu already exists" in refused.reason


def test_more_specifications_than_sagemaker_takes_are_refused_beside_those_that_are_there():
    world = World()
    arn = world.pending()
    world.annotate(arn, add_specifications=[specification(world, arn, f"s{n}") for n in range(10)])
    world.deliver()
    refused = world.annotate(arn, add_specifications=[specification(world, arn, f"t{n}") for n in range(6)])
    assert "16 additional specifications" in refused.reason


def test_what_sagemaker_refuses_all_the_same_is_told_in_its_own_words():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeRegistry.update_package"] = refused_by_sagemaker
    refused = world.annotate(arn, set={"a": "b"})
    assert (refused.name, refused.reason) == ("RefusedBySageMaker", "Model package is Deleting")
    assert world.kinds(arn)[-1] == "DecisionRefused"


def refused_by_sagemaker() -> None:
    raise RegistryRefused("Model package is Deleting")


def test_the_same_refused_annotation_again_leaves_no_second_entry():
    world = World()
    arn = world.pending()
    unproven = {"package": arn, "by": SUBMITTER, "set": {"signoff:x": "y"}}
    for _ in range(3):
        assert world.annotation_handler.apply(unproven).name == "Unproven"
    assert world.kinds(arn).count("DecisionRefused") == 1
    assert world.annotation_handler.apply({**unproven, "set": {"signoff:x": "z"}}).name == "Unproven"
    assert world.kinds(arn).count("DecisionRefused") == 2


# What is no annotation


@pytest.mark.parametrize(
    "detail",
    [
        None,
        {},
        {"package": ARN, "by": SUBMITTER},
        {"package": ARN, "by": SUBMITTER, "set": {}},
        {"package": ARN, "by": SUBMITTER, "set": {"a": 1}},
        {"package": ARN, "by": SUBMITTER, "set": {"a": "b"}, "remove": ["a"]},
        {"package": ARN, "by": SUBMITTER, "set": {"a": "b"}, "nonsense": 1},
        {"package": ARN, "by": SUBMITTER, "set": {"a": "\ud800"}},
        {"package": ARN, "by": SUBMITTER, "remove": ["a"] * 51},
        {"package": ARN, "by": SUBMITTER, "add_specifications": {"Name": "one, not in a list"}},
        {"package": ARN, "by": SUBMITTER, "set": {"a": "b"}, "reason": "x" * 2001},
        {"package": ARN, "by": SUBMITTER, "set": {"a": "b"}, "statement": "decision"},
    ],
)
def test_what_makes_no_sense_is_refused_in_the_ledger_of_what_it_names(detail: Any):
    world = World()
    with pytest.raises(EventFault, match="not an annotation"):
        parse(detail)
    refused = world.annotation_handler.apply(detail)
    assert refused.name == "MalformedAnnotation"
    (kept,) = world.refusals(unknown_key(world.ledger.today))
    assert (kept["refusal"], kept["package"]) == ("MalformedAnnotation", (detail or {}).get("package", ""))


TEXT = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=examples(200), deadline=None)
@given(
    details=st.fixed_dictionaries(
        {},
        optional={
            "set": st.dictionaries(TEXT, TEXT, max_size=3) | JSON,
            "remove": st.lists(TEXT, max_size=3) | JSON,
            "add_specifications": st.lists(st.fixed_dictionaries({"Name": TEXT, "Containers": JSON}), max_size=2)
            | JSON,
        },
    )
)
def test_whatever_is_sent_is_either_made_or_refused_with_a_reason(details: dict[str, Any]):
    try:
        annotation = parse({"package": ARN, "by": SUBMITTER, **details})
    except EventFault:
        return
    weighed = evaluate(annotation, {"InferenceSpecification": SPECIFICATION}, Status.PENDING_APPROVAL, SHAPE)
    assert weighed.reason if isinstance(weighed, Refusal) else set(weighed.set) <= set(annotation.set)
