"""Objects that nothing names, which are refused, and names of objects that never come, which are told."""

import json
from typing import Any

import pytest

from signoff.submission.layout import REPORT
from signoff.submission.object_list import MAX_OBJECTS
from tests.support.model_shapes import WEIGHTS, files_of, manifest, source
from tests.support.world import IMAGE, MANIFEST, MODEL, World

PREFIX = "churn/run-7"
KEY = f"{PREFIX}/manifest.json"
LEDGER = f"submission:{PREFIX}"


def faults(world: World) -> dict[str, str]:
    report = json.loads(world.inbox.versions[f"{PREFIX}/{REPORT}"][-1].data)
    assert report["outcome"] == "refused"
    return {fault["path"]: fault["message"] for fault in report["faults"]}


def upload(world: World, files: dict[str, Any]) -> None:
    for key, data in files.items():
        world.upload(key, data)


@pytest.mark.parametrize(
    "name",
    [
        *("second.tar.gz", "Model.tar.gz", "model%2Etar.gz", "./model.tar.gz", "models/model.tar.gz", "model.tar.gz/"),
        *("draft_quality.json", "explainability/report.json", "model_card.json", "README.md", ".DS_Store"),
        *("Manifest.json", "build/manifest.json", "Submission.json"),
    ],
)
def test_an_object_that_nothing_names_is_refused_by_its_name(name: str):
    world = World()
    world.put(f"{PREFIX}/{name}", b"never inspected")
    upload(world, world.files(PREFIX))
    assert list(faults(world)) == [name]
    assert "nothing names it" in faults(world)[name]
    assert world.inbox.tags(f"{PREFIX}/{name}")["signoff:registration"] == "refused"
    assert world.registry.described == {}


@pytest.mark.parametrize("listed", [None, ["model.tar.gz"]], ids=["signed", "listed"])
@pytest.mark.parametrize("there", [True, False])
def test_a_model_that_only_submission_json_names_is_refused(listed: Any, there: bool):
    world = World()
    files = files_of(world, manifest({"Image": IMAGE}), {"model.tar.gz": MODEL}, listed=listed)
    upload(world, {key: data for key, data in files.items() if there or not key.endswith("model.tar.gz")})
    assert list(faults(world)) == ["model.tar.gz"]
    assert world.inbox.tags(f"{PREFIX}/submission.json")["signoff:registration"] == "refused"
    assert world.registry.described == {}


def test_an_object_below_a_prefix_that_its_list_leaves_out_is_refused():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    upload(world, files_of(world, document, {**WEIGHTS, "weights/stray": b"x"}, listed=sorted(WEIGHTS)))
    assert list(faults(world)) == ["weights/stray"]


def test_the_submission_is_registered_without_what_nothing_names_once_its_manifest_comes_again():
    world = World()
    files = world.files(PREFIX)
    upload(world, {f"{PREFIX}/second.tar.gz": MODEL, **files})
    del world.inbox.versions[f"{PREFIX}/second.tar.gz"]
    assert world.upload(KEY, files[KEY]).startswith("registered as arn:")


def test_what_comes_after_the_registration_is_refused_as_closed_though_nothing_names_it():
    world = World()
    arn = world.submit()
    world.upload(f"{PREFIX}/second.tar.gz", MODEL)
    ((fault,),) = [refused["faults"] for refused in world.refusals(LEDGER)]
    assert (fault["path"], f"registered as {arn}" in fault["message"]) == ("second.tar.gz", True)


def test_what_comes_during_the_registration_is_refused_as_closed_though_nothing_names_it():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    world.interruptions.before["FakeRegistry.create_package"] = lambda: world.upload(f"{PREFIX}/late.tar.gz", MODEL)
    world.registrar.uploaded(f"{PREFIX}/submission.json")
    ((fault,),) = [refused["faults"] for refused in world.refusals(LEDGER)]
    assert (fault["path"], "closed" in fault["message"]) == ("late.tar.gz", True)


