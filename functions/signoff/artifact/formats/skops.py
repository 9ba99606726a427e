"""skops: a zip archive whose schema.json names what is imported and created when the model is loaded.

Each object of the JSON with a `__loader__` is a node (skops.io): a type or a function, by `__module__` and `__class__`,
and what is done with it. skops asks its caller to trust other types, and callers tend to trust everything. So each
name is checked here against the allow list of pickles (`allowed`); methods, partial functions and operators are
refused. The JSON is read as a stream, because a vocabulary makes it large.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signoff.artifact.formats.json_stream import JsonStream, JsonTooLarge, MalformedJson
from signoff.artifact.member_names import shown
from signoff.artifact.pickle.allow_list import allowed, only_held
from signoff.artifact.pickle.judgement import TRUSTED
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.trusted_names import runs_code, trusts
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.findings import Severity
    from signoff.artifact.streams.readers import PeekableReader

SCHEMA = "schema.json"
SHOWN = 20  # findings of one rule that are reported one by one
LONGEST_PATH = 200  # characters

# What skops does with a node's name: it makes one, takes it, or calls it with what lies within (NODE_TYPE_MAPPING).
LOADERS = (
    *("DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "BytesNode", "BytearrayNode", "SliceNode"),
    *("JsonNode", "TypeNode", "FunctionNode", "ObjectNode", "ConstructorFromReduceNode", "NdArrayNode", "DTypeNode"),
    *("MaskedArrayNode", "SparseMatrixNode", "RandomStateNode", "RandomGeneratorNode", "TreeNode", "LossNode"),
    *("QuantileForestNode", "CachedNode", "_DictWithDeprecatedKeysNode"),
)
# Names that only pickles need: what they do depends on the arguments, which are unknown here.
PICKLES_OWN = (
    *("copyreg", "copy_reg", "_codecs", "functools", "torch.jit._pickle"),
    *("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core._internal", "numpy.core", "numpy._core"),
)
# Loaders that take what is named and do not call it: a function that a model only holds may be there.
TAKING = ("FunctionNode", "TypeNode")
# Older versions of skops call whatever of `numpy.random` a generator's state names.
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
KEPT = ("__class__", "__module__", "__loader__", "func", "module_path", "function", "content", "bit_generator")

_OBJECT = compiled_on_use(rb"\s*\{")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def is_skops(head: bytes) -> bool:
    """Whether content that begins with `head` is the schema of a skops file."""
    return _OBJECT.match(head) is not None and b'"__loader__"' in head


def is_schema(member: str, head: bytes) -> bool:
    """Whether skops would read this as a schema: by its name in a zip archive, and in any encoding of JSON.

    Blanks may go on for longer than `head`.
    """
    if not member.endswith(f" > {SCHEMA}") or not head:
        return False
    return _OBJECT.match(head) is not None or head.startswith(_MARKS) or 0 in head[:2] or not head.strip()


def skops(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check every type, function and method that the schema names.

    Reports `skops-untrusted-type`; raises `Refused` (`unreadable-skops`) for a schema that cannot be read completely.
    """
    if content.peek(3).startswith(_MARKS) or 0 in content.peek(2):
        raise Refused("unreadable-skops", "Is not JSON in UTF-8, as skops writes it, but skops would read it")
    schema = _SchemaCheck(context)
    try:
        schema.read(JsonStream(content))
    except MalformedJson as error:
        if schema.nodes or isinstance(error, JsonTooLarge):
            raise Refused("unreadable-skops", f"Cannot be read as the schema of a skops file: {error}") from None


@dataclass(slots=True)
class _OpenNode:
    """An open object or list: its offset, and those of its texts that are checked."""

    offset: int
    is_list: bool
    key: str = ""
    count: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    generator: str | None = None


