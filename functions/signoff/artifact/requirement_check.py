"""Checks an artifact's files against the requirements: each by itself, and all together.

Kinds of content are those of `signoff.artifact.detection`. Globs are `fnmatch`'s, case-sensitive, where `*` matches
slashes too, and apply to names without a leading `./`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase, translate

from signoff.artifact.absence import LFS_POINTER
from signoff.artifact.claims import SavedModelFolders, claim_of
from signoff.artifact.content_types import (
    APPLE_DOUBLE,
    COMPILED,
    CONTAINERS,
    EMPTY,
    FORMATS,
    NOT_LOOKED_INTO,
    PYTHON,
    SCRIPT,
    UNKNOWN,
    apart,
)
from signoff.artifact.context import ContentSummary
from signoff.artifact.findings import Finding
from signoff.artifact.member_names import normalised, shown
from signoff.artifact.requirements import Requirements
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import joined

_LICENCE = compiled_on_use(r"(?:licen[sc]e|copying)(?:\.txt|\.md)?", re.IGNORECASE)
_CARD = compiled_on_use(r"model[-_]?card\.(?:md|json)", re.IGNORECASE)
_README = compiled_on_use(r"readme\.md", re.IGNORECASE)
# https://huggingface.co/docs/hub/model-cards: YAML between two lines of three hyphens, and then the text.
_FRONT_MATTER = compiled_on_use(rb"(?:\xef\xbb\xbf)?---[ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[A-Za-z_][\w-]*[ \t]*:")
_NOTHING = compiled_on_use(rb"\s*(?:\{\s*\}\s*)?")
# Names of documents and code, which a policy may require beside the model.
_NO_MODEL = compiled_on_use(
    r"(?:.*/)?code/.*|.*\.(?:py|sh|md|txt|rst|html|json|jsonl|ya?ml|toml|ini|cfg|csv|tsv|xml|properties)"
)
_CONTENT = {*FORMATS, *CONTAINERS, *COMPILED, UNKNOWN, "java object"}
"""Types that a model may have, or that other rules are about; any other is known to be no model."""


ADMITTED_BY = {
    "torchscript-code": "torchscript",
    "torchscript-flatbuffer": "torchscript-flatbuffer",
    "r-object": "r-data",
}
"""By rule: the format that, named in a policy, admits what the rule refuses."""


class RequirementCheck:
    """Checks the files of one artifact against its requirements: each as it is read, and all after the last."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self._forbidden = _any_of(requirements.forbidden_files)
        self._required = _any_of(requirements.required_files)
        self._code = {
            "Python source": (_any_of(requirements.code.python), requirements.code.python, "code-out-of-place"),
            "a script": (_any_of(requirements.code.scripts), requirements.code.scripts, "code-out-of-place"),
            "compiled code": (_any_of(requirements.code.compiled), requirements.code.compiled, "compiled-code"),
        }
        self._licences: dict[str, bool] = {}
        self._cards: dict[str, bool] = {}
        self._saved_models = SavedModelFolders()
        self._kinds: set[str] = set()

    def named(self, member: str, *, link: bool = False) -> Iterator[Finding]:
        """Yield the violations of a file or link by its name; a link may turn text into code."""
        if not link and not self.requirements.forbidden_files:
            return
        name = normalised(member)
        if self._forbidden(name):
            pattern = next(each for each in self.requirements.forbidden_files if fnmatchcase(name, each))
            yield _error(member, "forbidden-file", f"Has a name that the policy forbids: {pattern}")
        if link:
            yield from self._place(member, "", name, _called(name))

    def admits(self, rule: str) -> bool:
        """Whether the policy admits by name what a rule refuses, which is then a warning."""
        return ADMITTED_BY.get(rule) in self.requirements.formats

    def content(self, member: str, summary: ContentSummary) -> Iterator[Finding]:
        """Yield the violations of a file whose content was scanned."""
        name, kind = normalised(member), summary.kind or UNKNOWN
        self._remember(name, summary)
        yield from self._absence(member, name, kind)
        yield from self._format(member, kind, name)
        yield from self._place(member, kind, name, _called(name) if kind not in (EMPTY, APPLE_DOUBLE) else None)
        if kind not in COMPILED:
            for (each, in_code), inner in apart(kind, summary.within):
                yield from self._format(inner, each)
                yield from self._place(inner, each, inner.rpartition(" > ")[2] if in_code else name)

    def all_together(
        self,
        has_file: Callable[[str], bool],
        folder_with: Callable[[str], str | None] = lambda _: None,
        link_like: Callable[[str], str | None] = lambda _: None,
    ) -> Iterator[Finding]:
        """Yield the violations of all files together, once all have been read.

        `has_file` says whether any file's name matches a glob; `folder_with` names the folder that all was packed in,
        where one does without it, and `link_like` a link whose name matches.
        """
        for glob in self.requirements.required_files:
            if not has_file(glob):
                yield _required(glob, folder_with(glob), link_like(glob))
        if self.requirements.formats and not self._kinds & {*FORMATS, UNKNOWN}:
            allowed = joined(self.requirements.formats, "and")
            yield _error(None, "no-model", f"Has no model: no file has a format that the policy allows, {allowed}")
        yield from map(self._of_unknown_format, self._saved_models.strays())
        if self.requirements.licence and not any(self._licences.values()):
            described = "a licence at its top level (LICENSE, LICENCE or COPYING, with or without .txt or .md)"
            yield _error(None, "licence-missing", _missing(described, self._licences))
        if self.requirements.model_card and not any(self._cards.values()):
            described = (
                "a model card at its top level (README.md that begins with YAML, MODEL_CARD.md or MODEL_CARD.json)"
            )
            yield _error(None, "model-card-missing", _missing(described, self._cards))

    def _remember(self, name: str, summary: ContentSummary) -> None:
        if "/" in name:
            pass
        elif _LICENCE.fullmatch(name):
            self._licences[name] = not _blank(summary)
        elif _CARD.fullmatch(name):
            self._cards[name] = not _blank(summary) and (not name.lower().endswith("json") or summary.kind == "json")
        elif _README.fullmatch(name):
            self._cards[name] = _FRONT_MATTER.match(summary.head) is not None
        if summary.kind == "saved_model":
            self._saved_models.add_model(name)
        self._kinds |= {summary.kind or UNKNOWN, *(kind for (kind, _), _ in apart(summary.kind, summary.within))}

    def _absence(self, member: str, name: str, kind: str) -> Iterator[Finding]:
        """Yield an error for what stands where a model should be, and is none."""
        if kind == LFS_POINTER:
            yield _error(member, "git-lfs-pointer", "Is a pointer of Git LFS: the file itself was not fetched")
        elif kind not in _CONTENT and self._required(name) and not _NO_MODEL.fullmatch(name):
            yield _error(member, "required-file-no-model", f"Is required by the policy, and is no model: it is {kind}")

    def _format(self, member: str, kind: str, name: str = "") -> Iterator[Finding]:
        allowed = self.requirements.formats
        if kind in allowed:
            return
        if kind == UNKNOWN:
            yield from self._unknown(member, name)
        elif kind in FORMATS and allowed:
            reason = f"Has the format {kind}; the policy allows {joined(allowed, 'and')}"
            yield _error(member, "format-not-allowed", reason)
        elif kind in NOT_LOOKED_INTO:
            reason = f"Has the format {kind}, of which nobody has looked at {NOT_LOOKED_INTO[kind]}"
            yield Finding(member, "not-looked-into", "warning", reason)

    def _unknown(self, member: str, name: str) -> Iterator[Finding]:
        allowed = self.requirements.formats
        if ("saved_model" in allowed or not allowed) and self._saved_models.take(name, member):
            return
        if allowed or not (claim := claim_of(name)) or not claim.model:  # else it has an error of its own
            yield self._of_unknown_format(member)

    def _of_unknown_format(self, member: str) -> Finding:
        if not self.requirements.formats:
            return Finding(
                member, "unknown-format", "warning", "Is binary data of an unknown format: nobody has looked into it"
            )
        allowed = joined(self.requirements.formats, "and")
        return _error(member, "format-not-allowed", f"Is binary data of an unknown format; the policy allows {allowed}")

    def _place(self, member: str, kind: str, name: str, called: str | None = None) -> Iterator[Finding]:
        """Yield a violation for code in a location that is not allowed.

        The content of a file has the file's location, unless it is in a folder `code` of its own archive.
        """
        what = _WHAT.get(kind, called)
        if not what:
            return
        fits, places, rule = self._code[what]
        if not fits(name):
            described = f"{what} ({kind})" if kind in COMPILED else what
            only = f"allows only in files that match {joined(places, 'or')}" if places else "does not allow"
            yield _error(member, rule, f"Is {described}, which the policy {only}")


