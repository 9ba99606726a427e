"""Model data of many objects: when a prefix is complete, what of it is kept, inspected, signed and retained."""

import gzip
import itertools
import json
import pickle
from typing import Any

import pytest

from tests.support.archives import member, tar
from tests.support.model_shapes import (
    MODELS,
    PREFIX,
    SEVERAL,
    WEIGHTS,
    approved,
    checks,
    faults,
    files_of,
    kept,
    manifest,
    source,
    submitted,
)
from tests.support.tensor_files import sample
from tests.support.world import IMAGE, SUBMITTER, World


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_the_order_in_which_a_prefix_is_uploaded_makes_no_difference(order: tuple[int, ...]):
    world, reference = World(), World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    uploads = list(files_of(world, document, WEIGHTS).items())
    answers = [world.upload(*uploads[position]) for position in order]
    submitted(reference, document, WEIGHTS)
    assert world.registry.described == reference.registry.described
    assert [answer.startswith("registered as") for answer in answers] == [False, False, False, True]


def test_a_prefix_waits_for_submission_json_that_lists_it():
    world = World()
    world.registry.create_group("churn")
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for name, data in WEIGHTS.items():
        world.upload(f"{PREFIX}/{name}", data)
    assert world.upload(f"{PREFIX}/manifest.json", document) == "waits for submission.json"
    assert world.upload(f"{PREFIX}/submission.json", {"submitter": SUBMITTER}) == "waits for submission.json"
    listed = {"submitter": SUBMITTER, "objects": sorted(WEIGHTS)}
    assert world.upload(f"{PREFIX}/submission.json", listed).startswith("registered as")


def test_what_is_still_missing_under_a_prefix_is_named():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    world.upload(f"{PREFIX}/submission.json", {"submitter": SUBMITTER, "objects": sorted(WEIGHTS)})
    world.upload(f"{PREFIX}/weights/model.bin", b"weights")
    assert world.upload(f"{PREFIX}/manifest.json", document) == "waits for weights/config/config.json"


def test_a_submission_that_waits_for_very_many_objects_names_the_first():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    many = [f"weights/{'n' * 200}/{'n' * 200}-{number:03}" for number in range(1000)]
    world.upload(f"{PREFIX}/submission.json", {"submitter": SUBMITTER, "objects": many})
    world.upload(f"{PREFIX}/manifest.json", document)
    missing = world.submissions.get(PREFIX)["missing"]
    assert missing == many[: len(missing)]
    assert 0 < len(json.dumps(missing)) < 100_000


def test_an_upload_asks_for_a_prefix_as_a_whole_and_not_for_each_of_its_objects():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    many = [f"weights/{number:03}" for number in range(1000)]
    world.put(f"{PREFIX}/submission.json", {"submitter": SUBMITTER, "objects": many})
    for name in many[1:]:
        world.put(f"{PREFIX}/{name}", b"")
    world.interruptions.arm(None)
    assert world.upload(f"{PREFIX}/manifest.json", document) == "waits for weights/000"
    assert world.interruptions.calls < 20


@pytest.mark.parametrize(
    ("listed", "path", "words"),
    [
        ("weights/model.bin", "objects", "must list the names"),
        (["weights/model.bin", "../elsewhere"], "objects[1]", "points outside its submission"),
        (["model.bin"], "objects", "no object under weights/"),
        (["weights/a", "weights/a/b"], "objects", "weights/a/b: a is also a file"),
        (["weights/" + "n" * 256], "objects", "longer than 255 bytes"),
        ([f"weights/{number}" for number in range(1001)], "objects", "1000 are allowed"),
    ],
)
def test_a_listing_that_cannot_be_a_model_is_refused_by_name(listed: Any, path: str, words: str):
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for key, data in files_of(world, document, WEIGHTS, listed=listed).items():
        world.upload(key, data)
    assert words in faults(world)[path]
    assert world.registry.described == {}


