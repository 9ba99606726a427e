"""Every field of SageMaker's calls about projects, each a case of the test that docs/coverage.md names for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from signoff_cli.projects.client import Document, ProjectClient
from signoff_cli.projects.updates import ProjectUpdate, update_request
from tests.support.clock import Clock
from tests.support.coverage import proven_by
from tests.support.fake_projects import PRODUCT, FakeGroups, FakeServiceCatalog
from tests.support.fakes import FakeLedger
from tests.support.field_paths import at, filled, service_model

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)
SAID = {
    "NameContains": "churn",
    "CreationTimeAfter": MOMENT,
    "CreationTimeBefore": MOMENT,
    "SortBy": "Name",
    "SortOrder": "Descending",
}
CHANGE = ProjectUpdate(
    description="Told anew",
    tags={"team": "growth"},
    parameters={"Policy": "strict"},
    template_url="https://s3/t/v2.json",
)


def fields(test: str) -> pytest.MarkDecorator:
    """A case for each field whose row names that test of this file."""
    return pytest.mark.parametrize("path", proven_by(f"tests/unit/pipeline/test_every_field_of_projects.py::{test}"))


class SageMaker:
    """Answers with all that answers may hold, in two pages, and remembers what it was asked; `without` leaves out."""

    def __init__(self, *without: str) -> None:
        self.asked: list[Document] = []
        self._without = without

    def list_projects(self, **request: Any) -> Document:
        self.asked.append(request)
        page: Document = filled(output("ListProjects"))
        return page if len(self.asked) == 1 else {**page, "NextToken": None}

    def describe_project(self, **request: Any) -> Document:
        self.described = request
        answer: Document = filled(output("DescribeProject"))
        if self._without:  # of the product that Service Catalog knows
            answer["ServiceCatalogProvisioningDetails"] |= {"ProductId": PRODUCT, "ProvisioningArtifactId": "pa-1"}
        return {name: value for name, value in answer.items() if name not in self._without}

    def update_project(self, **request: Any) -> Document:
        self.asked.append(request)
        return {"ProjectArn": "arn"}


def output(call: str) -> Any:
    return service_model().operation_model(call).output_shape


def projects(sagemaker: SageMaker) -> ProjectClient:
    return ProjectClient(sagemaker, FakeServiceCatalog(2), FakeGroups(), FakeLedger(Clock()), None)


def as_json(document: Any) -> Any:
    return json.loads(json.dumps(document, default=datetime.isoformat))


@fields("test_a_list_asks_for_the_projects_that_it_is_asked_for")
def test_a_list_asks_for_the_projects_that_it_is_asked_for(path: str) -> None:
    sagemaker = SageMaker()

    list(projects(sagemaker).list_projects(30, **SAID))

    expected = {**SAID, "MaxResults": 30, "NextToken": "NextToken"}
    assert [value for request in sagemaker.asked for value in at(request, path)][-1:] == at(expected, path)


@fields("test_a_list_shows_every_project_of_every_page")
def test_a_list_shows_every_project_of_every_page(path: str) -> None:
    sagemaker = SageMaker()

    rows = [as_json(project.row) for project in projects(sagemaker).list_projects()]

    shown = at({"ProjectSummaryList": rows, "NextToken": sagemaker.asked[1]["NextToken"]}, path)
    described = as_json({"ProjectSummaryList": [filled(output("DescribeProject"))] * 2, "NextToken": "NextToken"})
    assert shown == at(described, path) != []


@fields("test_a_project_is_asked_for_by_its_name")
def test_a_project_is_asked_for_by_its_name(path: str) -> None:
    sagemaker = SageMaker()

    projects(sagemaker).project("churn")

    assert at(sagemaker.described, path) == ["churn"]


@fields("test_show_prints_all_that_describe_project_answers")
def test_show_prints_all_that_describe_project_answers(path: str) -> None:
    found = projects(SageMaker())

    printed = as_json(found.document(found.project("churn")))

    assert at(printed, path) == at(as_json(filled(output("DescribeProject"))), path) != []


@cache
def update_requests() -> list[Mapping[str, Any]]:
    """The UpdateProject of a project that was made of a product, and of one that was made of a template in S3."""
    product = projects(SageMaker("TemplateProviderDetails")).project("churn")
    template = projects(SageMaker("ServiceCatalogProvisioningDetails")).project("churn")
    of_product = ProjectUpdate(
        description=CHANGE.description, tags=CHANGE.tags, parameters=CHANGE.parameters, version="v2"
    )
    return [update_request(product, of_product), update_request(template, CHANGE)]


@fields("test_an_update_says_what_it_is_told")
def test_an_update_says_what_it_is_told(path: str) -> None:
    found = [value for request in update_requests() for value in at(request, path)]

    told = {"Told anew", "team", "growth", "Policy", "strict", "pa-2", CHANGE.template_url}
    known = set(_texts(as_json(filled(output("DescribeProject")))))
    assert found
    assert set(found) <= told | known


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [str(value)]


@fields("test_the_project_that_was_updated_is_shown")
def test_the_project_that_was_updated_is_shown(path: str) -> None:
    sagemaker = SageMaker()
    found = projects(sagemaker)

    found.update({"ProjectName": "churn"})

    assert sagemaker.asked == [{"ProjectName": "churn"}]
    assert at(found.document(found.project("churn")), path) == at(filled(output("DescribeProject")), path)
