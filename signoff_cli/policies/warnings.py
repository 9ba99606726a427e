"""Warnings about valid policies: what is weak, or probably not intended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from signoff.artifact.formats.tensorflow.operators import DOES
from signoff.documents.faults import Fault, below
from signoff.documents.suggestions import closest, question
from signoff.policy.lint import one_person
from signoff.runtime.clock import utc_now

if TYPE_CHECKING:
    from signoff.policy.approvals import Approvals
    from signoff.policy.artifact import Artifact
    from signoff.policy.images import Images
    from signoff.policy.policy import Policy

_WEAK_FORMATS = {
    "pickle": "is a program that runs when it is loaded: it is checked by the names in it, not by what it does",
    "pytorch": "holds a pickle, a program that runs when it is loaded: it is checked by the names in it",
    "torchscript": "is a program that PyTorch runs when it is loaded; without this it is refused",
    "unknown": "allows any binary data, which is not inspected",
}
KEPT_UNAPPROVED = timedelta(days=365)  # unless a deployment chooses otherwise (infra/settings.py)
_ANYBODY = {"*": "person", "role/*": "role, including those of jobs,", "user/*": "IAM user"}


def warnings(policy: Policy, today: date | None = None) -> Iterator[Fault]:
    """Yield what is weak, or probably not intended, in a policy without faults, each by its path.

    `today` (UTC) is the present day unless it is given.
    """
    approvals = policy.approvals
    yield from _choices(policy)
    yield from _comparison(policy)
    yield from _contents(policy.artifact)
    for path, pattern in _patterns(policy):
        yield from _reach(path, pattern)
    yield from _tight(approvals)
    yield from _outlasting(approvals)
    yield from _locked_out(policy)
    yield from _same_names(policy)
    yield from _unknown_regions(policy)
    yield from _without_network(policy)
    yield from _images(policy.images, today or utc_now().date())


def _images(images: Images, today: date) -> Iterator[Fault]:
    """Yield what of a policy's images is over, or without effect."""
    for index, each in enumerate(images.accepted):
        if each.until < today.isoformat():
            message = f"{each.id} was accepted until {each.until} and is refused again: remove it, or set a later day"
            yield Fault(f"images.accepted[{index}]", message)
    asked = {"accepted": images.accepted, "revoke": images.revoke}
    for name in (name for name, value in asked.items() if value and not images.block_at):
        yield Fault(f"images.{name}", "has no effect, for no scan is asked for: set `block_at`")
    if images.exempt and not (images.block_at or images.signed_by):
        yield Fault("images.exempt", "has no effect, for neither scan nor signature is asked for")
    yield from _registries("repositories", images.repositories)
    yield from _registries("exempt", images.exempt)


def _registries(field: str, patterns: Iterable[str]) -> Iterator[Fault]:
    """Yield which patterns of repositories match no registry, or exempt those of any."""
    for index, pattern in enumerate(patterns):
        registry = pattern.partition("/")[0]
        if registry.endswith(".*"):
            message = f"`{pattern}` matches no registry of Amazon ECR: `*` stands for no dots in a registry's name"
            yield Fault(f"images.{field}[{index}]", message)
        if registry[0] in "*?" and field == "exempt":
            yield Fault(f"images.exempt[{index}]", f"`{pattern}` matches repositories in the registries of any account")


def _choices(policy: Policy) -> Iterator[Fault]:
    approvals = policy.approvals
    if policy.mode == "report":
        yield Fault(
            "mode",
            "nothing is enforced: anybody with the permissions can deploy models of packages that the policy refuses",
        )
    if not approvals.approvers and not approvals.roles:
        message = (
            "is empty, so every IAM user and user of IAM Identity Center in the registry's account who may send events "
            "may approve; who has both may submit as one and approve as the other"
        )
        yield Fault("approvals.approvers", message)
    if approvals.submitter_may_approve:
        yield Fault("approvals.submitter_may_approve", "one person alone may submit a model and approve it")
    if approvals.unknown_submitter == "accept":
        message = "if the submitter is unknown, one person alone may have submitted a model and approve it"
        yield Fault("approvals.unknown_submitter", message)
    if approvals.identity == "asserted":
        message = "anybody who may send events as a publisher can decide in anybody's name; nothing is proven"
        yield Fault("approvals.identity", message)


def _comparison(policy: Policy) -> Iterator[Fault]:
    if any(metric.compares for metric in policy.metrics) and not policy.comparison.data_sets:
        message = (
            "names no data set, so that submitters choose what their model is compared on: list the SHA-256 of those "
            "that may be used"
        )
        yield Fault("comparison.data_sets", message)


def _contents(artifact: Artifact) -> Iterator[Fault]:
    """Yield what an archive may hold that nobody can read, or that runs when it is loaded."""
    for index, name in enumerate(artifact.formats):
        if name in _WEAK_FORMATS:
            yield Fault(f"artifact.formats[{index}]", f"`{name}` {_WEAK_FORMATS[name]}")
    for name, globs in (("python", artifact.code.python), ("scripts", artifact.code.scripts)):
        if "*" in globs:
            message = "`*` means anywhere: also beside the weights, where nobody expects code"
            yield Fault(f"artifact.code.{name}[{globs.index('*')}]", message)
    for index, glob in enumerate(artifact.code.compiled):
        message = f"`{glob}` allows compiled code, which runs as it is and is not inspected"
        yield Fault(f"artifact.code.compiled[{index}]", message)
    for index, name in enumerate(artifact.pickles.trusted):
        scope = "everything that this module defines or imports" if name.endswith(".*") else "it"
        message = (
            f"`{name}`: whoever writes a model may call {scope} with any arguments, and change it, when it is loaded"
        )
        yield Fault(f"artifact.pickles.trusted[{index}]", message)
    for index, name in enumerate(artifact.tensorflow.operators):
        message = f"`{name}` may {DOES.get(name, 'do more than compute')} whenever a model is loaded or asked"
        yield Fault(f"artifact.tensorflow.operators[{index}]", message)


