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
from signoff.artifact.member_names import shown
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import beginning

SHOWN = 160  # characters of a line
_CONTINUED = compiled_on_use(r"\\\r?\n")
_COMMENT = compiled_on_use(r"(?:^|\s)#.*$")
# Of YAML only what tools write into environments: a key or an item on each line, and a plain or quoted text with it.
_YAML = compiled_on_use(
    r"(?P<dashes>(?:-\s+)*)(?:(?P<key>[\w.-]+)\s*:(?=\s|$)\s*)?"
    r"""(?:(?P<text>[^\s\[\]{}&*!|>%@`?,'"#]\S*+(?:\s++(?!\#)\S++)*+)|'(?P<one>[^']*)'|"(?P<two>[^"\\]*)")?(?:\s+\#.*)?"""
)
# Channels that are conda's own or its community's, which are where its packages come from like pip's index.
_CHANNELS = "conda-forge defaults nodefaults anaconda"
_ELSEWHERE = compiled_on_use(r":|\bgit@|^[./~\\]|[/\\]|\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|egg)\b", re.IGNORECASE)
_OPTION = compiled_on_use(r"^-")
# A file beside this one, of a name by which it is looked at as well (`files.py`).
_BESIDE = compiled_on_use(
    r"(?:-[rc]\s*|--(?:requirement|constraint)[\s=]\s*)(?:requirements[\w.-]*|\w[\w.-]*-requirements|constraints[\w.-]*)\.txt"
)
# All others may name another place, also where they are abbreviated, as pip's parser of options admits.
_HARMLESS = compiled_on_use(
    r"--(?:no-binary|only-binary|prefer-binary|require-hashes|pre|no-index|use-feature)(?:[\s=]+[A-Za-z:][\w.:,-]*)?"
)
_NAME = compiled_on_use(r"[A-Za-z0-9][\w.-]*+\s*+(?:\[[^\]]*+\])?+(?P<version>[^;@]*+)(?:;.*)?")
_PINNED = compiled_on_use(r"={2,3}\s*[^\s*,]+|=[^\s*,=]+(?:=[^\s*,]+)?")  # conda writes one sign


def check_requirements(text: str, findings: FindingCollector) -> None:
    """Report what pip would take from elsewhere than the index it is set to, and what may be another version."""
    _check(_lines(text), findings)


def check_environment(text: str, findings: FindingCollector) -> None:
    """Report the same of an environment in YAML: `conda.yaml`, `python_env.yaml`, which have no hashes to give."""
    _check(_items(text, findings), findings, hashed=False)


def _items(text: str, findings: FindingCollector) -> Iterator[str]:
    """Yield the items of all lists. Reports what is written otherwise, of which YAML's readers may make anything."""
    under = ""
    for line in text.splitlines():
        plain = line.strip()
        if plain in ("", "-", "---") or plain.startswith("#"):
            continue
        found = _YAML.fullmatch(plain)
        if not found or not (found["dashes"] or found["key"]):
            reason = f"Has a line that is no key and no item of a list: {shown(beginning(plain, SHOWN))}"
            findings.report("unreadable-settings", reason)
            return
        under = found["key"] or under
        item = found["text"] or found["one"] or found["two"]
        if item and found["dashes"] and not found["key"] and not (under == "channels" and item in _CHANNELS.split()):
            yield item.strip()


def _lines(text: str) -> Iterator[str]:
    for line in _CONTINUED.sub(" ", text).splitlines():
        if plain := _COMMENT.sub("", line).strip():
            yield plain


def _check(lines: Iterator[str], findings: FindingCollector, *, hashed: bool = True) -> None:
    loose: list[str] = []
    unhashed: list[str] = []
    for line in lines:
        requirement = line.partition(" --")[0].strip()
        if _OPTION.match(line):
            if not _HARMLESS.fullmatch(line) and not _BESIDE.fullmatch(line):
                findings.report_fetched(line)
        elif _is_elsewhere(requirement):
            findings.report_fetched(requirement)
        elif not _pinned(requirement):
            loose.append(requirement)
        elif hashed and "--hash=" not in line:
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
    found = _NAME.fullmatch(requirement)
    return bool(found and _PINNED.fullmatch(found["version"].strip()))


def _summarise(findings: FindingCollector, rule: str, names: list[str], what: str) -> None:
    if names:
        shown = ", ".join(name[:SHOWN] for name in names[:5])
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        findings.report(rule, f"Has packages installed when a server starts that are {what}: {shown}{more}", "warning")
