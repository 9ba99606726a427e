"""Which images a policy takes, and which findings in them it refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.model_package.image_scans import SEVERITIES, Finding, Scan
from signoff.policy.images import Images
from tests.support.policy_files import faults

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DAY = "2026-03-02"


def rules(**fields: Any) -> Images:
    return msgspec.convert(fields, type=Images)


def scan(*findings: Finding, **counts: int) -> Scan:
    return Scan("basic", "COMPLETE", "2026-03-01T08:00:00.000Z", None, counts, findings)


def refused(found: Scan, day: str = DAY, **fields: Any) -> list[str]:
    return [finding.id for finding in rules(**fields).refused(found, day)]


def test_a_policy_without_rules_asks_nothing():
    assert refused(scan(Finding("CVE-1", "CRITICAL"))) == []
    assert rules().takes_from("docker.io/anything")
    assert not rules().exempts(f"{ECR}/models")
    assert not rules().signs("arn:aws:signer:eu-west-1:123456789012:/signing-profiles/release")


@given(st.sampled_from(SEVERITIES), st.sampled_from(SEVERITIES))
def test_what_is_as_severe_as_the_policy_says_or_more_is_refused(found: str, limit: str):
    blocked = SEVERITIES.index(found) >= SEVERITIES.index(limit)
    assert refused(scan(Finding("CVE-1", found)), block_at=limit) == (["CVE-1"] if blocked else [])


@pytest.mark.parametrize("severity", ["UNDEFINED", "UNTRIAGED", "", "Important"])
def test_a_severity_that_nobody_knows_is_refused(severity: str):
    assert refused(scan(Finding("CVE-1", severity)), block_at="CRITICAL") == ["CVE-1"]


@pytest.mark.parametrize(
    ("day", "expected"), [("2026-03-01", []), ("2026-03-02", []), ("2026-03-03", ["CVE-1"]), ("2027-01-01", ["CVE-1"])]
)
def test_a_finding_is_accepted_by_its_id_until_the_end_of_a_day(day: str, expected: list[str]):
    accepted = [{"id": "CVE-1", "until": "2026-03-02"}, {"id": "CVE", "until": "2027-12-31"}]
    assert refused(scan(Finding("CVE-1", "HIGH")), day, block_at="HIGH", accepted=accepted) == expected


def test_what_is_counted_and_not_listed_is_refused_and_nobody_can_accept_it():
    found = scan(Finding("CVE-1", "HIGH"), HIGH=3, LOW=9)
    accepted = [{"id": "CVE-1", "until": DAY}]
    assert refused(found, block_at="HIGH", accepted=accepted) == ["2 unlisted"]


def test_images_come_from_the_repositories_that_are_listed():
    listed = rules(repositories=[f"{ECR}/models/*", f"{ECR}/base"])
    taken = [f"{ECR}/models/churn", f"{ECR}/base", f"{ECR}/base/other", f"{ECR.replace('12', '21')}/base"]
    assert [listed.takes_from(each) for each in taken] == [True, True, False, False]


@pytest.mark.parametrize(
    ("repository", "matches"),
    [
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference", True),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/a/b", True),
        ("763104351884.dkr.ecr.evil.example/a.amazonaws.com/b", False),
        ("763104351884.dkr.ecr.bucket.s3.amazonaws.com/b", False),
        ("evil.example/763104351884.dkr.ecr.eu-west-1.amazonaws.com/b", False),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com", False),
    ],
)
def test_nobody_gives_another_registry_a_name_that_a_pattern_matches(repository: str, matches: bool):
    pattern = "763104351884.dkr.ecr.*.amazonaws.com/*"
    assert rules(exempt=[pattern]).exempts(repository) is matches
    assert rules(repositories=[pattern]).takes_from(repository) is matches
    assert rules(exempt=["*/*"]).exempts(repository) is ("/" in repository)


@pytest.mark.parametrize(
    ("images", "path", "words"),
    [
        ({"block_at": "SEVERE"}, "images.block_at", "must be one of"),
        ({"wait_minutes": 121}, "images.wait_minutes", "120"),
        ({"wait_minutes": -1}, "images.wait_minutes", "0"),
        ({"repositories": [f"{ECR}/models:1.2@sha256:a"]}, "images.repositories[0]", "without tag or digest"),
        ({"exempt": ["models"]}, "images.exempt[0]", "a registry and a repository"),
        ({"signed_by": ["release"]}, "images.signed_by[0]", "signing profile's ARN"),
        ({"accepted": [{"id": "CVE-1"}]}, "images.accepted[0].until", "missing"),
        ({"accepted": [{"id": "CVE-1", "until": "soon"}]}, "images.accepted[0].until", "must be a day"),
        ({"accepted": [{"id": "CVE-1", "until": "2027-02-30"}]}, "images.accepted[0].until", "no day of the calendar"),
        ({"accepted": [{"id": "", "until": DAY}]}, "images.accepted[0].id", "must be a name"),
        ({"max_severity": "HIGH"}, "images.max_severity", "is not a field here"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_a_fault_by_its_path(images: dict[str, Any], path: str, words: str):
    found = faults({"images": images})
    assert list(found) == [path]
    assert words in found[path]
