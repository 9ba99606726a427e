"""What ECR answers about a scan, basic or enhanced, is read; what is no result is none."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import ScanMissing, ScanPending
from signoff.model_package.image_scans import SEVERITIES, Finding, Scan, is_silent, read_scan, severity_rank, together

ENDED, UPDATED = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)
# As the API reference has them.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
BASIC = {
    "name": "CVE-2019-5188",
    "description": "A code execution vulnerability exists in the directory rehashing functionality of E2fsprogs.",
    "uri": "http://people.ubuntu.com/~ubuntu-security/cve/CVE-2019-5188",
    "severity": "MEDIUM",
    "attributes": [
        {"key": "package_version", "value": "1.44.1-1ubuntu1.1"},
        {"key": "package_name", "value": "e2fsprogs"},
        {"key": "CVSS2_SCORE", "value": "4.6"},
    ],
}
ENHANCED = {
    "severity": "HIGH",
    "status": "ACTIVE",
    "title": "CVE-2022-49043 - libxml2",
    "type": "PACKAGE_VULNERABILITY",
    "fixAvailable": "YES",
    "packageVulnerabilityDetails": {
        "vulnerabilityId": "CVE-2022-49043",
        "vulnerablePackages": [
            {"name": "libxml2", "version": "2.9.14", "fixedInVersion": "2.9.15"},
            {"name": "libxml2-dev", "version": "2.9.14", "fixedInVersion": "2.9.15"},
        ],
    },
}


def page(status: str | None = "COMPLETE", description: str | None = None, **found: Any) -> dict[str, Any]:
    told = {"status": status, "description": description}
    ended = {"imageScanCompletedAt": ENDED, "vulnerabilitySourceUpdatedAt": UPDATED}
    return {"imageScanStatus": told, "imageScanFindings": {**ended, **found}}


def test_a_basic_scan_is_read():
    scan = read_scan("i", [page(findings=[BASIC], findingSeverityCounts={"MEDIUM": 1})])
    assert scan == Scan(
        kind="basic",
        status="COMPLETE",
        completed="2026-03-01T08:00:00.000Z",
        source_updated="2026-02-28T00:00:00.000Z",
        counts={"MEDIUM": 1},
        findings=(Finding("CVE-2019-5188", "MEDIUM", "e2fsprogs 1.44.1-1ubuntu1.1"),),
    )


@pytest.mark.parametrize("status", ["ACTIVE", "COMPLETE"])
def test_an_enhanced_scan_is_told_by_its_findings_and_not_by_its_status(status: str):
    scan = read_scan("i", [page(status, enhancedFindings=[ENHANCED])])
    assert (scan.kind, scan.status, scan.counts) == ("enhanced", status, {"HIGH": 1})
    assert scan.findings == (Finding("CVE-2022-49043", "HIGH", "libxml2 2.9.14, libxml2-dev 2.9.14", "2.9.15"),)


def test_the_findings_of_all_pages_and_of_both_lists_count():
    pages = [page(findings=[BASIC]), page(enhancedFindings=[ENHANCED]), page(findings=[{**BASIC, "name": "CVE-2"}])]
    assert [each.id for each in read_scan("i", pages).findings] == ["CVE-2022-49043", "CVE-2", "CVE-2019-5188"]


def test_an_image_without_findings_is_clean():
    scan = read_scan("i", [page(findings=[])])
    assert (scan.kind, scan.counts, scan.findings) == ("basic", {}, ())
    assert read_scan("i", [page("ACTIVE", enhancedFindings=[])]).kind == "enhanced"


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING"])
def test_a_scan_that_runs_has_no_results_yet_whatever_an_earlier_one_found(status: str):
    with pytest.raises(ScanPending, match=status):
        read_scan("i", [page(status, findings=[BASIC])])


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
def test_a_scan_that_does_not_say_when_it_ended_has_not(status: str):
    """Enhanced findings come some seconds after COMPLETE: https://github.com/aws/aws-sdk/issues/289."""
    with pytest.raises(ScanPending, match="no results yet"):
        read_scan("i", [{"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": []}}])


