"""The effect of each pickle opcode on the machine."""

from __future__ import annotations

import codecs
import pickletools
import re
from collections.abc import Callable

from signoff.artifact.pickle.machine import Action, PickleMachine, Table
from signoff.artifact.pickle.stream import LONGEST_KEPT, LONGEST_LINE, size_of_argument
from signoff.artifact.pickle.values import tuple_of
from signoff.documents.patterns import compiled_on_use

DECIMAL = compiled_on_use(rb"-?(?:0|[1-9][0-9]{0,18})L?")
NUMBER = compiled_on_use(
    rb"[\s+-]*(?:0[xob])?[0-9a-f_]+L?\s*", re.IGNORECASE
)  # in any base, as Python takes it, or more
# What a line may begin with, of which only the beginning is known: blanks alone are not nothing.
NUMBER_BEGINS = compiled_on_use(rb"[\s+-]*(?:0[xob])?[0-9a-f_]*L?\s*", re.IGNORECASE)
FRACTION_BEGINS = compiled_on_use(rb"[\s+-]*[0-9a-z_.+-]*\s*", re.IGNORECASE)  # and `inf`, or more
LONGEST_NUMBER = 4300  # digits; from here on it depends on Python's version and settings
QUOTES = (b"'", b'"')
MEMOIZE = b"\x94"


def _unknown(machine: PickleMachine, _argument: bytes | None) -> None:
    raise machine.broken("Has a byte that is not an opcode")


def _generic(opcode: pickletools.OpcodeInfo) -> Action:
    """Return an action that pops and pushes as the opcode table says, with unknown values."""
    taken, pushed = len(opcode.stack_before), len(opcode.stack_after)

    def act(machine: PickleMachine, _argument: bytes | None) -> None:
        for _ in range(taken):
            machine.pop()
        for _ in range(pushed):
            machine.push(None)

    return act


