"""Numbers as people are shown them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.metrics.rounding import apart, difference, shown, signed

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "uncertainty", "digits", "text"),
    [
        (0.97, None, None, "0.97"),
        (0.9714285714285714, None, None, "0.971429"),
        (0.9714285714285714, 0.0038, None, "0.9714"),
        (0.9714285714285714, 0.02, None, "0.971"),
        (0.97, 0.0001, None, "0.97"),
        (0.9714285714285714, 0.0, None, "0.971429"),
        (0.9714285714285714, None, 2, "0.97"),
        (0.9714285714285714, 0.2, 4, "0.97"),
        (123456.789, None, None, "123457"),
        (1234567.0, None, None, "1234567"),
        (123456.789, 150.0, None, "123460"),
        (0.0, None, None, "0"),
        (-0.0, None, None, "0"),
        (-1.3766111872212665, 0.0226, None, "-1.377"),
        (1.0, None, None, "1"),
        (1.5e-9, None, None, "1.5e-09"),
        (1.23456789e20, None, None, "1.23457e+20"),
        (1.5e-9, None, 3, "0.000"),
    ],
)
def test_a_number_has_the_digits_that_its_certainty_bears(
    value: float, uncertainty: float | None, digits: int | None, text: str
):
    assert shown(value, uncertainty, digits) == text


@given(NUMBERS)
def test_no_digit_is_shown_that_was_not_given(value: float):
    assert len(shown(value).split("e")[0].strip("-").replace(".", "").strip("0")) <= max(6, len(str(int(abs(value)))))
    assert float(shown(value)) == pytest.approx(value, rel=1e-5)


def test_a_difference_has_its_sign():
    assert [signed(each) for each in (0.01, -0.01, 0.0)] == ["+0.01", "-0.01", "0"]
    assert signed(0.0000123, uncertainty=0.004) == "0.0000"


@pytest.mark.parametrize(
    ("value", "bound", "digits", "texts"),
    [
        (0.8, 0.9, None, ("0.8", "0.9")),
        (0.89996, 0.9, 2, ("0.89996", "0.9")),
        (0.8999999996, 0.9, None, ("0.8999999996", "0.9")),
        (0.9, 0.9, None, ("0.9", "0.9")),
        (0.93, 0.9, 1, ("0.93", "0.9")),
    ],
)
def test_what_misses_a_bound_narrowly_does_not_look_as_if_it_met_it(
    value: float, bound: float, digits: int | None, texts: tuple[str, str]
):
    assert apart(value, bound, digits=digits) == texts


@pytest.mark.parametrize(("one", "other", "gap"), [(0.965, 0.97, -0.005), (0.3, 0.1, 0.2), (1e300, 1.0, 1e300)])
def test_a_difference_is_exact_in_decimal_digits(one: float, other: float, gap: float):
    assert difference(one, other) == gap


@given(NUMBERS, NUMBERS)
def test_two_different_numbers_never_look_alike(one: float, other: float):
    first, second = apart(one, other)
    assert (float(first) < float(second)) == (one < other)
