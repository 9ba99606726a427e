"""Packages that are changed in the registry before anybody approves them: nobody approves what they made of one."""

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.approval.decisions import Recorded, Refusal
from signoff.identity.principals import UNKNOWN
from signoff.ledger.entries import Kind, Status
from signoff.model_package.registered_fields import REGISTERED_FIELDS, changed_fields, differing, fingerprint
from tests.support.depth import examples
from tests.support.interruptions import Died
from tests.support.model_shapes import ONE, manifest, source, submitted
from tests.support.validations import checks, claimed
from tests.support.world import APPROVER, IMAGE, MODEL, PINNED, SPECIFICATION, SUBMITTER, World

MALLORY, BEN = "arn:aws:iam::123456789012:user/mallory", "arn:aws:iam::123456789012:user/ben"
CHECK = "submitter:specification"
PRELOADED = {"LD_PRELOAD": "/opt/ml/model/code/evil.so"}


def specification(world: World, arn: str, **container: Any) -> dict[str, Any]:
    """The package's inference specification with fields of its container changed."""
    found = world.registry.describe(arn)["InferenceSpecification"]
    return {**found, "Containers": [{**found["Containers"][0], **container}]}


def elsewhere(**policy: Any) -> tuple[World, str]:
    """A package that sam registered with the SDK."""
    world = World()
    world.set_policy("groups/churn", **policy)
    return world, world.elsewhere()


# Packages of signed submissions


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("InferenceSpecification", lambda world, arn: specification(world, arn, Environment=PRELOADED)),
        ("InferenceSpecification", lambda world, arn: specification(world, arn, Environment={"DEBUG": ""})),
        ("InferenceSpecification", lambda world, arn: specification(world, arn, Image=IMAGE)),
        ("SourceUri", lambda *_: "s3://mallorys/source"),
        ("ModelMetrics", lambda *_: {"ModelQuality": {"Statistics": {"S3Uri": "s3://mallorys/quality.json"}}}),
    ],
)
def test_a_submission_that_somebody_changes_fails_by_the_field_they_changed(
    field: str, changed: Callable[[World, str], Any]
):
    world = World()
    world.s3.bucket("mallorys").put("quality.json", b"{}")
    arn = world.pending()
    world.registry.by_hand(arn, **{field: changed(world, arn)})
    world.deliver()
    world.validate(arn, by=APPROVER)
    status, reason = checks(world, arn)[CHECK]
    assert (world.state(arn).status, status) == (Status.VALIDATION_FAILED, "failed")
    assert f"not as it was submitted: {field};" in reason
    assert world.decide(arn, "approve", MALLORY).name == "ValidationFailed"


def test_a_submission_that_was_set_back_passes_again_and_is_its_submitters():
    world = World()
    arn = world.pending()
    asked = world.registry.describe(arn)["InferenceSpecification"]
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    world.deliver()
    world.registry.by_hand(arn, InferenceSpecification=asked)
    world.validate(arn, by=SUBMITTER)
    assert world.state(arn).status is Status.PENDING_APPROVAL
    assert world.state(arn).authors == (SUBMITTER,)
    assert CHECK not in checks(world, arn)


def test_which_signed_object_is_the_model_is_signed_too():
    world = World()
    document = manifest(
        {**ONE, "AdditionalModelDataSources": [{"ChannelName": "base", **source("other.tar.gz", "S3Object", "Gzip")}]}
    )
    arn = submitted(world, document, {"model.tar.gz": MODEL, "other.tar.gz": MODEL})
    world.deliver()
    found = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]
    other = copy.deepcopy(found)
    additional = other["AdditionalModelDataSources"][0]["S3DataSource"]
    other["ModelDataUrl"], additional["S3Uri"] = additional["S3Uri"], other["ModelDataUrl"]
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, **other))
    world.deliver()
    failed = {name for name, (status, _) in checks(world, arn).items() if status == "failed"}
    assert failed == {CHECK}


def exchanged(world: World, **fields: Any) -> str:
    """Submit; RegisterModel dies before it writes the ledger's first entry, and somebody exchanges the package then."""
    files = world.files("churn/run-7")
    world.interruptions.before["FakeLedger.append"] = died
    for key, data in files.items():
        with contextlib.suppress(Died):
            world.upload(key, data)
    (arn,) = world.registry.described
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED), **fields)
    return arn


