"""The report in a real browser: nothing overflows, runs, loads or is said in colours alone that few can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from signoff.report import page as report
from tests.support.reports import candidate, spoiled_facts

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
SCREENS = [(360, "light"), (768, "light"), (1440, "light"), (1440, "dark")]
LONG = "a_very_long_name_without_any_space_" * 12


class Looked:
    """A page, and what it did while it was looked at."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def faults(self) -> list[str]:
        """What axe-core finds wrong: contrast, structure, names."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]


@pytest.fixture
def looked(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Looked]:
    """A page of one width, in the colours that the reader's system asks for."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    looked = Looked(context.new_page())
    yield looked
    context.close()


def shown(looked: Looked, html: str, tmp_path: Path) -> Looked:
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    looked.page.goto(file.as_uri())
    return looked


@pytest.mark.parametrize("looked", SCREENS, indirect=True, ids=map(str, SCREENS))
def test_the_report_can_be_read_by_everybody(looked: Looked, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    shown(looked, report.html(candidate()), tmp_path)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width, scheme = request.node.callspec.params["looked"]
    looked.page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
    assert looked.overflow() == 0
    assert looked.faults() == []
    assert looked.messages == []
    assert len(looked.requests) == 1  # the file itself


@pytest.mark.parametrize("looked", SCREENS[:1], indirect=True, ids=["narrow"])
def test_hostile_text_is_shown_and_does_nothing(looked: Looked, tmp_path: Path) -> None:
    hostile = f"<script>document.title = 'run'</script><img src=http://127.0.0.1:9/x>{LONG}"
    shown(looked, report.html(spoiled_facts(hostile)), tmp_path)
    assert looked.overflow() == 0
    assert looked.messages == []
    assert len(looked.requests) == 1
    assert looked.page.title() != "run"
    assert "<script>document.title" in looked.page.inner_text("body")


def test_the_content_policy_stops_what_would_get_through(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    looked = Looked(context.new_page())
    html = report.html(candidate())
    with_script = html.replace(
        "<main>", "<main><script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
    )
    shown(looked, with_script, tmp_path)
    assert looked.page.title() != "run"
    assert any("Content Security Policy" in each for each in looked.messages)
    context.close()


def test_paper_shows_what_the_screen_shows(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    looked = shown(Looked(context.new_page()), report.html(candidate()), tmp_path)
    looked.page.emulate_media(media="print")
    assert looked.overflow() == 0
    assert looked.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert looked.page.pdf()[:5] == b"%PDF-"
    context.close()


def test_every_note_is_read_out(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    facts = replace(candidate(), notes=["the policy of its group cannot be read"])
    looked = shown(Looked(context.new_page()), report.html(facts), tmp_path)
    assert looked.page.get_by_role("main").get_by_text("cannot be read").is_visible()
    assert looked.page.get_by_role("img", name="auc over versions").count() == 1
    context.close()
