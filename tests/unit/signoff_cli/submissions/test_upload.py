import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from signoff.submission.layout import Submission
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.progress import TimedOut
from signoff_cli.submissions.placing import names_of
from signoff_cli.submissions.preflight import all_named
from signoff_cli.submissions.registration import RegistrationRefused, refused_document, wait_for_registration
from signoff_cli.submissions.upload import plan, submission_name
from tests.support.watching import SimulatedTime

SUBMISSION = Submission("churn", "one")


def manifest(model_data: str = "model.tar.gz", quality: str | None = "quality.json") -> dict[str, Any]:
    document: dict[str, Any] = {"InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": model_data}]}}
    if quality:
        document["ModelMetrics"] = {"ModelQuality": {"Statistics": {"S3Uri": quality}}}
    return document


def write(folder: Path, document: Any, *files: str) -> Path:
    for name in ("model.tar.gz", *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    path = folder / "manifest.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def names(artifact: Path, manifest: Path | None, **files: Path) -> dict[str, Path]:
    return {upload.name: upload.path for upload in plan(artifact, manifest, files).uploads}


def test_a_submissions_name_sorts_by_time() -> None:
    assert submission_name(datetime(2026, 11, 20, 18, 0, 5, tzinfo=UTC), "6f3a") == "20261120T180005Z-6f3a"


def test_the_manifest_goes_first_and_every_object_it_names_with_it(tmp_path: Path) -> None:
    path = write(tmp_path, manifest(quality="metrics/quality.json"), "metrics/quality.json", "unrelated.txt")
    uploads = plan(tmp_path / "model.tar.gz", path, {}).uploads
    assert [upload.name for upload in uploads] == ["manifest.json", "metrics/quality.json", "model.tar.gz"]


def test_the_manifest_is_uploaded_as_such_whatever_its_file_is_called(tmp_path: Path) -> None:
    path = write(tmp_path, manifest(quality=None)).rename(tmp_path / "churn.json")
    assert names(tmp_path / "model.tar.gz", path)["manifest.json"] == path


def test_an_artifact_of_another_name_is_uploaded_under_the_name_that_the_manifest_has_for_it(tmp_path: Path) -> None:
    path = write(tmp_path, manifest(), "quality.json")
    artifact = tmp_path / "out-2026.tar.gz"
    artifact.write_bytes(b"newer")
    assert names(artifact, path)["model.tar.gz"] == artifact


def test_an_artifact_that_the_manifest_does_not_name_keeps_its_own_name(tmp_path: Path) -> None:
    path = write(tmp_path, {"ModelPackageDescription": "no containers"})
    assert set(names(tmp_path / "model.tar.gz", path)) == {"manifest.json", "model.tar.gz"}


BARE = {"Image": "i"}
NAMED = {"Image": "i", "ModelDataUrl": "first.tar.gz"}
SOURCE = {"S3Uri": "weights/", "S3DataType": "S3Prefix", "CompressionType": "None"}
PATH = "InferenceSpecification.Containers"


def containers(*found: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": list(found)}, **fields}


@pytest.mark.parametrize(
    ("document", "container"),
    [
        (containers(BARE), f"{PATH}[0]"),
        (containers({**BARE, "ModelDataUrl": ""}), f"{PATH}[0]"),
        (containers(BARE, SourceUri="model.tar.gz"), f"{PATH}[0]"),
        (containers({**BARE, "ModelDataSource": {"S3DataSource": SOURCE}}, BARE), f"{PATH}[1]"),
        (containers({"ProductId": "p"}, BARE), f"{PATH}[1]"),
        (
            containers({"ProductId": "p"}, AdditionalInferenceSpecifications=[{"Name": "gpu", "Containers": [BARE]}]),
            "AdditionalInferenceSpecifications[0].Containers[0]",
        ),
        (
            {"SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]}},
            "SourceAlgorithmSpecification.SourceAlgorithms[0]",
        ),
    ],
)
def test_an_artifact_without_a_name_becomes_the_model_of_the_one_container_that_has_none(
    tmp_path: Path, document: dict[str, Any], container: str
) -> None:
    path = write(tmp_path, document, "weights/config.json")
    found = plan(tmp_path / "model.tar.gz", path, {})
    assert "model.tar.gz" in [upload.name for upload in found.uploads]
    assert found.model_data == {f"{container}.ModelDataUrl": "model.tar.gz"}
    with found.uploads[0].open() as file:
        named = names_of(file.read())
    assert (named.running[container]["ModelDataUrl"], named.vacant) == ("model.tar.gz", [])
    assert named.document.keys() == document.keys()
    assert json.loads(path.read_text()) == document


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (containers(BARE, BARE), f"may be meant for {PATH}[0] or {PATH}[1]"),
        (
            containers(BARE, AdditionalInferenceSpecifications=[{"Name": "gpu", "Containers": [BARE]}]),
            f"{PATH}[0] or AdditionalInferenceSpecifications[0].Containers[0]",
        ),
        (containers(NAMED, BARE), f"first.tar.gz, which lies beside the manifest, or {PATH}[1]"),
        (containers(BARE, SamplePayloadUrl="model.tar.gz"), f"may be meant for {PATH}[0]"),
        (containers({"ProductId": "p"}), "every container has model data of another name"),
    ],
)
def test_an_artifact_of_which_nobody_can_tell_whose_it_is_is_refused_with_what_to_write(
    tmp_path: Path, document: dict[str, Any], told: str
) -> None:
    path = write(tmp_path, document, "first.tar.gz")
    with pytest.raises(CommandFailed) as refused:
        plan(tmp_path / "model.tar.gz", path, {})
    assert told in str(refused.value)
    assert 'Write "ModelDataUrl": "model.tar.gz" into its container. Nothing was uploaded' in str(refused.value)


def test_a_folder_without_a_name_is_refused_with_what_to_write(tmp_path: Path) -> None:
    path = write(tmp_path, containers(BARE), "weights/config.json")
    with pytest.raises(CommandFailed) as refused:
        plan(tmp_path / "weights", path, {})
    assert json.dumps({"ModelDataSource": {"S3DataSource": SOURCE}})[1:-1] in str(refused.value)


def test_an_artifact_of_another_name_goes_to_the_model_data_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, containers(BARE, NAMED))
    assert names(tmp_path / "model.tar.gz", path).keys() == {"manifest.json", "first.tar.gz"}