def died() -> None:
    raise Died


@pytest.mark.parametrize("named", ["by location and hint", "not at all"])
def test_a_package_exchanged_before_its_first_entry_fails_and_nobody_submitted_it(named: str):
    world = World()
    world.s3.bucket("mallorys").put("model.tar.gz", MODEL)
    arn = exchanged(world)
    if named == "not at all":
        container = {"Image": IMAGE, "ModelDataUrl": "s3://mallorys/model.tar.gz"}
        world.registry.by_hand(arn, InferenceSpecification={**SPECIFICATION, "Containers": [container]})
        del world.registry.described[arn]["CustomerMetadataProperties"], world.registry.described[arn]["ModelMetrics"]
    world.deliver()
    assert world.state(arn).submitter is None
    assert (world.state(arn).status, checks(world, arn)[CHECK][0]) == (Status.VALIDATION_FAILED, "failed")


def test_a_package_exchanged_before_its_first_entry_stays_failed_whatever_is_set_back():
    world = World()
    arn = exchanged(world)
    world.deliver()
    asked = specification(world, arn)
    del asked["Containers"][0]["Environment"]
    world.registry.by_hand(arn, InferenceSpecification=asked)
    world.validate(arn, by=MALLORY)
    assert (world.state(arn).status, checks(world, arn)[CHECK][0]) == (Status.VALIDATION_FAILED, "failed")


def test_a_package_exchanged_before_registermodel_looks_fails_in_its_submitters_name():
    world = World()
    files = world.files("churn/run-7")

    def exchange() -> None:
        (arn,) = world.registry.described
        world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))

    world.interruptions.before["FakeRegistry.describe"] = exchange
    for key, data in files.items():
        world.upload(key, data)
    (arn,) = world.registry.described
    world.deliver()
    assert (world.state(arn).submitter, checks(world, arn)[CHECK][0]) == (SUBMITTER, "failed")


# Specifications that are added


def added(world: World, arn: str, **fields: Any) -> dict[str, Any]:
    url = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    return {"Name": "gpu", **SPECIFICATION, "Containers": [{"Image": PINNED, "ModelDataUrl": url}], **fields}


def test_what_somebody_annotates_is_no_change_of_the_submission_but_makes_them_an_author():
    world = World()
    arn = world.pending()
    assert world.annotate(arn, by=APPROVER, add_specifications=[added(world, arn)]) is None
    world.deliver()
    assert world.state(arn).status is Status.PENDING_APPROVAL
    assert world.state(arn).authors == (SUBMITTER, APPROVER)
    assert world.decide(arn, "approve", APPROVER).name == "OwnModel"
    assert isinstance(world.decide(arn, "approve", BEN), Recorded)


def test_what_lies_under_an_annotated_name_with_other_content_is_not_what_was_annotated():
    world = World()
    arn = world.pending()
    world.annotate(arn, add_specifications=[added(world, arn)])
    (found,) = world.registry.described[arn]["AdditionalInferenceSpecifications"]
    found["Containers"][0]["Environment"] = PRELOADED
    world.deliver()
    assert "AdditionalInferenceSpecifications" in checks(world, arn)[CHECK][1]


def test_nothing_can_be_annotated_under_a_name_that_holds_more():
    world = World()
    arn = world.pending()
    asked = added(world, arn)
    more = copy.deepcopy(asked)
    more["Containers"][0]["Environment"] = PRELOADED
    world.registry.by_hand(arn, AdditionalInferenceSpecificationsToAdd=[more])
    world.deliver()
    refused = world.annotate(arn, add_specifications=[asked])
    assert isinstance(refused, Refusal)
    assert "already exists with different content" in refused.reason


# Packages registered elsewhere


