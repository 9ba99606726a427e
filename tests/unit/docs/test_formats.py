"""docs/formats.md says what the inspection does: its tables are made from what it uses."""

from __future__ import annotations

from tests.support.formats_page import PAGE, page, tables


def test_the_page_is_what_is_generated_now() -> None:
    written = PAGE.read_text()
    assert written == page(written), "python -m tests.support.formats_page"


def test_every_table_has_a_place_in_the_page() -> None:
    assert all(table in PAGE.read_text() for table in tables().values())
