"""What was found, summed up: each rule once, whole, with what to do, however long the names are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.findings import Finding, by_rule, summed_up
from signoff.artifact.remedies import REMEDIES
from signoff.aws.sagemaker import DESCRIPTION_LIMIT, approval_description
from signoff.documents.text import cut_within, fitting
from signoff.governance.registry_status import refusal
from signoff.validation.gates import artifact_check

EVIL = Finding("m > data.pkl", "unsafe-pickle", "error", "Would run os.system when it is loaded (byte 0)")
CLIMBS = Finding("../a", "parent-directory", "error", "Has a name with `..`")
DANGLES = Finding("latest", "dangling-link", "warning", "Is a link to m, which is not in the archive")

RULES = st.sampled_from(sorted(REMEDIES))
ERRORS = st.builds(
    Finding, st.none() | st.text(max_size=600), RULES, st.just("error"), st.text(min_size=1, max_size=600)
)
FOUND = st.lists(ERRORS, min_size=1, max_size=20)


def description(*reasons: str, name: str = "artifact:a", package: str = "churn/3") -> str:
    checks: list[dict[str, Any]] = [{"name": name, "status": "failed", "reason": reason} for reason in reasons]
    return refusal([{"name": "b", "status": "passed", "reason": "fine"}, *checks], package)


def test_findings_are_reported_by_rule_errors_first() -> None:
    assert by_rule([DANGLES, EVIL, CLIMBS, EVIL]) == [[EVIL, EVIL], [CLIMBS], [DANGLES]]


def test_a_rule_is_reported_once_with_its_first_member_and_what_to_do() -> None:
    told = summed_up([EVIL, CLIMBS, EVIL])
    assert told == [
        "m > data.pkl: Would run os.system when it is loaded (byte 0) [unsafe-pickle, 2 times]. "
        + REMEDIES["unsafe-pickle"],
        "../a: Has a name with `..` [parent-directory]. " + REMEDIES["parent-directory"],
    ]


def test_what_is_about_the_whole_archive_names_no_member() -> None:
    assert summed_up([Finding(None, "not-gzip", "error", "Not gzip")])[0].startswith("Not gzip [not-gzip].")


def test_after_five_rules_the_others_are_named() -> None:
    told = summed_up(Finding("a", rule, "error", "why") for rule in list(REMEDIES)[:8])
    assert len(told) == 6
    assert told[5] == f"Also: {', '.join(list(REMEDIES)[5:8])}."


@given(FOUND)
def test_rule_and_remedy_are_whole_whatever_the_names_are(found: list[Finding]) -> None:
    for errors, told in zip(by_rule(found)[:5], summed_up(found), strict=False):
        assert f"[{errors[0].rule}" in told
        assert told.endswith(REMEDIES[errors[0].rule])
        assert len(told) < 650


@given(FOUND, st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=63))
def test_the_registry_gets_the_number_the_first_rule_and_where_the_rest_is(found: list[Finding], group: str) -> None:
    check = artifact_check({"name": "a", "refusals": summed_up(found), "refusal_count": len(found)})
    said = description(check.reason, package=f"{group}/12345")
    assert len(said) <= DESCRIPTION_LIMIT
    assert said.startswith(f"Signoff refused this package. artifact:a: {len(found)} error")
    assert f"[{found[0].rule}" in said
    assert REMEDIES[found[0].rule] in said
    assert said.endswith(f" Details: `signoff show {group}/12345`.")
    assert approval_description(said).endswith("`.")


def test_checks_that_do_not_fit_are_counted() -> None:
    said = description("a" * 600, "b" * 600, "c" * 20)
    assert "b" * 20 not in said
    assert said.endswith(f"{'a' * 600}. And 2 more checks failed. Details: `signoff show churn/3`.")


def test_a_check_that_is_too_long_alone_is_cut_before_the_end_is() -> None:
    said = description("a" * 5000)
    assert (len(said) <= DESCRIPTION_LIMIT, said.endswith("... Details: `signoff show churn/3`.")) == (True, True)


@pytest.mark.parametrize(("text", "cut"), [("abcdefghi", "abcdefghi"), ("abcdefghij", "abc...hij")])
def test_a_name_is_cut_in_its_middle(text: str, cut: str) -> None:
    assert cut_within(text, 9) == cut


@given(st.lists(st.text(max_size=9)), st.integers(0, 40))
def test_as_many_sentences_are_reported_as_fit(sentences: list[str], limit: int) -> None:
    told = fitting(sentences, limit)
    assert sentences[: len(told)] == told
    assert len(" ".join(told)) <= limit
    assert told == sentences or len(" ".join(sentences[: len(told) + 1])) > limit


@pytest.mark.parametrize(
    ("rule", "reason", "remedy"),
    [
        ("unknown-global", "Would load catboost.core.Pool, which is not known", "as `.cbm`"),
        ("unknown-global", "Would load torch.nn.modules.linear.Linear, which is not known", "state_dict"),
        (
            "own-class",
            "Would load acme.features.Encoder, which is of",
            '"pickles": {"trusted": ["acme.features.Encoder"]}',
        ),
        ("skops-untrusted-type", "Would load acme.features.Encoder at a", '{"trusted": ["acme.features.Encoder"]}'),
    ],
)
def test_a_name_that_is_not_known_is_told_with_what_its_library_offers_and_the_policy_s_line(
    rule: str, reason: str, remedy: str
) -> None:
    assert remedy in Finding("m", rule, "error", reason).remedy


def test_no_line_is_offered_that_a_policy_may_not_have() -> None:
    assert "trusted" not in Finding("m", "own-class", "error", "Would load acme.__builtins__, which").remedy
    assert "trusted" not in Finding("m", "own-class", "error", "Would load __main__.\u202e, which").remedy
