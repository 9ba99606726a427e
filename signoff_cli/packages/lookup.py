"""Reading what Signoff knows of a package: which one is meant, and the document that says all about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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

Head = Mapping[str, Any]


class LedgerReader(Protocol):
    """What is read of the ledger and of the index of its heads (`signoff.aws.ledger_table.LedgerTable`)."""

    @property
    def today(self) -> str: ...  # noqa: D102
    def history(self, package: str) -> History: ...  # noqa: D102
    def rows_by_status(self, status: Status) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows_by_group(self, group: str) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows_by_arn(self, arn: str) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows(self) -> Iterator[dict[str, Any]]: ...  # noqa: D102


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
    parse_version = _BY_VERSION.fullmatch(package)
    if parse_version:
        group, version = parse_version[1], int(parse_version[2])
        heads = [head for head in heads_of_group(ledger, group) if head.get("version") == version]
    else:
        heads = list(ledger.rows_by_arn(package)) or list(ledger.rows_by_arn(package.lower()))
    return max(heads, key=lambda head: str(head.get("created")), default=None)


def find_or_fail(ledger: LedgerReader, package: str) -> Head:
    """Return the head of the package that `package` names. Raises `CommandFailed` when there is none."""
    head = find(ledger, package)
    if head is None:
        raise CommandFailed(
            f"there is no package {package} in Signoff's ledger; `signoff list` shows those there are. A package that "
            "was registered just now, or whose group Signoff does not govern, is not among them"
        )
    return head


def heads_of_group(ledger: LedgerReader, group: str) -> list[Head]:
    """Return the heads of a group's packages; of a group whose name differs by case only, where none has that name.

    SageMaker takes names that differ by case only for one group. The index knows the name as SageMaker has it, so
    that another spelling costs looking through all of it.
    """
    exact: list[Head] = list(ledger.rows_by_group(group))
    wanted = group.casefold()
    return exact or [head for head in ledger.rows() if str(head.get("group")).casefold() == wanted]


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


def sort_key(row: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return by what a list is sorted: group, version as a number, and when the package was made."""
    return row["group"] or "", row["version"] or 0, str(row["created"])
