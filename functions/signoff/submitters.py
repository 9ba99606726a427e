"""Who may submit, and whether a package is what its submitter signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from signoff.checks import Check, CheckStatus
from signoff.policy import Policy

_LISTED = 20  # objects that are told of one by one; the last check says how many more there are


def refusal(policy: Policy, submitter: str | None) -> str | None:
    """Return why `policy` takes nothing from `submitter` (an ARN, None for an unknown one), or None if it does.

    Whoever it lists may submit, a job's role too, behind which may be anybody: then that is what the policy wants.
    """
    listed = policy.submissions.submitters
    if submitter is not None and listed and _is_principal(submitter):
        if policy.takes_from(submitter):
            return None
        return f"{submitter} is not among those who may submit to this group (`submissions.submitters` of its policy)"
    if policy.approvals.unknown_submitter == "refuse" and not policy.approvals.knows(submitter):
        who = f"anybody may be behind {submitter}" if submitter else "nobody signed it"
        return f"it is not known who submits this ({who}), and the policy refuses that; submit it with `signoff submit`"
    return None


def _is_principal(arn: str) -> bool:
    """Return whether IAM knows of it; a SageMaker user profile says of nobody who it is."""
    return arn.split(":")[2:3] in (["iam"], ["sts"])


def check(policy: Policy, submitter: str | None, signed: Mapping[str, str] | None) -> Iterator[Check]:
    """Yield the check of who submitted a package, if its policy asks that or they `signed` (name to SHA-256)."""
    refused = refusal(policy, submitter)
    if refused:
        yield Check("submitter", CheckStatus.FAILED, refused)
    elif signed:
        yield Check("submitter", CheckStatus.PASSED, f"{submitter} signed what {len(signed)} objects hold")
    elif policy.submissions.submitters or policy.approvals.unknown_submitter == "refuse":
        yield Check("submitter", CheckStatus.PASSED, f"{submitter or 'whoever it was'} may submit to this group")


def object_checks(signed: Mapping[str, str], found: Iterable[tuple[str, str]]) -> list[Check]:
    """Return a failed check for each of `found`, pairs of name and SHA-256, that is not as it was `signed`."""
    others = sorted({name for name, sha256 in found if signed.get(name) != sha256})
    checks = [Check(f"submitter:{name}", CheckStatus.FAILED, _reason(name, signed)) for name in others[:_LISTED]]
    if len(others) > _LISTED:
        more = f"{len(others) - _LISTED} more objects are not what their submitter signed"
        checks.append(Check("submitter:more", CheckStatus.FAILED, more))
    return checks


def _reason(name: str, signed: Mapping[str, str]) -> str:
    if name in signed:
        return f"{name} is not what its submitter signed"
    return f"{name} is not among what the package's submitter signed"
