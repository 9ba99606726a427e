"""Policies in force that cannot be read: their groups' submissions and validations end in errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from signoff.errors import PolicyFault
from signoff.policy import parameter, policy
from signoff_cli.operations.findings import Finding


class PolicyReader(Protocol):
    """What is read of the parameters (`signoff.aws.ssm.Policies`)."""

    @property
    def path(self) -> str: ...  # noqa: D102
    def texts(self) -> Mapping[str, str]: ...  # noqa: D102


def find(policies: PolicyReader) -> Iterator[Finding]:
    """Yield a finding for each policy in force that is invalid, and one if there is no default."""
    texts, default = policies.texts(), f"{policies.path}/default"
    if default not in texts:
        why = "groups without a policy of their own have none"
        yield Finding("invalid_policy", "default", f"there is no {default}", why, ("make diff", "make deploy"))
    for name, text in sorted(texts.items()):
        fault = _fault(name.removeprefix(f"{policies.path}/"), text)
        if fault:
            commands = (f"aws ssm get-parameter-history --name {name}", "make diff", "make deploy")
            yield Finding("invalid_policy", name, "the policy in force cannot be read", fault, commands)


def _fault(name: str, text: str) -> str | None:
    try:
        if name.startswith("groups/"):
            parameter.read(text, name.removeprefix("groups/"))
        else:
            policy.parse(text)
    except PolicyFault as fault:
        return str(fault)
    return None