def test_an_artifact_and_another_file_are_not_the_same_object(tmp_path: Path) -> None:
    path = write(tmp_path, manifest(quality=None), "other.tar.gz")
    for beside in (path, None):
        with pytest.raises(CommandFailed, match="give one of them"):
            names(tmp_path / "model.tar.gz", beside, **{"model.tar.gz": tmp_path / "other.tar.gz"})


def test_a_metric_is_never_taken_for_the_artifact(tmp_path: Path) -> None:
    document = manifest("model.tar.gz", None)
    document["ModelMetrics"] = {"ModelDataQuality": {"Statistics": {"S3Uri": "data.json"}}}
    path = write(tmp_path, document, "data.json")
    artifact = tmp_path / "other.tar.gz"
    artifact.write_bytes(b"other")
    uploaded = names(artifact, path)
    assert uploaded["model.tar.gz"] == artifact
    assert uploaded["data.json"] == tmp_path / "data.json"


def test_a_file_can_be_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, manifest(), "eval/latest.json")
    found = plan(tmp_path / "model.tar.gz", path, {"quality.json": tmp_path / "eval/latest.json"}).uploads
    assert ("quality.json", tmp_path / "eval/latest.json") in [(upload.name, upload.path) for upload in found]


@pytest.mark.parametrize("defaults", [None, {"ModelMetrics": {"Bias": {"Report": {"S3Uri": "bias.json"}}}}])
def test_a_file_of_a_name_that_nothing_has_is_refused_before_anything_is_uploaded(
    tmp_path: Path, defaults: dict[str, Any] | None
) -> None:
    path = write(tmp_path, manifest(), "quality.json", "qualty.json")
    files = {"qualty.json": tmp_path / "qualty.json"}
    with pytest.raises(CommandFailed, match=r"the manifest does not name qualty\.json, .*Nothing was uploaded"):
        all_named(plan(tmp_path / "model.tar.gz", path, files), defaults)


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_file_may_have_a_name_from_the_policys_registration_defaults(tmp_path: Path, with_manifest: bool) -> None:
    whole = manifest()
    path = write(tmp_path, {"InferenceSpecification": whole["InferenceSpecification"]}, "quality.json")
    planned = plan(
        tmp_path / "model.tar.gz", path if with_manifest else None, {"quality.json": tmp_path / "quality.json"}
    )
    all_named(planned, whole)


