"""The report says what is known, runs and loads nothing, and takes nothing that others wrote for markup."""

from __future__ import annotations

import base64
import hashlib
import re
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.ledger.history import History
from signoff.report import page
from signoff.report.read import ReportReader
from tests.support.reports import METRICS, candidate, facts_of, spoiled_facts, submitted
from tests.support.world import World

HOSTILE = "</style><script>alert('1')</script>\"'><img src=x onerror=alert(1)> | `x` @team \u202e[a](javascript:1)"


class Reader(HTMLParser):
    """Collects the elements of a page with their attributes, its headings, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_report_begins_with_what_is_asked_of_whom() -> None:
    html = page.html(candidate())
    text = "\n".join(read(html).texts)
    order = [
        "churn/3",
        "1 more approval",
        "signoff approve churn/3",
        "Who leaves <soon>",
        "compared",
        "auc",
        "model.txt",
    ]
    places = [text.lower().index(each.lower()) for each in order]
    assert places == sorted(places)


def test_a_metric_stands_beside_the_champions_and_over_the_versions() -> None:
    text = "".join(read(page.html(candidate())).texts)
    assert "Compared with the champion churn/2, claimed on the same data" in text
    assert "auc over versions" in text
    assert "1: 0.91; 2: 0.93; 3: 0.95" in text
    assert "true positive rate over false positive rate, candidate and champion" in text


def test_the_same_facts_make_the_same_bytes() -> None:
    assert page.html(candidate()) == page.html(deepcopy(candidate()))
    assert page.markdown(candidate()) == page.markdown(deepcopy(candidate()))


def test_the_page_admits_its_own_style_and_nothing_else() -> None:
    html = page.html(candidate())
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    metas = [attributes for tag, attributes in read(html).elements if tag == "meta"]
    (policy,) = [each["content"] for each in metas if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def assert_harmless(html: str) -> None:
    found = read(html).elements
    plain = {tag for tag, _ in read(page.html(candidate())).elements} | {"h3", "code", "br"}
    assert {tag for tag, _ in found} <= plain
    names = {name for _, attributes in found for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "href", "style", "action"}}
    assert len([tag for tag, _ in found if tag == "style"]) == 1


def test_what_others_wrote_is_text() -> None:
    html = page.html(spoiled_facts(HOSTILE))
    assert_harmless(html)
    assert "\u202e" not in html


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_others_write_is_text(text: str) -> None:
    assert_harmless(page.html(spoiled_facts(f"{text}<script>{text}</script>")))


def test_markdown_takes_what_others_wrote_for_code() -> None:
    lines = page.markdown(spoiled_facts(HOSTILE)).splitlines()
    outside = re.sub(r"`[^`]*`", "", "\n".join(lines))
    assert not re.search(r"[<@\[]|javascript|\u202e", outside)
    rows = [line for line in lines if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {4, 7}


@pytest.mark.parametrize("status", ["Approved", "ValidationFailed", "ValidationErrored", "Rejected"])
def test_each_status_has_commands_that_are_possible_then(status: str) -> None:
    document = {**candidate().document, "status": status, "outstanding": None}
    text = "".join(read(page.html(replace(candidate(), document=document))).texts)
    assert ("signoff approve" in text, "signoff revoke" in text) == (False, status == "Approved")


def test_a_package_without_evidence_has_a_report() -> None:
    world = World(metrics=METRICS)
    submitted(world, "churn/1", 0.95)
    arn = next(iter(world.registry.packages("churn")))["ModelPackageArn"]
    history = world.history(arn)
    early = History(history.package, history.entries[:1])
    facts = ReportReader(world.ledger, world.vault).facts(early, None)
    assert "None is recorded." in page.html(facts)
    assert "who may approve it is not known" in page.html(facts)


def test_evidence_that_was_changed_is_not_shown_and_told() -> None:
    world = World(metrics=METRICS)
    arn = submitted(world, "churn/1", 0.95)
    evidence = world.state(arn).evidence or {}
    world.vault_bucket.put(f"evidence/{evidence['sha256']}.json", b"{}")
    facts = facts_of(world, arn)
    assert facts.evidence is None
    assert "is not the document of that digest" in page.html(facts)
