"""Keras models in JSON under any other name: searched for what they would run, without being read as JSON.

`keras.models.model_from_json` takes text from wherever a server finds it, and JSON of other kinds may be of any size.
So all blanks are left out, and the NUL bytes by which UTF-16 and UTF-32 differ from UTF-8 here: what is left of a key
and its value is short, and is found in any spelling.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras_objects import CODE, FOREIGN, is_foreign_module
from signoff.artifact.member_names import shown
from signoff.artifact.streams.readers import BLOCK
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

_LEFT_OUT = b"\0 \t\r\n"
_MARKS = b"\xef\xbb\xbf\xff\xfe"  # byte order marks
_OVERLAP = 1024  # bytes: more than a key and its value have
_ESCAPED = compiled_on_use(rb"\\u00([0-9a-fA-F]{2})")


def _spelled(text: str) -> bytes:
    r"""Return a pattern for `text` in JSON, where each character may be written as `\u` and four digits."""
    return b"".join(rb"(?:%s|\\u00(?i:%02x))" % (re.escape(c).encode(), ord(c)) for c in text)


_CLASS = compiled_on_use(rb'"%s":"((?:[^"\\]|\\u00[0-9a-fA-F]{2}){1,60})"' % _spelled("class_name"))
_MODULE = compiled_on_use(rb'"%s":"((?:[^"\\]|\\u00[0-9a-fA-F]{2}){1,60})"' % _spelled("module"))
_HINTS = (b"class_name", b"module", b"\\u00")  # a search for plain bytes is many times faster than one for patterns


def may_be_json(head: bytes) -> bool:
    """Whether content that begins with `head` may be a JSON object or list, in any encoding, after any blanks."""
    begin = head.lstrip(_LEFT_OUT + _MARKS)
    return not begin or begin[:1] in b"{["


def keras_words(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Search content for layers of Keras that hold code, or come from where no layer does.

    Reports `keras-lambda` and `keras-unsafe-module`.
    """
    words = KerasWords(FindingCollector(context))
    while part := content.read(BLOCK):
        words.look(part)
    words.report()


class KerasWords:
    """A search through content that is handed over in parts."""

    def __init__(self, findings: FindingCollector) -> None:
        self._findings = findings
        self._last = b""
        self._classes = False
        self._modules: set[str] = set()

    def look(self, part: bytes) -> None:
        """Look at the next part."""
        text = self._last + part.translate(None, _LEFT_OUT)
        if any(hint in text for hint in _HINTS):
            for match in _CLASS.finditer(text):
                self._class(_plain(match[1]))
            self._modules.update(filter(is_foreign_module, (_plain(match[1]) for match in _MODULE.finditer(text))))
        self._last = text[-_OVERLAP:]

    def report(self) -> None:
        """Report modules at the end, if there are classes: in other JSON a module says nothing."""
        for module in sorted(self._modules) if self._classes else ():
            self._findings.report("keras-unsafe-module", f"Uses something from the module {shown(module)!r}")

    def _class(self, name: str) -> None:
        self._classes = True
        if name in CODE:
            self._findings.report("keras-lambda", f"Holds Python code that would run when it is loaded: {name}")
        elif name in FOREIGN:
            self._findings.report("keras-unsafe-module", f"Holds a layer that runs code not described here: {name}")


def _plain(text: bytes) -> str:
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text).decode("utf-8", "backslashreplace")