def _patterns(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield the path and text of every pattern of persons, and those of publishers."""
    approvals = policy.approvals
    lists = {
        "approvals.approvers": approvals.approvers,
        "approvals.trusted_sessions": approvals.trusted_sessions,
        "approvals.annotators": approvals.annotators,
        "approvals.break_glass": approvals.break_glass,
        "submissions.submitters": policy.submissions.submitters,
        **{below("approvals.roles", name) + ".members": role.members for name, role in approvals.roles.items()},
        **{below("approvals.publishers", source): who for source, who in approvals.publishers.items()},
    }
    return ((f"{path}[{index}]", each) for path, patterns in lists.items() for index, each in enumerate(patterns))


def _reach(path: str, pattern: str) -> Iterator[Fault]:
    account, resource = pattern.split(":", 5)[4:]
    if "*" in account or "?" in account:
        yield Fault(path, f"`{pattern}` matches this name in any account that the group is open to")
    if resource in _ANYBODY:
        yield Fault(path, f"`{pattern}` matches every {_ANYBODY[resource]} in its accounts")
    persons = not path.startswith("approvals.publishers")
    if persons and resource.startswith("role/") and "/" in resource.removeprefix("role/"):
        name = resource.rpartition("/")[2]
        message = f"`{pattern}` has a path, which session ARNs do not show, and matches nobody: use role/{name}"
        yield Fault(path, message)


def _tight(approvals: Approvals) -> Iterator[Fault]:
    """Yield that every person listed has to approve: none of them can submit, and none can be away."""
    listed = {*approvals.approvers, *chain.from_iterable(role.members for role in approvals.roles.values())}
    needed = max(approvals.needed, sum(role.needed for role in approvals.roles.values()))
    countable = all(one_person(each, approvals.trusted_sessions) for each in listed)
    if listed and countable and len(listed) == needed and not approvals.submitter_may_approve:
        message = "all who are listed have to approve: what one of them submits can never be approved"
        yield Fault("approvals.needed", message)


def _outlasting(approvals: Approvals) -> Iterator[Fault]:
    """Yield that packages may wait for longer than the vault keeps their copies."""
    if approvals.expiry and approvals.expiry.after >= KEPT_UNAPPROVED:
        message = (
            f"copies that were never approved expire {KEPT_UNAPPROVED.days} days after they were made, and a later "
            "approval is refused, unless the stack is deployed with another `-c unapprovedDays`"
        )
        yield Fault("approvals.expiry.after", message)


def _unknown_regions(policy: Policy) -> Iterator[Fault]:
    """Yield the targets' regions in which this version of the AWS SDK knows no SageMaker: new ones, or mistyped."""
    targets = policy.deployment.targets
    known = _regions() if targets else set()
    for index, target in enumerate(targets):
        if target.region not in known:
            message = f"the AWS SDK knows no SageMaker in {target.region}{question(closest(target.region, known))}"
            yield Fault(f"deployment.targets[{index}].region", message)


def _regions() -> set[str]:
    from botocore.session import Session

    session = Session()
    partitions = session.get_available_partitions()
    return {each for partition in partitions for each in session.get_available_regions("sagemaker", partition)}


def _without_network(policy: Policy) -> Iterator[Fault]:
    """Yield that a model which may need the network is measured without one."""
    for field in ("evaluation", "smoke"):
        if getattr(policy, field) and not policy.deployment.network_isolation:
            message = "its temporary model has no network, although models of the group are not isolated: it may fail"
            yield Fault(field, message)


def _locked_out(policy: Policy) -> Iterator[Fault]:
    """Yield the accounts that may submit, of which no submitter is listed."""
    submitters = [pattern.split(":", 5)[4] for pattern in policy.submissions.submitters]
    for index, account in enumerate(policy.accounts.submit):
        if submitters and not any(each in {account, ""} or "*" in each or "?" in each for each in submitters):
            message = f"{account} may submit, but `submissions.submitters` lists nobody in it"
            yield Fault(f"accounts.submit[{index}]", message)


def _same_names(policy: Policy) -> Iterator[Fault]:
    """Yield that a user of IAM Identity Center is known by name alone, in every account that the group is open to."""
    accounts = {*policy.accounts.submit, *policy.accounts.deploy}
    accounts |= {target.account for target in policy.deployment.targets if target.account}
    for path, pattern in _patterns(policy):
        if accounts and ":identitycenter:" in pattern:
            message = (
                f"`{pattern}` also matches users of that name in {', '.join(sorted(accounts))}, whose administrators "
                "may make roles named AWSReservedSSO_* unless guardrails forbid it; list permission sets by account"
            )
            yield Fault(path, message)
