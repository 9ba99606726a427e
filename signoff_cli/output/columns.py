"""Tables of text, one row on each line whatever the width: cells are cut, and never broken into lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from signoff.documents.text import clean, cut_within

_GAP = "  "
_LEAST = 12  # characters that a column keeps which is cut


def lines(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    *,
    numbers: Collection[int] = (),
    cut: Sequence[int] = (),
) -> list[str]:
    """Return the lines of a table, that of its heads first.

    The columns `numbers` are aligned at the right. Where the table is wider than `width` characters, the cells of the
    columns `cut` are cut in their middle, or the last of these are left out, but never the first; others never are, so
    that a line may be longer. A column without any cell is left out.
    """
    cleaned = [[clean(cell) for cell in row] for row in rows]
    used = [column for column in range(len(heads)) if any(row[column] for row in cleaned)]
    table = [list(heads), *cleaned]
    widths = {column: max(len(row[column]) for row in table) for column in used}
    if width is not None:
        widths = _fitted(widths, width, [column for column in cut if column in widths])
    return [_line(row, widths, numbers) for row in table]


def _fitted(widths: dict[int, int], width: int, cut: Sequence[int]) -> dict[int, int]:
    fitted = dict(widths)
    while cut and _sum(fitted) > width:
        widest = max(cut, key=fitted.__getitem__)
        if fitted[widest] > _LEAST:
            fitted[widest] -= 1
        elif len(cut) > 1:
            *others, last = cut
            return _fitted({column: each for column, each in widths.items() if column != last}, width, others)
        else:
            break
    return fitted


def _sum(widths: dict[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _line(row: Sequence[str], widths: dict[int, int], numbers: Collection[int]) -> str:
    cells = ((cut_within(row[column], width), column, width) for column, width in widths.items())
    padded = (cell.rjust(width) if column in numbers else cell.ljust(width) for cell, column, width in cells)
    return _GAP.join(padded).rstrip()
