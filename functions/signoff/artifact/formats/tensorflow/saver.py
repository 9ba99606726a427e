"""Whether a graph of TensorFlow writes checkpoints when it is loaded or asked, and not only when somebody saves it.

Every SavedModel holds the operators that save it, which nothing runs in production: they are what `SaverDef` names
(https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saver.proto). The same operators would
write files of any name if anything else led to them: a signature, an operator that runs on loading, or a function of an
object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from signoff.artifact.formats.protobuf import MalformedMessage

SAVES = ("SaveV2", "MergeV2Checkpoints")
MAX_SIZE = 128 * 1024 * 1024  # bytes, about, of the names of one graph, which are remembered
_NAME = 50  # bytes that one takes besides its characters
_REMEMBERED = frozenset({"input", "run", "Call", "ConcreteFunction", "GraphNode", "Declaration", "Function"})


@dataclass
class _Part:
    """A node of a graph, or a function: the nodes that it depends on, what it calls, and what it saves by."""

    inputs: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    saves: dict[str, int] = field(default_factory=dict)

    def add(self, other: _Part) -> None:
        self.inputs += other.inputs
        self.calls |= other.calls
        self.saves.update(other.saves)


class SaverCheck:
    """Collects the parts of one graph at a time; `functions` are its own, by their names."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._nodes: dict[str, _Part] = {}
        self.functions: dict[str, _Part] = {}
        self._run = _Part()
        self._node, self._function, self._named = _Part(), _Part(), ""
        self._size = 0

    def note(self, kind: str, texts: dict[str, str], at: int) -> None:
        """Take a message's texts, those within it before its own. Raises `MalformedMessage` when there is too much."""
        if kind in _REMEMBERED:
            self._size += _NAME + sum(map(len, texts.values()))
        if self._size > MAX_SIZE:
            raise MalformedMessage(f"has names of more than {MAX_SIZE} bytes in one graph")
        if kind in ("input", "run"):
            (self._node if kind == "input" else self._run).inputs.append(_node_of(texts[kind]))
        elif kind in ("Call", "ConcreteFunction"):
            (self._node if kind == "Call" else self._run).calls.add(texts.get("function", ""))
        elif kind in ("GraphNode", "FunctionNode"):
            self._end_node(texts, at, self._of_graph(texts) if kind == "GraphNode" else self._function)
        elif kind == "Declaration":
            self._named = texts.get("function", self._named)  # of two, the parts are one declaration
        elif kind == "Function":
            self.functions.setdefault(self._named, _Part()).add(self._function)
            self._function, self._named = _Part(), ""

    def _of_graph(self, texts: dict[str, str]) -> _Part:
        return self._nodes.setdefault(texts.get("name", ""), _Part())

    def _end_node(self, texts: dict[str, str], at: int, around: _Part) -> None:
        operator = texts.get("operator", "")
        if operator in SAVES:
            self._node.saves[operator] = at
        self._node.calls.add(operator)  # which may be the name of a function
        around.add(self._node)
        self._node = _Part()

    def saves(self) -> Iterator[tuple[str, int]]:
        """Yield each operator that saves and is run, with the byte it is at, and begin with the next graph."""
        todo, seen = [self._run], set()
        while todo:
            part = todo.pop()
            yield from part.saves.items()
            for names, parts in ((part.inputs, self._nodes), (part.calls, self.functions)):
                for name in names:
                    if (found := parts.get(name)) and id(found) not in seen:
                        seen.add(id(found))
                        todo.append(found)
        self._begin()


def _node_of(tensor: str) -> str:
    """Return the name of the node that an input (`name`, `name:1` or `^name`) is of."""
    return tensor.removeprefix("^").partition(":")[0]
