"""HDF5 and messages within other formats, whose readers pass over what precedes them.

Those of HDF5 take it for a user block, those of protobuf for fields that they do not know.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping

from attack.grammars.archives import ARCHIVES, Entry, zipped
from attack.grammars.layouts import npy

AT = 512  # bytes before it; 1024 and each doubled offset are tried too
JUNK = b"x"


def _gzip(data: bytes) -> bytes:
    """In an extra field, which has at most 64 KiB."""
    extra = bytes(AT - 12) + data
    return b"\x1f\x8b\x08\4" + bytes(6) + (len(extra) & 0xFFFF).to_bytes(2, "little") + extra + gzip.compress(b"N")[10:]


def _zlib(data: bytes) -> bytes:
    """In a block that is stored as it is."""
    body = JUNK * (AT - 7) + data
    size = len(body) & 0xFFFF
    block = b"\1" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + body
    return b"\x78\1" + block + zlib.adler32(body).to_bytes(4, "big")


def _npy(data: bytes) -> bytes:
    kind, shape = "'|u1'", f"({len(data)},)"
    return npy(data, descr=kind, pad=AT - len(npy(b"", descr=kind, shape=shape)), shape=shape)


def _safetensors(data: bytes) -> bytes:
    tensor = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    header = json.dumps({"weights": tensor}).encode().ljust(AT - 8)
    return len(header).to_bytes(8, "little") + header + data


def _pickle(data: bytes) -> bytes:
    body = JUNK * (AT - 7) + data
    return b"\x80\4B" + len(body).to_bytes(4, "little") + body + b"."


HOSTS: Mapping[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": _gzip,
    "zlib": _zlib,
    "zip": lambda data: zipped([Entry("a", JUNK * (AT - 31) + data)]),
    "tar": lambda data: ARCHIVES["tar"](JUNK * 3 * AT + data),
    "npy": _npy,
    "safetensors": _safetensors,
    "pickle": _pickle,
    "catboost": lambda data: b"CBM1".ljust(AT, JUNK) + data,
    "text": lambda data: b"The readme. ".ljust(AT, JUNK) + data,
}
"""What HDF5 lies in, by its name."""

FIELD = b"Z"  # the key of field 11, of so many bytes
LENGTH = "\u00cf!".encode()  # of three bytes, the last one below 128, and a text


def _in_text(message: bytes) -> bytes:
    """Behind fields whose keys, lengths and contents are text."""
    return (FIELD + b"A" + b"a text like another ".ljust(65)) * 80 + message


def _in_tensor(message: bytes) -> bytes:
    """In a tensor: the header's length is a field's key that ends in the header, and a text there one that does not."""
    header = FIELD + b"\x40" + bytes(6) + b'{"__metadata__":{"a":"'
    header = (
        header.ljust(2 + 0x40, b"a") + FIELD + "\u00cf!".encode()
    )  # a length of three bytes, the last one below 128
    long = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(LENGTH))
    size = 8 + (ord(FIELD) | 0x40 << 8)
    data = JUNK * (len(header) + long - size) + message
    tensor = json.dumps({"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}).encode()
    return (header + b'"},"w":' + tensor + b"}").ljust(size) + data


MESSAGE_HOSTS: Mapping[str, Callable[[bytes], bytes]] = {"in-text": _in_text, "in-tensor": _in_tensor}
"""What a message lies in, by its name."""
