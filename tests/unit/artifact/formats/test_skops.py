from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from signoff.artifact.context import ScanContext
from signoff.artifact.formats.json_stream import LONGEST, MOST_DEEP, JsonStream, MalformedJson
from signoff.artifact.formats.skops import LOADERS, PICKLES_OWN, SHOWN
from signoff.artifact.formats.skops import skops as scan_skops
from signoff.artifact.pickle.allow_list import allowed
from signoff.artifact.requirements import Trusted
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import PeekableReader
from signoff.artifact.streams.refusal import Refused
from tests.corpus.framework_files import SKOPS, fitted
from tests.corpus.model_archives import zipped
from tests.corpus.skops_archives import NODES, node
from tests.support.depth import examples, some
from tests.support.pickled import TrickleReader
from tests.support.scans import scanned

Found = list[tuple[str, str]]


def findings(schema: Any, piece: int = 1 << 20) -> Found:
    """Return the rule and the reason of all that is found in a schema."""
    data = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    found: Found = []
    where = ScanContext("m", lambda _member, rule, reason, _severity: found.append((rule, reason)), Budget())
    try:
        scan_skops(PeekableReader(TrickleReader(data, piece)), where, lambda *_: None)
    except Refused as refusal:
        found.append((refusal.rule, str(refusal)))
    return found


# What is told.


def test_a_finding_says_what_would_be_loaded_and_where() -> None:
    schema = node("ListNode", "builtins", "list", content=[node("JsonNode", "builtins", "str"), NODES["a function"][0]])
    at = json.dumps(schema).index("{", json.dumps(schema).index("JsonNode"))
    assert findings(schema) == [("skops-untrusted-type", f"Would load os.system at content[1] (byte {at})")]


def test_a_finding_names_the_member_that_the_schema_is() -> None:
    data = zipped({"schema.json": json.dumps(NODES["a type"][0]).encode()})
    ((member, rule, reason),) = scanned(data)
    assert (member, rule) == ("m > schema.json", "skops-untrusted-type")
    assert reason.startswith("Would load subprocess.Popen at its root (byte 0)")


def test_each_name_is_reported_once_and_very_many_are_not_all_reported() -> None:
    twice = [NODES["a type"][0]] * 2
    assert len(findings({"content": twice})) == 1
    many = [node("TypeNode", "os", f"f{number}") for number in range(1000)]
    assert len(findings({"content": many})) == SHOWN


def test_a_name_is_shown_without_what_a_terminal_obeys() -> None:
    ((_, reason),) = findings(node("TypeNode", "os\x1b[31m", "system"))
    assert reason.isprintable()


def test_a_type_that_the_policy_trusts_is_a_warning_and_nothing_of_python_s_is_trusted() -> None:
    found: list[tuple[str, str]] = []
    trusted = Trusted(names=frozenset(["acme.features.Encoder", "os.system"]))
    where = ScanContext("m", lambda _m, rule, _r, severity: found.append((rule, severity)), trusted=trusted)
    own = node("ObjectNode", "acme.features", "Encoder", content=None)
    schema = node("ListNode", "builtins", "list", content=[own, NODES["a function"][0]])
    scan_skops(PeekableReader(io.BytesIO(json.dumps(schema).encode())), where, lambda *_: None)
    assert found == [("trusted-name", "warning"), ("skops-untrusted-type", "error")]


def test_a_function_that_a_model_only_holds_is_taken_and_not_called() -> None:
    held = ("numpy", "log1p")
    assert findings(node("FunctionNode", *held)) == []
    assert [rule for rule, _ in findings(node("ConstructorFromReduceNode", *held))] == ["skops-untrusted-type"]


@pytest.mark.parametrize("name", PICKLES_OWN)
def test_what_only_pickles_use_is_refused_whatever_it_is_called_with(name: str) -> None:
    assert findings(node("TypeNode", name, "_reconstructor"))


def test_a_long_class_name_hides_nothing() -> None:
    assert findings(node("TypeNode", "sklearn.svm", "S" * (LONGEST + 1)) | {"content": [1]})


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_random_generator_passes_with_the_class_that_its_state_names(name: str) -> None:
    generator = np.random.Generator(getattr(np.random, name)(1))
    assert scanned(skops.io.dumps({"random": generator})) == []


