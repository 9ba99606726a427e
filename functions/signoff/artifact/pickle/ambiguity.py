"""Whether bytes that another reader takes for something else would act if they were loaded as a pickle.

Some formats begin with an arbitrary number, whose bytes may also be opcodes; what joblib reads as an array, Python's
own unpickler reads as opcodes. Mostly that fails soon, at an invalid opcode or an empty stack, or makes some text. As
long as nothing is named before that, nothing is executed. The bytes are followed until one or the other is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.fed_stream import FedStream, Starved
from signoff.artifact.pickle.machine import PickleMachine
from signoff.artifact.pickle.opcodes import TABLE
from signoff.artifact.pickle.stream import InvalidPickle, UnreadablePickle
from signoff.artifact.pickle.values import HOLE, Alias, Global
from signoff.artifact.streams.readers import BLOCK

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import PeekableReader

MOST_PICKLES = 1000  # pickles in a row, each read separately: a bound on time


class _ActsOnLoad(Exception):
    """Raised when loading would name an object, which may already run code."""


class FedMachine(PickleMachine):
    """Walks as far as its stream was fed, and only where Python would go on with what is known."""

    def run(self) -> None:
        """Walk to the STOP, or raise `Starved`; then it goes on from the same opcode."""
        try:
            super().run()
        except Starved:
            self.stream.at = self.start - self.stream.base
            raise

    def name(self, module: object, name: object) -> None:
        """Push a module's global. Raises `InvalidPickle` for one that is named by what is no text."""
        if any(_is_known(part) and not isinstance(part, str) for part in (module, name)):
            raise self.broken("Names an object by what is no text")
        super().name(module, name)

    def call(self, function: object, arguments: object) -> object:
        """Return what is known of a call's result. Raises `InvalidPickle` where nothing can be called."""
        if not self.foreign:
            raise self.broken("Calls what cannot be called")
        if _is_known(function) and not isinstance(function, Global):
            raise self.broken("Calls what cannot be called")
        if _is_known(arguments) and not isinstance(arguments, tuple):
            raise self.broken("Calls with what are no arguments")
        return super().call(function, arguments)

    def extension(self, code: int) -> None:
        """Raise `InvalidPickle`: Python has no extensions, and a file cannot bring any."""
        raise self.broken(f"Loads extension {code}, which does not exist")

    def leave_frame(self) -> None:
        """Do nothing: only joblib reads on behind a frame."""


class _Suspect(FedMachine):
    """Follows opcodes only until the first that acts."""

    def name(self, module: object, name: object) -> None:
        super().name(module, name)
        raise _ActsOnLoad

    def call(self, function: object, arguments: object) -> object:
        super().call(function, arguments)
        raise _ActsOnLoad


def _is_known(value: object) -> bool:
    return value is not None and value is not HOLE and not isinstance(value, Alias)


def _say_nothing(*_: object) -> None:
    """Take a finding: what matters is whether anything is named."""


class PickleWatch:
    """Follows bytes, in the pieces in which they are fed, as one pickle after another."""

    def __init__(self) -> None:
        self._stream = FedStream()
        self._machine = self._next()
        self._pickles = 0
        self.acts: bool | None = None
        """Whether loading would act, None as long as it is not certain. False: every unpickler fails or ends before."""
        self.written = False
        """Whether a whole pickle came first that looks as if a pickler had written it."""

    def feed(self, data: bytes) -> None:
        """Follow the bytes that come next."""
        if self.acts is None:
            self._stream.feed(data)
            self._follow()

    def end(self) -> bool:
        """Return whether it acts, now that nothing more comes."""
        if self.acts is None:
            try:
                self._stream.end()
            except InvalidPickle:
                self.acts = False
            else:
                self._follow()
        return bool(self.acts)

    def _follow(self) -> None:
        try:
            while self._pickles < MOST_PICKLES:
                self._machine.run()
                self.written = self.written or (not self._pickles and self._machine.written)
                self._pickles += 1
                self._machine = self._next()
            self.acts = True
        except Starved:
            pass
        except InvalidPickle:
            self.acts = False
        except (UnreadablePickle, _ActsOnLoad):
            self.acts = True

    def _next(self) -> PickleMachine:
        return _Suspect(self._stream, _say_nothing, TABLE)


def may_act(content: PeekableReader) -> bool:
    """Whether loading `content` as one or more pickles would act; it is read only as far as needed.

    False is certain: every unpickler fails or ends before it names anything. Raises what the reader raises.
    """
    watch = PickleWatch()
    while watch.acts is None and (part := content.read(BLOCK)):
        watch.feed(part)
    return watch.end()