@dataclass
class _SchemaCheck:
    """Checks the nodes of one schema, each as it ends."""

    context: ScanContext
    nodes: int = 0
    reported: set[str] = field(default_factory=set)
    open: list[_OpenNode] = field(default_factory=list)

    def read(self, stream: JsonStream) -> None:
        """Read to the end. Raises `MalformedJson`."""
        for kind, value, offset in stream.tokens():
            if kind in "{[":
                self._next()
                self.open.append(_OpenNode(offset, kind == "["))
            elif kind in "}]":
                self._end(self.open.pop())
            elif kind == "leaf":
                self._next()
                self._leaf(value, offset)
            elif kind == "text":
                self._next()
                self._text(value)
            elif self.open:
                self.open[-1].key = value

    def _next(self) -> None:
        if self.open and self.open[-1].is_list:
            self.open[-1].count += 1

    def _leaf(self, pairs: list[tuple[str, Any]], offset: int) -> None:
        """Check an object that holds no other object."""
        leaf = _OpenNode(offset, is_list=False)
        self.open.append(leaf)
        for leaf.key, value in pairs:
            self._text(value)
        self._end(self.open.pop())

    def _text(self, value: Any) -> None:
        inside = self.open[-1] if self.open else None
        if inside and not inside.is_list and inside.key in KEPT and isinstance(value, str):
            if inside.key in inside.texts:
                self._report("unreadable-skops", f"Gives {inside.key} more than once", inside)
            inside.texts[inside.key] = value
            if inside.key == "bit_generator":
                inside.generator = value

    def _end(self, node: _OpenNode) -> None:
        parent = self.open[-1] if self.open else None
        if node.is_list:
            self._pass_on(node, parent)
        elif "__loader__" in node.texts:
            self.nodes += 1
            self._check_node(node, parent)
        else:
            if "module_path" in node.texts and "function" in node.texts:  # as skops' protocol 0 has functions
                self._name(node.texts["module_path"], node.texts["function"], node)
            if parent and "func" in node.texts:
                parent.texts["func"] = node.texts["func"]
            self._pass_on(node, parent)

    def _check_node(self, node: _OpenNode, parent: _OpenNode | None) -> None:
        loader, module, name = (node.texts.get(key, "") for key in ("__loader__", "__module__", "__class__"))
        if loader == "MethodNode":
            method = f"{module}.{name}.{node.texts.get('func', '')}"
            self._report("skops-untrusted-type", f"Would load the method {method}", node)
        elif loader not in LOADERS:
            self._report("skops-untrusted-type", f"Would load {module}.{name} by {loader}", node)
        elif loader != "CachedNode":  # of what was loaded before
            self._name(module, name, node, held=loader in TAKING)
        if loader == "RandomGeneratorNode":
            self._generator(node)
            return
        if loader == "JsonNode" and parent and parent.key == "bit_generator":
            node.generator = _as_text(node.texts.get("content", ""))
        self._pass_on(node, parent)

    def _name(self, module: str, name: str, node: _OpenNode, *, held: bool = True) -> None:
        if module not in PICKLES_OWN and allowed(module, name) and (held or not only_held(module, name)):
            return
        if trusts(self.context.trusted.names, module, name) and not runs_code(module, name):
            self._report(TRUSTED, f"Would load {module}.{name}, which the policy trusts", node, "warning")
        else:
            self._report("skops-untrusted-type", f"Would load {module}.{name}", node)

    def _generator(self, node: _OpenNode) -> None:
        if node.generator not in BIT_GENERATORS:
            reason = f"Would call numpy.random.{node.generator}" if node.generator else "Hides what it would call"
            self._report("skops-untrusted-type", f"{reason} for a random generator", node)

    def _pass_on(self, node: _OpenNode, parent: _OpenNode | None) -> None:
        """Pass a generator's name to the parent node; an unknown one takes precedence."""
        if parent and node.generator and (parent.generator is None or node.generator not in BIT_GENERATORS):
            parent.generator = node.generator

    def _report(self, rule: str, reason: str, node: _OpenNode, severity: Severity = "error") -> None:
        if reason in self.reported or len(self.reported) >= SHOWN:
            return
        self.reported.add(reason)
        self.context.report(rule, f"{shown(reason)} at {self._path()} (byte {node.offset})", severity)

    def _path(self) -> str:
        steps = [f"[{above.count - 1}]" if above.is_list else f".{above.key}" for above in self.open]
        path = "".join(steps).lstrip(".")
        return shown(path[:LONGEST_PATH]) or "its root"


def _as_text(content: str) -> str | None:
    """Return the text that a JSON node holds, and None when it holds something else."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None