def test_a_random_generator_that_does_not_say_its_class_is_refused() -> None:
    assert findings(node("RandomGeneratorNode", "numpy.random._generator", "Generator", content={}))


def test_words_that_are_keys_of_a_schema_pass_in_a_vocabulary() -> None:
    words = "bit_generator func module_path function content __class__ __loader__ __module__ __id__ bit_generator"
    model = CountVectorizer(token_pattern=r"\S+").fit([words])
    assert scanned(skops.io.dumps(model)) == []


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", SKOPS)
def test_what_skops_writes_passes_however_it_is_cut_into_pieces(name: str, compression: int) -> None:
    assert scanned(skops.io.dumps(fitted(name), compression=compression), chunk=977) == []


def test_the_types_that_skops_trusts_and_models_name_are_those_that_are_allowed_here() -> None:
    from skops.io import _trusted_types as trusted

    names = {*trusted.SKLEARN_ESTIMATOR_TYPE_NAMES, *trusted.SKLEARN_INTERNAL_TYPE_NAMES, *trusted.PRIMITIVE_TYPE_NAMES}
    assert {name for name in names if not allowed(*name.rsplit(".", 1))} == set()
    refused = {name for name in trusted.CONTAINER_TYPE_NAMES if not allowed(*name.rsplit(".", 1))}
    assert refused == {"builtins.map"}


def test_the_loaders_that_skops_has_are_known_here() -> None:
    from skops.io._audit import NODE_TYPE_MAPPING

    refused = {"MethodNode", "PartialNode", "OperatorFuncNode"}
    assert {loader for loader, _ in NODE_TYPE_MAPPING} - refused <= set(LOADERS)
    assert refused.isdisjoint(set(LOADERS))


# What is no schema, and what is broken.


def test_other_json_under_the_name_of_a_schema_passes() -> None:
    for data in (b"{}", b"[]", b'{"$schema": "x", "type": ["object"]}', b""):
        assert scanned(zipped({"schema.json": data})) == []


