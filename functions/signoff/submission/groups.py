"""The group that a submission is for: the policy that it is judged by, and whether it may be created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.documents.faults import Fault
from signoff.documents.suggestions import closest, question
from signoff.errors import ManifestRefused
from signoff.policy.parameter import GroupPolicy
from signoff.submission.layout import Submission
from signoff.submission.signature import Signature

_PROPOSED = 3


@dataclass(frozen=True)
class TargetGroup:
    """A group's name, the policy that governs it, and its tags if it exists."""

    name: str
    governing: GroupPolicy
    tags: Mapping[str, str] | None

    @property
    def is_new(self) -> bool:
        """Whether the submission would create it."""
        return self.tags is None


def find(submission: Submission, registry: Registry, policies: Policies) -> TargetGroup:
    """Return the group of a submission. Raises `ManifestRefused` for one that it cannot be submitted to."""
    group = submission.group
    if not submission.names_a_group:
        raise refusal(f"`{group}` is not a valid name for a model package group; upload under another prefix")
    found = registry.group(group)
    governing = policies.governing(found.name, found.tags) if found else policies.for_new_group(group)
    if governing is None:
        raise refusal(f"group {group} exists and Signoff does not govern it; give it a policy first")
    _refuse_spelling(group, governing.group)
    target = TargetGroup(group, governing, found.tags if found else None)
    if target.is_new and not governing.policy.groups.create:
        raise _unknown(target, policies, f"its policy ({governing.name}) does not let a submission create it")
    return target


def confirm(target: TargetGroup, signature: Signature | None, policies: Policies) -> None:
    """Raise `ManifestRefused` for a new group that was probably not meant: by its spelling, or as nobody asks for it.

    A policy of its own names a group, and so does whoever signs that it is to be created. A prefix alone may be a
    typing error, which would bring the models below it under the default policy.
    """
    if not target.is_new:
        return
    _refuse_spelling(target.name, policies.elsewhere_spelled(target.name))
    if target.governing.is_default and not (signature and signature.creates_group):
        raise _unknown(
            target,
            policies,
            "its submitter does not ask for it: `signoff submit --create-group` creates it, under the default policy",
        )


def refusal(message: str) -> ManifestRefused:
    """Return the refusal of a submission because of its group."""
    return ManifestRefused([Fault("ModelPackageGroupName", message)])


def _unknown(target: TargetGroup, policies: Policies, why: str) -> ManifestRefused:
    near = closest(target.name, policies.groups(), _PROPOSED)
    return refusal(f"there is no group {target.name}, and {why}{question(near)}")


def _refuse_spelling(group: str, spelled: str | None) -> None:
    """Refuse a submission under another spelling than its group's: the only one that buckets and policies name."""
    if spelled not in {group, None}:
        raise refusal(f"`{group}` is another spelling of the group {spelled}: upload under {spelled}/")
