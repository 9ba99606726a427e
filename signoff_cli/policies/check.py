"""Everything about a policy that can be known before it is deployed. Asks nothing of AWS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signoff.documents.faults import Fault
from signoff.documents.patterns import compiled_on_use
from signoff.policy.files import read
from signoff.policy.lint import publisher_conflicts, spelling_conflicts
from signoff.policy.policy import Policy
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.manifest import Manifest
from signoff.submission.manifest_shape import manifest_shape
from signoff.submission.policy_choices import policy_faults
from signoff_cli.errors import CommandFailed
from signoff_cli.policies.sentences import sentences
from signoff_cli.policies.warnings import warnings

_FIELD = compiled_on_use(r"[.\[]")


class InvalidPolicies(CommandFailed):
    """Raised when policies could not be deployed; the message lists every error by its file and path."""

    def __init__(self, checked: Iterable[PolicyCheck]) -> None:
        super().__init__("\n".join(line for each in checked if each.faults for line in _describe(each)))


@dataclass(frozen=True)
class PolicyCheck:
    """What was found in the policy `name`: faults and warnings by path, and what it says if it is valid."""

    name: str
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()
    policy: Policy | None = None

    @property
    def sentences(self) -> Mapping[str, Sequence[str]]:
        """What the policy requires, by topic; nothing where it has errors."""
        return sentences(self.policy) if self.policy and not self.faults else {}

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "file": self.name,
            "verdict": "failed" if self.faults else "passed",
            "faults": [{"path": fault.path, "message": fault.message} for fault in self.faults],
            "warnings": [{"path": warning.path, "message": warning.message} for warning in self.warnings],
            "policy": {topic: list(lines) for topic, lines in self.sentences.items()},
        }


def check(name: str, data: bytes) -> PolicyCheck:
    """Return all that is known of the policy file `name`, which holds `data`, as the CDK app would deploy it."""
    found = read(data)
    if found.policy is None:
        return PolicyCheck(name, found.faults)
    return PolicyCheck(name, tuple(_faulty_defaults(found.policy)), tuple(warnings(found.policy)), found.policy)


def _faulty_defaults(policy: Policy) -> Iterator[Fault]:
    """Yield what Signoff would refuse of the registration defaults in each submission that leaves these fields out."""
    defaults = policy.registration_defaults
    if not defaults:
        return
    shape = manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))
    # Other fields are the manifest's to give.
    found = [each for each in Manifest(defaults, "", "", shape).faults() if _FIELD.split(each.path)[0] in defaults]
    for fault in found or policy_faults(defaults, policy):
        yield Fault(f"registration_defaults.{fault.path}", fault.message)


def with_conflicts(checked: Sequence[PolicyCheck]) -> list[PolicyCheck]:
    """Return what was found, and beside it what is wrong with the policies only because they stand side by side."""
    good = {each.name: each.policy for each in checked if each.policy}
    conflicts = [*spelling_conflicts(each.name for each in checked), *publisher_conflicts(good)]
    return [replace(each, faults=(*each.faults, *_of(conflicts, each.name))) for each in checked]


def _of(conflicts: Iterable[tuple[str, Fault]], name: str) -> Iterable[Fault]:
    return (fault for owner, fault in conflicts if owner == name)


def _describe(checked: PolicyCheck) -> list[str]:
    count = f"{len(checked.faults)} error{'' if len(checked.faults) == 1 else 's'}"
    return [f"{checked.name} has {count}:", *(f"  {each.path or 'policy'}: {each.message}" for each in checked.faults)]
