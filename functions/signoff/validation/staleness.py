"""Whether a package still matches its evidence; otherwise it must not be decided on or deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.vault import Vault
from signoff.ledger.state import State
from signoff.model_package.data_sources import is_prefix
from signoff.policy.policy import Policy
from signoff.submission.policy_choices import not_allowed_any_more
from signoff.validation.evidence import outdated


def changed_since_evidence(state: State, described: Mapping[str, Any], vault: Vault) -> list[str]:
    """Return the parts of the subject that differ between `described` and the newest evidence, if there is any.

    Also the `submitter`, whom the evidence found proven, if the ledger names another now.
    """
    if state.evidence is None:
        return []
    evidence = vault.read("evidence", state.evidence["sha256"])
    another = [] if evidence["submitter"] == state.submitter else ["submitter"]
    return [*outdated(evidence, described, state.specifications), *another]


def expired_since_evidence(state: State, vault: Vault) -> list[str]:
    """Return the keys in the newest evidence, if there is any, at which the vault holds no artifact any more."""
    if state.evidence is None:
        return []
    keys = [artifact["key"] for artifact in vault.read("evidence", state.evidence["sha256"])["artifacts"]]
    return [key for key in keys if not any(is_prefix(key) or each.key == key for each in vault.under(key))]


def disallowed_since_evidence(state: State, policy: Policy, vault: Vault) -> list[str]:
    """Return the deployment settings in the newest evidence, if there is any, that `policy` does not allow any more."""
    if state.evidence is None:
        return []
    signed = vault.read("evidence", state.evidence["sha256"])["subject"]
    return not_allowed_any_more(signed["deployment"]["policy"], policy.deployment)
