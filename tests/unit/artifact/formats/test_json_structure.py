"""JSON that is read to its end: a file that was cut off is no model, wherever it was cut and however it is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signoff.artifact.context import ScanContext
from signoff.artifact.formats import json_structure
from signoff.artifact.streams.readers import PeekableReader
from signoff.artifact.streams.refusal import Refused
from tests.support.scans import BoundedChunks

TEXTS = st.text(st.sampled_from('a"\\{}[] \n'), max_size=5)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def is_whole(data: bytes, piece: int) -> bool:
    """Whether nothing is found where so many bytes are looked at at once."""
    content = PeekableReader(BoundedChunks(data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_structure, "BLOCK", piece)
        try:
            json_structure.json_text(content, ScanContext("m.json", lambda *_: None), lambda *_: None)
        except Refused as refusal:
            return refusal.rule != "unreadable-json"
    return True


@given(st.lists(VALUES, min_size=1), st.integers(1, 9), st.data())
@example(['"'], 1, None).via("an escape that is cut")
def test_json_is_whole_until_anything_is_cut_off(value: list[object], piece: int, data: st.DataObject | None) -> None:
    text = json.dumps(value).encode()
    assert is_whole(text, piece)
    for cut in range(1, len(text)) if data is None else (data.draw(st.integers(1, len(text) - 1)),):
        assert not is_whole(text[:cut], piece)
