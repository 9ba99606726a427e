"""The validation workflow: claimed by one execution, inspected in the vault, recorded once."""

import gzip
import json
import zlib
from typing import Any

import pytest

from signoff.artifact.remedies import REMEDIES
from signoff.aws.ssm import OWN_POLICY_TAG
from signoff.errors import LedgerBroken, ObjectMissing, PolicyFault
from signoff.ledger.entries import Draft, Kind, Status, Step
from signoff.report.sentences import describe_entry
from signoff.validation.open_validation import ValidationRequest
from tests.support.archives import member, tar
from tests.support.validations import checks, claimed, evidence, submitted
from tests.support.world import ACCURATE, APPROVER, CHANGED, IMAGE, MODEL, QUALITY, SPECIFICATION, SUBMITTER, World


def test_a_group_with_a_policy_of_its_own_is_marked_and_never_falls_back():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    claimed(world, arn)
    assert OWN_POLICY_TAG in world.registry.tags["churn"]
    del world.parameters.values["/signoff/policies/groups/churn"]
    with pytest.raises(PolicyFault, match="restore /signoff/policies/groups/churn"):
        claimed(world, arn, "x2")


def test_the_submitter_of_a_package_from_elsewhere_is_who_created_it():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.deliver()
    assert (world.state(arn).submitter, world.state(arn).registration) == (SUBMITTER, None)


def test_the_submitter_of_a_submission_is_whom_its_document_names():
    world = World()
    arn = world.submit()
    assert world.state(arn).submitter == SUBMITTER
    assert world.state(arn).registration is not None


def test_the_first_entry_is_the_same_whoever_writes_it():
    world, other = World(), World()
    arn = world.submit()
    other.submit()
    other.ledger.histories.clear()
    claimed(other, arn)
    assert world.history(arn).entries[0] == other.history(arn).entries[0]


@pytest.mark.parametrize(
    "borrowed",
    [
        {"ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://pipelines/forged.json"}}}},
        {"InferenceSpecification": CHANGED},
        {"SourceUri": "s3://pipelines/other"},
    ],
)
def test_nobody_borrows_the_registration_of_another_submitters_model(borrowed: dict[str, Any]):
    world = World()
    first = world.registry.describe(world.submit())
    request = {field: first[field] for field in ("ModelPackageGroupName", "InferenceSpecification", "ModelMetrics")}
    if "InferenceSpecification" in borrowed:
        containers = first["InferenceSpecification"]["Containers"]
        borrowed = {"InferenceSpecification": {**CHANGED, "Containers": containers}}
    world.registry.actor = "arn:aws:iam::123456789012:user/bob"
    arn = world.registry.create_package({**request, **borrowed})
    claimed(world, arn)
    assert world.state(arn).submitter == "arn:aws:iam::123456789012:user/bob"


def test_a_ledger_that_was_tampered_with_stops_everything():
    world = World()
    arn = world.submit()
    history = world.history(arn)
    world.ledger.histories[history.package] = type(history)(history.package, history.entries * 2)
    with pytest.raises(LedgerBroken):
        claimed(world, arn)


# Evidence


def test_evidence_opens_with_the_subject_and_holds_every_check_with_its_reason():
    world = World(metrics=ACCURATE)
    arn = world.pending()
    document = evidence(world, arn)
    assert document["subject"]["sha256"] == world.state(arn).evidence["subject"]
    assert document["subject"]["artifacts"][0]["key"].startswith("models/churn/")
    assert {name: status for name, (status, _) in checks(world, arn).items()} == {
        "artifact:InferenceSpecification.Containers[0].ModelDataUrl": "passed",
        f"image:{world.registry.describe(arn)['InferenceSpecification']['Containers'][0]['Image']}": "passed",
        "metric:accuracy": "passed",
        "submitter": "passed",
    }


def test_digest_and_verdict_stand_in_the_packages_metadata():
    world = World()
    arn = world.pending()
    metadata = world.registry.described[arn]["CustomerMetadataProperties"]
    found = world.state(arn).evidence
    expected = {"evidence": found["sha256"], "subject": found["subject"], "verdict": "passed"}
    expected["registration"] = world.state(arn).registration
    expected["head"] = f"3.{world.history(arn).head}"
    assert metadata == {f"signoff:{name}": value for name, value in expected.items()}


