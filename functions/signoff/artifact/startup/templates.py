"""Chat templates: Jinja that a server renders, which reaches Python where it is not sandboxed (CVE-2024-34359)."""

from __future__ import annotations

import re

from signoff.artifact.context import FindingCollector
from signoff.documents.patterns import compiled_on_use

_HIDDEN = (
    "class|mro|base|bases|subclasses|globals|builtins|init|import|dict|getattribute|getattr|reduce|reduce_ex|code|func"
    "|self|call|loader|spec|module|new|getitem|setattr|closure|kwdefaults|wrapped"
)
_REACHING = compiled_on_use(
    rf"__(?:{_HIDDEN})__"  # attributes of every Python object
    r"|\|\s*attr\b|\.mro\b|\bf_(?:back|globals|builtins)\b|\bgi_(?:frame|code)\b"
    r"|\\(?:x5f|u005f|137)"  # an underscore that is escaped
    r"|_[\"']\s*[~+]|[~+]\s*[\"']_"  # or put together
    r"|\{%[-+]?\s*(?:import|from|include|extends)\b",
    re.IGNORECASE,
)


def check_template(text: str, findings: FindingCollector) -> None:
    """Report a template that reaches for attributes of Python's own, or for other templates."""
    if found := _REACHING.search(text):
        findings.report(
            "unsafe-template", f"Has a template that reaches for more than its variables: {found[0].strip()}"
        )
