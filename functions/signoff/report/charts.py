"""Charts as inline SVG: a title and a description for who hears the page, classes that the page's style colours.

Nothing in them runs, loads or depends on fonts, and the same numbers make the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import drawsvg
from markupsafe import Markup

from signoff.documents.text import clean, cut
from signoff.metrics.curves import Curve
from signoff.metrics.rounding import shown

_WIDE, _LOW = 220, 28  # of a difference, which stands in a table's row
_WIDTH, _HEIGHT, _SIDE = 560, 200, 300  # of a history, and of a curve, which is square
_MARGIN = 46  # around what is drawn, for the axes' numbers
_LABEL = 40  # characters of a label

Point = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """A candidate's metric less the champion's, with its interval if there is one."""

    metric: str
    value: float
    interval: tuple[float, float] | None


def difference(shows: Difference) -> Markup:
    """Return a dot and its interval beside the champion, a line at zero."""
    ends = shows.interval or (shows.value, shows.value)
    scale = _scale([0.0, shows.value, *ends], (10, _WIDE - 10))
    around = f", between {shown(ends[0])} and {shown(ends[1])}" if shows.interval else ""
    drawing = _drawing(_WIDE, _LOW, shows.metric, f"{shown(shows.value)} beside the champion{around}")
    middle = _LOW / 2
    drawing.append(drawsvg.Line(scale(0), 2, scale(0), _LOW - 2, class_="zero"))
    if shows.interval:
        drawing.append(drawsvg.Line(scale(ends[0]), middle, scale(ends[1]), middle, class_="interval"))
    drawing.append(drawsvg.Circle(scale(shows.value), middle, 5, class_="dot"))
    return _markup(drawing)


def history(metric: str, versions: Sequence[tuple[str, float, bool]]) -> Markup:
    """Return a metric over the versions of a group, oldest first: each a name, the value, and whether it is marked."""
    values = [value for _, value, _ in versions]
    across = _scale([0.0, max(len(versions) - 1, 1)], (_MARGIN, _WIDTH - _MARGIN / 2))
    up = _scale(values, (_HEIGHT - _MARGIN / 2, 16))
    said = "; ".join(f"{name}: {shown(value)}" for name, value, _ in versions)
    drawing = _drawing(_WIDTH, _HEIGHT, f"{metric} over versions", said)
    for value in sorted({min(values), max(values)}):
        drawing.append(drawsvg.Line(_MARGIN, up(value), _WIDTH - _MARGIN / 2, up(value), class_="grid"))
        drawing.append(_text(shown(value), _MARGIN - 6, up(value) + 4, "end"))
    points = [(across(index), up(value)) for index, value in enumerate(values)]
    _line(drawing, points, "line line-0")
    every = max(1, len(versions) // 8)
    for index, ((name, _, marked), (x, y)) in enumerate(zip(versions, points, strict=True)):
        drawing.append(drawsvg.Circle(x, y, 6 if marked else 4, class_="dot marked" if marked else "dot"))
        if index % every == 0 or index == len(versions) - 1:
            drawing.append(_text(name, x, _HEIGHT - 4, "middle"))
    return _markup(drawing)


def curve(lines: Sequence[tuple[str, Curve]]) -> Markup:
    """Return the curves of several models, each with its name, over one another; all have the same axes."""
    first = lines[0][1]
    across, up = _scale([0, 1], (_MARGIN, _SIDE - 14)), _scale([0, 1], (_SIDE - _MARGIN, 14))
    drawing = _drawing(_SIDE, _SIDE, first.title, f"{first.vertical} over {first.horizontal}, {_names(lines)}")
    drawing.append(drawsvg.Rectangle(across(0), up(1), across(1) - across(0), up(0) - up(1), class_="frame"))
    for share in (0, 0.5, 1):
        drawing.append(_text(shown(share), across(share), up(0) + 16, "middle"))
        drawing.append(_text(shown(share), across(0) - 6, up(share) + 4, "end"))
    drawing.append(_text(first.horizontal, across(0.5), _SIDE - 10, "middle"))
    drawing.append(_text(first.vertical, 12, up(0.5), "middle", transform=f"rotate(-90 12 {up(0.5):g})"))
    for style, (_, each) in enumerate(lines):
        _line(drawing, [(across(x), up(y)) for x, y in each.points], f"line line-{style}")
    return _markup(drawing)


def _names(lines: Iterable[tuple[str, Curve]]) -> str:
    return " and ".join(name for name, _ in lines)


def _drawing(width: float, height: float, title: str, description: str) -> drawsvg.Drawing:
    drawing = drawsvg.Drawing(width, height, role="img", class_="chart")
    drawing.append_title(clean(title))
    drawing.append(drawsvg.Raw(f"<desc>{Markup.escape(clean(description))}</desc>"))
    return drawing


def _line(drawing: drawsvg.Drawing, points: Sequence[Point], style: str) -> None:
    flat = [round(coordinate, 2) for point in points for coordinate in point]
    drawing.append(drawsvg.Lines(*flat, close=False, class_=style))


def _text(text: str, x: float, y: float, anchor: str, **more: Any) -> drawsvg.Text:
    label = cut(clean(text), _LABEL)
    return drawsvg.Text(label, 12, round(x, 2), round(y, 2), text_anchor=anchor, class_="label", **more)


def _scale(values: Iterable[float], to: tuple[float, float]) -> Callable[[float], float]:
    """Return where a value is drawn, so that the least and the greatest of `values` are at both ends of `to`."""
    known = list(values)
    least, greatest = min(known), max(known)
    span = greatest - least
    start, end = to
    if not span:
        return lambda _: round((start + end) / 2, 2)
    return lambda value: round(start + (value - least) / span * (end - start), 2)


def _markup(drawing: drawsvg.Drawing) -> Markup:
    # What drawsvg writes is escaped by it; its XML header has no place within a page.
    return Markup(drawing.as_svg(header=""))  # noqa: S704
