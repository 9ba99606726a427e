"""Reading what Signoff knows of a package: which one is meant, and the document that says all about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from signoff.ledger.entries import Status
from signoff.model_package.groups import GROUP_NAME
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.ledger.history import History
_BY_VERSION = re.compile(rf"({GROUP_NAME})/([1-9][0-9]*)")
_LISTED = (
    *("group", "version", "created", "status", "registry_status", "submitter", "registered", "since", "next"),
    *("verdict", "asked", "decided", "model", "superseded_by", "rollback"),
)
_FEW = 25  # the index may be behind, and the first of them not be deployed any more

Head = Mapping[str, Any]


class LedgerReader(Protocol):
    """What is read of the ledger and of the index of its heads (`signoff.aws.ledger_table.LedgerTable`)."""

    @property
    def today(self) -> str: ...  # noqa: D102
    def history(self, package: str) -> History: ...  # noqa: D102
    def rows_by_status(  # noqa: D102
        self, status: Status, *, since: str | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]: ...
    def rows_by_group(  # noqa: D102
        self, group: str, *, version: int | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]: ...
    def rows_by_arn(self, arn: str) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows_deployed(self, group: str, *, page: int | None = None) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows_of_open_rollbacks(self) -> Iterator[dict[str, Any]]: ...  # noqa: D102


class GroupNames(Protocol):
    """What is asked of SageMaker about the spelling of a group (`signoff.aws.sagemaker.Registry`)."""

    def group_name(self, group: str) -> str | None: ...  # noqa: D102


def is_package_name(text: str) -> bool:
    """Return whether `text` can name a package: an ARN, or `group/version`."""
    return text.startswith("arn:") or _BY_VERSION.fullmatch(text) is not None


def parse_version(text: str) -> tuple[str, int] | None:
    """Return the group and the version that `group/version` names, or None for an ARN."""
    named = _BY_VERSION.fullmatch(text)
    return (named[1], int(named[2])) if named else None


def find(ledger: LedgerReader, package: str) -> Head | None:
    """Return the head of the package that `package` names (an ARN, or `group/version`), or None.

    Of several that had the name, because their group was deleted and created again, it is the newest.
    """
    named = parse_version(package)
    if named:
        group, version = named
        heads = list(ledger.rows_by_group(group, version=version)) or _in_lower_case(ledger, group, version)
    else:
        heads = list(ledger.rows_by_arn(package)) or list(ledger.rows_by_arn(package.lower()))
    return max(heads, key=lambda head: str(head.get("created")), default=None)


def _in_lower_case(ledger: LedgerReader, group: str, version: int) -> list[dict[str, Any]]:
    """Return the heads of a version of a group in whatever case: ARNs have the name in lower case.

    All packages are of one registry, so that any of them tells how its ARNs begin.
    """
    of_each_status = (ledger.rows_by_status(status, page=1) for status in Status)
    any_package = next(chain.from_iterable(of_each_status), None)
    if any_package is None:
        return []
    registry = str(any_package["arn"]).partition(":model-package/")[0]
    return list(ledger.rows_by_arn(f"{registry}:model-package/{group.lower()}/{version}"))


def find_or_fail(ledger: LedgerReader, package: str) -> Head:
    """Return the head of the package that `package` names. Raises `CommandFailed` when there is none."""
    head = find(ledger, package)
    if head is None:
        raise CommandFailed(
            f"there is no package {package} in Signoff's ledger; `signoff list` shows those there are. A package that "
            "was registered just now, or whose group Signoff does not govern, is not among them"
        )
    return head


def spelling(ledger: LedgerReader, names: GroupNames, group: str) -> str:
    """Return how the index spells a group: as given, or as SageMaker does, which ignores the case of names."""
    if next(ledger.rows_by_group(group, page=1), None):
        return group
    return names.group_name(group) or group


def recent(ledger: LedgerReader, since: str | None = None, page: int | None = None) -> Iterator[Head]:
    """Yield the heads of all packages, the one first that has had its status for the shortest time.

    With `page`, as many of each status are read at a time.
    """
    of_each_status = (ledger.rows_by_status(status, since=since, newest_first=True, page=page) for status in Status)
    return merge(*of_each_status, key=lambda head: str(head["since"]), reverse=True)


def newest_deployed(ledger: LedgerReader, group: str) -> list[dict[str, Any]]:
    """Return the heads of the few packages with a model that were approved last: the champion is among them."""
    return list(islice(ledger.rows_deployed(group, page=_FEW), _FEW))


def row(head: Head) -> dict[str, Any]:
    """Return what a list shows of a package, from the head of its ledger."""
    return {
        "package": head["arn"],
        **{name: head.get(name) for name in _LISTED},
        "metadata": head.get("metadata") or {},
        "changed_by": list(head.get("changed_by") or ()),
        "votes": list(head.get("votes") or ()),
        "enforced": head.get("enforced") is not False,
    }
