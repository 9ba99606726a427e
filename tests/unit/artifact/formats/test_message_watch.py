"""Whatever is a model of ONNX besides what it seems to be is refused, and what only begins so is not."""

from __future__ import annotations

import onnx
import pytest

from attack.grammars.hosts import MESSAGE_HOSTS
from attack.grammars.messages import MESSAGES
from attack.grammars.onnx import BODIES
from signoff.artifact.formats import message_watch
from signoff.artifact.formats.message_watch import MessageWatch
from tests.support.scans import faults

MODEL = MESSAGES["plain"]([(1, 9), *BODIES["initializer"]()])
BEHIND_GROUP = b"[\x5c" + MODEL  # field 11 as a group that holds nothing


def holds(data: bytes, at_once: int = 1 << 20) -> bool:
    watch = MessageWatch()
    for at in range(0, len(data), at_once):
        watch.feed(data[at : at + at_once])
    return watch.holds_graph


@pytest.mark.parametrize("host", MESSAGE_HOSTS)
def test_a_model_within_another_format_is_refused(host: str) -> None:
    data = MESSAGE_HOSTS[host](MODEL)

    assert onnx.load_model_from_string(data).graph.initializer
    assert [rule for _, rule in faults(data)] == ["ambiguous-content"]


@pytest.mark.parametrize("at_once", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("write", MESSAGES)
def test_it_is_known_however_it_is_written_and_read(write: str, at_once: int) -> None:
    assert holds(MESSAGES[write]([(1, 9), *BODIES["initializer"]()]), at_once)


def test_what_is_passed_over_may_be_a_group() -> None:
    assert onnx.load_model_from_string(BEHIND_GROUP).graph.initializer
    assert holds(BEHIND_GROUP)


@pytest.mark.parametrize(
    "data",
    [MODEL[:-1], MODEL + b"\0", MODEL + b"\x08", MODEL + b"\x5a\5abcd", b":\5hello", b"\x08\1" * 9, b""],
    ids=["cut off", "no field", "no value", "too short", "no graph in it", "no graph", "nothing"],
)
def test_what_protobuf_cannot_read_to_its_end_or_has_no_graph_is_none(data: bytes) -> None:
    assert not holds(data)


def test_more_fields_than_are_followed_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_watch, "MOST_FIELDS", 100)

    assert not holds(b"pp" * 100)
    assert holds(b"pp" * 101)
    assert not holds(b"pp" * 99 + b"\0" * 999)
