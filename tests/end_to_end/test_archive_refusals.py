"""An artifact or its metrics that do not pass: the registry says Rejected, and why."""

import gzip

import pytest

from signoff.artifact.remedies import REMEDIES
from signoff.ledger.entries import Kind
from tests.support.archives import link, member
from tests.support.depth import some
from tests.support.groups import Group, Package
from tests.support.shell import Shell
from tests.support.submissions import as_json, honest, measured, metrics, model_archive

ACCURACY = {"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.9}
ARTIFACT = "artifact:InferenceSpecification.Containers[0].ModelDataUrl"
ARCHIVES: dict[str, tuple[bytes, str]] = {
    "no gzip": (b"weights, as they are", "Not a gzip file"),
    "no tar": (gzip.compress(b"weights, as they are" * 100), "does not hold a tar archive"),
    "an archive that ends early": (model_archive()[:-40], "ends before its end marker"),
    "an empty file": (b"", "it is empty"),
    "a member that climbs out": (model_archive(member("../escape", b"x")), "../escape: Has a name with `..`"),
    "a member with an absolute name": (model_archive(member("/etc/passwd", b"x")), "/etc/passwd: Has an absolute name"),
    "a symbolic link out of the archive": (
        model_archive(link("link", "../../etc/passwd")),
        "link: Is a link that leads out",
    ),
    "a symbolic link within the archive": (
        model_archive(member("model.bin", b"x"), link("latest", "model.bin")),
        "latest: Is a symbolic link to model.bin",
    ),
    "a hard link out of the archive": (
        model_archive(link("link", "../outside", "hard")),
        "link: Is a link that leads out",
    ),
    "a device file": (model_archive(member("null", type=b"3")), "null: Is neither file, directory nor link"),
    "more of one thing than anybody reads": (
        model_archive(*(member(f"{'weights/' * 9}{n}\\", b"x") for n in range(300))),
        "300 errors: weights/weights/",
    ),
    "a named pipe": (model_archive(member("pipe", type=b"6")), "pipe: Is neither file, directory nor link"),
}


def assert_rejected(package: Package, check: str, reason: str) -> None:
    """Assert that the registry says Rejected and why, and that evidence, ledger and events say the same."""
    status, description = package.until("ValidationFailed").registry
    failed = {found["name"]: found["reason"] for found in package.evidence()["checks"] if found["status"] == "failed"}
    assert status == "Rejected"
    assert reason in failed[check]
    assert f"{check}: {failed[check]}".rstrip(".") in description
    assert description.endswith(f"Details: `signoff show {package.state.group}/{package.state.version}`.")
    event = package.pipeline.event("Validation Completed", package.arn)["detail"]
    assert (event["verdict"], event["sha256"]) == ("failed", (package.state.evidence or {})["sha256"])
    assert package.pipeline.witness.heard("Approval Requested", package.arn) == []
    assert package.entries(Kind.EVIDENCE_RECORDED)[0]["verdict"] == "failed"


@pytest.mark.parametrize("archive", some(ARCHIVES))
def test_a_package_is_rejected_whose_artifact_is_or_holds(group: Group, archive: str) -> None:
    body, reason = ARCHIVES[archive]

    package = group.submit(honest() | {"model.tar.gz": body}).package()

    assert_rejected(package, ARTIFACT, reason)


def test_all_that_was_found_is_shown_with_what_to_do(group: Group) -> None:
    bad = [member("../escape", b"x"), member("model.pkl", b"cposix\nsystem\n(S'id'\ntR."), link("latest", "nowhere")]
    package = group.submit(honest() | {"model.tar.gz": model_archive(*bad)}).package().until("ValidationFailed")

    shown = Shell(group.pipeline, "approver").signoff("show", f"{group.name}/{package.state.version}")

    assert (shown.returncode, shown.stderr) == (0, "")
    for rule in ("parent-directory", "unsafe-pickle", "dangling-link"):
        assert f"  {rule}\n" in shown.stdout
        assert f"  What to do: {REMEDIES[rule]}\n" in shown.stdout


def test_a_package_is_rejected_that_lacks_a_required_file(group: Group) -> None:
    group.policy(artifact={"required_files": ["model.onnx"]})

    assert_rejected(group.submit().package(), ARTIFACT, "model.onnx")


@pytest.mark.deep
def test_a_package_is_rejected_that_holds_what_the_policy_forbids(group: Group) -> None:
    group.policy(artifact={"formats": ["onnx", "pickle"], "licence": True})
    archive = model_archive(member("weights", b"GGUF\3\0\0\0"), member("LICENSE", b"MIT"))

    assert_rejected(
        group.submit(honest() | {"model.tar.gz": archive}).package(),
        ARTIFACT,
        "weights: Has the format gguf; the policy allows onnx and pickle",
    )


@pytest.mark.deep
def test_a_package_is_rejected_that_holds_compiled_code(group: Group) -> None:
    archive = model_archive(member("code/ops.txt", b"\x7fELF\2\1\1"))

    package = group.submit(honest() | {"model.tar.gz": archive}).package()

    assert_rejected(package, ARTIFACT, "code/ops.txt: Is compiled code (ELF), which the policy does not allow")


def test_a_package_is_rejected_whose_metric_is_below_the_threshold(group: Group) -> None:
    group.policy(metrics=[ACCURACY])

    assert_rejected(group.submit(measured(0.85)).package(), "metric:accuracy", "0.85 is below the threshold 0.9")


@pytest.mark.deep
def test_a_package_is_rejected_that_names_no_model_quality(group: Group) -> None:
    group.policy(metrics=[ACCURACY])

    assert_rejected(group.submit(honest()).package(), "metric:accuracy", "names no model quality document")


@pytest.mark.deep
def test_a_package_is_rejected_whose_model_quality_is_not_json(group: Group) -> None:
    group.policy(metrics=[ACCURACY])
    files = honest(ModelMetrics=metrics()) | {"model_quality.json": b"accuracy: 0.95"}

    package = group.submission().upload({**files, "manifest.json": files["manifest.json"]}).package()

    assert_rejected(package, "metric:accuracy", "is not JSON")


@pytest.mark.deep
def test_a_package_is_rejected_whose_metric_is_no_number(group: Group) -> None:
    group.policy(metrics=[ACCURACY])
    said = {"binary_classification_metrics": {"accuracy": {"value": "excellent"}}}

    package = group.submit({**measured(0.95), "model_quality.json": as_json(said)}).package()

    assert_rejected(package, "metric:accuracy", "instead of a finite number")


@pytest.mark.deep
def test_a_metric_may_stand_anywhere_in_any_json(group: Group) -> None:
    group.policy(metrics=[{"name": "error", "path": "runs[-1].error", "at_most": 0.1}])
    files = measured(0.95) | {"model_quality.json": as_json({"runs": [{"error": 0.4}, {"error": 0.05}]})}

    package = group.submit(files).package().until("PendingApproval")

    reasons = {check["name"]: check["reason"] for check in package.evidence()["checks"]}
    assert reasons["metric:error"] == "0.05 is within error <= 0.1"
