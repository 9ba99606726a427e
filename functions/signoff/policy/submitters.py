"""Who may submit, and whether a package is what its submitter signed."""

from __future__ import annotations

from signoff.policy.policy import Policy


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
