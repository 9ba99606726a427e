"""Requests are checked against the whole service model."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from local.engine.strict_requests import FILE, make_strict


class Validator(ParamValidator):  # type: ignore[misc]
    """A validator of the test's own: botocore's stays as it is for every other test."""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "faults.txt"
    monkeypatch.setenv(FILE, str(file))
    make_strict(Validator)
    return file


def shape(operation: str) -> Any:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    return model.operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("operation", "request_", "path"),
    [
        ("DescribeModel", {"ModelName": "not a name"}, "DescribeModelInput.ModelName"),
        ("DescribeModel", {"ModelName": "x" * 64}, "DescribeModelInput.ModelName"),
        ("UpdateModelPackage", {"ModelPackageArn": "arn", "ModelApprovalStatus": "Agreed"}, "ModelApprovalStatus"),
    ],
)
def test_a_request_that_aws_would_refuse_is_refused_and_noted(
    noted: Path, operation: str, request_: dict[str, str], path: str
) -> None:
    with pytest.raises(ParamValidationError, match=path):
        Validator().validate(request_, shape(operation))

    assert path in noted.read_text()


def test_a_request_that_aws_takes_leaves_no_note(noted: Path) -> None:
    report = Validator().validate({"ModelName": "a-name"}, shape("DescribeModel"))

    assert not report.has_errors()
    assert not noted.exists()


def test_what_botocore_finds_itself_is_still_found(noted: Path) -> None:
    assert Validator().validate({}, shape("DescribeModel")).has_errors()


def test_being_strict_twice_notes_a_fault_once(noted: Path) -> None:
    make_strict(Validator)

    with pytest.raises(ParamValidationError):
        Validator().validate({"ModelName": "not a name"}, shape("DescribeModel"))

    assert len(noted.read_text().splitlines()) == 1


def test_every_client_of_a_test_run_is_strict(noted: Path) -> None:
    settings = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    any_client = boto3.client("sagemaker", endpoint_url="http://127.0.0.1:9", **settings)

    with pytest.raises(ParamValidationError, match="ModelName"):
        any_client.describe_model(ModelName="not a name")
