"""Who may submit."""

from __future__ import annotations

from signoff.policy.policy import Policy


def refusal(policy: Policy, submitter: str | None) -> str | None:
    """Return why `policy` refuses `submitter` (an ARN, None for an unknown one), or None if it does not.

    Everyone listed may submit, including a job's role, which may be used by anyone: the policy allows that explicitly.
    """
    listed = policy.submissions.submitters
    if submitter is not None and listed and _is_principal(submitter):
        if policy.takes_from(submitter):
            return None
        return f"{submitter} is not among those who may submit to this group (`submissions.submitters` of its policy)"
    if policy.approvals.unknown_submitter == "refuse" and not policy.approvals.knows(submitter):
        who = f"{submitter} may be used by anyone" if submitter else "it is not signed"
        return (
            f"it is not known who submitted this ({who}), and the policy refuses that; submit it with `signoff submit`"
        )
    return None


def _is_principal(arn: str) -> bool:
    """Return whether it is an IAM principal; a SageMaker user profile identifies nobody."""
    return arn.split(":")[2:3] in (["iam"], ["sts"])
