"""The gates: artifacts, and the verdict that their checks come to."""

from hypothesis import given
from hypothesis import strategies as st

from signoff.policy.provenance import Provenance
from signoff.validation.checks import Check, CheckStatus, asking, errored, passed, unevaluated, verdict
from signoff.validation.gates import artifact_check, provenance_checks


def refused(*refusals: str, count: int = 1) -> str:
    return artifact_check({"name": "a", "refusals": refusals, "refusal_count": count}).reason


def test_a_refused_artifact_fails_with_the_number_of_errors_and_the_first_of_them():
    check = artifact_check({"name": "a", "refusals": ["One [rule].", "Two [rule]."], "refusal_count": 1007})
    assert (check.status, check.reason) == (CheckStatus.FAILED, "1,007 errors: One [rule]. Two [rule]")
    assert refused("One [rule].") == "1 error: One [rule]"


def test_what_does_not_fit_is_left_out_whole():
    assert refused("a" * 300, "b" * 399, "c", count=3) == f"3 errors: {'a' * 300} {'b' * 399} And more"
    assert refused("a" * 300, "b" * 400, "c", count=3) == f"3 errors: {'a' * 300} And more"


def test_an_artifact_without_refusals_passes():
    found = {"name": "a", "kind": "archive", "refusals": [], "refusal_count": 0, "members": 2, "sha256": "0"}
    check = artifact_check(found)
    assert (check.name, check.status) == ("artifact:a", CheckStatus.PASSED)


@given(st.lists(st.sampled_from(CheckStatus)))
def test_erring_goes_before_failing_and_failing_before_passing(statuses: list[CheckStatus]):
    found = verdict([Check("c", status, "because") for status in statuses])
    expected = "failed" if CheckStatus.FAILED in statuses else "passed"
    assert found == ("errored" if CheckStatus.ERRORED in statuses else expected)


@given(st.lists(st.builds(Check, st.just("c"), st.sampled_from(CheckStatus), st.just("because"))))
def test_what_cannot_be_evaluated_blocks_or_not_as_the_policy_says(checks: list[Check]):
    others = [check for check in checks if check.status is not CheckStatus.ERRORED]
    assert verdict([*others, unevaluated("gate", "because", blocks=True)]) == "failed"
    assert verdict([*others, unevaluated("gate", "because", blocks=False)]) == verdict(others)
    assert verdict([unevaluated("gate", "because", blocks=True), errored("c", "because")]) == "errored"


def test_a_check_lists_only_what_applies_to_it():
    gate = unevaluated("champion:auc", "the champion has no auc", blocks=True).compared("at least -0.005", "nothing")
    assert passed("a", "b").document == {"name": "a", "status": "passed", "reason": "b"}
    assert asking("a", "b").document == {"name": "a", "status": "passed", "reason": "b", "asks": True}
    assert gate.document == {
        "name": "champion:auc",
        "status": "errored",
        "reason": "the champion has no auc",
        "expected": "at least -0.005",
        "observed": "nothing",
        "blocks": True,
    }


SAID = {"CommitId": "4f2a", "Repository": "https://git.example.com/ml/churn", "GeneratedBy": " "}


def test_what_the_policy_asks_of_a_packages_origin_has_to_be_said():
    policy = Provenance(required=("CommitId", "GeneratedBy"), repositories=("https://git.example.com/ml/*",))
    found = {check.name: check.status for check in provenance_checks(policy, SAID)}
    expected = {"CommitId": "passed", "GeneratedBy": "failed", "Repository": "passed"}
    assert found == {f"provenance:{field}": CheckStatus(status) for field, status in expected.items()}
    assert [check.status for check in provenance_checks(policy, {})] == [CheckStatus.FAILED] * 3


def test_models_come_from_no_other_repository():
    (check,) = provenance_checks(Provenance(repositories=("https://git.example.com/risk/*",)), SAID)
    assert (check.status, check.observed) == (CheckStatus.FAILED, SAID["Repository"])


def test_a_policy_that_asks_nothing_of_the_origin_has_no_check_of_it():
    assert list(provenance_checks(Provenance(), SAID)) == []
