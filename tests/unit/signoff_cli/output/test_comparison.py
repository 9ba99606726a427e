"""What who decides sees of a model beside its champion: on terminals of any width, and in files."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from signoff.ledger.recorded_checks import asking
from signoff.notification.comparison import grave_first, metric_rows
from signoff.report.document import document as document_of
from signoff_cli.output import columns, comparison, console
from signoff_cli.output.package_page import print_package
from tests.support import compared, entries

IN_A_FILE = """\
Metrics
compared with the champion churn/2, claimed on the same data
metric        candidate  champion              difference  bound                           verdict
auc               0.991     0.987  +0.004 [-0.002, +0.01]  no worse than by 0.005; >= 0.9  inconclusive, asks
auc [age<30]       0.94      0.96                   -0.02  no worse than by 0.005          worse, failed
latency         12.5 ms     14 ms                    -1.5                                  better
f1             0.971235
Changed since churn/2
InferenceSpecification.Containers[0].Image: sklearn:1.6 -> sklearn:1.7
model.tar.gz code/inference.py: none -> sha256 9f86d0
Images
123.dkr.ecr/sklearn:1.7 sha256:aaaaaaaa: enhanced scan of 2026-03-02T08:00:00Z is ACTIVE, 2 HIGH, 5 MEDIUM, signed
public.ecr.aws/x@sha256:b: no scan recorded
"""
AT_100 = """\
metric        candidate  champion              difference  bound                  verdict
auc               0.991     0.987  +0.004 [-0.002, +0.01]  no worse ...5; >= 0.9  inconclusive, asks
auc [age<30]       0.94      0.96                   -0.02  no worse ... by 0.005  worse, failed
latency         12.5 ms     14 ms                    -1.5                         better
f1             0.971235
"""
AT_80 = """\
metric        candidate  champion              difference  verdict
auc               0.991     0.987  +0.004 [-0.002, +0.01]  inconclusive, asks
auc [age<30]       0.94      0.96                   -0.02  worse, failed
latency         12.5 ms     14 ms                    -1.5  better
f1             0.971235
"""
ANYBODY = "every IAM user and user of IAM Identity Center of the accounts that the group is open to"


def told(evidence: dict[str, Any], width: int | None = None) -> list[str]:
    return [line for title, lines in comparison.sections(evidence, width) for line in (title, *lines)]


def table(evidence: dict[str, Any], width: int | None = None) -> list[str]:
    return comparison.metric_lines(metric_rows(evidence), width)


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(compared.EVIDENCE), **parts}


def test_a_file_gets_one_row_on_each_line_however_long():
    assert told(compared.EVIDENCE) == IN_A_FILE.splitlines()


@pytest.mark.parametrize(("width", "lines"), [(80, AT_80), (100, AT_100)])
def test_a_terminal_gets_one_row_on_each_line_in_its_own_width_and_no_number_is_cut(width: int, lines: str):
    assert table(compared.EVIDENCE, width) == lines.splitlines()
    assert max(map(len, lines.splitlines())) <= width


def test_a_first_version_shows_its_metrics_their_bounds_and_that_there_is_no_champion():
    assert told(compared.FIRST)[:4] == [
        "Metrics",
        "compared with no champion: the group has no champion",
        "metric  candidate  bound   verdict",
        "auc         0.991  >= 0.9  passed",
    ]


def test_evidence_of_version_1_shows_no_table_for_its_checks_say_all_there_is():
    checks = [{"name": "metric:accuracy", "status": "passed", "reason": "0.94 is within 0.9 <= accuracy"}]
    assert told({"checks": checks}) == []


def test_a_metric_that_could_not_be_read_is_a_row_too():
    unread = {"name": "metric:recall", "status": "failed", "reason": "finds nothing", "expected": ">= 0.9"}
    lines = table(changed(checks=[*compared.CHECKS, {**unread, "observed": None}]))
    assert [line.split() for line in lines if line.startswith("recall")] == [["recall", ">=", "0.9", "failed"]]


def test_a_claim_stands_beside_the_measure_where_it_says_otherwise():
    measured = compared.measurements(compared.value("f1", 0.9), compared.value("recall", 0.8))
    rows = metric_rows(changed(metrics={"claimed": compared.EVIDENCE["metrics"]["claimed"], "measured": measured}))
    said = {row.metric: row.candidate for row in rows}
    claim = {"name": "claim:f1", "status": "failed", "reason": "claims more", "expected": "0.9 within 0.01"}
    (row,) = [each for each in metric_rows({"metrics": {"measured": measured}, "checks": [claim]}) if each.gated]
    assert (row.metric, row.bound, row.verdict) == ("f1", "", "failed")
    assert said["f1"] == "0.9 (claimed 0.971235)"
    assert said["recall"] == "0.8"


@pytest.mark.parametrize(
    ("data", "says"), [("other", "on other data"), ("unknown", "on data that may differ"), ("same", "on the same data")]
)
def test_on_which_data_it_was_compared_is_said_with_the_reason(data: str, says: str):
    said = told(changed(comparison={**compared.COMPARISON, "data": data, "because": "so it is"}))[1]
    assert said == f"compared with the champion churn/2, claimed {says}: so it is"


def test_bytes_that_the_group_has_seen_before_are_told_with_a_champion_and_without():
    same = ["churn/1", "churn/2"]
    told_beside = told(changed(comparison={**compared.COMPARISON, "same_bytes": same}))
    assert "the same bytes as churn/1, churn/2" in told_beside[told_beside.index("Changed since churn/2") :]
    alone = told({**compared.FIRST, "comparison": {**compared.FIRST["comparison"], "same_bytes": same}})
    assert alone[alone.index("Seen before") + 1] == "the same bytes as churn/1, churn/2"


def test_of_very_many_metrics_thirty_are_listed_those_with_a_bound_first():
    values = [compared.value(f"m{number}", number) for number in range(50)]
    lines = table(changed(metrics={"claimed": compared.measurements(*values), "measured": None}))
    assert lines[1].startswith("auc ")
    assert lines[-1] == "and 23 more, which --json lists"
    assert len(lines) == 32


def test_what_others_wrote_commands_no_terminal_and_begins_no_line():
    hostile = "a\x1b[2J\nevil"
    evidence = changed(
        description={"description": hostile, "task": hostile, "domain": hostile},
        comparison={
            **compared.COMPARISON,
            "because": hostile,
            "champion": {**compared.CHAMPION, "name": hostile},
            "metrics": [compared.row(hostile, 1, 2, "worse", slice=hostile, unit=hostile, bound=hostile)],
            "changed": [{"part": hostile, "before": hostile, "after": {hostile: 1}}],
        },
        images=[{**compared.IMAGES[0], "image": hostile, "digest": hostile}],
    )
    lines = [*told(evidence), *comparison.description(evidence)]
    assert not [line for line in lines if "\x1b" in line or "\n" in line or line.startswith("evil")]


@given(
    st.lists(st.lists(st.text(max_size=40), min_size=3, max_size=3), max_size=5),
    st.integers(min_value=1, max_value=200),
)
def test_a_table_of_any_cells_has_a_line_for_each_row_and_is_no_wider_than_it_may_be(rows: list[list[str]], width: int):
    lines = columns.lines(("one", "two", "three"), rows, width, numbers=(1,), cut=(0, 1, 2))
    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() or line.isspace() or not line.isascii() for line in lines)
    assert all(len(line) <= max(width, 12) for line in lines)


# Checks


def test_checks_that_need_attention_come_first():
    errored = {"name": "scan:x", "status": "errored", "reason": "not scanned", "blocks": False}
    names = [check["name"] for check in grave_first([*compared.CHECKS, errored])]
    assert names == ["champion:auc [age<30]", "scan:x", "champion:auc", "artifact:model", "metric:auc"]
    assert [check["name"] for check in asking(compared.CHECKS)] == ["champion:auc"]


# The page


def page(evidence: dict[str, Any], to: Console | None = None, **known: Any) -> list[str]:
    """Return the lines of the page of a pending package with that evidence."""
    history = entries.history(entries.registered(), entries.started(), entries.evidence(checks=evidence["checks"]))
    printed = io.StringIO()
    to = to or console.console(printed)
    to.file = printed
    print_package(history, {**document_of(history), **evidence, **known}, to)
    return printed.getvalue().splitlines()


def test_a_page_begins_with_what_the_model_is_for_and_how_good_it_is():
    lines = page(compared.EVIDENCE)
    assert lines[:6] == [
        "Churn/3  PendingApproval",
        "Tumours, benign or malignant",
        "task: CLASSIFICATION, MACHINE_LEARNING",
        "",
        "Metrics",
        "compared with the champion churn/2, claimed on the same data",
    ]
    titles = ["Metrics", "Changed since churn/2", "Images", "Checks", "Ledger"]
    assert [line for line in lines if line in titles] == titles
    checks = lines[lines.index("Checks") + 1 :][:2]
    assert checks == [
        "failed    champion:auc [age<30]: worse by 0.02",
        "asks      champion:auc: it cannot be told apart",
    ]


def test_a_page_on_a_terminal_keeps_the_table_in_its_width():
    narrow = Console(width=80, force_terminal=True, color_system=None, markup=False, highlight=False)
    lines = page(compared.EVIDENCE, narrow)
    assert lines[lines.index("Metrics") + 2 :][:5] == AT_80.splitlines()


def test_a_page_has_no_label_without_a_fact():
    assert [line for line in page(compared.EVIDENCE) if line.endswith(" ")] == []


def test_a_page_names_who_may_still_approve():
    seats = [
        {"role": "risk", "needed": 1, "people": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_*"], "but": []},
        {"role": None, "needed": 2, "people": None, "but": []},
        {"role": "owners", "needed": 1, "people": [], "but": []},
    ]
    lines = page(compared.EVIDENCE, may_approve=seats, outstanding="4 more approvals")
    at = lines.index("needs         4 more approvals")
    assert lines[at + 1 : at + 4] == [
        "may approve   1 of risk: role/AWSReservedSSO_Risk_*",
        f"              2 of these: {ANYBODY}",
        "              1 of owners: nobody is left who may",
    ]