def _text(machine: PickleMachine, argument: bytes | None) -> None:
    try:
        machine.push(None if argument is None else argument.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        raise machine.broken("Has a text that is not UTF-8") from None
    stream = machine.stream
    if stream.block[stream.at : stream.at + 1] == MEMOIZE:  # which nearly always follows
        stream.at += 1
        machine.opcodes += 1
        machine.memoize()


def _old_text(machine: PickleMachine, argument: bytes | None) -> None:
    try:
        machine.push(None if argument is None else argument.decode("ascii"))
    except UnicodeDecodeError:
        machine.push(None)


def _quoted(machine: PickleMachine, argument: bytes | None) -> None:
    text = (argument or b"").strip()
    if not text.startswith(QUOTES) or (not _is_beginning(argument) and (len(text) < 2 or text[:1] != text[-1:])):
        raise machine.broken("Has a text without its quotes")
    if _is_beginning(argument):
        machine.push(None)
        return
    try:
        decoded = codecs.escape_decode(text[1:-1])[0]
    except ValueError:
        raise machine.broken("Has a text that makes no sense") from None
    _old_text(machine, decoded if isinstance(decoded, bytes) else None)


def _is_beginning(argument: bytes | None, most: int = LONGEST_KEPT) -> bool:
    """Whether a line is only the beginning of a longer one: protocol 0 writes arrays so."""
    return argument is not None and len(argument) > most


def _raw_text(machine: PickleMachine, argument: bytes | None) -> None:
    try:
        machine.push(None if _is_beginning(argument) else (argument or b"").decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise machine.broken("Has a text that makes no sense") from None


def _line_number(machine: PickleMachine, argument: bytes | None) -> int:
    text = _to_nul(argument).removesuffix(b"L")
    if len(text) > LONGEST_NUMBER and NUMBER_BEGINS.fullmatch(text):
        raise machine.unreadable("Has a number that is implausibly long")
    try:
        return int(text)
    except ValueError:
        raise machine.broken("Has a number that makes no sense") from None


def _to_nul(argument: bytes | None) -> bytes:
    """Return a line as Python's own reader sees it, which takes it for a text of C."""
    return (argument or b"").partition(b"\0")[0]


def _decimal(machine: PickleMachine, argument: bytes | None) -> None:
    text = _to_nul(argument)
    if DECIMAL.fullmatch(text):
        machine.push_number(_line_number(machine, text))
    elif argument is None or _may_be_number(text) or (b"\0" in argument and not text.strip()):  # C: nothing is 0
        machine.push(None)
    else:
        raise machine.broken("Has a number that makes no sense")


def _may_be_number(text: bytes) -> bool:
    pattern = NUMBER_BEGINS if _is_beginning(text, LONGEST_LINE) else NUMBER
    return pattern.fullmatch(text) is not None


def _float_line(machine: PickleMachine, argument: bytes | None) -> None:
    text = _to_nul(argument)
    try:
        if not _is_beginning(text, LONGEST_LINE) or not FRACTION_BEGINS.fullmatch(text):
            float(text)
    except ValueError:
        raise machine.broken("Has a number that makes no sense") from None
    machine.push(None)


def _number(*, signed: bool) -> Action:
    def act(machine: PickleMachine, argument: bytes | None) -> None:
        known = argument is not None and len(argument) <= 10
        if known:
            machine.push_number(int.from_bytes(argument or b"", "little", signed=signed))
        else:
            machine.push(None)
        machine.plain()

    return act


def _two_lines(machine: PickleMachine, argument: bytes | None) -> tuple[str, str]:
    try:
        module, _, name = (argument or b"").decode("utf-8").partition("\n")
    except UnicodeDecodeError:
        raise machine.broken("Has a name that is not UTF-8") from None
    return module, name


def _inst(machine: PickleMachine, argument: bytes | None) -> None:
    items = machine.items()
    machine.name(*_two_lines(machine, argument))
    made = machine.call(machine.pop(), tuple_of(items))
    machine.look_for_wrapper(items)
    machine.push(made)


def _obj(machine: PickleMachine, _argument: bytes | None) -> None:
    items = machine.items()
    if not items:
        raise machine.unreadable("Pops from an empty stack")
    machine.look_for_wrapper(items)
    machine.push(machine.call(items[0], tuple_of(items[1:])))


def _stack_global(machine: PickleMachine, _argument: bytes | None) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


def _reduce(machine: PickleMachine, _argument: bytes | None) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.push(machine.call(function, arguments))


def _new_with_keywords(machine: PickleMachine, argument: bytes | None) -> None:
    machine.look_for_wrapper([machine.pop()])
    _reduce(machine, argument)


def _pop(machine: PickleMachine, _argument: bytes | None) -> None:
    if machine.stack:
        machine.pop()
    else:
        machine.items()


def _dict_of_items(machine: PickleMachine, _argument: bytes | None) -> None:
    items = machine.items()
    machine.push({})
    machine.fill(items)


def _pop_mark(machine: PickleMachine, _argument: bytes | None) -> None:
    machine.items()


def _plain(machine: PickleMachine, _argument: bytes | None) -> None:
    machine.push(None)
    machine.plain()


def _list(machine: PickleMachine, _argument: bytes | None) -> None:
    machine.look_for_wrapper(machine.items())
    machine.push(None)


def _tuple(size: int) -> Action:
    return lambda machine, _: machine.push_tuple(machine.last(size))


def _value(make: Callable[[], object]) -> Action:
    def act(machine: PickleMachine, _argument: bytes | None) -> None:
        machine.push(make())

    return act


def _line_index(machine: PickleMachine, argument: bytes | None) -> int:
    index = _line_number(machine, argument)
    if index < 0:
        raise machine.broken("Remembers something by a negative number")
    return index


def _put_line(machine: PickleMachine, argument: bytes | None) -> None:
    machine.top()
    machine.put(_line_index(machine, argument))


def _get_line(machine: PickleMachine, argument: bytes | None) -> None:
    machine.remembers()
    machine.get(_line_index(machine, argument))


def _extension(machine: PickleMachine, argument: bytes | None) -> None:
    machine.extension(int.from_bytes(argument or b"", "little"))


def _index(argument: bytes | None) -> int:
    return int.from_bytes(argument or b"", "little")


ACTIONS: dict[str, Action] = {
    "PROTO": PickleMachine.proto,
    "STOP": lambda machine, _: machine.stop(),
    "FRAME": PickleMachine.frame,
    "MARK": lambda machine, _: machine.mark(),
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": lambda machine, _: machine.push(machine.top()),
    "NONE": _plain,
    "NEWTRUE": _plain,
    "NEWFALSE": _plain,
    "BINFLOAT": _plain,
    "FLOAT": _float_line,
    "INT": _decimal,
    "LONG": _decimal,
    "BININT": _number(signed=True),
    "BININT1": _number(signed=False),
    "BININT2": _number(signed=False),
    "LONG1": _number(signed=True),
    "LONG4": _number(signed=True),
    "STRING": _quoted,
    "BINSTRING": _old_text,
    "SHORT_BINSTRING": _old_text,
    "UNICODE": _raw_text,
    "BINUNICODE": _text,
    "SHORT_BINUNICODE": _text,
    "BINUNICODE8": _text,
    "EMPTY_TUPLE": _value(lambda: ()),
    "EMPTY_DICT": _value(dict),
    "TUPLE": lambda machine, _: machine.push_tuple(machine.items()),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "LIST": _list,
    "FROZENSET": _list,
    "DICT": _dict_of_items,
    "APPEND": lambda machine, _: machine.add([machine.pop()]),
    "APPENDS": lambda machine, _: machine.add(machine.items()),
    "ADDITEMS": lambda machine, _: machine.add(machine.items()),
    "SETITEM": lambda machine, _: machine.fill(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.fill(machine.items()),
    "PUT": _put_line,
    "BINPUT": lambda machine, argument: machine.put(_index(argument)),
    "LONG_BINPUT": lambda machine, argument: machine.put(_index(argument)),
    "MEMOIZE": lambda machine, _: machine.memoize(),
    "GET": _get_line,
    "BINGET": lambda machine, argument: machine.get(_index(argument)),
    "LONG_BINGET": lambda machine, argument: machine.get(_index(argument)),
    "GLOBAL": lambda machine, argument: machine.name(*_two_lines(machine, argument)),
    "STACK_GLOBAL": _stack_global,
    "INST": _inst,
    "OBJ": _obj,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_with_keywords,
    "BUILD": lambda machine, _: machine.build(),
    "EXT1": _extension,
    "EXT2": _extension,
    "EXT4": _extension,
    "PERSID": lambda machine, argument: machine.persist(None),
    "BINPERSID": lambda machine, _: machine.persist(machine.pop()),
}

UNKNOWN_OPCODE: tuple[int, Action] = (0, _unknown)
TABLE: Table = [UNKNOWN_OPCODE] * 256
for _opcode in pickletools.opcodes:
    TABLE[ord(_opcode.code)] = (size_of_argument(_opcode), ACTIONS.get(_opcode.name) or _generic(_opcode))
