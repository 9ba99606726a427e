"""Follows a pickle's opcodes without executing them, and reports what it would name and call.

The stack is emulated just well enough to know every name. Unknown values are None; an unknown name is refused. Memory
is bounded for any pickle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from signoff.artifact.pickle.calls import binds_again, may_be_bound, objection
from signoff.artifact.pickle.fast_path import MEMOIZED, NUMBERED, Form, walk_run
from signoff.artifact.pickle.judgement import looked_up
from signoff.artifact.pickle.memo import Memo
from signoff.artifact.pickle.stack import LATEST, OpcodeStack
from signoff.artifact.pickle.stream import (
    LONGEST_LINE,
    NEEDED,
    InvalidPickle,
    PickleStream,
    TruncatedPickle,
)
from signoff.artifact.pickle.torch_storages import TorchStorages
from signoff.artifact.pickle.values import (
    HOLE,
    Alias,
    ArrayWrapper,
    Dtype,
    Global,
    JoblibArray,
    array_of,
    dtype_of,
    set_item,
    tuple_of,
)
from signoff.documents.patterns import compiled_on_use

ReportAt = Callable[[str, str, int], None]
"""Takes a rule, a reason, and the offset of the opcode."""

Action = Callable[["PickleMachine", "bytes | None"], None]
Diverge = Callable[["PickleMachine"], None]
"""Takes the machine where Python's own unpickler would go on in another way."""

Table = list[tuple[int, Action]]
"""By opcode: the size of its argument (`pickle_stream.size_of_argument`) and what it does."""

MOST_GLOBALS = 10_000
NO_FRAME = 1 << 62  # bytes; no file is longer
FEW = 2  # opcodes that text has by chance

# Numbers and constants, as lists of them are written.
PLAIN = compiled_on_use(rb"(?:K.|G.{8}|M..|J.{4}|[N\x88\x89]){16,4096}", re.DOTALL)

# In a text's first line; Python finds no module of such a name. A slash is not among them: out of a zip archive it
# imports `package/module` too.
NO_MODULE = compiled_on_use(r"[\s\0(),:;=]")

RECONSTRUCTORS = ("copyreg", "copy_reg")


def _already(_machine: PickleMachine) -> None:
    """Do nothing: Python's own unpickler has gone its own way, or has failed."""


