"""docs/coverage.md: every field of every call and construct has a row, and the row's test is there to be run."""

import json

import pytest

from tests.support import coverage
from tests.support.coverage import Rule
from tests.support.field_paths import paths, service_model

ROWS = coverage.rows()
SEEDS = json.loads(coverage.DOCUMENTS.read_text())


def test_no_row_is_open() -> None:
    assert [row.field.name for row in ROWS if row.rule is None] == []


def test_no_rule_is_stale() -> None:
    counted = {row.rule for row in ROWS}

    assert [rule for rule in coverage.rules() if rule not in counted] == []


def test_the_page_is_what_is_generated_now() -> None:
    assert coverage.PAGE.read_text() == coverage.page(), "run `make coverage`"


@pytest.mark.parametrize("test", sorted({rule.test for rule in coverage.rules()}))
def test_a_test_that_is_named_exists(test: str) -> None:
    path, _, name = test.partition("::")

    assert name in coverage.tests_in(path)


@pytest.mark.parametrize("document", SEEDS)
def test_every_field_that_a_document_shows_has_a_row(document: str) -> None:
    shown = {
        (call, side, path) for call, sides in SEEDS[document].items() for side, found in sides.items() for path in found
    }

    listed = {(row.field.call, row.field.side, row.field.path) for row in ROWS if document in row.field.document}

    assert shown
    assert shown == listed


def test_the_construct_librarys_classes_have_rows_for_what_its_documents_show() -> None:
    listed = {(row.field.call, row.field.path) for row in ROWS}

    assert listed >= {
        ("Model", "Model(containers)"),
        ("Model", "add_container(image)"),
        ("Model", "grant_principal"),
        ("Model", "connections"),
        ("ContainerDefinition", "ContainerDefinition(container_hostname)"),
        ("ContainerImage", "from_asset(directory)"),
        ("ContainerImage", "from_ecr_repository(repository)"),
        ("ContainerImage", "from_dlc(repository_name)"),
        ("ModelData", "from_asset(path)"),
        ("ModelData", "from_bucket(object_key)"),
    }


def test_a_field_that_no_rule_is_about_is_an_open_row() -> None:
    newer = coverage.Field("API reference", "CreateModel", "request", "SomethingNew")

    (row,) = coverage.rows([newer], [Rule("CreateModel", "request", "ModelName", "how", "test")])

    assert row.rule is None


def test_the_first_rule_that_is_about_a_field_counts() -> None:
    field = coverage.Field("API reference", "CreateModel", "request", "Containers[].Mode")
    rules = [
        Rule("CreateModel", "response", "*", "other side", "test"),
        Rule("CreateModel", "request", "Tags[].*|Containers[].*", "one of two", "test"),
        Rule("CreateModel", "request", "*", "any", "test"),
    ]

    assert [row.rule.how for row in coverage.rows([field], rules) if row.rule] == ["one of two"]


def test_the_fields_of_a_call_are_all_that_hold_no_others() -> None:
    found = list(paths(service_model().operation_model("UpdateModelPackage").input_shape))

    assert {"ModelPackageArn", "CustomerMetadataProperties{}", "CustomerMetadataPropertiesToRemove[]"} <= set(found)
    assert "CustomerMetadataProperties" not in found
    assert len(found) == len(set(found))
