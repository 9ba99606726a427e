"""Records of an input object: split, sent in mini-batches, and their answers assembled."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.transforms import records
from local.transforms.records import NotRecords, TooLarge


def record_io(data: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(data)) + data + b"\0" * (-len(data) % 4)


@pytest.mark.parametrize(
    ("data", "how", "found"),
    [
        (b"a\nb\n", "None", [b"a\nb\n"]),
        (b"a\nb\n", "Line", [b"a", b"b"]),
        (b"a\nb", "Line", [b"a", b"b"]),
        (b"a\n\nb", "Line", [b"a", b"", b"b"]),
        (b"", "Line", []),
        (b"", "None", [b""]),
        (record_io(b"abc") + record_io(b"defgh"), "RecordIO", [record_io(b"abc"), record_io(b"defgh")]),
    ],
)
def test_an_object_is_split(data: bytes, how: str, found: list[bytes]) -> None:
    assert records.split(data, how) == found


@pytest.mark.parametrize("data", [b"abc", b"abcdefgh", record_io(b"abcd")[:-1]])
def test_what_is_no_record_io_is_refused(data: bytes) -> None:
    with pytest.raises(NotRecords):
        records.split(data, "RecordIO")


@pytest.mark.parametrize(
    ("most", "batches"),
    [
        (0, [[b"aa", b"bb", b"cc"]]),
        (2, [[b"aa"], [b"bb"], [b"cc"]]),
        (4, [[b"aa"], [b"bb"], [b"cc"]]),  # with the newline between them two lines have five bytes
        (5, [[b"aa", b"bb"], [b"cc"]]),
        (8, [[b"aa", b"bb", b"cc"]]),
    ],
)
def test_a_mini_batch_takes_as_many_records_as_fit(most: int, batches: list[list[bytes]]) -> None:
    assert list(records.mini_batches([b"aa", b"bb", b"cc"], "Line", "MultiRecord", most)) == batches


def test_a_mini_batch_of_a_single_record_has_one() -> None:
    assert list(records.mini_batches([b"a", b"b"], "Line", "SingleRecord", 0)) == [[b"a"], [b"b"]]


def test_a_record_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLarge, match="Too much data for max payload size"):
        list(records.mini_batches([b"a", b"bbb"], "Line", "MultiRecord", 2))


@given(st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line)), st.integers(5, 20))
def test_no_record_is_lost_and_none_changes_its_place(lines: list[bytes], most: int) -> None:
    batches = list(records.mini_batches(lines, "Line", "MultiRecord", most))

    assert [record for batch in batches for record in batch] == lines
    assert all(len(records.payload(batch, "Line")) <= most for batch in batches)


@pytest.mark.parametrize(
    ("how", "output"), [("None", b"1\n23"), ("Line", b"1\n2\n3\n")], ids=["as they are", "each on a line"]
)
def test_answers_are_assembled(how: str, output: bytes) -> None:
    assert records.assembled([b"1\n", b"2", b"3"], how) == output