def test_only_an_answer_without_findings_counts_and_end_is_silent():
    nothing = {"imageScanStatus": {"status": "ACTIVE"}, "imageScanFindings": {"findings": []}}
    assert is_silent([nothing])
    assert is_silent([{"imageScanStatus": {"status": "COMPLETE"}}])
    assert not is_silent([{**nothing, "imageScanStatus": {"status": "PENDING"}}])
    assert not is_silent([nothing, page(enhancedFindings=[ENHANCED])])
    for said in ({"findings": [BASIC]}, {"findingSeverityCounts": {"HIGH": 1}}, {"imageScanCompletedAt": ENDED}):
        assert not is_silent([{**nothing, "imageScanFindings": said}])


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("FAILED", "scan it again"),
        ("UNSUPPORTED_IMAGE", "base it on an operating system"),
        ("SCAN_ELIGIBILITY_EXPIRED", "push it again"),
        ("FINDINGS_UNAVAILABLE", "turn scanning on again"),
        ("LIMIT_EXCEEDED", "raise the quota"),
        ("IMAGE_ARCHIVED", "restore it"),
        ("SOMETHING_NEW", "look at its scan in ECR"),
        (None, "look at its scan in ECR"),
    ],
)
def test_what_is_no_result_is_none_even_with_findings(status: str | None, remedy: str):
    with pytest.raises(ScanMissing, match=f"no such layer.*{remedy}"):
        read_scan("i", [page(status, "no such layer", findings=[])])
    with pytest.raises(ScanMissing):
        read_scan("i", [{}])


def test_what_was_closed_is_no_finding_and_what_was_suppressed_is_one():
    found = [{**ENHANCED, "status": status} for status in ("CLOSED", "SUPPRESSED")]
    assert len(read_scan("i", [page(enhancedFindings=found)]).findings) == 1


def test_a_finding_that_says_nothing_of_itself_is_still_one():
    scan = read_scan("i", [page(findings=[{}], enhancedFindings=[{}, {"title": "t", "severity": "high"}])])
    assert scan.findings == (Finding("unnamed", "UNDEFINED"), Finding("unnamed", "UNDEFINED"), Finding("t", "HIGH"))


def test_no_fix_is_told_where_there_is_none():
    packages = [{"name": "a", "fixedInVersion": "NotAvailable"}, {"name": "b"}]
    found = {**ENHANCED, "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-1", "vulnerablePackages": packages}}
    assert read_scan("i", [page(enhancedFindings=[found])]).findings == (Finding("CVE-1", "HIGH", "a, b"),)


def test_more_that_ecr_counts_than_lists_is_counted():
    scan = read_scan("i", [page(findings=[BASIC], findingSeverityCounts={"MEDIUM": 3, "CRITICAL": 2})])
    assert scan.counts == {"CRITICAL": 2, "MEDIUM": 3}


def test_the_worst_comes_first_and_nothing_is_worse_than_what_nobody_judged():
    severities = ["LOW", "UNTRIAGED", "CRITICAL", "INFORMATIONAL", "HIGH", "MEDIUM"]
    scan = read_scan("i", [page(findings=[{**BASIC, "severity": each} for each in severities])])
    assert [each.severity for each in scan.findings] == ["UNTRIAGED", *reversed(SEVERITIES)]


@given(st.text())
def test_a_severity_is_known_or_higher_than_any(severity: str):
    assert severity in SEVERITIES or severity_rank(severity) > severity_rank("CRITICAL")


def test_a_document_names_the_worst_and_counts_all():
    found = [{**BASIC, "name": f"CVE-{number}"} for number in range(9)]
    document = read_scan("i", [page(findings=found)]).document(2)
    assert document["counts"] == {"MEDIUM": 9}
    assert [Finding.of(each).id for each in document["findings"]] == ["CVE-0", "CVE-1"]


def test_text_of_others_is_shown_on_one_line_and_cut():
    scan = read_scan("i", [page(findings=[{**BASIC, "name": "CVE\n\x1b[2J" + "x" * 999}])])
    assert len(scan.findings[0].id) == 200
    assert "\n" not in scan.findings[0].id


def test_an_image_for_several_platforms_has_the_findings_of_all():
    newer = read_scan("a", [page(enhancedFindings=[ENHANCED])])
    older = read_scan(
        "b",
        [{**page(findings=[BASIC]), "imageScanFindings": {"findings": [BASIC], "imageScanCompletedAt": UPDATED}}],
    )
    both = together([newer, older])
    assert (both.counts, len(both.findings)) == ({"HIGH": 1, "MEDIUM": 1}, 2)
    assert (both.completed, both.source_updated) == ("2026-02-28T00:00:00.000Z", None)