def test_a_model_below_the_threshold_is_rejected_with_the_reason():
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99}])
    arn = world.pending()
    assert (world.state(arn).status, world.status(arn)) == (Status.VALIDATION_FAILED, "Rejected")
    assert "0.97 is below the threshold 0.99" in world.registry.described[arn]["ApprovalDescription"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (b"no archive at all", "gzip"),
        (gzip.compress(tar(member("../../etc/passwd", b"x"))), "parent-directory"),
        (gzip.compress(tar(member("readme.txt", b"x"))), "model.joblib"),
        (gzip.compress(tar(member("model.joblib", zlib.compress(b"cposix\nsystem\n(S'id'\ntR.")))), "posix.system"),
    ],
    ids=["unreadable", "unsafe", "incomplete", "code that runs on load"],
)
def test_an_archive_that_is_unreadable_unsafe_or_incomplete_fails(model: bytes, said: str):
    world = World(artifact={"required_files": ["model.joblib"]})
    arn = submitted(world, **{"model.tar.gz": model})
    world.deliver()
    assert world.state(arn).status is Status.VALIDATION_FAILED
    status, reason = checks(world, arn)["artifact:InferenceSpecification.Containers[0].ModelDataUrl"]
    assert (status, said in reason) == ("failed", True)


def test_an_archive_beyond_the_limits_of_its_policy_fails():
    world = World(artifact={"limits": {"members": 1}})
    arn = submitted(world, **{"model.tar.gz": gzip.compress(tar(member("a", b"x"), member("b", b"x")))})
    world.deliver()
    status, reason = checks(world, arn)["artifact:InferenceSpecification.Containers[0].ModelDataUrl"]
    told = f"1 error: The archive has more than 1 members [too-many-members]. {REMEDIES['too-many-members']}".rstrip(
        "."
    )
    assert (status, reason) == ("failed", told)


def test_findings_go_to_the_vault_and_only_a_pointer_travels():
    world = World()
    claim = claimed(world, world.submit())
    found = world.inspected(claim)[0]["found"]
    assert found["findings"].startswith("s3://vault/findings/")
    assert len(json.dumps(found)) < 2000


def test_the_findings_in_the_vault_say_of_each_file_what_it_is():
    world = World()
    found = world.inspected(claimed(world, world.submit()))[0]["found"]
    (version,) = world.vault_bucket.versions[found["findings"].removeprefix("s3://vault/")]
    document = json.loads(version.data)
    assert [entry["kind"] for entry in document["inventory"]] == ["pickle", "python source"]
    assert document["kinds"]["pickle"] == {"members": 1, "size": 929}


