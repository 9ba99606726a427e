"""What the pipeline made of certain inputs once: its documents, digests, ledgers and events stay as they are.

The golden documents in `golden/` hold that; `tests/support/golden.py` says why there are two of each. They change only
by intention. To write them anew, look at the difference, and commit it with the reason:

    GOLDEN_WRITE=1 pytest tests/unit/pipeline/test_golden_documents.py; git diff tests/unit/pipeline/golden
"""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.ledger.entries import Kind
from tests.support.golden import compare
from tests.unit.pipeline.accounts import Story, account, ended, policies
from tests.unit.pipeline.every_kind import EVERY_KIND, ledger_of_every_kind, prose_free_evidence
from tests.unit.pipeline.inspections import ARCHIVES, FILES, inspected_archive, inspected_file
from tests.unit.pipeline.stories import STORIES

GOLDEN = Path(__file__).parent / "golden"
by_name = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


@by_name
def test_a_story_leaves_the_documents_ledgers_and_events_that_it_always_left(story: Story):
    told, _ = account(story)
    compare(GOLDEN / "stories" / f"{story.__name__}.json", told)


@by_name
def test_a_story_says_its_sentences_and_has_the_digests_that_come_of_them(story: Story):
    _, hidden = account(story)
    compare(GOLDEN / "sentences" / f"{story.__name__}.json", hidden)


def test_the_policies_of_the_stories_are_kept_in_their_words():
    compare(GOLDEN / "policies.json", policies(STORIES))


def test_the_stories_append_entries_of_every_kind():
    histories = [history for story in STORIES for history in ended(story).ledger.histories.values()]
    assert {entry.kind for history in histories for entry in history.entries} == set(Kind)


def test_entries_without_sentences_have_their_hashes_events_and_items():
    compare(GOLDEN / "every_kind.json", ledger_of_every_kind())


def test_the_ledger_of_every_kind_is_one():
    assert {draft.kind for draft in EVERY_KIND} == set(Kind)


def test_evidence_and_subject_without_sentences_have_their_digests():
    compare(GOLDEN / "evidence.json", prose_free_evidence())


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_reported_on_as_it_always_was(name: str):
    compare(GOLDEN / "archives" / f"{name}.json", inspected_archive(name)[0])


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_reported_on_as_it_always_was(name: str):
    compare(GOLDEN / "files" / f"{name}.json", inspected_file(name)[0])


def test_what_was_found_in_archives_and_files_is_said_in_the_same_sentences():
    archives = {name: inspected_archive(name)[1]["sentences"] for name in ARCHIVES}
    files = {name: inspected_file(name)[1]["sentences"] for name in FILES}
    compare(GOLDEN / "sentences" / "findings.json", {"archives": archives, "files": files})
