"""Registering submissions: in whatever order their objects come, once, and with a clear refusal for what is wrong."""

import hashlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.submission.layout import REPORT, Submission
from tests.support.depth import examples
from tests.support.world import MANIFEST, MODEL, PINNED, QUALITY, SPECIFICATION, SUBMITTER, World, as_bytes

PREFIX = "churn/run-7"
KEY = f"{PREFIX}/manifest.json"
SIGNED = f"{PREFIX}/submission.json"
LEDGER = f"submission:{PREFIX}"
NAMES = ("submission.json", "model.tar.gz", "quality.json", "manifest.json")


def report(world: World, prefix: str = PREFIX) -> dict[str, Any]:
    versions = world.inbox.versions[f"{prefix}/{REPORT}"]
    return json.loads(versions[-1].data)


def faults(world: World) -> dict[str, str]:
    return {fault["path"]: fault["message"] for fault in report(world)["faults"]}


@pytest.mark.parametrize("order", list(itertools.permutations(NAMES)), ids="-".join)
def test_the_order_in_which_a_submission_is_uploaded_makes_no_difference(order: tuple[str, ...]):
    world, reference = World(), World()
    files = world.files(PREFIX)
    for name in order:
        world.upload(f"{PREFIX}/{name}", files[f"{PREFIX}/{name}"])
    reference.submit(PREFIX)
    assert list(world.registry.described) == list(reference.registry.described)
    assert world.registry.described == reference.registry.described
    assert report(world)["outcome"] == "registered"


@given(st.lists(st.sampled_from(NAMES), max_size=12))
@settings(max_examples=examples(40), deadline=None)
def test_however_often_upload_events_come_there_is_one_package(events: list[str]):
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    for name in (*events, "submission.json", *events):
        world.registrar.uploaded(f"{PREFIX}/{name}")
    assert len(world.registry.described) == 1
    assert world.refusals(LEDGER) == []


def test_what_is_registered_are_the_vaults_copies_with_images_by_digest():
    world = World()
    described = world.registry.described[world.submit()]
    container = described["InferenceSpecification"]["Containers"][0]
    assert container["Image"] == PINNED
    assert world.vault.stream(world.vault.current(container["ModelDataUrl"].removeprefix("s3://vault/")))
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].startswith("s3://vault/models/churn/")


def digest_of(described: dict[str, Any]) -> str | None:
    found: str | None = described["ModelMetrics"]["ModelQuality"]["Statistics"].get("ContentDigest")
    return found


def test_metrics_have_the_digest_that_their_submitter_signed():
    world = World()
    described = world.registry.described[world.submit()]
    assert digest_of(described) == f"sha256:{hashlib.sha256(as_bytes(QUALITY)).hexdigest()}"


def test_a_digest_that_a_manifest_gives_stays_as_it_is_written():
    digest = f"SHA256:{hashlib.sha256(as_bytes(QUALITY)).hexdigest().upper()}"
    report = {"ContentType": "application/json", "S3Uri": "quality.json", "ContentDigest": digest}
    world = World()
    arn = world.pending(ModelMetrics={"ModelQuality": {"Statistics": report}})
    assert digest_of(world.registry.described[arn]) == digest
    assert world.status(arn) == "PendingManualApproval"
    assert world.state(arn).status == "PendingApproval"


def test_metrics_of_which_nobody_signed_a_digest_have_none():
    world = World()
    world.upload(f"{PREFIX}/model.tar.gz", MODEL)
    world.upload(f"{PREFIX}/quality.json", QUALITY)
    world.set_policy("groups/churn", groups={"create": True})
    world.upload(f"{PREFIX}/manifest.json", MANIFEST)
    (described,) = world.registry.described.values()
    assert digest_of(described) is None


def test_the_registration_document_names_sources_by_version_and_who_submitted():
    world = World()
    world.submit()
    document = world.vault.read_named(f"registrations/{world.submissions.get(PREFIX)['attempt']}.json")
    model = next(each for each in document["objects"] if each["name"] == "model.tar.gz")
    assert document["submitter"] == SUBMITTER
    assert model["source"]["uri"] == f"s3://artifacts/{PREFIX}/model.tar.gz"
    assert model["source"]["version_id"] == world.inbox.current(f"{PREFIX}/model.tar.gz").version_id


def test_a_submission_waits_for_what_its_manifest_names():
    world = World()
    assert world.upload(KEY, MANIFEST) == "waits for model.tar.gz, quality.json"
    assert world.submissions.get(PREFIX)["missing"] == ["model.tar.gz", "quality.json"]
    assert world.registry.described == {}


