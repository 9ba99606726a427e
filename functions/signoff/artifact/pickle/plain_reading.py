"""What Python's own unpickler makes of a file with arrays of joblib.

joblib passes over an array's bytes, and gives the objects of an array of objects a memo of their own. Python's own
unpickler knows nothing of that and takes them for opcodes. Since joblib 1.2 a padding comes first, which is none: there
Python fails. Otherwise the file is followed both ways.
"""

from __future__ import annotations

import re

from signoff.artifact.pickle.ambiguity import FedMachine
from signoff.artifact.pickle.fed_stream import FedStream, Starved
from signoff.artifact.pickle.machine import PickleMachine
from signoff.artifact.pickle.opcodes import TABLE
from signoff.artifact.pickle.stream import InvalidPickle, UnreadablePickle
from signoff.artifact.pickle.values import Alias, ArrayWrapper
from signoff.documents.patterns import compiled_on_use

# NumPy writes `numpy` from its memo and `dtype` in each array of objects; in the file's memo the place of `numpy` is
# another's. Of modules only these have a `dtype`: any other name that stands there cannot be loaded.
HAVE_DTYPE = compiled_on_use(
    r"\w*num\w*|cupy|dpnp|torch|(?!pandas\.core\.(?:frame|series|indexes\.\w+|internals\.\w+)$).*\..*", re.ASCII
)


class _PlainMachine(FedMachine):
    """Goes on from another machine's state without it."""

    def __init__(self, stream: FedStream, other: PickleMachine) -> None:
        super().__init__(stream, other.report_at, TABLE)
        self.take_over(other)

    def name(self, module: object, name: object) -> None:
        if isinstance(module, Alias) and self.memo.has_all_texts:
            raise self.broken("Names a module by what is no text")
        if name == "dtype" and isinstance(module, str) and not HAVE_DTYPE.fullmatch(module):
            raise self.broken("Names a type that no module has")
        super().name(module, name)

    def memoize(self) -> None:
        if self.memo.numbered:
            self.memo.forget()  # which number is the next is not known
        super().memoize()

    def persist(self, _identity: object) -> None:
        raise self.broken("Asks for an object, and Python's own unpickler knows nobody who has one")

    def array(self, _made: ArrayWrapper, _state: object) -> None:
        """Take what stands for an array for an object like any other."""


class PlainReading:
    """Python's own reading from a machine's state on, for as long as it goes on. It reports as the machine does."""

    def __init__(self, machine: PickleMachine) -> None:
        self._stream = FedStream(machine.stream.position)
        self._machine: _PlainMachine | None = _PlainMachine(self._stream, machine)

    def feed(self, data: bytes) -> None:
        """Follow the bytes that come next."""
        if self._machine:
            self._stream.feed(data)
            self._follow(self._machine)

    def end(self) -> None:
        """Follow to the end, now that nothing more comes."""
        if self._machine:
            try:
                self._stream.end()
            except InvalidPickle:
                self._machine = None
            else:
                self._follow(self._machine)

    def _follow(self, machine: _PlainMachine) -> None:
        try:
            machine.run()
        except Starved:
            return
        except InvalidPickle:
            pass
        except UnreadablePickle as error:
            machine.report(error.rule, str(error))
        self._machine = None