# Shells', Windows' and other interpreters' by their usual suffix.
SCRIPTS = (
    *(".sh", ".bash", ".zsh", ".ksh", ".csh", ".fish", ".bat", ".cmd", ".ps1", ".psm1", ".vbs"),
    *(".pl", ".rb", ".lua", ".php", ".js", ".mjs", ".r", ".R"),
)
_WHAT = {PYTHON: "Python source", SCRIPT: "a script", **dict.fromkeys(COMPILED, "compiled code")}


def _error(member: str | None, rule: str, reason: str) -> Finding:
    return Finding(member, rule, "error", reason)


def _required(glob: str, folder: str | None, link: str | None) -> Finding:
    missing = f"Has no file {glob}, which the policy requires"
    if link is not None:
        reason = f"{missing}: {shown(link)} is a link, and a link is no file"
        return _error(None, "required-file-is-link", reason)
    if folder is None:
        return _error(None, "required-file-missing", missing)
    reason = f"{missing}: it is in the folder {shown(folder)}/, and so is all else"
    return _error(None, "required-file-in-folder", reason)


def _called(name: str) -> str | None:
    """Return the kind of code that a file's name suggests: Python imports any file with such a name."""
    return "Python source" if name.endswith((".py", ".pyw")) else "a script" if name.endswith(SCRIPTS) else None


def _any_of(globs: Sequence[str]) -> Callable[[str], object]:
    return re.compile("|".join(map(translate, globs)) or r"(?!)").match


def _blank(summary: ContentSummary) -> bool:
    return _NOTHING.fullmatch(summary.head) is not None


def _missing(described: str, found: dict[str, bool]) -> str:
    if not found:
        return f"The policy requires {described}, and there is none"
    return f"The policy requires {described}; {joined(sorted(found), 'and')} is blank or is not one"
