"""What a policy asks of a model's metrics: of each alone, against the champion's, and of the bias that was measured."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import jmespath
from msgspec import Meta, Struct

from signoff.documents.faults import Fault, refuse
from signoff.metrics import directions
from signoff.policy.values import Name, Sha256, meaning

Digits = Annotated[int, Meta(ge=0, le=15)]


class Margin(Struct, frozen=True, forbid_unknown_fields=True):
    """How much better than the champion's a metric has to be, or how much worse it may be."""

    at_least: Annotated[
        float,
        meaning(
            "The least improvement: a negative one is how much worse the metric may be. Of a metric of which less is "
            "better, an improvement is how much less it is.",
            examples=[-0.005],
        ),
    ]
    relative: Annotated[
        bool, meaning("Whether `at_least` is a share of the champion's value (`-0.01` is 1 % worse).")
    ] = False

    def absolute(self, champion: float) -> float:
        """Return the least improvement over a champion's value, in the metric's own unit."""
        return self.at_least * abs(champion) if self.relative else self.at_least


class Metric(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of one number of the model quality document."""

    name: Annotated[Name, meaning("The metric's name in the evidence.")]
    path: Annotated[
        str,
        meaning(
            "A JMESPath expression that finds the number in the model quality document.",
            examples=["binary_classification_metrics.accuracy.value"],
        ),
    ]
    at_least: Annotated[float | None, meaning("The minimum.", examples=[0.92])] = None
    at_most: Annotated[float | None, meaning("The maximum.")] = None
    higher_is_better: Annotated[
        bool | None,
        meaning(
            "Whether more is better. Left out, a lone `at_least` or `at_most` says so, else the name of a metric that "
            "is widely known, such as `auc` or `rmse`."
        ),
    ] = None
    unit: Annotated[Name | None, meaning("The unit that is shown behind the number.", examples=["EUR"])] = None
    digits: Annotated[
        Digits | None, meaning("How many digits behind the decimal point are shown at most, up to 15.")
    ] = None
    against_champion: Annotated[
        Margin | None,
        meaning("What is asked of the metric beside that of the model that is deployed now. A first model has none."),
    ] = None
    slices: Annotated[
        tuple[Name, ...],
        meaning(
            "Patterns (`*`, `?`) of slices of the data in each of which the same is asked. Each pattern has to match a "
            "slice.",
            examples=[["country=*"]],
        ),
    ] = ()
    suspicious: Annotated[
        float | None,
        meaning(
            "An improvement over the champion beyond which whoever approves has to accept it by name: it is more often "
            "a leak in the data than a better model."
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse a metric of which nothing is asked, or that cannot be found or compared."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.at_least is None and self.at_most is None and not self.compares:
            yield Fault("", f"metric `{self.name}` needs `at_least`, `at_most`, `against_champion` or `suspicious`")
        if self.compares and self.direction is None:
            message = f"metric `{self.name}` needs `higher_is_better`: true or false, so that it can be compared"
            yield Fault("higher_is_better", message)
        if self.suspicious is not None and self.suspicious <= 0:
            yield Fault("suspicious", f"metric `{self.name}`: must be more than 0, an improvement")
        try:
            jmespath.compile(self.path)
        except jmespath.exceptions.JMESPathError as error:
            why = " ".join(str(error).split())
            yield Fault("path", f"metric `{self.name}`: `{self.path}` is not a valid JMESPath expression: {why}")

    @property
    def compares(self) -> bool:
        """Whether it is held against the champion's."""
        return self.against_champion is not None or self.suspicious is not None

    @property
    def direction(self) -> bool | None:
        """Whether more is better, as the policy or the name says; None if neither does."""
        if self.higher_is_better is not None:
            return self.higher_is_better
        if (self.at_least is None) != (self.at_most is None):
            return self.at_least is not None
        return directions.higher_is_better(self.name)

    def covers(self, of_slice: str) -> bool:
        """Return whether the same is asked in that slice of the data."""
        return any(fnmatchcase(of_slice, pattern) for pattern in self.slices)


class Comparison(Struct, frozen=True, forbid_unknown_fields=True):
    """How the model is compared with the champion, and what it means if that cannot be done, or not for certain."""

    unevaluated: Annotated[
        Literal["block", "pass"],
        meaning(
            "What it means that something that is asked for cannot be evaluated, such as a metric that the champion "
            "does not have: that the model fails (`block`), or nothing (`pass`)."
        ),
    ] = "block"
    inconclusive: Annotated[
        Literal["pass", "fail", "ask"],
        meaning(
            "What it means that a difference is too uncertain to say on which side of its margin it is: that it "
            "passes, fails, or that whoever approves has to accept it by name (`ask`)."
        ),
    ] = "ask"
    points: Annotated[
        Literal["pass", "fail", "ask"],
        meaning(
            "What it means that a metric is within its margin, but that nothing is known of how certain that is "
            "(neither predictions for the same rows nor confusion matrices): as for `inconclusive`."
        ),
    ] = "pass"
    other_data: Annotated[
        Literal["block", "pass"],
        meaning(
            "What it means that the two were not measured on the same data set, or that this is not known: that what "
            "is asked against the champion fails (`block`), or nothing (`pass`). It is not compared in either case."
        ),
    ] = "block"
    drift: Annotated[
        bool,
        meaning(
            "Whether the metrics and the bias are also held against the constraints that the package itself names "
            "(`DriftCheckBaselines`), by the rules of SageMaker Model Monitor."
        ),
    ] = False
    stale_champion: Annotated[
        bool,
        meaning(
            "Whether an approval is refused once the group has another champion than the one that was compared with; "
            "only where a metric is held against the champion's."
        ),
    ] = True
    confidence: Annotated[float, Meta(ge=0.5, le=0.999), meaning("The confidence of intervals, from 0.5 to 0.999.")] = (
        0.95
    )
    data_sets: Annotated[
        tuple[Sha256, ...],
        meaning(
            "The SHA-256 of each data set that the metrics of submitters may be about; none means any. Whoever chooses "
            "the data chooses the verdict."
        ),
    ] = ()


class Bias(Struct, frozen=True, forbid_unknown_fields=True):
    """A bound on a metric of the bias report (`analysis.json` of SageMaker Clarify)."""

    facet: Annotated[Name, meaning("The facet: the feature whose groups are compared.", examples=["gender"])]
    metric: Annotated[
        Name,
        meaning("The metric's name in the report, such as `CI`, `DPL` (of the data) or `DPPL`, `DI` (of predictions)."),
    ]
    value: Annotated[
        Name | None, meaning("The group: the facet's value or threshold in the report; each, if left out.")
    ] = None
    at_least: Annotated[float | None, meaning("The minimum.", examples=[-0.1])] = None
    at_most: Annotated[float | None, meaning("The maximum.", examples=[0.1])] = None

    def __post_init__(self) -> None:
        """Refuse a bound that is none."""
        if self.at_least is None and self.at_most is None:
            refuse([Fault("", f"bias `{self.facet}`, `{self.metric}` needs `at_least`, `at_most` or both")])