def test_a_list_that_is_corrected_and_still_wrong_is_told_again_and_the_same_fault_is_not():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for key, data in files_of(world, document, WEIGHTS, listed=["../up"]).items():
        world.upload(key, data)
    world.registrar.uploaded(f"{PREFIX}/manifest.json")
    corrected = {"submitter": SUBMITTER, "objects": ["model.bin"]}
    world.upload(f"{PREFIX}/submission.json", corrected)
    world.registrar.uploaded(f"{PREFIX}/submission.json")
    told = [[fault["path"] for fault in each["faults"]] for each in world.refusals(f"submission:{PREFIX}")]
    assert told == [["objects[0]"], ["objects"]]


def test_events_that_come_again_for_a_prefix_change_nothing():
    world, again = World(), World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for each in (world, again):
        submitted(each, document, WEIGHTS)
    for key in files_of(world, document, WEIGHTS):
        again.registrar.uploaded(key)
    for each in (world, again):
        each.deliver()
    assert again.outcome() == world.outcome()


def test_an_object_that_comes_anew_after_registration_is_refused_as_closed():
    world = World()
    submitted(world, manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), WEIGHTS)
    assert "the submission is closed" in world.upload(f"{PREFIX}/weights/model.bin", b"other weights")
    assert world.inbox.tags(f"{PREFIX}/weights/model.bin")["signoff:registration"] == "refused"


@pytest.mark.parametrize("name", ["model.bin", "config/another.json"])
def test_an_object_forced_under_a_signed_prefix_revokes_it(name: str):
    world = World()
    arn = submitted(world, manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), WEIGHTS)
    world.deliver()
    world.decide(arn, "approve")
    world.vault_bucket.put(kept(world, f"weights/{name}").removeprefix("s3://vault/"), b"other weights")
    world.deliver()
    assert world.registry.models == {}
    changed = [entry.details for entry in world.history(arn).entries if entry.kind == "SubjectChanged"]
    assert [each["parts"] for each in changed] == [["artifacts"]]
    assert world.status(arn) == "Rejected"


def test_an_archive_under_a_multi_model_prefix_is_inspected_like_any_other():
    world = World(artifact={"required_files": ["model.joblib"]})
    models = {**MODELS, "models/it.tar.gz": gzip.compress(tar(member("readme.txt", b"no model")))}
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": {"Mode": "MultiModel"}}), models)
    world.deliver()
    ((name, reason),) = checks(world, arn).items()
    assert name == "artifact:InferenceSpecification.Containers[0].ModelDataUrl"
    assert reason.startswith("1 error: it.tar.gz: ")


def test_a_file_that_is_no_archive_has_no_place_under_a_multi_model_prefix():
    world = World()
    deployment = {"PrimaryContainer": {"Mode": "MultiModel"}}
    arn = submitted(world, manifest(SEVERAL, deployment=deployment), {**MODELS, "models/notes.txt": b"remember"})
    world.deliver()
    assert "notes.txt: " in " ".join(checks(world, arn).values())


def test_uncompressed_model_data_must_hold_the_files_that_the_policy_requires():
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    missing, there = (World(artifact={"required_files": [pattern]}) for pattern in ("code/*.py", "config/*.json"))
    arn = submitted(missing, document, WEIGHTS)
    missing.deliver()
    assert "Has no file code/*.py" in " ".join(checks(missing, arn).values())
    assert approved(there, submitted(there, document, WEIGHTS))


@pytest.mark.parametrize(
    ("demands", "missing"),
    [
        ({"required_files": ["model.onnx"]}, "Has no file model.onnx"),
        ({"licence": True}, "licence-missing"),
        ({"model_card": True}, "model-card-missing"),
    ],
)
def test_a_model_that_is_one_object_must_be_what_the_policy_requires(demands: dict[str, Any], missing: str):
    world = World(artifact=demands)
    document = manifest({"Image": IMAGE, "ModelDataSource": source("model.bin", "S3Object")})
    arn = submitted(world, document, {"model.bin": b"GGUF"})
    world.deliver()
    assert missing in " ".join(checks(world, arn).values())


