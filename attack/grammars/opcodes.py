"""Pickles written opcode by opcode: texts, values, and the forms in which a name is loaded and called.

The opcodes are those of the Python library's `pickletools`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attack.grammar import ImpossibleDisguise
from attack.grammars.calls import Call

Text = Callable[[str], bytes]


def _counted(opcode: bytes, size: int) -> Text:
    def write(text: str) -> bytes:
        data = text.encode()
        return opcode + len(data).to_bytes(size, "little") + data

    return write


def _escaped(text: str) -> bytes:
    return b"V" + "".join(f"\\u{ord(each):04x}" for each in text).encode() + b"\n"


def _octal(text: str) -> bytes:
    return b"S'" + "".join(f"\\{ord(each):03o}" for each in text).encode() + b"'\n"


def _lined(text: str) -> bytes:
    return b"V" + text.replace("\n", "\\u000a").encode() + b"\n"


TEXTS: Mapping[str, Text] = {
    "short": _counted(b"\x8c", 1),
    "long": _counted(b"X", 4),
    "longest": _counted(b"\x8d", 8),
    "line": _lined,
    "escaped-line": _escaped,
    "string": lambda text: b"S" + repr(text).encode() + b"\n",
    "octal-string": _octal,
    "short-string": _counted(b"U", 1),
    "long-string": _counted(b"T", 4),
    "padded-string": lambda text: b'S"' + text.replace('"', '\\"').encode() + b'" \t \n',
    "numbered": lambda text: _counted(b"X", 4)(text) + b"q\xc8" + b"0" + b"h\xc8",
    "numbered-long": lambda text: _counted(b"X", 4)(text) + b"r\xc8\0\1\0" + b"0" + b"j\xc8\0\1\0",
    "numbered-line": lambda text: _lined(text) + b"p200\n" + b"0" + b"g200\n",
    "numbered-hidden": lambda text: _lined(text) + b"p 2_00 \n" + b"0" + b"g\t200\r\n",
    "duplicated": lambda text: _counted(b"\x8c", 1)(text) + b"20",
    "popped": lambda text: b"K\x01" + _counted(b"\x8c", 1)(text) + b"\x860" + _counted(b"\x8c", 1)(text),
    "popped-mark": lambda text: b"(" + _counted(b"\x8c", 1)(text) + b"1" + _counted(b"\x8c", 1)(text),
}
"""How a text is written, by its name."""


def value(of: Any, text: Text) -> bytes:
    """Return the opcodes that push a value of `Call.arguments`."""
    match of:
        case None:
            return b"N"
        case str():
            return text(of)
        case bytes():
            return b"B" + len(of).to_bytes(4, "little") + of
        case int():
            return b"K" + bytes([of])
        case tuple():
            return b"(" + b"".join(value(each, text) for each in of) + b"t"
        case dict():
            return b"}"
    raise TypeError(f"no opcodes are known for {of!r}")


def _pushed(call: Call, text: Text) -> bytes:
    return b"".join(value(each, text) for each in call.arguments)


def _named(call: Call) -> bytes:
    return f"c{call.module}\n{call.name}\n".encode()


def _looked_up(call: Call, text: Text) -> bytes:
    return text(call.module) + text(call.name) + b"\x93"


def _tuple(call: Call, text: Text) -> bytes:
    """The arguments with the opcodes for short tuples."""
    if len(call.arguments) > 3:
        raise ImpossibleDisguise(f"{len(call.arguments)} arguments")
    return _pushed(call, text) + b"\x85\x86\x87"[len(call.arguments) - 1 :][:1]


def _new(call: Call, text: Text, after: bytes) -> bytes:
    if call.name != "memmap":
        raise ImpossibleDisguise("only a class is made anew")
    return _looked_up(call, text) + value(call.arguments, text) + after


def _built(call: Call, text: Text) -> bytes:
    """An object whose state is set by what its state was set to before."""
    first, *more = call.arguments
    if more:
        raise ImpossibleDisguise("only one argument is handed on")
    holder = b"ctypes\nSimpleNamespace\n)R"
    state = b"N}" + text("__setstate__") + _looked_up(call, text) + b"s\x86"
    return holder + state + b"b" + value(first, text) + b"b"


def _attribute(call: Call, text: Text) -> bytes:
    """A function that `getattr` gets from its module."""
    module, first = call.module.partition(".")[0], b"cbuiltins\n__import__\n"
    if "." in call.module or "." in call.name or module == "commands" or module.startswith("__"):
        raise ImpossibleDisguise("`getattr` sees one level, and no names of Python 2")
    imported = first + text(module) + b"\x85R"
    return b"cbuiltins\ngetattr\n" + imported + text(call.name) + b"\x86R" + value(call.arguments, text) + b"R"


def _applied(by: tuple[str, str], call: Call, text: Text, after: bytes = b"") -> bytes:
    """A call that another function makes: `by` is its module and name."""
    outer = f"c{by[0]}\n{by[1]}\n".encode()
    return outer + b"(" + _looked_up(call, text) + _pushed(call, text) + b"tR" + after


def _mapped(call: Call, text: Text) -> bytes:
    lists = b"".join(value((each,), text) for each in call.arguments)
    mapped = b"cbuiltins\nmap\n(" + _looked_up(call, text) + lists + b"tR"
    return b"cbuiltins\nlist\n" + mapped + b"\x85R"


FORMS: Mapping[str, Callable[[Call, Text], bytes]] = {
    "stack-global": lambda call, text: _looked_up(call, text) + value(call.arguments, text) + b"R",
    "global": lambda call, text: _named(call) + value(call.arguments, text) + b"R",
    "short-tuple": lambda call, text: _named(call) + _tuple(call, text) + b"R",
    "inst": lambda call, text: b"(" + _pushed(call, text) + f"i{call.module}\n{call.name}\n".encode(),
    "obj": lambda call, text: b"(" + _looked_up(call, text) + _pushed(call, text) + b"o",
    "obj-global": lambda call, text: b"(" + _named(call) + _pushed(call, text) + b"o",
    "newobj": lambda call, text: _new(call, text, b"\x81"),
    "newobj-ex": lambda call, text: _new(call, text, b"}\x92"),
    "build": _built,
    "getattr": _attribute,
    "partial": lambda call, text: _applied(("functools", "partial"), call, text, b")R"),
    "operator-call": lambda call, text: _applied(("operator", "call"), call, text),
    "map": _mapped,
    "memoized": lambda call, text: _looked_up(call, text) + b"\x940h\0" + value(call.arguments, text) + b"R",
    "numbered": lambda call, text: _named(call) + b"q\x010h\x01" + value(call.arguments, text) + b"R",
    "numbered-twice": lambda call, text: (
        b"ccollections\nOrderedDict\nq\x010" + _named(call) + b"q\x010h\x01" + value(call.arguments, text) + b"R"
    ),
    "in-list": lambda call, text: b"](" + FORMS["global"](call, text) + b"e",
    "in-dict": lambda call, text: b"}(" + TEXTS["short"]("key") + FORMS["global"](call, text) + b"u",
    "as-key": lambda call, text: b"(" + FORMS["global"](call, text) + b"\x89\x88d",
    "in-set": lambda call, text: b"\x8f(K\x01" + FORMS["global"](call, text) + b"0\x90",
    "in-tuple": lambda call, text: b"(K\x01" + FORMS["global"](call, text) + b"t",
    "as-argument": lambda call, text: b"ccollections\nOrderedDict\n(" + FORMS["global"](call, text) + b"0tR",
    "as-state": lambda call, text: b"ccollections\nOrderedDict\n)R}" + FORMS["global"](call, text) + b"0b",
    "as-persistent-id": lambda call, text: FORMS["global"](call, text) + b"Q",
    "deep": lambda call, text: b"(" * 2000 + FORMS["global"](call, text) + b"t" * 2000,
    "popped": lambda call, text: b"N" + FORMS["global"](call, text) + b"0",
    "twice": lambda call, text: FORMS["global"](call, text) + b"0N",
}
"""How a name is loaded and called, by its name. Each leaves one value."""