def test_a_group_whose_policy_has_defaults_does_without_a_manifest():
    world = World(registration_defaults={"InferenceSpecification": SPECIFICATION})
    world.registry.create_group("churn")
    answer = world.upload(f"{PREFIX}/model.tar.gz", MODEL)
    assert answer.startswith("registered as arn:")


def test_two_functions_at_once_register_one_package():
    world = World()
    files = world.files(PREFIX)
    for key, data in files.items():
        world.put(key, data)
    answers: list[str] = []

    def other() -> None:
        answers.append(world.registrar.look_again(f"{PREFIX}/model.tar.gz"))

    world.interruptions.before["FakeRegistry.create_package"] = other
    answers.append(world.registrar.uploaded(f"{PREFIX}/submission.json"))
    assert answers == ["being registered already", f"registered as {next(iter(world.registry.described))}"]


# Refusals


def test_every_fault_of_a_manifest_is_listed_by_its_path():
    world = World()
    world.upload(KEY, {"Nonsense": 1, "ModelApprovalStatus": "Approved", **MANIFEST})
    assert set(faults(world)) == {"Nonsense", "ModelApprovalStatus"}
    assert world.registry.described == {}


def test_a_refusal_is_a_report_a_tag_and_one_entry_with_the_faults():
    world = World()
    world.upload(KEY, b"{not json")
    assert report(world)["outcome"] == "refused"
    assert world.inbox.tags(KEY)["signoff:registration"] == "refused"
    assert "JSON" in world.refusals(LEDGER)[0]["faults"][0]["message"]


def test_a_version_is_refused_once_however_often_its_event_comes():
    world = World()
    world.upload(KEY, b"{not json")
    world.registrar.uploaded(KEY)
    world.registrar.uploaded(KEY)
    assert len(world.refusals(LEDGER)) == 1


def test_every_new_version_that_is_wrong_is_refused_anew():
    world = World()
    world.upload(KEY, b"{not json")
    world.upload(KEY, b"{not json either")
    assert len(world.refusals(LEDGER)) == 2


def test_a_corrected_manifest_registers_the_submission():
    world = World()
    for key, data in world.files(PREFIX, Nonsense=1).items():
        world.upload(key, data)
    assert report(world)["outcome"] == "refused"
    corrected = world.files(PREFIX)
    assert "does not match what" in world.upload(KEY, corrected[KEY])
    assert world.upload(SIGNED, corrected[SIGNED]).startswith("registered as arn:")
    assert report(world)["outcome"] == "registered"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"ModelPackageGroupName": "other"}, "ModelPackageGroupName"),
        ({"ClientToken": "x"}, "ClientToken"),
        ({"CustomerMetadataProperties": {"signoff:verdict": "passed"}}, "CustomerMetadataProperties"),
        (
            {"InferenceSpecification": {"Containers": [{"Image": PINNED, "ModelDataUrl": "s3://other/x"}]}},
            "InferenceSpecification.Containers[0].ModelDataUrl",
        ),
        (
            {"InferenceSpecification": {"Containers": [{"Image": PINNED, "ModelDataUrl": "../run-6/x.tar.gz"}]}},
            "InferenceSpecification.Containers[0].ModelDataUrl",
        ),
    ],
)
def test_what_a_manifest_may_not_say_is_refused_at_its_path(changed: dict[str, Any], path: str):
    world = World()
    for key, data in world.files(PREFIX, **changed).items():
        world.upload(key, data)
    assert any(found.startswith(path) for found in faults(world))
    assert world.registry.described == {}


def test_an_image_whose_tag_is_not_in_its_repository_is_a_fault():
    world = World()
    world.images.digests.clear()
    for key, data in world.files(PREFIX).items():
        world.upload(key, data)
    assert "InferenceSpecification.Containers[0].Image" in faults(world)
    assert world.submissions.get(PREFIX)["state"] == "refused"


def test_what_sagemaker_refuses_is_shown_to_the_sender_in_its_own_words():
    world = World(groups={"create": True})
    world.set_policy("groups/churn", groups={"create": True})
    files = world.files(PREFIX)
    world.interruptions.before["FakeRegistry.create_package"] = lambda: world.registry.tags.clear()
    for key, data in files.items():
        world.upload(key, data)
    assert faults(world) == {"": "SageMaker refused it: Model Package Group churn does not exist"}