def test_all_files_below_a_named_folder_are_named(tmp_path: Path) -> None:
    path = write(
        tmp_path, containers({**BARE, "ModelDataSource": {"S3DataSource": SOURCE}}), "weights/a", "weights/b/c"
    )
    all_named(plan(tmp_path / "weights", path, {}), None)


def test_an_object_that_is_not_there_is_refused_before_anything_is_uploaded(tmp_path: Path) -> None:
    path = write(tmp_path, manifest())
    with pytest.raises(CommandFailed, match=r"names quality\.json, .*Nothing was uploaded"):
        plan(tmp_path / "model.tar.gz", path, {})


def test_an_artifact_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"no file .*model\.tar\.gz"):
        plan(tmp_path / "model.tar.gz", None, {})


def test_two_artifacts_of_which_neither_is_called_like_the_file_have_to_be_told_apart(tmp_path: Path) -> None:
    document = manifest("first.tar.gz", None)
    document["InferenceSpecification"]["Containers"].append({"Image": "i", "ModelDataUrl": "second.tar.gz"})
    path = write(tmp_path, document, "second.tar.gz")
    with pytest.raises(CommandFailed, match="assign the files"):
        plan(tmp_path / "model.tar.gz", path, {})
    told = names(tmp_path / "model.tar.gz", path, **{"second.tar.gz": tmp_path / "second.tar.gz"})
    assert told["first.tar.gz"] == tmp_path / "model.tar.gz"


@pytest.mark.parametrize("written", ["{not json", "[]", '{"InferenceSpecification": 5}'])
def test_a_faulty_manifest_is_sent_for_signoff_to_say_what_is_wrong_with_it(tmp_path: Path, written: str) -> None:
    path = write(tmp_path, written)
    assert set(names(tmp_path / "model.tar.gz", path)) == {"manifest.json", "model.tar.gz"}


@pytest.mark.parametrize("outside", ["../secret.json", "/etc/passwd", "s3://elsewhere/quality.json"])
def test_nothing_outside_the_submission_is_uploaded_whatever_the_manifest_says(tmp_path: Path, outside: str) -> None:
    folder = tmp_path / "inside"
    path = write(folder, manifest(quality=outside), "../secret.json")
    assert set(names(folder / "model.tar.gz", path)) == {"manifest.json", "model.tar.gz"}


def test_without_a_manifest_the_artifact_goes_alone(tmp_path: Path) -> None:
    write(tmp_path, manifest())
    assert list(names(tmp_path / "model.tar.gz", None)) == ["model.tar.gz"]


def test_the_report_of_a_registration_names_the_package() -> None:
    reports = iter([None, None, {"outcome": "registered", "package": "arn:p", "faults": []}])
    assert wait_for_registration(lambda: next(reports), SUBMISSION, SimulatedTime().deadline()) == "arn:p"


def test_a_refused_registration_tells_every_fault_by_its_path() -> None:
    faults = [{"path": "Domian", "message": "is not a field"}, {"path": "", "message": "has a fault"}]
    report = {"outcome": "refused", "package": None, "faults": faults}
    with pytest.raises(RegistrationRefused) as refused:
        wait_for_registration(lambda: report, SUBMISSION, SimulatedTime().deadline())
    assert str(refused.value).splitlines()[1:] == ["  Domian: is not a field", "  manifest: has a fault"]
    shown = refused_document(SUBMISSION, refused.value.report)
    assert (shown["package"], shown["group"], shown["registration_report"]["faults"]) == (None, "churn", faults)


def test_a_registration_that_nobody_reports_says_where_to_look() -> None:
    with pytest.raises(TimedOut, match=r"churn/one/registration-report\.json"):
        wait_for_registration(lambda: None, SUBMISSION, SimulatedTime().deadline())
