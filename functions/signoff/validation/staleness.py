"""Whether a package still matches its evidence; otherwise it must not be decided on or deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from signoff.ledger.state import State
from signoff.policy.policy import Policy
from signoff.submission.policy_choices import not_allowed_any_more
from signoff.validation.evidence import outdated


class Documents(Protocol):
    """What is read here: a vault, or a reading of one."""

    def read(self, prefix: str, sha256: str) -> Any: ...  # noqa: D102


def changed_since_evidence(state: State, described: Mapping[str, Any], documents: Documents) -> list[str]:
    """Return the parts of the subject that differ between `described` and the newest evidence, if there is any.

    Also the `submitter`, whom the evidence found proven, if the ledger names another now.
    """
    if state.evidence is None:
        return []
    evidence = documents.read("evidence", state.evidence["sha256"])
    another = [] if evidence["submitter"] == state.submitter else ["submitter"]
    return [*outdated(evidence, described, state.specifications), *another]


def disallowed_since_evidence(state: State, policy: Policy, documents: Documents) -> list[str]:
    """Return the deployment settings in the newest evidence, if there is any, that `policy` does not allow any more."""
    if state.evidence is None:
        return []
    signed = documents.read("evidence", state.evidence["sha256"])["subject"]
    return not_allowed_any_more(signed["deployment"]["policy"], policy.deployment)
