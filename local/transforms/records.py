"""Records of an input object: split, put together in mini-batches, and the answers assembled.

As in SageMaker's reference of TransformInput (SplitType), CreateTransformJob (BatchStrategy, MaxPayloadInMB) and
TransformOutput (AssembleWith).
"""

import struct
from collections.abc import Iterable, Iterator

Record = bytes
_RECORD_IO = 0xCED7230A  # https://mxnet.apache.org/api/architecture/note_data_loading: magic, length, data, padding
_LENGTH_BITS = (1 << 29) - 1


class TooLarge(ValueError):
    """Raised for a record that does not fit into a payload."""


class NotRecords(ValueError):
    """Raised for data that is not in the records that its SplitType says."""


def split(data: bytes, how: str) -> list[Record]:
    """The records of an object: itself for None, its lines for Line, and those of the format for RecordIO."""
    if how == "None":
        return [data]
    if how == "RecordIO":
        return list(_record_io(data))
    return (data[:-1] if data.endswith(b"\n") else data).split(b"\n") if data else []


def mini_batches(records: Iterable[Record], how: str, strategy: str, most: int) -> Iterator[list[Record]]:
    """The records in mini-batches of at most `most` bytes (0: no limit), or one by one for SingleRecord.

    Raises TooLarge for a record that is larger.
    """
    batch: list[Record] = []
    size = 0
    for record in records:
        if most and len(record) > most:
            raise TooLarge("Too much data for max payload size")
        between = 1 if how == "Line" and batch else 0
        full = bool(most) and size + between + len(record) > most
        if batch and (full or strategy == "SingleRecord"):
            yield batch
            batch, size, between = [], 0, 0
        batch.append(record)
        size += between + len(record)
    if batch:
        yield batch


def payload(records: list[Record], how: str) -> bytes:
    """The body of a request with these records."""
    return (b"\n" if how == "Line" else b"").join(records)


def assembled(answers: Iterable[bytes], how: str) -> bytes:
    """The output object: the answers one after the other, each on its own line for Line."""
    if how != "Line":
        return b"".join(answers)
    return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)


def _record_io(data: bytes) -> Iterator[Record]:
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise NotRecords("the last RecordIO record is incomplete")
        magic, length = struct.unpack_from("<II", data, at)
        end = at + 8 + -(-(length & _LENGTH_BITS) // 4) * 4
        if magic != _RECORD_IO or end > len(data):
            raise NotRecords(f"there is no RecordIO record at byte {at}")
        yield data[at:end]
        at = end