def test_a_prefix_without_any_object_is_an_error_and_no_verdict():
    world = World()
    source = {"S3DataSource": {"S3Uri": "s3://b/x/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    world.set_policy("groups/churn")
    container = {"Image": IMAGE, "ModelDataSource": source}
    arn = world.elsewhere(InferenceSpecification={**SPECIFICATION, "Containers": [container]})
    world.deliver()
    assert world.state(arn).status is Status.VALIDATION_ERRORED
    assert "no objects under s3://b/x/" in world.history(arn).entries[-1].details["cause"]


def test_an_image_that_cannot_be_pinned_fails():
    world = World()
    world.set_policy("groups/churn")
    world.images.digests.clear()
    arn = world.elsewhere()
    world.deliver()
    assert checks(world, arn)[f"image:{IMAGE}"][0] == "failed"


def test_evidence_recorded_twice_is_one_even_when_the_package_changed_in_between():
    world = World()
    arn = world.submit()
    claim = claimed(world, arn)
    found = world.inspected(claim)
    first = world.recorder.record(claim, found)
    world.registry.by_hand(arn, InferenceSpecification=CHANGED)
    assert world.recorder.record(claim, found) == first
    assert world.kinds(arn).count("EvidenceRecorded") == 1


def test_an_overtaken_attempt_changes_nothing():
    world = World()
    arn = world.submit()
    first = claimed(world, arn, "x1")
    found = world.inspected(first)
    world.recorder.record_error(first, {"Error": "States.Timeout"})
    second = claimed(world, arn, "x2", by=SUBMITTER, reason="again")
    world.recorder.record(first, found)
    world.recorder.record_error(first, {"Error": "States.Timeout"})
    assert (world.state(arn).status, world.state(arn).execution) == (Status.VALIDATING, "x2")
    assert world.recorder.record(second, found)["verdict"] == "passed"


def test_people_read_the_message_of_an_error_and_not_lambdas_stack_trace():
    world = World()
    arn = world.submit()
    wrapped = {"errorMessage": "it does not exist: upload it", "errorType": "ObjectMissing", "stackTrace": ["  File"]}
    for number, cause in enumerate([json.dumps(wrapped), "plain words", "[1]", '{"other": 1}']):
        claim = claimed(world, arn, f"x{number}", by=SUBMITTER, reason="again")
        world.recorder.record_error(claim, {"Error": "ObjectMissing", "Cause": cause})
    causes = [entry.details["cause"] for entry in world.history(arn).entries if entry.kind == "ValidationErrored"]
    assert causes == ["it does not exist: upload it", "plain words", "[1]", '{"other": 1}']


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://models.s3.amazonaws.com/a/model.tar.gz", "s3://models/a/model.tar.gz"),
        ("https://models.s3.eu-west-1.amazonaws.com/a/model.tar.gz", "s3://models/a/model.tar.gz"),
        ("https://s3.eu-west-1.amazonaws.com/models/a/model.tar.gz", "s3://models/a/model.tar.gz"),
        ("https://example.com/model.tar.gz", "s3://<bucket>/<key>"),
    ],
)
def test_model_data_by_a_web_address_is_told_the_uri_to_register(url: str, uri: str):
    world = World()
    container = {"Image": IMAGE, "ModelDataUrl": url}
    arn = world.elsewhere(InferenceSpecification={**SPECIFICATION, "Containers": [container]})
    world.set_policy("groups/churn")
    world.deliver()
    assert world.history(arn).entries[-1].details["cause"].endswith(f"register it as {uri}")


def test_a_redrive_after_an_error_still_records_the_evidence():
    world = World()
    arn = world.submit()
    claim = claimed(world, arn)
    world.recorder.record_error(claim, {"Error": "States.Timeout", "Cause": "x" * 9000})
    assert world.state(arn).status is Status.VALIDATION_ERRORED
    world.recorder.record(claim, world.inspected(claim))
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_package_changed_while_it_is_validated_errs_and_does_not_pass_on_what_nobody_inspected():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    claim = claimed(world, arn)
    found = world.inspected(claim)
    world.s3.bucket("pipelines").put("other.tar.gz", b"never inspected")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/other.tar.gz"}
    world.registry.by_hand(arn, InferenceSpecification={**SPECIFICATION, "Containers": [container]})
    assert world.recorder.record(claim, found)["verdict"] == "errored"
    assert world.state(arn).status is Status.VALIDATION_ERRORED


def test_metrics_are_read_from_the_very_version_that_the_evidence_names():
    world = World(metrics=ACCURATE)
    arn = submitted(world, **{"quality.json": {"multiclass_classification_metrics": {"accuracy": {"value": 0.5}}}})
    claim = claimed(world, arn)
    found = world.inspected(claim)
    key = next(key for key in world.vault_bucket.versions if key.endswith("quality.json"))
    world.vault_bucket.put(key, json.dumps(QUALITY).encode())
    assert world.recorder.record(claim, found)["verdict"] == "failed"


def test_a_source_overwritten_after_its_copy_was_inspected_makes_no_difference():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    claim = claimed(world, arn)
    found = world.inspected(claim)[0]["kept"]
    world.s3.bucket("pipelines").put("model.tar.gz", b"other")
    copy = world.vault.current(found["key"])
    assert (copy.version_id, b"".join(world.vault.stream(copy))) == (found["version_id"], MODEL)


@pytest.mark.parametrize("url", ["s3://pipelines/absent.tar.gz", "https://example.com/model.tar.gz"])
def test_bytes_that_cannot_be_had_are_an_error_of_the_validation(url: str):
    world = World()
    with pytest.raises(ObjectMissing):
        world.keeper.keep({"package": "p", "group": "g"}, {"name": "n", "url": url, "kind": "archive"})


# Again