def test_what_is_no_json_under_the_name_of_a_schema_is_not_what_it_is_called() -> None:
    assert [rule for _, rule, _ in scanned(zipped({"schema.json": b"not JSON"}))] == ["not-what-it-is-called"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"])
def test_a_schema_in_another_encoding_is_refused(encoding: str) -> None:
    data = json.dumps(NODES["a type"][0]).encode(encoding)
    assert [rule for _, rule, _ in scanned(zipped({"schema.json": data}))] == ["unreadable-skops"]


def test_what_was_found_before_the_damage_is_told_too() -> None:
    data = json.dumps({"content": [NODES["a type"][0], 1]}).encode()[:-1]
    assert [rule for rule, _ in findings(data)] == ["skops-untrusted-type", "unreadable-skops"]


def test_a_schema_that_nests_very_deep_is_refused() -> None:
    honest = json.dumps(node("JsonNode", "builtins", "str")).encode()
    deep = b"[" * MOST_DEEP + b"]" * MOST_DEEP
    for data in (b'{"content": [' + honest + b"," + deep + b"]}", b'{"content": ' + deep + b"}"):
        assert [rule for rule, _ in findings(data)] == ["unreadable-skops"]


# Memory, whatever it is.


def peak(data: bytes) -> int:
    tracemalloc.start()
    try:
        findings(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


WORD = json.dumps({"word": node("JsonNode", "builtins", "str", content="1", is_json=True)}, indent=2).encode()[1:-1]
LARGE = {
    "a text": b'{"content": "' + b"x" * 8_000_000 + b'", "__loader__": "x"}',
    "many untrusted": b'{"c": [' + b",".join([json.dumps(NODES["a type"][0]).encode()] * 46_000) + b"]}",
    "a vocabulary": b'{"__loader__": "DictNode", "content": {' + b",".join([WORD] * 27_000) + b"}}",
    "a text of escapes": b'{"content": "' + b"\\n" * 4_000_000 + b'"}',
    "an object of texts": b"{" + b",".join([b'"key": "' + b"v" * 300 + b'"'] * 20_000) + b"}",
    "blanks": b"{" + b" " * 8_000_000 + b"}",
    "a number": b"[" + b"1" * 8_000_000 + b"]",
    "objects that do not end": (b'{"a": ' + b" " * 2000) * 4000,
    "lists that do not end": b"[" * 8_000_000,
    "an object that does not end": b'{"a": "b", ' + (b'"c"' + b" " * 300) * 20_000,
}


@pytest.mark.parametrize("kind", some(LARGE))
def test_memory_does_not_grow_with_a_schema(kind: str) -> None:
    assert len(LARGE[kind]) > 4_000_000
    assert peak(LARGE[kind]) < 3 * 1024 * 1024


# Against Python's own reader.

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20)
texts = scalars | st.sampled_from(["x" * 2000, '"' * 700, "\\" * 900, "ü" * 1500, "{[" * 9])
values = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


def plain(value: Any) -> Any:
    """Return a value without what a stream does not yield: numbers, and long texts."""
    if isinstance(value, dict):
        return [(plain(key), plain(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str) and len(value) < 200 else None


def rebuilt(data: bytes, block: int) -> Any:
    """Return the value that a stream's parts make together."""
    root: list[Any] = []
    stack, keys = [root], [""]
    for kind, value, _ in JsonStream(PeekableReader(io.BytesIO(data)), block).tokens():
        if kind == "key":
            keys[-1] = value
            continue
        if kind in "]}":
            stack.pop()
            keys.pop()
            continue
        made: Any = [] if kind in "[{" else plain(dict(value)) if kind == "leaf" else plain(value)
        stack[-1].append((plain(keys[-1]), made) if keys[-1] != "[" and len(stack) > 1 else made)
        if kind in "[{":
            stack.append(made)
            keys.append("[" if kind == "[" else "")
    return root[0]


@given(values, st.booleans(), st.sampled_from([None, 0, 3]), st.integers(1, 400))
@settings(max_examples=examples(300), deadline=None)
def test_a_stream_yields_what_python_reads(value: Any, ascii_only: bool, indent: int | None, block: int) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    assert rebuilt(data, block) == plain(value)


def would_load(schema: Any) -> set[str]:
    """Return what skops would load that is not allowed, by a walk over the whole schema."""
    if isinstance(schema, list):
        return set().union(*(would_load(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    inner = set().union(*(would_load(each) for each in schema.values()))
    loader, module, name = (schema.get(f"__{key}__") for key in ("loader", "module", "class"))
    if isinstance(loader, str) and isinstance(module, str) and isinstance(name, str) and not allowed(module, name):
        return inner | {f"{module}.{name}"}
    return inner


HOSTILE = [value for value, _ in NODES.values()]
trees = st.recursive(
    st.sampled_from(HOSTILE) | scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "attrs", "__id__", "x"]), inner, max_size=3)
        | st.builds(lambda content: node("ListNode", "builtins", "list", content=content), st.lists(inner, max_size=3))
    ),
)
edits = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from([b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u005f", b" ", b""])
    ),
    max_size=3,
)


@given(trees, edits, st.booleans(), st.integers(0, 30))
@settings(max_examples=examples(500), deadline=None)
def test_whatever_is_done_to_a_schema_what_skops_would_load_is_reported(
    tree: Any, changes: list[tuple[float, bytes]], ascii_only: bool, filler: int
) -> None:
    text = {"filler": "x" * filler * 100, "content": tree}
    data = bytearray(json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + 1] = new
    try:
        expected = would_load(json.loads(bytes(data)))
    except ValueError:
        expected = set()
    found = findings(bytes(data))
    told = " ".join(reason for _, reason in found)
    assert all(name in told for name in expected) or len(found) >= SHOWN


@given(st.binary(max_size=200))
def test_any_bytes_at_all_end_with_parts_or_a_reason(data: bytes) -> None:
    where = ""
    try:
        list(JsonStream(PeekableReader(io.BytesIO(data))).tokens())
    except MalformedJson as error:
        where = str(error)
    assert not where or "at byte" in where
