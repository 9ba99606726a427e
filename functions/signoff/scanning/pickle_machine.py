"""Follows a pickle's opcodes without doing what they say, and tells what it would name and call.

The stack is emulated just well enough to know every name. What is not known of it is None; a name that is not known is
refused. Memory is bounded whatever the pickle is.
"""

from __future__ import annotations

import codecs
import pickletools
import re
from collections.abc import Callable
from typing import Final

from signoff.scanning.allowed import allowed, may_be_asked_for
from signoff.scanning.pickle_stream import NEEDED, Ended, Stream, Unreadable, size_of_argument
from signoff.scanning.pickle_values import (
    ALIAS,
    DTYPE,
    HOLE,
    WRAPPER_FIELDS,
    Alias,
    Array,
    Dtype,
    Global,
    Wrapper,
    array_of,
    dtype_of,
    set_item,
    tuple_of,
)

Tell = Callable[[str, str, int], None]
"""Takes a rule, a reason, and the offset of the opcode."""

MOST_MARKS = 100_000  # an honest pickler would exceed Python's depth of recursion long before
MOST_HELD = 300_000  # values on all stacks together
LONGEST_STACK = 100_000  # values of one stack
LONG_STACK = 1000  # values of one stack, which nothing but a mark's opcode takes together
LATEST = 16  # values of a long stack that stay known
MOST_TEXTS = 100_000  # any texts that are remembered; then those only that can be a part of a name
MOST_REMEMBERED = 250_000
MOST_GLOBALS = 10_000
MOST_ARRAYS_DEEP = 20

# Numbers and constants, as lists of them are written.
PLAIN = re.compile(rb"(?:K.|G.{8}|M..|J.{4}|[N\x88\x89]){16,4096}", re.DOTALL)
NAME: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

RECONSTRUCTORS = ("copyreg", "copy_reg")
ENCODINGS = ("latin1", "latin-1")
WORDS = {*ENCODINGS, *WRAPPER_FIELDS, "storage"}