def test_who_changes_a_package_from_elsewhere_may_not_approve_it():
    world, arn = elsewhere()
    world.deliver()
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    world.deliver()
    assert (world.state(arn).status, world.state(arn).authors) == (
        Status.PENDING_APPROVAL,
        (SUBMITTER, MALLORY, UNKNOWN),
    )
    refused = world.decide(arn, "approve", MALLORY)
    assert (refused.name, "may have changed this model" in refused.reason) == ("OwnModel", True)
    assert MALLORY in checks(world, arn)[CHECK][1]
    started = world.history(arn).last(Kind.VALIDATION_STARTED)
    assert (started.details["changed"], started.details["changed_by"]) == (["InferenceSpecification"], MALLORY)


def test_who_changed_a_package_may_not_approve_it_under_a_new_name_either():
    world, arn = elsewhere()
    world.deliver()
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    world.registry.described[arn]["LastModifiedBy"]["IamIdentity"]["PrincipalId"] = "AIDAMALLORY"
    world.deliver()
    world.sts.identify(BEN, "AIDAMALLORY")
    assert world.decide(arn, "approve", BEN).name == "OwnModel"


def test_what_may_have_been_changed_by_somebody_unknown_takes_one_more_approval():
    world, arn = elsewhere()
    world.deliver()
    world.registry.by_hand(arn, SourceUri="s3://mallorys/source")
    world.registry.by_hand(arn, BEN, CustomerMetadataProperties={"team": "churn"})
    world.deliver()
    world.decide(arn, "approve", APPROVER)
    assert world.state(arn).status is Status.PENDING_APPROVAL
    assert world.decide(arn, "approve", BEN).name == "OwnModel"


@pytest.mark.parametrize(
    "policy", [{"approvals": {"unknown_submitter": "refuse"}}, {"submissions": {"submitters": [SUBMITTER]}}]
)
def test_a_package_that_may_have_been_changed_by_somebody_unknown_fails_where_nobody_unknown_may_submit(policy: Any):
    world, arn = elsewhere(**policy)
    world.deliver()
    assert world.state(arn).status is Status.PENDING_APPROVAL
    world.registry.by_hand(arn, SUBMITTER, InferenceSpecification=specification(world, arn, Environment={"A": "1"}))
    world.deliver()
    assert (world.state(arn).status, checks(world, arn)[CHECK][0]) == (Status.VALIDATION_FAILED, "failed")


def test_setting_a_package_back_is_a_change_as_well():
    world, arn = elsewhere()
    world.deliver()
    asked = specification(world, arn)
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    world.deliver()
    world.registry.by_hand(arn, BEN, InferenceSpecification=asked)
    world.deliver()
    assert world.state(arn).authors == (SUBMITTER, MALLORY, UNKNOWN, BEN)


def test_who_changed_a_package_before_anybody_saw_it_may_not_approve_it_either():
    world, arn = elsewhere()
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    world.deliver()
    assert world.state(arn).authors == (SUBMITTER, MALLORY, UNKNOWN)
    assert world.decide(arn, "approve", MALLORY).name == "OwnModel"


def test_a_package_that_nobody_changed_has_one_author_however_often_it_is_validated():
    world, arn = elsewhere()
    world.deliver()
    world.validate(arn, by=BEN)
    assert world.state(arn).authors == (SUBMITTER,)


def test_a_package_that_is_changed_during_its_validation_is_validated_anew_in_its_changers_name():
    world, arn = elsewhere()
    claim = claimed(world, arn)
    found = world.inspected(claim)
    world.registry.by_hand(arn, InferenceSpecification=specification(world, arn, Environment=PRELOADED))
    assert world.recorder.record(claim, found)["verdict"] == "errored"
    world.validate(arn, by=BEN)
    assert world.state(arn).authors == (SUBMITTER, MALLORY, UNKNOWN)


def test_a_ledger_from_before_that_does_not_say_what_was_registered_does_not_know_who_changed_it():
    world, arn = elsewhere()
    world.deliver()
    history = world.history(arn)
    for entry in history.entries:
        entry.details.pop("fingerprint", None)
    world.ledger.histories[history.package] = history.__class__(history.package).extended(
        [*history.entries], world.clock()
    )
    world.validate(arn, by=BEN)
    assert UNKNOWN in world.state(arn).authors


# Any change by anybody


Path = tuple[Any, ...]


