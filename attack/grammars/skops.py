"""skops files: what a schema names and how it is called, how the JSON is written, and what zip it lies in."""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import ARCHIVES, Entry, zipped
from attack.grammars.calls import MARK, WRITES
from attack.grammars.layouts import npy
from attack.grammars.texts import TEXTS

Node = dict[str, Any]


def _node(loader: str, module: str, name: str, **fields: Any) -> Node:
    """A node as skops writes one; nodes of the same number are one object."""
    number = zlib.crc32(repr((loader, module, name, fields)).encode())
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": number, **fields}


def _text(text: str) -> Node:
    return _node("JsonNode", "builtins", "str", content=json.dumps(text), is_json=True)


def _tuple(*nodes: Node) -> Node:
    return _node("TupleNode", "builtins", "tuple", content=[*nodes])


def _call(module: str, name: str, *arguments: str) -> Node:
    return _node("ConstructorFromReduceNode", module, name, content=_tuple(*map(_text, arguments)))


def _within(node: Node) -> Node:
    keys = _node("ListNode", "builtins", "list", content=[_text("key")])
    return _node("DictNode", "builtins", "dict", content={"key": node}, key_types=keys)


NODES: Mapping[str, Callable[[], Node]] = {
    "call": lambda: _call("os", "mkdir", MARK),
    "open": lambda: _call("io", "open", MARK, "w"),
    "in-list": lambda: _node("ListNode", "builtins", "list", content=[_call("os", "mkdir", MARK)]),
    "in-dict": lambda: _within(_call("os", "mkdir", MARK)),
    "list-of": lambda: _node("ListNode", "builtins", "exec", content=[_text(WRITES)]),
    "in-state": lambda: _node("ObjectNode", "sklearn.svm._classes", "SVC", content=_within(_call("os", "mkdir", MARK))),
    "cached": lambda: _node("TupleNode", "builtins", "tuple", content=[_call("os", "mkdir", MARK)] * 2),
    "no-id": lambda: {key: value for key, value in _call("os", "mkdir", MARK).items() if key != "__id__"},
}


ARRAY = npy(bytes(8), descr="'<f8'")


def _in_gzip(archive: bytes) -> bytes:
    """In an extra field of gzip's header, with what follows it as the archive's comment."""
    end = gzip.compress(b"N.")[10:]
    extra = archive[:-2] + len(end).to_bytes(2, "little")
    return b"\x1f\x8b\x08\4" + bytes(6) + len(extra).to_bytes(2, "little") + extra + end


def _in_tar(archive: bytes) -> bytes:
    """Behind a long name in a tar archive, where no reader of such looks."""
    record = b"n" * 200 + b"\0" + archive
    info = tarfile.TarInfo("record")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, len(record)
    header = info.tobuf(tarfile.USTAR_FORMAT)
    return header + record.ljust(-len(record) // 512 * -512, b"\0") + ARCHIVES["tar"](b"N.")


FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "archive": lambda text: zipped([Entry("schema.json", text), Entry("0.npy", ARRAY)]),
    "alone": lambda text: zipped([Entry("schema.json", text)]),
    "last": lambda text: zipped([Entry("0.npy", ARRAY), Entry("schema.json", text)]),
    "deflated": lambda text: zipped([Entry("schema.json", text, 8), Entry("0.npy", ARRAY, 8)]),
    "keras": lambda text: zipped(
        [Entry("config.json", b"{}"), Entry("metadata.json", b"{}"), Entry("schema.json", text)]
    ),
    "jar": lambda text: zipped([Entry("META-INF/MANIFEST.MF", b""), Entry("schema.json", text)]),
    "twice": lambda text: zipped([Entry("schema.json", b"{}"), Entry("schema.json", text)]),
    "in-comment": lambda text: zipped([Entry("schema.json", b"{}")], comment=zipped([Entry("schema.json", text)])),
    "in-gzip": lambda text: _in_gzip(zipped([Entry("schema.json", text)])),
    "in-second-gzip": lambda text: gzip.compress(b"N.") + _in_gzip(zipped([Entry("schema.json", text)])),
    "in-tar": lambda text: _in_tar(zipped([Entry("schema.json", text)])),
    "prefixed": lambda text: b"#!" + zipped([Entry("schema.json", text)]),
}
"""What the schema lies in, by its name."""

PLACES = ("model", "model.skops", "model.zip", "model.bin", "model.pkl", "notes.txt")


def _compose(choices: Choices) -> Files:
    schema = {**NODES[choices["node"]](), "protocol": 2, "_skops_version": "0.16.0"}
    return {choices["place"]: FORMS[choices["form"]](TEXTS[choices["text"]](schema))}


SKOPS = Grammar(
    "skops",
    {"node": tuple(NODES), "text": tuple(TEXTS), "form": tuple(FORMS), "place": PLACES},
    _compose,
    ("skops", "opened"),
)