class Machine:
    """Walks one pickle, from its first opcode to its STOP. `tell` hears all it would do that it may not."""

    def __init__(self, stream: Stream, tell: Tell, depth: int = 0) -> None:
        self.stream = stream
        self.start = 0
        self.opcodes = 0
        self.stopped = False
        self.called = False
        self.first_number: int | None = None
        self.stack: list[object] = []
        self._tell = tell
        self._depth = depth
        self._marks: list[list[object]] = []
        self._held = 0
        self._memo: dict[int, object] = {}
        self._memo_size = 0
        self._numbered = False
        self._texts = 0
        self._globals: dict[tuple[str, str], Global] = {}
        self._wrapper: Global | None = None
        self._aliased = False
        self._told: set[str] = set()

    def run(self) -> None:
        """Walk to the STOP. Raises `Unreadable`, and what reading raises."""
        stream, table = self.stream, TABLE
        while not self.stopped:
            at = stream.at
            if len(stream.block) - at < NEEDED:
                if not stream.ahead(NEEDED):
                    raise Ended("Ends without a STOP", stream.position)
                at = stream.at
            self.start = stream.base + at
            size, act = table[stream.block[at]]
            stream.at = at + 1
            self.opcodes += 1
            if not size:
                act(self, b"")
            elif size > 0:
                act(self, stream.exactly(size))
            else:
                act(self, stream.argument(size))

    @property
    def open_marks(self) -> bool:
        """Whether something was begun and not ended, or more than one value is left."""
        return bool(self._marks) or len(self.stack) != 1

    def tell(self, rule: str, reason: str) -> None:
        """Tell something once, with the position where it is first."""
        if reason not in self._told:
            if len(self._told) > MOST_GLOBALS:
                raise self.unreadable("Would do more forbidden things than can be told")
            self._told.add(reason)
            self._tell(rule, reason, self.start)

    def unreadable(self, reason: str) -> Unreadable:
        """Return the error that the pickle cannot be followed from here."""
        return Unreadable(reason, self.start)

    # The stack.

    def pop(self) -> object:
        """Take the last value. Raises `Unreadable` when there is none since the last mark."""
        value = self.top()
        del self.stack[-1]
        return value

    def top(self) -> object:
        """Return the last value and leave it."""
        if not self.stack or self.stack[-1] is HOLE:
            raise self.unreadable("Takes from its stack what is not there")
        return self.stack[-1]

    def mark(self) -> None:
        """Begin a stack of its own, until `items` takes all of it."""
        if len(self.stack) > LONG_STACK:
            self.stack[:-LATEST] = [HOLE]
        self._held += len(self.stack)
        self._marks.append(self.stack)
        self.stack = []
        if len(self._marks) > MOST_MARKS or self._held > MOST_HELD:
            raise self.unreadable("Nests deeper than an honest pickle")

    def items(self) -> list[object]:
        """Take all since the last mark."""
        if not self._marks:
            raise self.unreadable("Ends what it did not begin")
        taken, self.stack = self.stack, self._marks.pop()
        self._held -= len(self.stack)
        return taken

    def push(self, value: object) -> None:
        """Push a value, and forget all but the latest of a stack that has become very long."""
        self.stack.append(value)
        if len(self.stack) > LONGEST_STACK:
            self.stack[:-LATEST] = [HOLE]

    def plain(self) -> None:
        """Pass over the numbers and constants that follow, when they are many."""
        stream = self.stream
        while found := PLAIN.match(stream.block, stream.at):
            stream.at = found.end()
            self.stack[:] = [HOLE, *[None] * LATEST]

    # The memo.

    def put(self, index: int) -> None:
        """Remember the last value by a number."""
        self._numbered = True
        self._remember(index)

    def memoize(self) -> None:
        """Remember the last value by the next number."""
        if self._numbered:
            self.tell("unsafe-pickle", "Numbers what it remembers in two ways, as no pickler does but to hide a name")
        self._remember(self._memo_size)
        self._memo_size += 1

    def _remember(self, index: int) -> None:
        value = self.top()
        if isinstance(value, str):
            self._texts += 1
            known = self._texts <= MOST_TEXTS or worth_remembering(value)
        else:
            known = isinstance(value, Global | Dtype | Wrapper)
        if known:
            self._memo[index] = value
            if len(self._memo) > MOST_REMEMBERED:
                raise self.unreadable("Remembers more names than an honest pickle")
        elif self._memo:
            self._memo.pop(index, None)

    def get(self, index: int) -> None:
        """Push what was remembered."""
        self.push(self._memo.get(index, ALIAS))

    # Names and calls.

    def name(self, module: object, name: object) -> None:
        """Push what a module's name stands for, and judge it."""
        if not isinstance(module, str) or not isinstance(name, str):
            self.tell("unknown-global", "Loads something whose name it computes")
            self.push(None)
            return
        known = self._globals.get((module, name))
        if known is None:
            known = Global(module, name, allowed(module, name))
            if len(self._globals) > MOST_GLOBALS:
                raise self.unreadable("Names more things than an honest pickle")
            self._globals[module, name] = known
            if known.is_wrapper and known.allowed:
                self._wrapper = known
            if not known.allowed:
                self.tell("unsafe-pickle", f"Would run {known.shown} when it is loaded")
        self.push(known)

    def call(self, function: object, arguments: object) -> object:
        """Return what is known of a call's result."""
        if not isinstance(function, Global):
            self.tell("unsafe-pickle", "Would run something that it computes when it is loaded")
            return None
        self.called = True
        if function.is_wrapper and function.allowed:
            return self._new_wrapper(arguments == ())
        if not isinstance(arguments, tuple):
            arguments = ()
        if function.name == "_reconstructor" and function.module in RECONSTRUCTORS and arguments:
            return self._reconstructed(arguments)
        self.look_for_wrapper(list(arguments))
        if (function.module, function.name) == ("numpy", "dtype"):
            return dtype_of(arguments)
        self._check_arguments(function, arguments)
        return None

    def _check_arguments(self, function: Global, arguments: tuple[object, ...]) -> None:
        if function.module == "_codecs" and function.allowed and (len(arguments) != 2 or arguments[1] not in ENCODINGS):
            self.tell("unsafe-pickle", "Would run a codec of its choice with _codecs.encode when it is loaded")
        if function.name == "scalar" and function.module.startswith("numpy"):
            # Of a dtype with objects it would be whatever it is given, even a class that could then be changed.
            dtype = arguments[0] if arguments else None
            if not isinstance(dtype, Dtype) or dtype.size is None or dtype.objects:
                self.tell("unsafe-pickle", f"Would make something that is not known with {function.shown}")

    def _reconstructed(self, arguments: tuple[object, ...]) -> object:
        made = arguments[0]
        if isinstance(made, Global) and made is self._wrapper:
            return self._new_wrapper(len(arguments) == 3)
        self.look_for_wrapper(list(arguments))
        return None

    def _new_wrapper(self, as_joblib_does: bool) -> Wrapper:
        if not as_joblib_does:
            raise self.unreadable("Uses joblib's stand-in for an array in another way than joblib")
        return Wrapper()

    def look_for_wrapper(self, values: list[object]) -> None:
        """See that nothing but what this machine follows can make joblib's stand-in for an array."""
        wrapper = self._wrapper
        if wrapper and any(value is wrapper or (isinstance(value, tuple) and wrapper in value) for value in values):
            raise self.unreadable("Uses joblib's stand-in for an array in another way than joblib")

    def build(self) -> None:
        """Set an object's state; behind a wrapper's state its array follows."""
        state, made = self.pop(), self.top()
        self.look_for_wrapper([state])
        if isinstance(made, Global):
            self.tell("unsafe-pickle", f"Would change {made.shown} itself when it is loaded")
        elif isinstance(made, Dtype):
            made.build(state)
        elif isinstance(made, Wrapper):
            array = None if made.used or self._aliased else array_of(state)
            made.used = True
            if array is None:
                raise self.unreadable("Has an array of joblib whose length cannot be known")
            self.stack[-1] = None
            self._pass_over(array)

    def _pass_over(self, array: Array) -> None:
        # joblib.numpy_pickle, NumpyArrayWrapper.write_array: the bytes of the padding's length and the padding, then
        # the elements; of objects, a pickle.
        if array.size is None:
            if self._depth >= MOST_ARRAYS_DEEP:
                raise self.unreadable("Nests deeper than an honest pickle")
            Machine(self.stream, self._tell, self._depth + 1).run()
            return
        if array.padded:
            padding = self.stream.exactly(1)[0]
            # With 1 to 16, no opcode, the bytes are no pickle to a reader that does not know joblib's format either.
            if not 1 <= padding <= 16:
                raise self.unreadable("Has an array that joblib did not write")
            self.stream.skip(padding)
        self.stream.skip(array.size)

    # What holds other values.

    def push_tuple(self, items: list[object]) -> None:
        """Push a tuple of the items."""
        if self._wrapper and self._wrapper in items and len(items) != 3:
            self.look_for_wrapper(items)
        if self._wrapper:
            self.look_for_wrapper([item for item in items if isinstance(item, tuple)])
        self.push(tuple_of(items))

    def fill(self, items: list[object]) -> None:
        """Put keys and values, alternating, into the dict that is last on the stack."""
        self.look_for_wrapper(items)
        target = self.top()
        if isinstance(target, Alias):
            self._aliased = True  # it may be any dict that is known here, and so no longer is
        elif isinstance(target, dict):
            if len(items) > LATEST or len(items) % 2 or HOLE in items:
                set_item(target, None, None)
            else:
                for at in range(0, len(items), 2):
                    set_item(target, items[at], items[at + 1])

    def add(self, items: list[object]) -> None:
        """Put items into the list or set that is last on the stack."""
        self.look_for_wrapper(items)
        self.top()

    def persist(self, identity: object) -> None:
        """Push what whoever loads the pickle has for an identity: PyTorch's storages are written so."""
        if not isinstance(identity, tuple) or not identity or identity[0] != "storage":
            self.tell("unsafe-pickle", "Would ask its reader for an object that is no storage of PyTorch")
        self.push(None)

    def proto(self, argument: bytes | None) -> None:
        """Take the protocol's number."""
        if argument is None or argument[0] > 5:
            raise self.unreadable("Has a protocol that does not exist")

    def stop(self) -> None:
        """End with one value, as a pickle does."""
        self.top()
        self.stopped = True

    def push_number(self, number: int) -> None:
        """Push a number that may be a length."""
        if self.first_number is None:
            self.first_number = number
        self.push(number)


