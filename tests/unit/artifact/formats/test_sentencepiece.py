"""Vocabularies of SentencePiece: one that it wrote, and ones with something else in them."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from signoff.artifact.formats.sentencepiece import is_sentencepiece
from tests.corpus.layouts.judged import SAMPLES
from tests.support.scans import faults

with tarfile.open(fileobj=io.BytesIO((SAMPLES / "hugging-face-sentencepiece.tar.gz").read_bytes())) as _archive:
    REAL = _archive.extractfile("spiece.model").read()
GRAPH = b"\x3a\x02\x0a\x00"  # of ONNX
PIECE = b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02"


def test_what_the_library_wrote_is_known_and_passes() -> None:
    assert is_sentencepiece(REAL[:4096])
    assert faults(REAL) == []
    assert faults(REAL, chunk=7) == []


@pytest.mark.parametrize(
    "more",
    [
        b"\x08\x07",  # the version of ONNX
        GRAPH,
        b"\n\x06\x3a\x04\x0a\x02ab",  # the same within a piece
        b"\n\x02\x08\x07",
        b"\x10\x01",
        b"\x0b\x0c",
        b"\xc2\x80\x80\x80\x10\0",  # a tag of more than 32 bits
        b"\n\xff\x01",
        b"\0",
    ],
)
def test_what_begins_so_and_has_anything_else_is_refused(more: bytes) -> None:
    for data in (REAL + more, PIECE * 2 + more):
        graph = [("m", "ambiguous-content")] if more == GRAPH else []  # which a model of ONNX has anywhere
        assert faults(data) == [("m", "unreadable-tokenizer"), *graph]
    assert faults(PIECE * 2) == []


def test_what_hardly_begins_so_is_not_taken_for_one() -> None:
    assert not is_sentencepiece(PIECE)
    assert not is_sentencepiece(b"\x08\x07" + PIECE * 2)
    assert not is_sentencepiece(gzip.compress(REAL))
