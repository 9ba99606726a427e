"""What an artifact is held to by whoever inspects it, and how its files are: each by itself, and all together.

Kinds of content are those of `signoff.artifact.detection`. Globs are `fnmatch`'s, in which case counts and `*` matches
slashes too, on names without a leading `./`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase, translate

from signoff.artifact.content_types import COMPILED, FORMATS, PYTHON, SCRIPT, UNKNOWN, apart
from signoff.artifact.context import Seen
from signoff.artifact.member_names import normalised
from signoff.artifact.requirements import Demands
from signoff.documents.text import joined

_LICENCE = re.compile(r"(?:licen[sc]e|copying)(?:\.txt|\.md)?", re.IGNORECASE)
_CARD = re.compile(r"model[-_]?card\.(?:md|json)", re.IGNORECASE)
_README = re.compile(r"readme\.md", re.IGNORECASE)
# https://huggingface.co/docs/hub/model-cards: YAML between two lines of three hyphens, and then the text.
_FRONT_MATTER = re.compile(rb"(?:\xef\xbb\xbf)?---[ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[A-Za-z_][\w-]*[ \t]*:")
_NOTHING = re.compile(rb"\s*(?:\{\s*\}\s*)?")
# What TensorFlow writes beside a saved_model.pb and has no magic of its own.
_OF_SAVED_MODEL = re.compile(
    r"((?:.*/)?)(?:variables/variables\.(?:index|data-\d{5}-of-\d{5})|fingerprint\.pb|keras_metadata\.pb)"
)

Fault = tuple[str | None, str, str]
"""The member that it is about (None: the artifact), the rule, why."""


ADMITTED_BY = {"torchscript-code": "torchscript"}
"""The format whose name in a policy admits what a rule refuses."""


class Judge:
    """Holds the files of one artifact to what is demanded: each as it comes, and all when the last has come."""

    def __init__(self, demands: Demands) -> None:
        self.demands = demands
        self._forbidden = _any_of(demands.forbidden_files)
        self._code = {
            "Python source": (_any_of(demands.code.python), demands.code.python, "code-out-of-place"),
            "a script": (_any_of(demands.code.scripts), demands.code.scripts, "code-out-of-place"),
            "compiled code": (_any_of(demands.code.compiled), demands.code.compiled, "compiled-code"),
        }
        self._licences: dict[str, bool] = {}
        self._cards: dict[str, bool] = {}
        self._saved_models: set[str] = set()
        self._beside: list[tuple[str, str]] = []

    def named(self, member: str, *, link: bool = False) -> Iterator[Fault]:
        """Yield what is wrong with there being a file of that name, or a link, which may make code of a text."""
        if not link and not self.demands.forbidden_files:
            return
        name = normalised(member)
        if self._forbidden(name):
            pattern = next(each for each in self.demands.forbidden_files if fnmatchcase(name, each))
            yield member, "forbidden-file", f"Has a name that the policy forbids: {pattern}"
        if link:
            yield from self._place(member, "", name, _called(name))

    def admits(self, rule: str) -> bool:
        """Whether the policy admits by name what a rule refuses; it is a warning then."""
        return ADMITTED_BY.get(rule) in self.demands.formats

    def content(self, member: str, seen: Seen) -> Iterator[Fault]:
        """Yield what is wrong with a file of that name whose content was looked into."""
        name, kind = normalised(member), seen.kind or UNKNOWN
        self._remember(name, seen)
        yield from self._format(member, kind, name)
        yield from self._place(member, kind, name, _called(name) if kind != "empty" else None)
        if kind not in COMPILED:
            for (each, in_code), inner in apart(kind, seen.within):
                yield from self._format(inner, each)
                yield from self._place(inner, each, inner.rpartition(" > ")[2] if in_code else name)

    def all_together(self, has_file: Callable[[str], bool]) -> Iterator[Fault]:
        """Yield what is wrong with all the files together, once all of them have come.

        `has_file` says whether there is one whose name a glob matches.
        """
        for glob in self.demands.required_files:
            if not has_file(glob):
                yield None, "required-file-missing", f"There is no file {glob}, which the policy requires"
        for member, folder in self._beside:
            if folder not in self._saved_models:
                yield self._unknown(member)
        if self.demands.licence and not any(self._licences.values()):
            told = "a licence (LICENSE, LICENCE or COPYING, with .txt or .md or without) at its top"
            yield None, "licence-missing", _missing(told, self._licences)
        if self.demands.model_card and not any(self._cards.values()):
            told = "a model card (README.md that begins with YAML, or MODEL_CARD.md or .json) at its top"
            yield None, "model-card-missing", _missing(told, self._cards)

    def _remember(self, name: str, seen: Seen) -> None:
        if "/" in name:
            pass
        elif _LICENCE.fullmatch(name):
            self._licences[name] = not _blank(seen)
        elif _CARD.fullmatch(name):
            self._cards[name] = not _blank(seen) and (not name.lower().endswith("json") or seen.kind == "json")
        elif _README.fullmatch(name):
            self._cards[name] = _FRONT_MATTER.match(seen.head) is not None
        if seen.kind == "saved_model":
            self._saved_models.add(name.rpartition("/")[0])

    def _format(self, member: str, kind: str, name: str = "") -> Iterator[Fault]:
        allowed = self.demands.formats
        if not allowed or kind in allowed:
            return
        if kind in FORMATS:
            yield member, "format-not-allowed", f"Is of the format {kind}; the policy allows {joined(allowed, 'and')}"
        elif kind == UNKNOWN:
            beside = _OF_SAVED_MODEL.fullmatch(name) if "saved_model" in allowed else None
            if beside:
                self._beside.append((member, beside[1].rstrip("/")))
            else:
                yield self._unknown(member)

    def _unknown(self, member: str) -> Fault:
        allowed = joined(self.demands.formats, "and")
        return member, "format-not-allowed", f"Is binary data of no known format; the policy allows {allowed}"

    def _place(self, member: str, kind: str, name: str, called: str | None = None) -> Iterator[Fault]:
        """Yield that code lies where it may not.

        What lies within a file lies where the file does, unless it lies in a folder `code` of its own archive.
        """
        what = _WHAT.get(kind, called)
        if not what:
            return
        fits, places, rule = self._code[what]
        if not fits(name):
            told = f"{what} ({kind})" if kind in COMPILED else what
            where = f"only where {joined(places, 'or')} matches" if places else "nowhere"
            yield member, rule, f"Is {told}, which may lie {where}"


_WHAT = {PYTHON: "Python source", SCRIPT: "a script", **dict.fromkeys(COMPILED, "compiled code")}


def _called(name: str) -> str | None:
    """Return what a file would be taken for by its name: Python imports whatever is called so."""
    return "Python source" if name.endswith(".py") else "a script" if name.endswith(".sh") else None


def _any_of(globs: Sequence[str]) -> Callable[[str], object]:
    return re.compile("|".join(map(translate, globs)) or r"(?!)").match


def _blank(seen: Seen) -> bool:
    return _NOTHING.fullmatch(seen.head) is not None


def _missing(told: str, found: dict[str, bool]) -> str:
    if not found:
        return f"The policy requires {told}, and there is none"
    return f"The policy requires {told}; {joined(sorted(found), 'and')} is blank, or is none"
