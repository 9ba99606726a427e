"""What `signoff show` adds from SageMaker: its own descriptions of package and model, and its recommendations."""

import io
import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from signoff.errors import UnknownPackage
from signoff.report.document import document
from signoff_cli.output import console
from signoff_cli.output.package_page import print_package
from signoff_cli.packages.sagemaker import to_json_data, with_sagemaker
from tests.support import entries

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
APPROVED = entries.history(*entries.APPROVED, entries.model_created())
RECOMMENDED = {
    "RecommendationStatus": "COMPLETED",
    "RealTimeInferenceRecommendations": [
        {"RecommendationId": "churn/1", "InstanceType": "ml.c6i.large", "Environment": {"THREADS": "2"}}
    ],
}


class Sagemaker:
    def __init__(self, package: Any, model: Any = None) -> None:
        self.answers = {"package": package, "model": model}

    def describe(self, arn: str) -> Any:
        return self._answer("package")

    def describe_model(self, name: str) -> Any:
        return self._answer("model")

    def _answer(self, what: str) -> Any:
        if isinstance(self.answers[what], Exception):
            raise self.answers[what]
        return self.answers[what]


def forbidden(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "ask your administrator"}}, operation)


def test_both_descriptions_are_there_whole_with_times_as_text() -> None:
    package = {"ModelPackageArn": entries.ARN, "CreationTime": NOON, "ResponseMetadata": {"HTTPStatusCode": 200}}
    shown, notes = with_sagemaker(document(APPROVED), Sagemaker(package, {"ModelName": "churn-v3"}))
    assert shown["registry"] == {"ModelPackageArn": entries.ARN, "CreationTime": "2026-03-02T12:00:00.000Z"}
    assert shown["model"]["described"] == {"ModelName": "churn-v3"}
    assert json.dumps(shown)
    assert notes == []


def test_a_package_that_was_deleted_is_still_shown_from_its_ledger() -> None:
    shown, notes = with_sagemaker(document(APPROVED), Sagemaker(UnknownPackage("it does not exist")))
    assert (shown["status"], shown["registry"]) == ("Approved", None)
    assert "no such package any more" in notes[0]


def test_who_may_not_ask_sagemaker_still_sees_the_ledger() -> None:
    shown, notes = with_sagemaker(document(APPROVED), Sagemaker(forbidden("DescribeModelPackage"), None))
    assert (shown["status"], shown["registry"], shown["model"]["described"]) == ("Approved", None, None)
    assert notes == ["SageMaker's own description is left out: ask your administrator"]


def test_a_package_without_a_model_has_none_described() -> None:
    shown, _ = with_sagemaker(document(entries.history(*entries.PENDING)), Sagemaker({}))
    assert shown["model"] is None


def test_what_sagemaker_recommends_is_on_the_page() -> None:
    described = {"ModelName": "churn-v3", "DeploymentRecommendation": RECOMMENDED}
    shown, _ = with_sagemaker(document(APPROVED), Sagemaker({}, described))
    page = io.StringIO()
    print_package(APPROVED, shown, console.console(page))
    assert "recommended   ml.c6i.large THREADS=2 (churn/1)" in page.getvalue()


def test_times_are_text_however_deep_they_stand() -> None:
    assert to_json_data({"a": [{"b": NOON}]}) == {"a": [{"b": "2026-03-02T12:00:00.000Z"}]}
