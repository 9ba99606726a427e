"""Python packages that a server installs when it starts: `requirements.txt`, and the environments of MLflow and conda.

SageMaker's toolkits install `code/requirements.txt` before they serve
(https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html), MLflow all of its three files.
What is installed then was never inspected. The format is pip's
(https://pip.pypa.io/en/stable/reference/requirements-file-format/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from signoff.artifact.context import FindingCollector
from signoff.documents.patterns import compiled_on_use

SHOWN = 160  # characters of a line
_CONTINUED = compiled_on_use(r"\\\r?\n")
_COMMENT = compiled_on_use(r"(?:^|\s)#.*$")
_ITEM = compiled_on_use(r"^\s*-\s+(?P<item>.+?)\s*$")
_ELSEWHERE = compiled_on_use(
    r"[a-z][a-z0-9+.-]*:|\bgit@|^[./~\\]|[/\\]|\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|egg)\b", re.IGNORECASE
)
_OPTION = compiled_on_use(r"^-")
# All others may name another place, also where they are abbreviated, as pip's parser of options admits.
_HARMLESS = compiled_on_use(
    r"--(?:no-binary|only-binary|prefer-binary|require-hashes|pre|no-index|use-feature)(?:[\s=]+[A-Za-z:][\w.:,-]*)?"
)
_NAME = compiled_on_use(r"^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*(?P<version>[^;@]*?)\s*(?:;.*)?$")
_PINNED = compiled_on_use(r"={2,3}\s*[^\s*,]+|=[^\s*,=]+(?:=[^\s*,]+)?")  # conda writes one sign


def check_requirements(text: str, findings: FindingCollector) -> None:
    """Report what pip would take from elsewhere than the index it is set to, and what may be another version."""
    _check(_lines(text), findings)


def check_environment(text: str, findings: FindingCollector) -> None:
    """Report the same of an environment in YAML: `conda.yaml`, `python_env.yaml`."""
    items = (_ITEM.match(line) for line in text.splitlines())
    _check((item["item"].strip("'\"").removesuffix(":") for item in items if item), findings)


def _lines(text: str) -> Iterator[str]:
    for line in _CONTINUED.sub(" ", text).splitlines():
        if plain := _COMMENT.sub("", line).strip():
            yield plain


def _check(lines: Iterator[str], findings: FindingCollector) -> None:
    loose: list[str] = []
    unhashed: list[str] = []
    for line in lines:
        requirement = line.partition(" --")[0].strip()
        if _OPTION.match(line):
            if not _HARMLESS.fullmatch(line):
                findings.report_fetched(line)
        elif _is_elsewhere(requirement):
            findings.report_fetched(requirement)
        elif not _pinned(requirement):
            loose.append(requirement)
        elif "--hash=" not in line:
            unhashed.append(requirement)
    _summarise(findings, "unpinned-requirement", loose, "not pinned to one version")
    _summarise(findings, "unhashed-requirement", unhashed, "pinned to a version and not to its bytes (`--hash`)")


def _is_elsewhere(requirement: str) -> bool:
    return (
        " @ " in requirement
        or "@" in requirement.partition(";")[0]
        or bool(_ELSEWHERE.search(requirement.partition(";")[0]))
    )


def _pinned(requirement: str) -> bool:
    found = _NAME.match(requirement)
    return bool(found and _PINNED.fullmatch(found["version"].strip()))


def _summarise(findings: FindingCollector, rule: str, names: list[str], what: str) -> None:
    if names:
        shown = ", ".join(name[:SHOWN] for name in names[:5])
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        findings.report(rule, f"Has packages installed when a server starts that are {what}: {shown}{more}", "warning")
