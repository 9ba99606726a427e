"""`signoff manifest`: what is known of a manifest before anything is uploaded."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signoff.aws.ecr import ImageResolver
from signoff.errors import ObjectMissing
from signoff.policy.deployment import Choices, Deployment
from signoff.policy.policy import Policy
from signoff_cli import main
from signoff_cli.manifests.check import Destination, check
from tests.support.manifests import IMAGE, with_container, with_source

ROLE = "arn:aws:iam::123456789012:role/serving"
HOME = Destination.of_group(None)
BARE = with_container()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run(["manifest", *arguments])
    return int(ended.value.code or 0)


def write(folder: Path, document: Any, name: str = "manifest.json") -> str:
    path = folder / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return str(path)


def faults(document: Any, **given: Any) -> dict[str, str]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {fault.path: fault.message for fault in check(data, given.pop("home", HOME), **given).faults}


def test_what_would_be_registered_is_said_and_what_has_to_be_uploaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, with_container(AdditionalS3DataSource={"S3DataType": "S3Prefix", "S3Uri": "adapters/"}))
    assert run("check", file) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{file} is valid: 1 container to register, 2 objects to upload\n")
    assert re.findall(r"upload +(\S+)\n", printed.out) == ["adapters/", "model.tar.gz"]
    assert printed.err == ""


def test_what_only_the_registration_knows_is_said_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, with_container(ModelDataETag="e"))) == 0
    printed = capsys.readouterr().out
    assert f"that {IMAGE} is in Amazon ECR" in printed
    assert "that the ETags are those of the objects" in printed
    assert "the policy of the group" in printed


def test_every_fault_is_listed_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, {**with_container(ModelDataUrl="../up"), "Task": 3})
    assert run("check", file) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0] == f"signoff: {file} has 2 errors:"
    assert lines[1].startswith("  InferenceSpecification.Containers[0].ModelDataUrl: points outside")
    assert lines[2] == "  Task: must be a string, not a whole number"


def test_a_program_reads_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, BARE | {"Task": 3}), "--json") == 1
    failed = json.loads(capsys.readouterr().out)
    assert failed["verdict"] == "failed"
    assert failed["faults"] == [{"path": "Task", "message": "must be a string, not a whole number"}]
    assert run("check", write(tmp_path, BARE), "--json") == 0
    passed = json.loads(capsys.readouterr().out)
    assert (passed["verdict"], passed["faults"]) == ("passed", [])
    assert (passed["objects"], passed["images"]) == (["model.tar.gz"], [IMAGE])


def test_standard_input_is_a_manifest_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(BARE).encode())))
    assert run("check", "-") == 0
    assert capsys.readouterr().out.startswith("the manifest is valid")


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (b'{"Task": 1, "Task": 2}', "Task", "more than once"),
        (b'{"Task": NaN}', "Task", "NaN"),
        (b"[" * 100_000, "", "nested deeper"),
        (b"\xef\xbb\xbf{}", "", "byte order mark"),
        (b"{", "", "is not JSON"),
        (b"[]", "", "must be a JSON object"),
        (b" " * (1024 * 1024 + 1), "", "longer than the 1,048,576 bytes"),
    ],
)
def test_json_that_two_readers_may_read_differently_is_a_fault(data: bytes, path: str, words: str) -> None:
    assert words in faults(data)[path]


def test_who_mends_a_manifest_is_told_at_once_of_what_is_no_json_and_of_what_is_no_manifest() -> None:
    found = faults(b'{"Task": NaN, "Domain": "a", "Domain": "b", "Colour": "blue"}')
    assert set(found) == {"Task", "Domain", "Colour", ""}
    assert "is NaN" in found["Task"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "nothing.json")) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_a_name_of_a_file_commands_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, BARE, "\x1b[31m.json")) == 0
    assert "\x1b" not in capsys.readouterr().out


# Where it will be uploaded


def test_an_s3_uri_is_a_fault_while_nobody_knows_where_the_manifest_will_be_uploaded() -> None:
    document = with_container(ModelDataUrl="s3://artifacts/churn/run-7/model.tar.gz")
    (told,) = faults(document, home=Destination.of_group("churn")).values()
    assert told == "points outside its submission, which is s3://<artifacts bucket>/churn/<submission>/"


def test_an_s3_uri_under_the_place_that_is_given_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, with_container(ModelDataUrl="s3://artifacts/churn/run-7/model.tar.gz"))
    assert run("check", file, "--at", "s3://artifacts/churn/run-7/") == 0
    assert "upload      model.tar.gz\n" in capsys.readouterr().out
    assert run("check", file, "--at", "s3://artifacts/churn/run-8/") == 1


@pytest.mark.parametrize("at", [["--at", "churn/run-7"], ["--at", "s3://b/g"], ["--at", "s3://b/g/s", "--group", "h"]])
def test_a_place_that_is_no_submission_is_wrong_usage(tmp_path: Path, at: list[str]) -> None:
    assert run("check", write(tmp_path, BARE), *at) == 2


def test_a_group_that_sagemaker_could_not_name_so_is_a_fault() -> None:
    assert set(faults(BARE, home=Destination.of_group("a_b"))) == {"ModelPackageGroupName"}
    assert set(faults(b"{", home=Destination.of_group("a_b"))) == {"ModelPackageGroupName", ""}


# Images and policies


def test_an_image_that_no_registration_could_pin_is_refused_in_the_same_words() -> None:
    with pytest.raises(ObjectMissing) as refused:
        ImageResolver(lambda _: None, "eu-west-1").pinned("python:3.13")
    through_a_vpc = {"PrimaryContainer": {"ImageConfig": {"RepositoryAccessMode": "Vpc"}}}
    private = {**with_container(Image="python:3.13"), "Deployment": through_a_vpc}
    assert faults(private) == {"InferenceSpecification.Containers[0].Image": str(refused.value)}
    pinned = "python@sha256:" + "0a" * 32
    assert faults({**with_container(Image=pinned), "Deployment": through_a_vpc}) == {}


@pytest.mark.parametrize("image", ["python:3.13", "public.ecr.aws/docker/library/python@sha256:" + "0a" * 32])
def test_an_image_that_sagemaker_would_not_pull_is_a_fault(image: str) -> None:
    (message,) = faults(with_container(Image=image)).values()
    assert message.startswith("is in no private registry of Amazon ECR: push it there")


def test_a_policys_defaults_count() -> None:
    policy = Policy(Deployment(ROLE), registration_defaults=BARE)
    assert faults({"Task": "REGRESSION"}, policy=policy) == {}
    assert faults({"Task": "REGRESSION"}) != {}


def test_a_policy_judges_what_a_manifest_chooses() -> None:
    document = {**BARE, "Deployment": {"ExecutionRoleArn": ROLE}}
    assert faults(document) == {}
    offered = Policy(Deployment("other", choices=Choices(execution_roles=(ROLE,))))
    assert faults(document, policy=offered) == {}
    assert set(faults(document, policy=Policy(Deployment("other")))) == {"Deployment.ExecutionRoleArn"}


def test_a_policy_file_is_read_as_the_app_deploys_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = write(tmp_path, {"registration_defaults": BARE}, "policy.json")
    assert run("check", write(tmp_path, {}), "--policy", policy) == 0
    assert "--policy" not in capsys.readouterr().out


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"approvers": 1}'])
def test_what_is_no_policy_is_told(tmp_path: Path, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    policy = write(tmp_path, text, "policy.json")
    assert run("check", write(tmp_path, BARE), "--policy", policy) == 1
    assert "policy.json is not a valid policy" in capsys.readouterr().err


# The schema


def test_the_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "ModelDataUrl" in schema["$defs"]["ModelPackageContainerDefinition"]["properties"]


def test_neither_asks_anything_of_aws(tmp_path: Path) -> None:
    program = (
        "import sys; from signoff_cli import main\n"
        "try: main.run(sys.argv[1:])\n"
        "except SystemExit as ended: print(ended.code, [m for m in ('boto3', 'botocore.client') if m in sys.modules])"
    )
    for arguments in (["check", write(tmp_path, with_source())], ["schema"]):
        command = [sys.executable, "-c", program, "manifest", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 -- our own command
        assert ended.stdout.splitlines()[-1] in {"0 []", "None []"}