Action = Callable[[Machine, "bytes | None"], None]


def worth_remembering(text: str) -> bool:
    """Whether a text can be a part of a name that is allowed, or be among what tells how long an array is."""
    return may_be_asked_for(text) or text in WORDS or bool(DTYPE.fullmatch(text))


def _unknown(machine: Machine, _argument: bytes | None) -> None:
    raise machine.unreadable("Has a byte that is no opcode")


def _generic(opcode: pickletools.OpcodeInfo) -> Action:
    """Return what takes and pushes as the table of opcodes says, and knows nothing of the values."""
    taken, pushed = len(opcode.stack_before), len(opcode.stack_after)

    def act(machine: Machine, _argument: bytes | None) -> None:
        for _ in range(taken):
            machine.pop()
        for _ in range(pushed):
            machine.push(None)

    return act


def _text(machine: Machine, argument: bytes | None) -> None:
    try:
        machine.push(None if argument is None else argument.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        raise machine.unreadable("Has a text that is not UTF-8") from None


def _old_text(machine: Machine, argument: bytes | None) -> None:
    try:
        machine.push(None if argument is None else argument.decode("ascii"))
    except UnicodeDecodeError:
        machine.push(None)


def _quoted(machine: Machine, argument: bytes | None) -> None:
    if argument is None:
        machine.push(None)
        return
    text = argument.strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"'\"":
        raise machine.unreadable("Has a text without its quotes")
    try:
        decoded = codecs.escape_decode(text[1:-1])[0]
    except ValueError:
        raise machine.unreadable("Has a text that makes no sense") from None
    _old_text(machine, decoded if isinstance(decoded, bytes) else None)


def _raw_text(machine: Machine, argument: bytes | None) -> None:
    try:
        machine.push(None if argument is None else argument.decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise machine.unreadable("Has a text that makes no sense") from None


def _line_number(machine: Machine, argument: bytes | None) -> int:
    text = (argument or b"").removesuffix(b"L")
    try:
        return int(text)
    except ValueError:
        raise machine.unreadable("Has a number that makes no sense") from None


def _decimal(machine: Machine, argument: bytes | None) -> None:
    if argument is not None and len(argument) > 20:
        machine.push(None)
    else:
        machine.push_number(_line_number(machine, argument))


def _float_line(machine: Machine, argument: bytes | None) -> None:
    try:
        float(argument or b"")
    except ValueError:
        raise machine.unreadable("Has a number that makes no sense") from None
    machine.push(None)


def _number(*, signed: bool) -> Action:
    def act(machine: Machine, argument: bytes | None) -> None:
        known = argument is not None and len(argument) <= 10
        if known:
            machine.push_number(int.from_bytes(argument or b"", "little", signed=signed))
        else:
            machine.push(None)
        machine.plain()

    return act


def _two_lines(machine: Machine, argument: bytes | None) -> tuple[str, str]:
    try:
        module, _, name = (argument or b"").decode("utf-8").partition("\n")
    except UnicodeDecodeError:
        raise machine.unreadable("Has a name that is not UTF-8") from None
    return module, name


def _inst(machine: Machine, argument: bytes | None) -> None:
    items = machine.items()
    machine.name(*_two_lines(machine, argument))
    made = machine.call(machine.pop(), tuple_of(items))
    machine.look_for_wrapper(items)
    machine.push(made)


def _obj(machine: Machine, _argument: bytes | None) -> None:
    items = machine.items()
    if not items:
        raise machine.unreadable("Takes from its stack what is not there")
    machine.look_for_wrapper(items)
    machine.push(machine.call(items[0], tuple_of(items[1:])))


def _stack_global(machine: Machine, _argument: bytes | None) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


def _reduce(machine: Machine, _argument: bytes | None) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.push(machine.call(function, arguments))


def _new_with_keywords(machine: Machine, argument: bytes | None) -> None:
    machine.look_for_wrapper([machine.pop()])
    _reduce(machine, argument)


def _extension(machine: Machine, argument: bytes | None) -> None:
    code = int.from_bytes(argument or b"", "little")
    machine.tell("unsafe-pickle", f"Would load what extension {code} of its reader's registry stands for")
    machine.push(None)


def _pop(machine: Machine, _argument: bytes | None) -> None:
    if machine.stack:
        machine.pop()
    else:
        machine.items()


def _dict_of_items(machine: Machine, _argument: bytes | None) -> None:
    items = machine.items()
    machine.push({})
    machine.fill(items)


def _pop_mark(machine: Machine, _argument: bytes | None) -> None:
    machine.items()


def _plain(machine: Machine, _argument: bytes | None) -> None:
    machine.push(None)
    machine.plain()


def _list(machine: Machine, _argument: bytes | None) -> None:
    machine.look_for_wrapper(machine.items())
    machine.push(None)


def _tuple(size: int) -> Action:
    return lambda machine, _: machine.push_tuple([machine.pop() for _ in range(size)][::-1])


def _value(make: Callable[[], object]) -> Action:
    def act(machine: Machine, _argument: bytes | None) -> None:
        machine.push(make())

    return act


def _line_index(machine: Machine, argument: bytes | None) -> int:
    index = _line_number(machine, argument if argument is not None and len(argument) <= 20 else b"")
    if index < 0:
        raise machine.unreadable("Remembers something by a negative number")
    return index


def _index(argument: bytes | None) -> int:
    return int.from_bytes(argument or b"", "little")


ACTIONS: dict[str, Action] = {
    "PROTO": Machine.proto,
    "STOP": lambda machine, _: machine.stop(),
    "FRAME": lambda _machine, _: None,
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
    "SETITEM": lambda machine, _: machine.fill([machine.pop() for _ in range(2)][::-1]),
    "SETITEMS": lambda machine, _: machine.fill(machine.items()),
    "PUT": lambda machine, argument: machine.put(_line_index(machine, argument)),
    "BINPUT": lambda machine, argument: machine.put(_index(argument)),
    "LONG_BINPUT": lambda machine, argument: machine.put(_index(argument)),
    "MEMOIZE": lambda machine, _: machine.memoize(),
    "GET": lambda machine, argument: machine.get(_line_index(machine, argument)),
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
TABLE = [UNKNOWN_OPCODE] * 256
for _opcode in pickletools.opcodes:
    TABLE[ord(_opcode.code)] = (size_of_argument(_opcode), ACTIONS.get(_opcode.name) or _generic(_opcode))