def test_a_submission_to_a_group_that_signoff_does_not_govern_is_refused_and_the_group_left_alone():
    world = World()
    world.registry.tags["churn"] = {"team": "growth"}
    world.upload(KEY, MANIFEST)
    assert "does not govern" in faults(world)["ModelPackageGroupName"]
    assert world.registry.writes == []


def test_a_policy_may_keep_submissions_from_creating_groups():
    world = World(groups={"create": False})
    world.upload(KEY, MANIFEST)
    assert "does not let a submission create it" in faults(world)["ModelPackageGroupName"]


@pytest.mark.parametrize("said", [{}, {"create_group": False}])
def test_under_the_default_policy_no_group_is_created_that_nobody_asks_for(said: dict[str, Any]):
    world = World()
    world.set_policy("groups/churn")
    objects = {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}
    by_hand = {f"chrun/run-1/{name}": data for name, data in objects.items()}
    for key, data in (world.signed("chrun/run-1", objects, **said) if said else by_hand).items():
        world.upload(key, data)
    (fault,) = report(world, "chrun/run-1")["faults"]
    assert fault["message"].startswith("there is no group chrun, and its submitter does not ask for it")
    assert fault["message"].endswith("; did you mean churn?")
    assert (world.registry.tags, world.registry.described) == ({}, {})


def test_a_group_with_a_policy_of_its_own_is_created_by_whatever_is_submitted_to_it():
    world = World(groups={"create": False})
    world.set_policy("groups/churn", groups={"create": True})
    for key, data in {KEY: MANIFEST, f"{PREFIX}/quality.json": QUALITY, f"{PREFIX}/model.tar.gz": MODEL}.items():
        answer = world.upload(key, data)
    assert answer.startswith("registered as arn:")


def test_whoever_asks_for_a_group_says_yes_or_no():
    world = World()
    objects = {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}
    for key, data in world.signed(PREFIX, objects, create_group="yes").items():
        world.upload(key, data)
    assert faults(world) == {"create_group": "submission.json: must be true or false"}


@pytest.mark.parametrize("own", [True, False])
def test_the_report_and_the_ledger_name_the_policy_that_a_submission_is_judged_by(own: bool):
    world = World()
    if own:
        world.set_policy("groups/churn", groups={"create": True})
    arn, name = world.pending(), "groups/churn" if own else "default"
    for key, data in world.files("churn/run-8", ModelApprovalStatus="Approved").items():
        world.upload(key, data)
    assert (report(world)["policy"], report(world, "churn/run-8")["policy"]) == (name, name)
    assert world.state(arn).policy_name == name


def test_the_report_names_the_policy_when_an_image_is_not_found():
    world = World()
    world.images.digests.clear()
    for key, data in world.files(PREFIX).items():
        world.upload(key, data)
    assert "is not in its repository" in str(report(world)["faults"])
    assert report(world)["policy"] == "default"


def test_the_report_names_the_policy_when_an_object_never_came():
    world = World()
    world.upload(KEY, MANIFEST)
    world.sweep(hours=1)
    assert "the submission waits for it" in str(report(world)["faults"])
    assert report(world)["policy"] == "default"


def test_what_is_signed_without_a_manifest_is_refused_at_once_where_the_policy_has_no_defaults():
    world = World()
    for key, data in world.signed(PREFIX, {"model.tar.gz": MODEL}).items():
        world.upload(key, data)
    assert "signs no manifest.json, and the policy (default) has no `registration_defaults`" in faults(world)["objects"]


def test_a_prefix_that_cannot_name_a_group_is_refused():
    world = World()
    world.upload("not_a_group/run-1/manifest.json", MANIFEST)
    assert "is not a valid name" in report(world, "not_a_group/run-1")["faults"][0]["message"]


def test_an_upload_under_no_submission_is_refused_by_its_tag_and_an_entry():
    world = World()
    world.upload("stray.txt", b"?")
    assert world.inbox.tags("stray.txt")["signoff:registration"] == "refused"
    assert len(world.refusals("submission:stray.txt")) == 1


def test_faults_of_any_length_fit_the_ledger():
    world = World()
    world.upload(KEY, {f"{number}{'x' * 15_000}": 1 for number in range(60)})
    details = world.refusals(LEDGER)[0]
    assert len(json.dumps(details)) < 300_000
    assert details["fault_count"] >= 60
    assert len(world.inbox.tags(KEY)["signoff:reason"]) <= 256


# After it is registered


