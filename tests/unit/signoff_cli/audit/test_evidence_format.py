"""The published form of evidence: what is written fits it with no field left over, and the page is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from signoff_cli.audit.evidence_format import evidence_schema
from tests.support.command_line import run
from tests.support.evidence_page import PAGE, SCHEMA, page, schema
from tests.support.json_schema import Schema
from tests.support.repository import ROOT
from tests.unit.pipeline.accounts import Story, ended
from tests.unit.pipeline.stories import STORIES

OPEN, CLOSED = Schema(evidence_schema()), Schema(evidence_schema(closed=True))
GOLDEN = ROOT / "tests/unit/pipeline/golden"
# Of the first version that has all parts, but for the deployment of nothing.
FIRST = json.loads((GOLDEN / "evidence_version_1.json").read_text())["document"]


def written(story: Story) -> Iterator[Any]:
    for key, versions in ended(story).vault_bucket.versions.items():
        if key.startswith("evidence/"):
            yield json.loads(versions[-1].data)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_all_evidence_that_is_written_fits_the_schema_and_no_field_is_left_over(story: Story):
    documents = list(written(story))
    assert [fault for each in documents for fault in CLOSED.faults(each)] == []


def test_the_stories_write_evidence_of_version_2_with_a_champion():
    documents = [each for story in STORIES for each in written(story)]
    assert {each["evidence_version"] for each in documents} == {2}
    assert any(each["comparison"]["champion"] for each in documents)


def test_evidence_of_version_1_fits_the_schema():
    artifacts = [{**each, "name": "model", "kind": "object"} for each in FIRST["artifacts"]]
    policy = "b" * 64  # the golden document has a word in its place
    whole = {**FIRST, "artifacts": artifacts, "policy": policy}
    assert FIRST["evidence_version"] == 1
    assert list(CLOSED.faults(whole)) == []


@pytest.mark.parametrize("changed", [{"policy": "x"}, {"verdict": "fine"}, {"checks": [{}]}, {"evidence_version": 3}])
def test_what_is_no_evidence_does_not_fit(changed: dict[str, Any]):
    (document, *_) = written(STORIES[0])
    assert OPEN.accepts(document)
    assert not OPEN.accepts({**document, **changed})


def test_readers_may_meet_fields_that_they_do_not_know():
    (document, *_) = written(STORIES[0])
    later = {**document, "more": 1, "metrics": {**document["metrics"], "more": 1}}
    assert OPEN.accepts(later)
    assert not CLOSED.accepts(later)


def test_page_and_file_are_what_is_generated_now():
    assert PAGE.read_text() == page(PAGE.read_text()), "python -m tests.support.evidence_page"
    assert SCHEMA.read_text() == schema(), "python -m tests.support.evidence_page"


def test_the_command_prints_the_schema_without_aws(capsys: pytest.CaptureFixture[str]):
    assert run("evidence", "--schema") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(SCHEMA.read_text())
