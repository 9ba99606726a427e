"""The policy that an attempt is judged by, which the workflow hands on with the claim."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from signoff.aws.vault import Vault
from signoff.documents.canonical_json import canonical
from signoff.policy.policy import Policy, of_document


def claimed_policy(claim: Mapping[str, Any], vault: Vault) -> Policy:
    """Return the policy with the digest that `claim` names: what was handed on if it has that digest, or the vault's.

    Raises `DocumentMissing` when the vault has no such document either.
    """
    data = canonical(claim.get("policy_document"))
    if hashlib.sha256(data).hexdigest() == claim["policy"]:
        return of_document(json.loads(data))  # with its members in the order of the vault's
    return of_document(vault.read("policies", claim["policy"]))
