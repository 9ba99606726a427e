"""TensorFlow's SavedModel: `saved_model.pb`, read as a stream of fields for what its graphs do besides computing.

TensorFlow's own advice is to treat models as programs (tensorflow/tensorflow, "SECURITY.md"): some of its operators run
Python, read and write files, and connect to other hosts. Field numbers are those of its .proto files
(`tensorflow/core/protobuf/saved_model.proto` and what it imports).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.onnx import is_onnx
from signoff.artifact.formats.protobuf import MalformedMessage, MessageReader, WireReader
from signoff.artifact.member_names import leaves, shown
from signoff.artifact.streams.refusal import Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MESSAGES = {
    "SavedModel": {2: "MetaGraph"},
    "MetaGraph": {2: "Graph", 6: "Asset"},
    "Graph": {1: "Node", 2: "Library"},
    "Library": {1: "Function"},
    "Function": {3: "Node"},
}
TEXTS = {"Node": {2: "operator"}, "Asset": {2: "filename"}}

# By what they would do; the names are those of TensorFlow's operators (`tf.raw_ops`).
OPERATORS = {
    "run Python": "PyFunc PyFuncStateless EagerPyFunc",
    "read files": "ReadFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 "
    "FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 TextLineDataset TFRecordDataset "
    "TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 SqlDataset "
    "ImmutableConst LoadAndRemapMatrix GenerateVocabRemapping LMDBReader LMDBDataset",
    "write files": "WriteFile CreateSummaryFileWriter CreateSummaryDbWriter SaveDataset SaveDatasetV2 SnapshotDataset "
    "SnapshotDatasetV2 CacheDataset CacheDatasetV2 DebugIdentity DebugIdentityV2 DebugIdentityV3",
    "connect to other hosts": "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 "
    "RegisterDataset RegisterDatasetV2 RpcServer RpcServerStart RpcClient RpcCall BigQueryReader",
}
DOES = {operator: what for what, operators in OPERATORS.items() for operator in operators.split()}

_KERAS = b"_tf_keras_"


def is_saved_model(head: bytes) -> bool:
    """Whether content that begins with `head` is a SavedModel: schema version 1, then a graph and what describes it."""
    return head.startswith(b"\x08\x01\x12") and not is_onnx(head)


def saved_model(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report each operator that does more than compute, and assets that lie outside.

    Reports `tensorflow-operator` and `tensorflow-asset`; raises `Refused` (`unreadable-saved-model`).
    """
    findings = FindingCollector(context)
    known: set[str] = set()

    def note(kind: str, texts: dict[str, str], at: int) -> None:
        operator = texts.get("operator", "")
        if kind == "Node" and operator in DOES and operator not in known:
            known.add(operator)
            findings.report("tensorflow-operator", f"Would {DOES[operator]} when it runs: {operator}, at byte {at}")
        elif kind == "Asset" and leaves(texts.get("filename", "")):
            name = shown(texts.get("filename", ""))
            findings.report("tensorflow-asset", f"Has an asset at byte {at} that lies outside of the model: {name!r}")

    wire = WireReader(content)
    try:
        MessageReader(wire, MESSAGES, TEXTS, note).read("SavedModel")
    except MalformedMessage as error:
        reason = f"Cannot be read as a SavedModel: it {error}, at byte {wire.offset}"
        raise Refused("unreadable-saved-model", reason) from None


def is_keras_metadata(head: bytes) -> bool:
    """Whether content that begins with `head` is `keras_metadata.pb`, which Keras 2 writes beside a SavedModel.

    It describes layers in JSON, as HDF5 does.
    """
    return head.startswith(b"\n") and _KERAS in head[:200]