def paths(value: Any, path: Path = ()) -> list[Path]:
    """The paths of all values in `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inner for deeper in paths(item, (*path, key)))]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "removed": lambda _: None,
    "other": lambda value: f"{value}-other" if isinstance(value, str) else None,
    "more": lambda value: {**value, "Another": "value"} if isinstance(value, dict) else value + value,
}


def changed(value: Any, path: Path, change: str) -> Any:
    """`value` with what lies at a path changed."""
    if not path:
        return CHANGES[change](value)
    copied = copy.copy(value)
    copied[path[0]] = changed(value[path[0]], path[1:], change)
    if copied[path[0]] is None:
        del copied[path[0]]
    return copied


REGISTERED: dict[str, Any] = {
    "InferenceSpecification": {
        "Containers": [
            {
                "Image": PINNED,
                "ModelDataUrl": "s3://vault/models/churn/1/model.tar.gz",
                "Environment": {"WORKERS": "2"},
                "AdditionalModelDataSources": [
                    {"ChannelName": "base", **source("s3://vault/models/churn/1/base", "S3Object", "Gzip")}
                ],
            }
        ],
        "SupportedContentTypes": ["text/csv"],
    },
    "AdditionalInferenceSpecifications": [{"Name": "cpu", "Containers": [{"Image": PINNED}]}],
    "SourceUri": "s3://vault/models/churn/1/source",
    "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://vault/models/churn/1/quality.json"}}},
}


@settings(max_examples=examples(1000))
@given(st.sampled_from(paths(REGISTERED)[1:]), st.sampled_from(sorted(CHANGES)))
def test_any_change_of_any_registered_field_is_told(path: Path, change: str):
    other = changed(REGISTERED, path, change)
    assert changed_fields(other, REGISTERED) == [path[0]]
    assert [part.split(".")[0] for part in differing(fingerprint(other), fingerprint(REGISTERED))] in (
        [path[0]],
        [path[0]] * 2,  # of a specification that has another name: the one that is not there, and the one that is
    )


def test_an_empty_variable_beside_others_is_a_change():
    described = copy.deepcopy(REGISTERED)
    described["InferenceSpecification"]["Containers"][0]["Environment"]["DEBUG"] = ""
    assert changed_fields(described, REGISTERED) == ["InferenceSpecification"]
    assert fingerprint(described) != fingerprint(REGISTERED)


def test_what_sagemaker_adds_of_itself_changes_nothing():
    described = copy.deepcopy(REGISTERED)
    (container,) = described["InferenceSpecification"]["Containers"]
    container |= {"ImageDigest": f"sha256:{'a' * 64}", "ModelDataETag": "1", "IsCheckpoint": False}
    container["ModelDataSource"] = source(container["ModelDataUrl"], "S3Object", "Gzip", ETag="1")
    assert (changed_fields(described, REGISTERED), fingerprint(described)) == ([], fingerprint(REGISTERED))


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.booleans(), st.integers(0, 50), st.sampled_from(sorted(CHANGES)), st.sampled_from([SUBMITTER, MALLORY, BEN]))
def test_whoever_changes_whatever_of_a_pending_package_is_refused_or_becomes_an_author(
    submission: bool, position: int, change: str, by: str
):
    world = World()
    world.set_policy("groups/churn", groups={"create": True})
    arn = world.submit() if submission else world.elsewhere()
    world.deliver()
    described = world.registry.describe(arn)
    known = {field: described[field] for field in REGISTERED_FIELDS if field in described}
    places = paths(known)[1:]
    path = places[position % len(places)]
    other = changed(known, path, change)
    world.registry.by_hand(arn, by, **{path[0]: other.get(path[0])})
    world.deliver()
    world.validate(arn, by=by)
    state = world.state(arn)
    if state.status is Status.PENDING_APPROVAL:
        assert not submission
        assert {by, UNKNOWN} <= set(state.authors)
        assert world.decide(arn, "approve", by).name == "OwnModel"
        world.decide(arn, "approve", APPROVER)
        assert world.state(arn).status is Status.PENDING_APPROVAL
    else:
        assert world.decide(arn, "approve", APPROVER).name in {"ValidationFailed", "NotValidated"}
