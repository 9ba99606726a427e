"""A model beside the champion: differences, their certainty, and what they come to."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.canonical_json import canonical
from signoff.metrics.certainty import Certainty
from signoff.metrics.comparison import Compared, Comparison, Terms, Verdict
from signoff.metrics.pairing import certainties
from signoff.metrics.rows import Row, Task
from signoff.metrics.statistics import Interval, newcombe
from signoff.metrics.values import Confusion, Measurements, MetricValue


def measurements(confusion: Confusion | None = None, **values: float) -> Measurements:
    named = tuple(MetricValue(name, value, name) for name, value in values.items())
    return Measurements(format="flat", values=named, confusion=confusion)


def matrix(right: int, wrong: int) -> Confusion:
    """A matrix of as many negatives and positives, whose errors are all on the positives."""
    rows = (right + wrong) // 2
    return {"0": {"0": rows, "1": 0}, "1": {"0": wrong, "1": rows - wrong}}


def compare(
    candidate: Measurements, champion: Measurements, terms: Terms | None = None, paired: Sequence[Certainty] = ()
) -> Compared:
    asked = {candidate.values[0].name: terms} if terms else {}
    comparison = Comparison(asked, 0.95, paired)
    (row,) = comparison.rows(candidate, champion, same_data=True)
    return row


def points(candidate: float, champion: float, terms: Terms) -> Compared:
    return compare(measurements(m=candidate), measurements(m=champion), terms)


def of_pairs(both: int, mine: int, theirs: int, neither: int, terms: Terms | None = None) -> Compared:
    """Compare two accuracies, over rows that both, only the candidate, only the champion, and neither got right."""
    rows = both + mine + theirs + neither
    kinds = (("1", "1"), ("1", "0"), ("0", "1"), ("0", "0"))
    pairs = [
        (Row("1", one), Row("1", other))
        for (one, other), count in zip(kinds, (both, mine, theirs, neither), strict=True)
        for _ in range(count)
    ]
    found = certainties(Task("binary", ("0", "1")), pairs, 0.95)
    champion = measurements(accuracy=(both + theirs) / rows)
    return compare(measurements(accuracy=(both + mine) / rows), champion, terms, found)


@pytest.mark.parametrize(
    ("candidate", "champion", "terms", "verdict", "meets"),
    [
        (0.98, 0.97, Terms(True, -0.005), Verdict.BETTER, True),
        (0.97, 0.97, Terms(True, -0.005), Verdict.NOT_WORSE, True),
        (0.965, 0.97, Terms(True, -0.005), Verdict.NOT_WORSE, True),  # on the margin, whatever a float makes of it
        (0.9649, 0.97, Terms(True, -0.005), Verdict.WORSE, False),
        (0.97, 0.97, Terms(True, 0.01), Verdict.NOT_WORSE, False),
        (0.975, 0.97, Terms(True, 0.01), Verdict.BETTER, False),
        (0.98, 0.97, Terms(True, 0.01), Verdict.BETTER, True),
        (10.4, 10.0, Terms(False, -0.5), Verdict.NOT_WORSE, True),
        (10.6, 10.0, Terms(False, -0.5), Verdict.WORSE, False),
        (9.0, 10.0, Terms(False, -0.5), Verdict.BETTER, True),
        (0.96, 0.97, Terms(True, -0.02, relative=True), Verdict.NOT_WORSE, True),
        (0.95, 0.97, Terms(True, -0.02, relative=True), Verdict.WORSE, False),
        (-1.01, -1.0, Terms(True, -0.02, relative=True), Verdict.NOT_WORSE, True),
        (0.98, 0.97, Terms(True), Verdict.BETTER, None),
        (0.96, 0.97, Terms(True), Verdict.WORSE, None),
        (0.96, 0.97, Terms(None), Verdict.NOT_COMPARED, None),
    ],
)
def test_of_points_the_difference_itself_counts(
    candidate: float, champion: float, terms: Terms, verdict: Verdict, meets: bool | None
):
    row = points(candidate, champion, terms)
    assert (row.verdict, row.meets, row.method, row.interval) == (verdict, meets, None, None)


def test_a_difference_is_the_candidates_value_less_the_champions():
    assert points(0.965, 0.97, Terms(True)).difference == -0.005
    assert points(0.96, 0.97, Terms(None)).difference == -0.01


@pytest.mark.parametrize(
    ("terms", "bound"),
    [
        (Terms(True), None),
        (Terms(True, -0.005), "no worse than by 0.005"),
        (Terms(False, -0.5, unit="EUR"), "no worse than by 0.5 EUR"),
        (Terms(True, -0.01, relative=True, unit="EUR"), "no worse than by 1 %"),
        (Terms(True, 0.0), "no worse"),
        (Terms(True, 0.02), "better by at least 0.02"),
    ],
)
def test_a_margin_is_said_in_words(terms: Terms, bound: str | None):
    assert points(1.0, 1.0, terms).bound == bound


def test_a_well_known_metric_has_a_direction_without_terms():
    assert compare(measurements(rmse=2.0), measurements(rmse=1.0)).verdict is Verdict.WORSE
    assert compare(measurements(cost=2.0), measurements(cost=1.0)).verdict is Verdict.NOT_COMPARED


@pytest.mark.parametrize(
    ("mine", "theirs", "margin", "verdict", "meets"),
    [
        ((9900, 100), (9700, 300), -0.005, Verdict.BETTER, True),
        ((9710, 290), (9700, 300), -0.005, Verdict.NOT_WORSE, True),
        ((971, 29), (970, 30), -0.005, Verdict.INCONCLUSIVE, None),
        ((9500, 500), (9700, 300), -0.005, Verdict.WORSE, False),
    ],
)
def test_two_matrices_say_how_certain_a_difference_is(
    mine: tuple[int, int], theirs: tuple[int, int], margin: float, verdict: Verdict, meets: bool | None
):
    candidate = measurements(matrix(*mine), accuracy=mine[0] / sum(mine))
    champion = measurements(matrix(*theirs), accuracy=theirs[0] / sum(theirs))
    row = compare(candidate, champion, Terms(True, margin))
    assert (row.verdict, row.meets) == (verdict, meets)
    assert row.interval == newcombe((mine[0], sum(mine)), (theirs[0], sum(theirs)), 0.95)
    assert "not paired" in (row.method or "")


@pytest.mark.parametrize(
    "champion",
    [
        measurements(None, accuracy=0.97),
        measurements(matrix(970, 30), accuracy=0.99),
        measurements(matrix(1940, 60), accuracy=0.97),
    ],
    ids=["none", "contradicts its metric", "of other rows"],
)
def test_a_matrix_that_cannot_be_compared_gives_no_interval(champion: Measurements):
    row = compare(measurements(matrix(970, 30), accuracy=0.97), champion, Terms(True, 0.0))
    assert (row.interval, row.method) == (None, None)


def test_recalls_of_different_classes_have_no_interval():
    one = {"0": {"0": 40, "1": 10}, "1": {"0": 5, "1": 45}}
    row = compare(measurements(one, recall=0.9), measurements(one, recall=0.8))
    assert row.interval is None


@pytest.mark.parametrize(
    ("counts", "margin", "verdict"),
    [
        ((9000, 300, 100, 600), -0.005, Verdict.BETTER),
        ((9000, 100, 90, 810), -0.005, Verdict.NOT_WORSE),
        ((900, 10, 12, 78), -0.005, Verdict.INCONCLUSIVE),
        ((9000, 100, 300, 600), -0.005, Verdict.WORSE),
        ((9000, 100, 300, 600), 0.0, Verdict.WORSE),
        # Of 5 rows that differ all are in favour: a bootstrap alone would call that better, the exact test does not.
        ((995, 5, 0, 0), -0.005, Verdict.NOT_WORSE),
        ((995, 0, 5, 0), 0.0, Verdict.INCONCLUSIVE),
        ((1000, 0, 0, 0), 0.0, Verdict.NOT_WORSE),
    ],
)
def test_predictions_for_the_same_rows_decide_where_there_are_any(
    counts: tuple[int, int, int, int], margin: float, verdict: Verdict
):
    row = of_pairs(*counts, Terms(True, margin))
    assert row.verdict is verdict
    assert (row.method or "").startswith("paired bootstrap and McNemar's exact test, p ")


def test_pairing_is_more_certain_than_counts_that_are_not_paired():
    paired = of_pairs(9600, 50, 40, 310)
    unpaired = newcombe((9650, 10_000), (9640, 10_000), 0.95)
    assert paired.interval is not None
    assert paired.interval.high - paired.interval.low < unpaired.high - unpaired.low


def test_what_a_policy_calls_a_metric_does_not_matter_to_what_predictions_say_of_it():
    certainty = Certainty("accuracy", None, Interval(-0.1, 0.2), "paired bootstrap")
    sides = [
        replace(measurements(), values=(MetricValue(name, 0.9, f"m.{written}.value"),))
        for name, written in (
            ("hits", "accuracy"),
            ("hits", "accuracy"),
            ("accuracy", "recall"),
            ("accuracy", "recall"),
        )
    ]
    assert compare(sides[0], sides[1], Terms(True), [certainty]).interval == certainty.interval
    assert compare(sides[2], sides[3], Terms(True), [certainty]).interval is None


def test_the_same_predictions_give_the_same_row():
    assert of_pairs(900, 60, 30, 10) == of_pairs(900, 60, 30, 10)


def test_on_other_data_values_stand_side_by_side_and_nothing_is_said_of_the_difference():
    comparison = Comparison({"auc": Terms(True, -0.005)}, 0.95)
    (row,) = comparison.rows(measurements(auc=0.98), measurements(auc=0.97), same_data=False)
    assert (row.candidate, row.champion, row.difference) == (0.98, 0.97, None)
    assert (row.verdict, row.meets) == (Verdict.NOT_COMPARED, None)


def test_only_what_both_models_have_is_compared_and_slices_with_their_own():
    ours = measurements(auc=0.9, f1=0.8)
    ours = replace(ours, values=(*ours.values, MetricValue("auc", 0.7, "auc", slice="eu")))
    theirs = measurements(auc=0.8, recall=0.7)
    theirs = replace(theirs, values=(*theirs.values, MetricValue("auc", 0.75, "auc", slice="eu")))
    rows = Comparison({}, 0.95).rows(ours, theirs, same_data=True)
    assert [(row.name, row.slice, row.verdict) for row in rows] == [("auc", None, "better"), ("auc", "eu", "worse")]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.none() | st.floats(-1, 1), st.booleans())
def test_a_row_can_be_written_and_meets_its_bound_only_if_it_is_within(
    candidate: float, champion: float, at_least: float | None, higher: bool
):
    row = points(candidate, champion, Terms(higher, at_least))
    assert canonical(row.document)
    assert (row.meets is None) == (at_least is None)
    if row.meets:
        assert row.verdict in {Verdict.BETTER, Verdict.NOT_WORSE}
