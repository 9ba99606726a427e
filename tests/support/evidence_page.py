"""The generated parts of the documentation of evidence: the tables of docs/evidence.md, and its JSON Schema.

python -m tests.support.evidence_page
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from signoff_cli.audit.evidence_format import evidence_schema
from tests.support.repository import ROOT

PAGE, SCHEMA = ROOT / "docs" / "evidence.md", ROOT / "docs" / "evidence.schema.json"
_PLACE = re.compile(r"(<!-- fields: .*? -->\n).*(<!-- end -->)", re.DOTALL)
# The order in which a document names them.
_ROOTS = ("EvidenceVersion1", "EvidenceVersion2")

_INHERITED = {"EvidenceVersion2": "EvidenceVersion1", "EvaluationRun": "ModelRun", "SmokeRun": "ModelRun"}


def schema() -> str:
    """Return the schema's file as it is generated now."""
    return json.dumps(evidence_schema(), indent=1) + "\n"


def page(written: str) -> str:
    """Return the page `written` with the tables as they are generated now."""
    return _PLACE.sub(lambda found: found[1] + "\n".join(_tables()) + "\n" + found[2], written)


def _tables() -> Iterator[str]:
    defined = evidence_schema()["$defs"]
    for name in _in_order(defined):
        structure = defined[name]
        above = _INHERITED.get(name)
        inherited = defined[above]["properties"] if above else {}
        beyond = f" It has all fields of [{above}](#{above.lower()}), and these:" if above else ""
        yield f"\n### {name}\n\n{structure['description']}{beyond}\n\n| field | type | meaning |\n|---|---|---|"
        for field, said in structure["properties"].items():
            if field not in inherited:
                needed = "" if field in structure["required"] else ", optional"
                yield f"| `{field}` | {_kind(said)}{needed} | {said['description']} |"


def _in_order(defined: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all structures, each after the first that names it."""
    waiting, seen = list(_ROOTS), set()
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting += re.findall(r'#/\$defs/(\w+)"', json.dumps(defined[name]))


def _kind(said: dict[str, Any]) -> str:
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in said:
        return " or ".join(_kind(each) for each in said["anyOf"])
    if "enum" in said:
        return ", ".join(f"`{json.dumps(each)}`" for each in said["enum"])
    if said["type"] == "array":
        inner = said.get("items") or said["prefixItems"][0]
        return f"list of {_kind(inner)}"
    if isinstance(said.get("additionalProperties"), dict) and said["additionalProperties"]:
        return f"map to {_kind(said['additionalProperties'])}"
    return "SHA-256" if "64" in said.get("pattern", "") else str(said["type"])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    SCHEMA.write_text(schema())
