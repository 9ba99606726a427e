"""Renders a report: one HTML file that runs and loads nothing, and Markdown for a job summary or a pull request.

The same facts give the same bytes: nothing of the moment, the place or the reader is in them.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from signoff.documents.text import brief_digests, clean, one_line
from signoff.metrics.rounding import shown
from signoff.report.facts import ReportFacts
from signoff.report.view import view

_TEMPLATES = Path(__file__).parent / "templates"
_CELL = 600  # characters of a text of others in Markdown
_DIGEST = 12  # characters of a digest that people compare by eye


def html(facts: ReportFacts) -> str:
    """Return the report as an HTML document, in which all that others wrote is text."""
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    # The policy admits this style and nothing else: no script, no connection, no frame, no form.
    # https://www.w3.org/TR/CSP3/#meta-element
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    template = _environment(escaped=True).get_template("report.html.j2")
    return template.render(view(facts), style=Markup(style), content_policy=policy)  # noqa: S704 # our own file


def markdown(facts: ReportFacts) -> str:
    """Return the report as GitHub's Markdown, in which all that others wrote is code, and so mentions nobody."""
    return _environment(escaped=False).get_template("report.md.j2").render(view(facts))


@cache
def _environment(*, escaped: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=escaped,  # noqa: S701 # Markdown has another escape: `_code`
        finalize=_text if escaped else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(brief=_brief, brief_digests=brief_digests, code=_code, number=_number)
    return environment


def _text(value: Any) -> Any:
    """Return what a page shows of `value`: text without characters that would command or reorder it."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else clean(value)


def _brief(digest: object) -> str:
    return str(digest)[:_DIGEST]


def _number(value: object) -> str:
    """Return a number as people read it."""
    return shown(value) if isinstance(value, int | float) else "-"


def _code(value: object) -> str:
    """Return a text as a code span, in which Markdown means nothing; also within a row of a table.

    https://github.github.com/gfm/#code-spans, https://github.github.com/gfm/#example-200
    """
    text = one_line(value, _CELL).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""