def test_more_objects_than_a_submission_may_have_are_refused_without_being_read():
    world = World()
    for number in range(MAX_OBJECTS + 4):
        world.put(f"{PREFIX}/{number}", b"")
    world.interruptions.arm(None)
    upload(world, {KEY: MANIFEST})
    assert "more than the 1,000 objects" in faults(world)[""]
    assert world.interruptions.calls < 20


# Submissions that never become complete


@pytest.mark.parametrize(
    ("there", "missing", "meant"),
    [
        ("Model.tar.gz", "model.tar.gz", "'Model.tar.gz'"),
        ("model.tgz", "model.tar.gz", "'model.tgz'"),
        ("modle.tar.gz", "model.tar.gz", "'modle.tar.gz'"),
        ("model%2Etar.gz", "model.tar.gz", "'model%2Etar.gz'"),
        ("out/2026/model.tar.gz", "model.tar.gz", "'out/2026/model.tar.gz'"),
        ("Mode\u0300le.bin", "Mod\u00e8le.bin", r"'Mode\u0300le.bin'"),
        ("churn.zip", "model.tar.gz", None),
    ],
)
def test_a_submission_that_waits_too_long_says_what_is_missing_and_what_was_meant(
    there: str, missing: str, meant: str | None
):
    world = World()
    container = {"Image": IMAGE, "ModelDataUrl": missing}
    upload(world, {f"{PREFIX}/{there}": MODEL, KEY: manifest(container)})
    world.sweep(minutes=59)
    assert world.refusals(LEDGER) == []
    world.sweep(minutes=1)
    ((name, message),) = faults(world).items()
    assert (name, f"was {meant} meant" in message) == (missing, meant is not None)
    assert world.inbox.tags(KEY)["signoff:registration"] == "refused"


@pytest.mark.parametrize("there", ["Manifest.json", "build/manifest.json", "manifest.jsn"])
def test_a_manifest_of_another_name_or_folder_is_told_of(there: str):
    world = World()
    upload(world, {f"{PREFIX}/model.tar.gz": MODEL, f"{PREFIX}/{there}": MANIFEST})
    world.sweep(minutes=59)
    world.sweep(minutes=1)
    assert f"was '{there}' meant" in faults(world)["manifest.json"]


def test_a_list_that_lacks_objects_is_told_of():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    listed = [*WEIGHTS, "weights/model-2.bin"]
    upload(world, files_of(world, document, {**WEIGHTS, "weights/Model-2.bin": b"x"}, listed=listed))
    world.sweep(hours=1)
    assert "was 'weights/Model-2.bin' meant" in faults(world)["weights/model-2.bin"]


def test_a_list_that_never_comes_is_told_of():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    upload(world, {f"{PREFIX}/weights/model.bin": b"weights", KEY: document})
    world.sweep(hours=1)
    assert "does not list `objects`" in faults(world)["submission.json"]


def test_what_never_comes_is_told_of_once_and_costs_the_sweep_nothing_afterwards():
    world = World()
    upload(world, {KEY: MANIFEST})
    swept = [world.sweep(minutes=20) for _ in range(12)]
    assert [each.get("submission", 0) for each in swept] == [1, 1, 1] + [0] * 9
    assert len(world.refusals(LEDGER)) == 1


def test_a_submission_that_gets_on_is_given_time_anew():
    world = World()
    files = world.files(PREFIX)
    world.upload(KEY, files[KEY])
    world.sweep(minutes=50)
    world.upload(f"{PREFIX}/quality.json", files[f"{PREFIX}/quality.json"])
    world.sweep(minutes=50)
    assert world.refusals(LEDGER) == []


def test_a_submission_that_was_told_of_is_registered_when_it_is_complete():
    world = World()
    world.registry.create_group("churn")
    container = {"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}
    upload(world, {f"{PREFIX}/Model.tar.gz": MODEL, KEY: manifest(container)})
    world.sweep(hours=1)
    assert "model.tar.gz" in faults(world)
    del world.inbox.versions[f"{PREFIX}/Model.tar.gz"]
    assert world.upload(f"{PREFIX}/model.tar.gz", MODEL).startswith("registered as arn:")