class PickleMachine(OpcodeStack):
    """Walks one pickle, from its first opcode to its STOP. `report` receives everything forbidden it would do."""

    def __init__(
        self,
        stream: PickleStream,
        report: ReportAt,
        table: Table,
        diverge: Diverge | None = None,
        trusted: Collection[str] = (),
    ) -> None:
        super().__init__(stream)
        self.opcodes = 0
        self.stopped = False
        self.acts = False  # whether it has called or changed what it named, so that code may have run
        self.names_code = False  # whether it has named, and so imported, what is known to run code
        self.first_number: int | None = None
        self.report_at = report
        self._table = table
        self._diverge = diverge
        self._trusted = trusted
        self.memo = Memo()
        self.storages = TorchStorages()
        self._globals: dict[tuple[str, str], Global] = {}
        self._wrapper: Global | None = None
        self._aliased = False
        self.foreign = False  # whether it has named or asked for anything, so that there is something to call
        self._frame_end = NO_FRAME
        self._reported: set[str] = set()

    def run(self) -> None:
        """Walk to the STOP. Raises `UnreadablePickle`, and what reading raises."""
        try:
            self._walk()
        except InvalidPickle:
            self._end_frame(self.stream.position)  # where a frame cuts an opcode, another reader may go on
            raise

    def _walk(self) -> None:
        stream, table = self.stream, self._table
        while not self.stopped:
            at, block = stream.at, stream.block
            self.start = stream.base + at
            if self.start >= self._frame_end:
                self._end_frame(self.start)
            if len(block) - at < NEEDED:
                if not stream.ahead(NEEDED):
                    raise TruncatedPickle("Ends without a STOP", stream.position)
                at, block = stream.at, stream.block
            size, act = table[block[at]]
            stream.at = end = at + 1
            self.opcodes += 1
            if not size:
                act(self, b"")
            elif 0 < size <= len(block) - end:
                stream.at = end + size
                act(self, block[end : end + size])
            elif size > 0:
                act(self, stream.exactly(size))
            else:
                act(self, stream.argument(size))

    @property
    def written(self) -> bool:
        """Whether what was walked looks as if a pickler had written it: more than a constant, and one value at last."""
        return self.stopped and self.opcodes > FEW and not self._marks and len(self.stack) == 1

    def report(self, rule: str, reason: str) -> None:
        """Report a finding once, with its first position."""
        if reason not in self._reported:
            if len(self._reported) > MOST_GLOBALS:
                raise self.unreadable("Would do more forbidden things than can be reported")
            self._reported.add(reason)
            self.report_at(rule, reason, self.start)

    def plain(self) -> None:
        """Pass over the numbers and constants that follow, when they are many."""
        stream = self.stream
        while found := PLAIN.match(stream.block, stream.at):
            stream.at = found.end()
            self.stack[:] = [HOLE, *[None] * LATEST]

    # The memo.

    def put(self, index: int) -> None:
        """Remember the last value by a number."""
        self.memo.numbered = True
        self.memo.put(index, self.top())
        self._remembered(NUMBERED)

    def memoize(self) -> None:
        """Remember the last value by the next number."""
        if self.memo.numbered:
            self.report("unsafe-pickle", "Numbers its memo in two ways, which a pickler does only to hide a name")
        self.memo.add(self.top())
        self._remembered(MEMOIZED)

    def _remembered(self, form: Form) -> None:
        stream = self.stream
        if stream.block[stream.at : stream.at + 1] in form.begins:  # a search for a run that is none takes longer
            walk_run(self, form)
        if self.memo.full:
            raise self.unreadable("Stores more names than any legitimate pickle")

    def remembers(self) -> None:
        """See that something was remembered. Raises `InvalidPickle`."""
        if self.memo.untouched:
            raise self.broken("Reads its memo before anything is stored there")

    def get(self, index: int) -> None:
        """Push what was remembered."""
        self.remembers()
        self.push(self.memo.get(index))

    # Names and calls.

    def name(self, module: object, name: object) -> None:
        """Push a module's global, and check it against the allow list."""
        if not isinstance(module, str) or not isinstance(name, str):
            self.foreign = True
            self.report("unsafe-pickle", "Loads an object whose name it computes")
            self.push(None)
            return
        if NO_MODULE.search(module) or len(module) > LONGEST_LINE:
            raise self.broken("Names a module that cannot exist")
        self.foreign = True
        known = self._globals.get((module, name))
        if known is None:
            if len(self._globals) > MOST_GLOBALS:
                raise self.unreadable("Names more objects than any legitimate pickle")
            known, finding = looked_up(module, name, self._trusted)
            self._globals[module, name] = known
            if known.is_wrapper and known.allowed:
                self._wrapper = known
            if finding:
                self.names_code = self.names_code or finding[0] == "unsafe-pickle"
                self.report(*finding)
        self.push(known)

    def call(self, function: object, arguments: object) -> object:
        """Return what is known of a call's result."""
        self.acts = self.acts or self.foreign
        if not isinstance(function, Global):
            self.report("unsafe-pickle", "Would run a function that it computes when it is loaded")
            return None
        if function.hands_back:
            return self._handed_back(function, arguments)
        if function.binds:
            return self._bound(arguments)
        if function.imports:
            self.name(*(arguments if isinstance(arguments, tuple) and len(arguments) == 2 else (None, None)))
            return self.pop()
        if reason := objection(function, arguments if isinstance(arguments, tuple) else None):
            self.report("unsafe-pickle", reason)
        return self._made(function, arguments)

    def _made(self, function: Global, arguments: object) -> object:
        if function.is_wrapper and function.allowed:
            return self._new_wrapper(arguments == ())
        if not isinstance(arguments, tuple):
            return None
        if function.name == "_reconstructor" and function.module in RECONSTRUCTORS and arguments:
            return self._reconstructed(arguments)
        self.look_for_wrapper(list(arguments))
        return dtype_of(arguments) if (function.module, function.name) == ("numpy", "dtype") else None

    def _handed_back(self, function: Global, arguments: object) -> object:
        """Return the first argument, so that later operations apply to it."""
        if not isinstance(arguments, tuple) or len(arguments) != 2:
            self.report("unsafe-pickle", f"Would return an unknown object with {function.shown}")
            return None
        self.look_for_wrapper(list(arguments))
        return arguments[0]

    def _bound(self, arguments: object) -> Global | None:
        """Return the function that is bound, if it is harmless whatever its arguments are."""
        function = arguments[0] if isinstance(arguments, tuple) and len(arguments) == 1 else None
        if not isinstance(function, Global) or not may_be_bound(function):
            self.report("unsafe-pickle", "Would run functools.partial when it is loaded")
            return None
        return replace(function, bound=True)

    def _reconstructed(self, arguments: tuple[object, ...]) -> object:
        made = arguments[0]
        if isinstance(made, Global) and made is self._wrapper:
            return self._new_wrapper(len(arguments) == 3)
        self.look_for_wrapper(list(arguments))
        return None

    def _new_wrapper(self, as_joblib_does: bool) -> ArrayWrapper:
        if not as_joblib_does:
            raise self.unreadable("Uses joblib's placeholder for an array differently from joblib")
        return ArrayWrapper()

    def look_for_wrapper(self, values: list[object]) -> None:
        """Refuse values by which joblib's array placeholder could be created unnoticed."""
        wrapper = self._wrapper
        if wrapper and any(value is wrapper or (isinstance(value, tuple) and wrapper in value) for value in values):
            raise self.unreadable("Uses joblib's placeholder for an array differently from joblib")

    def build(self) -> None:
        """Set an object's state; behind a wrapper's state its array follows."""
        state, made = self.pop(), self.top()
        self.look_for_wrapper([state])
        self.acts = self.acts or self.foreign
        if not (isinstance(made, Global) and made.bound and binds_again(state, made)):
            self._refuse_change(made)
        if isinstance(made, Dtype):
            made.build(state)
        elif isinstance(made, ArrayWrapper):
            self.array(made, state)

    def array(self, made: ArrayWrapper, state: object) -> None:
        """Pass over the array behind a wrapper with this state."""
        array = None if made.used or self._aliased else array_of(state)
        made.used = True
        if array is None:
            raise self.unreadable("Has a joblib array of unknown length")
        if not self._diverge:
            raise self.unreadable("Has a joblib array among the objects of another, where joblib does not read it")
        self.leave_frame()
        if array.size is None or not array.padded:
            self._diverge(self)
        self._diverge = _already
        self.stack[-1] = None
        self._pass_over(array)

    def take_over(self, other: PickleMachine) -> None:
        """Take a copy of another machine's state, with nothing of its own yet."""
        self.take_stack(other)
        self.memo, self._globals = other.memo.copy(), dict(other._globals)
        self._wrapper, self._trusted, self.foreign = other._wrapper, other._trusted, True

    def _pass_over(self, array: JoblibArray) -> None:
        # joblib.numpy_pickle, NumpyArrayWrapper.write_array: the bytes of the padding's length and the padding, then
        # the elements; of objects, a pickle.
        if array.size is None:
            PickleMachine(self.stream, self.report_at, self._table, trusted=self._trusted).run()
            return
        if array.padded:
            padding = self.stream.exactly(1)[0]
            # 1 to 16 are not opcodes, so other readers cannot take these bytes for a pickle.
            if not 1 <= padding <= 16:
                raise self.unreadable("Has an array that joblib did not write")
            self.stream.skip(padding)
        self.stream.skip(array.size)

    # What holds other values.

    def push_tuple(self, items: list[object]) -> None:
        """Push a tuple of the items."""
        if self._wrapper:
            if self._wrapper in items and len(items) != 3:
                self.look_for_wrapper(items)
            self.look_for_wrapper([item for item in items if isinstance(item, tuple)])
        self.push(tuple_of(items))

    def fill(self, items: list[object]) -> None:
        """Put keys and values, alternating, into the dict that is last on the stack."""
        self.look_for_wrapper(items)
        target = self.top()
        self._refuse_change(target)
        if isinstance(target, Alias):
            self._aliased = True  # it may be any known dict, so none is known any more
        elif isinstance(target, dict):
            if len(items) > LATEST or len(items) % 2 or HOLE in items:
                set_item(target, None, None)
            else:
                for at in range(0, len(items), 2):
                    set_item(target, items[at], items[at + 1])

    def add(self, items: list[object]) -> None:
        """Put items into the list or set that is last on the stack."""
        self.look_for_wrapper(items)
        self._refuse_change(self.top())

    def _refuse_change(self, target: object) -> None:
        """Refuse what would change a class or a table of a library, for all that use it."""
        if isinstance(target, Global):
            self.report("unsafe-pickle", f"Would change {target.shown} itself when it is loaded")

    def persist(self, identity: object) -> None:
        """Push the loader's object for a persistent id: PyTorch writes storages this way."""
        self.foreign = True
        if not isinstance(identity, tuple) or not identity or identity[0] != "storage":
            self.report("unsafe-pickle", "Would ask its reader for an object that is not a PyTorch storage")
        else:
            self.storages.add(identity)
        self.push(None)

    def extension(self, code: int) -> None:
        """Push what the reader's registry of extensions has under a number."""
        self.foreign = True
        self.report("unsafe-pickle", f"Would load extension {code} of its reader's registry")
        self.push(None)

    def proto(self, argument: bytes | None) -> None:
        """Take the protocol's number."""
        if argument is None or argument[0] > 5:
            raise self.broken("Has a protocol that does not exist")

    def frame(self, argument: bytes | None) -> None:
        """Take how long the frame is that begins here."""
        size = int.from_bytes(argument or b"", "little")
        if size >= NO_FRAME:
            raise self.broken("Has a frame that is longer than any file")
        self.leave_frame()
        self._frame_end = self.stream.position + size

    def leave_frame(self) -> None:
        """See that the frame ends here: some readers pass over the rest of it, and read on behind it."""
        self._end_frame(self.stream.position)
        if self._frame_end != NO_FRAME:
            raise self.unreadable("Has a frame that is longer than what a pickler puts into it")

    def _end_frame(self, position: int) -> None:
        # Python's unpickler in C drops the beginning of a line that goes on behind its frame.
        if position > self._frame_end:
            raise self.unreadable("Has a frame that ends within an opcode's argument")
        if position == self._frame_end:
            self._frame_end = NO_FRAME

    def stop(self) -> None:
        """End with one value, as a pickle does."""
        self.top()
        self.leave_frame()
        self.stopped = True

    def push_number(self, number: int) -> None:
        """Push a number that may be a length."""
        if self.first_number is None:
            self.first_number = number
        self.push(number)