def test_a_new_version_of_anything_in_a_registered_submission_is_refused_as_closed():
    world = World()
    arn = world.submit()
    world.upload(KEY, {**MANIFEST, "ModelPackageDescription": "better"})
    assert len(world.registry.described) == 1
    assert f"registered as {arn}" in world.refusals(LEDGER)[0]["faults"][0]["message"]
    assert report(world)["outcome"] == "registered"


@pytest.mark.parametrize("name", ["manifest.json", "model.tar.gz", "quality.json"])
def test_the_same_content_again_is_not_refused(name: str):
    world = World()
    files = world.files(PREFIX)
    world.submit()
    assert world.upload(f"{PREFIX}/{name}", files[f"{PREFIX}/{name}"]).startswith("registered as")
    assert world.refusals(LEDGER) == []


@pytest.mark.parametrize("key", ["churn/", f"{PREFIX}/", f"{PREFIX}/weights/"])
def test_a_folder_that_the_console_makes_is_neither_refused_nor_waited_for(key: str):
    world = World()
    assert world.upload(key, b"") == "a folder"
    assert world.ledger.histories == {}
    assert world.submissions.rows == {}
    assert world.inbox.tags(key) == {}
    world.submit()
    world.upload(key, b"")
    assert world.refusals(LEDGER) == []


def test_an_object_with_content_whose_name_ends_like_a_folders_is_refused():
    world = World()
    assert "is not in a submission" in world.upload(f"{PREFIX}/", b"content")


def test_a_bad_manifest_in_a_closed_prefix_leaves_the_report_of_the_registration():
    world = World()
    world.submit()
    world.upload(KEY, b"{not json")
    assert report(world)["outcome"] == "registered"
    assert world.inbox.tags(KEY)["signoff:registration"] == "refused"


def test_a_manifest_that_arrives_while_its_submission_is_being_registered_is_refused_as_closed():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    world.interruptions.before["FakeRegistry.create_package"] = lambda: [
        world.upload(KEY, {**MANIFEST, "ModelPackageDescription": "better"})
    ]
    world.registrar.uploaded(f"{PREFIX}/submission.json")
    assert len(world.registry.described) == 1
    assert len(world.refusals(LEDGER)) == 1


def test_the_report_itself_is_no_upload():
    world = World()
    world.submit()
    assert world.registrar.uploaded(f"{PREFIX}/{REPORT}") == "report"


# A submission's prefix


@pytest.mark.parametrize("key", ["a", "a/b", "/a/b", "a//b", "a/b/"])
def test_a_key_that_is_not_under_group_and_name_belongs_to_no_submission(key: str):
    assert Submission.of(key) is None


def test_a_key_is_taken_apart_as_it_stands():
    found = Submission.of("churn/run 7+1/a/b%20c")
    assert found == Submission("churn", "run 7+1")
    assert found.key("a/b%20c") == "churn/run 7+1/a/b%20c"


def test_an_attempt_is_named_by_the_versions_of_all_its_objects():
    submission = Submission("churn", "run-7")
    ids = {submission.attempt(versions) for versions in ({"a": "1"}, {"a": "2"}, {"a": "1", "b": "1"})}
    assert len(ids) == 3
    assert submission.attempt({"a": "1", "b": "2"}) == submission.attempt({"b": "2", "a": "1"})
    assert all(len(each) <= 36 for each in ids)


def test_an_attempt_that_failed_after_its_package_was_created_is_finished_before_anything_newer():
    world = World()

    def throttled() -> None:
        raise ConnectionError("throttled")

    world.interruptions.before["FakeRegistry.describe"] = throttled
    with pytest.raises(ConnectionError):
        world.submit(PREFIX)

    changed = json.dumps({**MANIFEST, "ModelPackageDescription": "a second thought"}).encode()
    world.upload(KEY, changed)

    (arn,) = world.registry.described
    assert world.submissions.get(PREFIX)["package"] == arn
    assert report(world)["outcome"] == "registered"
    assert ["the submission is closed" in fault["message"] for fault in world.refusals(LEDGER)[0]["faults"]] == [True]


def test_an_image_without_a_digest_is_told_beside_the_manifests_other_faults():
    world = World()
    container = {"Image": "nowhere:1", "ModelDataUrl": "model.tar.gz"}
    unpushed = {**MANIFEST, "Domian": "x", "InferenceSpecification": {**SPECIFICATION, "Containers": [container]}}
    world.upload(KEY, json.dumps(unpushed).encode())
    assert list(faults(world)) == ["Domian", "InferenceSpecification.Containers[0].Image"]
