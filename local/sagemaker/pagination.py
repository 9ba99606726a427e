"""Pagination as in SageMaker: filtered, sorted, and continued after the last item returned.

A token holds the order and the last item, not a position: items added meanwhile do not shift the list.
"""

import base64
import datetime
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from local.sagemaker.account import Document, RequestRefused

Key = list[Any]


def matching(
    items: Iterable[Document], request: Document, name: Callable[[Document], str], *, at_least: bool = False
) -> list[Document]:
    """The items whose name and CreationTime are as NameContains, CreationTimeAfter and CreationTimeBefore say.

    CreationTimeAfter lets in an item of that very time where `at_least` is true, as ListModels documents.
    """
    part = request.get("NameContains", "").lower()
    after, before = moment(request.get("CreationTimeAfter")), moment(request.get("CreationTimeBefore"))
    return [
        item
        for item in items
        if part in name(item).lower()
        and (after is None or item["CreationTime"] > after or (at_least and item["CreationTime"] == after))
        and (before is None or item["CreationTime"] < before)
    ]


def sorted_page(
    items: Iterable[Document], request: Document, name: Callable[[Document], str], *, order: str = "Ascending"
) -> tuple[list[Document], Document]:
    """One page in the order of SortBy (CreationTime by default, or Name) and SortOrder, and the next one's token."""
    by, order = request.get("SortBy", "CreationTime"), request.get("SortOrder", order)

    def key(item: Document) -> Key:
        return [item["CreationTime"]] if by == "CreationTime" else [name(item).lower(), item["CreationTime"]]

    return page(items, request, key, label=f"{by} {order}", descending=order == "Descending")


def page(
    items: Iterable[Document],
    request: Document,
    key: Callable[[Document], Key],
    *,
    label: str,
    descending: bool = False,
    most: int = 10,
) -> tuple[list[Document], Document]:
    """The items after NextToken, MaxResults (or `most`) of them, and {"NextToken": ...} where more follow.

    Raises RequestRefused when such a list did not issue the token.
    """
    last = _opened(request["NextToken"], label) if request.get("NextToken") else None
    ordered = sorted(((key(item), item) for item in items), key=lambda pair: pair[0], reverse=descending)
    rest = [pair for pair in ordered if last is None or (pair[0] < last if descending else pair[0] > last)]
    size = request.get("MaxResults", most)
    shown = rest[:size]
    token = {"NextToken": _token(label, shown[-1][0])} if len(rest) > size else {}
    return [item for _, item in shown], token


def moment(value: Any) -> float | None:
    """A time of a request in seconds: JSON has it as a number, a caller within the process may have it otherwise."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    return value.timestamp() if isinstance(value, datetime.datetime) else value


def _token(label: str, key: Sequence[Any]) -> str:
    body = json.dumps([label, *key]).encode()
    return base64.urlsafe_b64encode(zlib.crc32(body).to_bytes(4, "big") + body).decode()


def _opened(token: str, label: str) -> Key:
    try:
        opened = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        opened = b""
    check, body = opened[:4], opened[4:]
    if not body or check != zlib.crc32(body).to_bytes(4, "big"):
        raise RequestRefused("Invalid NextToken: it was never issued")
    given, *key = json.loads(body)
    if given != label:
        raise RequestRefused("Invalid NextToken: it continues another list")
    return list(key)