@pytest.mark.parametrize("before", ["failed", "errored", "pending"])
def test_revalidation_opens_another_attempt(before: str):
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99 if before == "failed" else 0.9}])
    arn = world.submit()
    if before == "errored":
        world.recorder.record_error(claimed(world, arn, "x0"), {"Error": "States.Timeout"})
    world.deliver()
    world.set_policy("default", groups={"create": True}, metrics=ACCURATE)
    assert world.validate(arn, by=SUBMITTER, reason="the policy is better now") == "passed"
    assert (world.state(arn).attempt, world.state(arn).status) == (2, Status.PENDING_APPROVAL)
    assert world.status(arn) == "PendingManualApproval"


def test_who_asked_for_another_attempt_is_kept_as_a_claim_and_is_nobody_who_is_known():
    world = World()
    arn = world.pending()
    world.validate(arn, by=APPROVER, reason="again")
    started = world.history(arn).last(Kind.VALIDATION_STARTED)
    assert (started.actor, started.details["claimed"], started.details["reason"]) == ("unknown", APPROVER, "again")
    assert describe_entry(started).endswith("by unknown (who claims to be user/ann): again")


@pytest.mark.parametrize("said", ["signoff", 7, {}, {"by": {"a": 1}, "reason": ["x"]}, {"by": "signoff\ud800" * 9000}])
def test_whatever_an_executions_input_says_makes_nobody_of_a_name_its_actor(said: Any):
    world = World()
    arn = world.pending()
    assert world.opener.open(ValidationRequest(arn, "x9", said))["outcome"] == "Claimed"
    started = world.history(arn).last(Kind.VALIDATION_STARTED)
    assert started.actor == "unknown"
    assert all(len(str(value)) <= 2000 for value in started.details.values())


def test_an_approval_that_crosses_the_way_of_a_revalidated_package_to_the_registry_is_left_to_who_decides():
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99}])
    arn = world.pending()
    world.set_policy("default", groups={"create": True}, metrics=ACCURATE)
    set_statuses: list[str] = []
    approval = Draft(Kind.DECISION_RECORDED, "arn:ann", {"decision": "approve", "reason": "ok", "evidence": "e"})

    def approved_meanwhile() -> None:
        world.ledger.update(world.history(arn).package, lambda _: [approval])
        set_statuses.append(world.status(arn))

    world.interruptions.before["FakeRegistry.set_status"] = approved_meanwhile
    world.validate(arn, by=SUBMITTER, reason="again")
    assert set_statuses == ["Rejected"]
    assert (world.state(arn).status, world.status(arn)) == (Status.APPROVED, "PendingManualApproval")
    assert world.state(arn).next_step is Step.UPDATE_REGISTRY


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_what_is_decided_is_not_validated_again(decision: str):
    world = World()
    arn = world.pending()
    world.decide(arn, decision)
    assert world.validate(arn, by=SUBMITTER, reason="why not") == "NothingToValidate"


def test_a_pending_package_that_is_changed_is_validated_anew():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.deliver()
    first = world.state(arn).evidence["subject"]
    container = {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/model.tar.gz"}
    world.registry.by_hand(arn, InferenceSpecification={**CHANGED, "Containers": [container]})
    world.deliver()
    assert (world.state(arn).status, world.state(arn).attempt) == (Status.PENDING_APPROVAL, 2)
    assert world.state(arn).evidence["subject"] != first


def test_a_group_deleted_and_made_anew_starts_again_at_version_one_with_a_ledger_of_its_own():
    world = World()
    first = world.approved(prefix="churn/run-1")
    world.registry.delete_group("churn")
    world.clock.forward(days=1)
    second = world.pending(prefix="churn/run-2")
    assert first == second
    assert world.kinds(second) == ["Registered", "ValidationStarted", "EvidenceRecorded"]
    assert len([key for key in world.ledger.histories if key.startswith(first)]) == 2


# Errors


def test_a_package_whose_policy_cannot_be_read_is_not_stuck_in_validating():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.parameters.values["/signoff/policies/groups/churn"] = "{"
    error = {"Error": "PolicyFault", "Cause": "not JSON"}
    assert world.recorder.record_unopened(arn, "x1", error)["verdict"] == "errored"
    assert world.state(arn).status is Status.VALIDATION_ERRORED


def test_an_error_about_an_ungoverned_package_leaves_no_trace():
    world = World()
    assert world.recorder.record_unopened(world.elsewhere(), "x1", {"Error": "E"})["status"] is None
    assert world.ledger.histories == {}