CARD = b"---\nlicense: mit\n---\n"


@pytest.mark.parametrize(
    ("demands", "harmful", "healed", "words"),
    [
        ({"forbidden_files": ["*.env"]}, {"prod.env": b"x"}, {}, "prod.env: Has a name that the policy forbids"),
        ({"formats": ["gguf"]}, {"model.bin": b"CBM1"}, {"model.bin": b"GGUF"}, "model.bin: Has the format catboost"),
        ({"formats": ["gguf"]}, {"model.bin": b"\xff\0"}, {"model.bin": b"GGUF"}, "model.bin: Is binary data"),
        ({}, {"modeling.py": b"import os\n"}, {"code/modeling.py": b"import os\n"}, "modeling.py: Is Python source"),
        ({}, {"lib.so": b"\x7fELF"}, {}, "lib.so: Is compiled code (ELF)"),
        ({"licence": True}, {"docs/LICENSE": b"MIT"}, {"LICENSE": b"MIT"}, "The policy requires a licence"),
        ({"model_card": True}, {"README.md": b"# A model"}, {"README.md": CARD}, "The policy requires a model card"),
    ],
)
def test_uncompressed_model_data_is_held_to_all_that_the_policy_demands(
    demands: dict[str, Any], harmful: dict[str, bytes], healed: dict[str, bytes], words: str
):
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    bad, good = World(artifact=demands), World(artifact=demands)
    arn = submitted(bad, document, {**WEIGHTS, **under(harmful)})
    bad.deliver()
    assert words in " ".join(checks(bad, arn).values())
    assert approved(good, submitted(good, document, {**WEIGHTS, **under(healed)}))


def under(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"weights/{name}": data for name, data in files.items()}


def test_what_lies_beside_a_saved_model_under_a_prefix_is_of_it():
    world = World(artifact={"formats": ["saved_model"]})
    files = {
        "saved_model.pb": sample("dense.saved_model.pb"),
        "variables/variables.index": b"\xff\0",
        "model.bin": b"text",
    }
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    assert approved(world, submitted(world, document, {**WEIGHTS, **under(files)}))


@pytest.mark.parametrize("demands", [{"licence": True}, {"formats": ["onnx"]}, {"forbidden_files": ["*.joblib"]}])
def test_each_archive_under_a_multi_model_prefix_is_held_to_what_the_policy_demands(demands: dict[str, Any]):
    world = World(artifact=demands)
    plain = gzip.compress(tar(member("LICENSE", b"MIT"), member("model.onnx", sample("matmul.onnx"))))
    harmful = gzip.compress(tar(member("model.joblib", pickle.dumps([0.5]))))
    models = {"models/de.tar.gz": plain, "models/it.tar.gz": harmful}
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": {"Mode": "MultiModel"}}), models)
    world.deliver()
    (reason,) = checks(world, arn).values()
    assert reason.startswith("1 error: it.tar.gz")
    assert "de.tar.gz" not in reason


def test_code_that_would_run_on_load_is_found_in_uncompressed_model_data():
    world = World()
    harmful = {**WEIGHTS, "weights/notes.txt": b"cposix\nsystem\n(S'id'\ntR."}
    arn = submitted(world, manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), harmful)
    world.deliver()
    (reason,) = checks(world, arn).values()
    assert reason.startswith("1 error: notes.txt: ")
    assert "posix.system" in reason


def test_every_object_under_a_prefix_is_retained_with_the_evidence():
    world = World()
    approved(world, submitted(world, manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), WEIGHTS))
    retained = {key for key, (version, *_) in world.vault_bucket.versions.items() if version.retained_until}
    assert {key.partition("weights/")[2] for key in retained if "/weights/" in key} == {
        "model.bin",
        "config/config.json",
    }
