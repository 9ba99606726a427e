"""Whether there is time: a clock that stands still until a test moves it, and bytes that take as long as it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import TakesTooLong
from signoff.validation.time_budget import TimeBudget, unlimited

CHUNK = bytes(1000)


class Watch:
    """How many seconds are left; reading a chunk takes some of them."""

    def __init__(self, left: float) -> None:
        self.left = left

    def __call__(self) -> float:
        return self.left

    def reading(self, seconds: list[float]):
        for each in seconds:
            self.left -= each
            yield CHUNK


def read(left: float, seconds: list[float], size: int | None = None) -> int:
    """Return how many chunks are read when each takes so many seconds."""
    watch = Watch(left)
    pace = TimeBudget(watch)
    pace.expect(len(CHUNK) * len(seconds) if size is None else size)
    return sum(1 for _ in pace.keep(watch.reading(seconds)))


def test_what_is_read_in_time_is_read_to_its_end():
    assert read(900, [1.0] * 800) == 800


def test_whoever_would_be_cut_off_stops_before():
    watch = Watch(900)
    pace = TimeBudget(watch)
    pace.expect(len(CHUNK) * 850)
    got = []
    with pytest.raises(TakesTooLong, match="bytes in"):
        got.extend(pace.keep(watch.reading([1.0] * 850)))
    assert watch.left > 60
    assert len(got) > 700


def test_what_plainly_takes_too_long_is_given_up_after_a_minute():
    watch = Watch(900)
    pace = TimeBudget(watch)
    pace.expect(len(CHUNK) * 10_000)
    with pytest.raises(TakesTooLong):
        list(pace.keep(watch.reading([1.0] * 10_000)))
    assert 830 < watch.left < 840


def test_what_may_still_go_faster_is_not_given_up_after_a_minute():
    assert read(900, [2.0] * 100 + [0.5] * 500) == 600


def test_the_time_before_the_reading_says_nothing_of_its_pace():
    watch = Watch(900)
    pace = TimeBudget(watch)
    watch.left -= 400  # for the copy into the vault
    pace.expect(len(CHUNK) * 300)
    assert len(list(pace.keep(watch.reading([1.0] * 300)))) == 300


def test_the_objects_under_a_prefix_are_read_at_one_pace():
    watch = Watch(900)
    pace = TimeBudget(watch)
    pace.expect(len(CHUNK) * 1000)
    assert len(list(pace.keep(watch.reading([0.5] * 100)))) == 100
    with pytest.raises(TakesTooLong):
        list(pace.keep(watch.reading([3.0] * 100)))


def test_whoever_has_all_the_time_is_never_in_a_hurry():
    pace = unlimited()
    pace.expect(50 * 1024**3)
    assert list(pace.keep(iter([CHUNK, b"", CHUNK]))) == [CHUNK, b"", CHUNK]


@given(st.floats(0, 900), st.lists(st.floats(0, 50), max_size=60), st.integers(0, 10**11))
def test_whatever_is_read_there_is_time_left_to_hand_it_over(left: float, seconds: list[float], size: int):
    watch = Watch(left)
    pace = TimeBudget(watch)
    pace.expect(size)
    read = 0
    try:
        for _ in pace.keep(watch.reading(seconds)):
            assert watch.left >= 90
            read += 1
    except TakesTooLong:
        assert read < len(seconds)
    else:
        assert read == len(seconds)
