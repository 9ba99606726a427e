"""Who may submit."""

from __future__ import annotations

from signoff.policy.policy import Policy


def refusal(policy: Policy, submitter: str | None) -> str | None:
    """Return why `policy` refuses `submitter` (an ARN, None for an unknown one), or None if it does not.

    Everyone listed may submit, including a job's role, which may be used by anyone: the policy allows that explicitly.
    Where some are listed, nobody else may, and nobody unknown.
    """
    if policy.submissions.submitters:
        if policy.takes_from(submitter):
            return None
        listed = "those who may submit to this group (`submissions.submitters` of its policy)"
        if submitter is None:
            return f"it is not signed, and only {listed} may; submit it with `signoff submit`"
        return f"{submitter} is not among {listed}"
    if policy.approvals.unknown_submitter == "refuse" and not policy.approvals.knows(submitter):
        who = f"{submitter} may be used by anyone" if submitter else "it is not signed"
        return (
            f"it is not known who submitted this ({who}), and the policy refuses that; submit it with `signoff submit`"
        )
    return None
