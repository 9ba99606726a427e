"""What is known of a submission before anything is uploaded: whether its group takes it, and by which policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code
from signoff.documents.suggestions import closest, question
from signoff.documents.text import clean
from signoff.model_package.data_sources import is_prefix
from signoff.policy.parameter import GroupPolicy
from signoff.submission.unnamed import unnamed
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.policy_view import NOT_PERMITTED, GroupPolicies
from signoff_cli.submissions.placing import names_of
from signoff_cli.submissions.upload import UploadPlan

if TYPE_CHECKING:
    from signoff.aws.sagemaker import Registry
    from signoff.aws.ssm import Policies

_MOST = 1000  # groups that are read to find one of a similar name
_PROPOSED = 3


class GroupNames(Protocol):
    """What lists names of groups (`signoff.aws.ssm.Policies.groups`, `signoff.aws.sagemaker.Registry.group_names`)."""

    def __call__(self) -> Iterator[str] | list[str]: ...  # noqa: D102


def governing(
    group: str, registry: Registry, policies: Policies, *, create: bool, manifest: bool
) -> GroupPolicy | None:
    """Return the policy that a submission to `group` will be judged by; None if the caller may not read it.

    `create` says that the submission asks for the group to be created, `manifest` that it has one. Raises
    `CommandFailed` for what Signoff would refuse because of the group or its policy.
    """
    found = GroupPolicies(policies).governing(group)
    if found is None:
        return None
    if not _exists(group, registry):
        _may_create(found, group, registry, policies, create=create)
    if not manifest and found.policy.registration_defaults is None:
        raise CommandFailed(
            f"the policy {found.name} has no `registration_defaults`, so a submission to {group} needs a manifest: "
            "give it with --manifest FILE. Nothing was uploaded"
        )
    return found


def all_named(plan: UploadPlan, defaults: Mapping[str, Any] | None) -> None:
    """Raise `CommandFailed` for files that neither the manifest nor the policy's registration `defaults` name.

    Signoff would refuse them after the upload. Of a faulty manifest it says what is wrong.
    """
    names = names_of(plan.manifest or b"{}", defaults)
    named = {*names.model_data, *names.others}
    prefixes = tuple(name for name in named if is_prefix(name))
    extra = unnamed((each.name for each in plan.uploads if not each.name.startswith(prefixes)), named)
    if names.document and extra:
        listed = ", ".join(clean(name) for name in extra[:_PROPOSED])
        more = f" and {len(extra) - _PROPOSED:,} more" if len(extra) > _PROPOSED else ""
        raise CommandFailed(
            f"the manifest does not name {listed}{more}, so that nobody would inspect it: name it in the manifest, or "
            "leave it out. Nothing was uploaded"
        )


def _may_create(found: GroupPolicy, group: str, registry: Registry, policies: Policies, *, create: bool) -> None:
    """Raise `CommandFailed` unless the submission may create the group that does not exist."""
    allowed = found.policy.groups.create
    if allowed and (create or not found.is_default):
        return
    near = question(closest(group, _groups(policies.groups, registry.group_names), _PROPOSED)) or ";"
    how = (
        "with --create-group the submission asks for it"
        if allowed
        else f"the policy {found.name} does not let a submission create it (`groups.create`)"
    )
    raise CommandFailed(f"there is no group {group}{near} {how}. Nothing was uploaded")


def _exists(group: str, registry: Registry) -> bool:
    """Return whether there is such a group, as far as the caller may see: Signoff looks again."""
    try:
        return registry.group_exists(group)
    except ClientError as error:
        if error_code(error) not in NOT_PERMITTED:
            raise
        return True


def _groups(*sources: GroupNames) -> set[str]:
    """Return the names that the sources list, without those that the caller may not read."""
    names: set[str] = set()
    for source in sources:
        try:
            names.update(islice(source(), _MOST))
        except ClientError as error:
            if error_code(error) not in NOT_PERMITTED:
                raise
    return names
