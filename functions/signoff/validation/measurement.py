"""What a measurement of a model says: its checks, and what evidence has of it.

EvaluateModel leaves one document for each validation under `measured/models/`, named by its digest, which the workflow
hands on. It has the digest of the `subject` that was measured, null where nothing may be run, and a part for each of
`evaluation` and `smoke`: an `outcome`, a `reason` in a sentence, and what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from signoff.metrics.certainty import Certainty, certainty_of
from signoff.metrics.values import Measurements, MetricValue, measurements_of
from signoff.policy.policy import Policy
from signoff.validation.checks import Check, errored, failed, passed, unevaluated

PREFIX, METRICS = "measured/models", "measured/metrics"  # in the vault
Outcome = Literal["passed", "failed", "errored", "refused"]
_LISTED = 20  # claims with a check of their own; the last check counts the others


@dataclass(frozen=True)
class Measurement:
    """What was measured for one validation: of the candidate and, by its subject's digest, of the champion.

    `paired` is how certain the differences between both are, over the same rows; `evaluation` and `smoke` are what
    evidence has of them beside the metrics.
    """

    candidate: Measurements | None = None
    champion: Measurements | None = None
    champion_subject: str | None = None
    paired: tuple[Certainty, ...] = ()
    evaluation: Mapping[str, Any] | None = None
    smoke: Mapping[str, Any] | None = None

    @property
    def document(self) -> dict[str, Any] | None:
        """The candidate's metrics as JSON-ready data."""
        return self.candidate.document if self.candidate else None


def measurement_of(found: Mapping[str, Any] | None, subject: str) -> Measurement:
    """Return what a measurement's document says of the subject of that digest: nothing of any other."""
    if found is None or found["subject"] not in {None, subject}:
        return Measurement()
    evaluation = found["evaluation"]
    champion = (evaluation or {}).get("champion") or {}
    return Measurement(
        candidate=_measured(evaluation),
        champion=_measured(champion),
        champion_subject=champion.get("subject"),
        paired=tuple(certainty_of(each) for each in (evaluation or {}).get("paired") or ()),
        evaluation=evaluation and {**_told(evaluation), "champion": _told(champion) or None},
        smoke=found["smoke"],
    )


def _measured(part: Mapping[str, Any] | None) -> Measurements | None:
    document = (part or {}).get("measured")
    return measurements_of(document) if document else None


def _told(part: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in part.items() if field not in {"measured", "champion", "paired"}}


def measurement_checks(policy: Policy, found: Mapping[str, Any] | None, subject: str) -> Iterator[Check]:
    """Yield a check of each measurement that the policy asks for, of the subject of that digest.

    What was not measured does not pass. An error that may pass is one of the check, what SageMaker or Signoff refuses
    for good blocks.
    """
    for name, asked in (("evaluation", policy.evaluation), ("smoke", policy.smoke)):
        if asked is None:
            continue
        part = (found or {}).get(name)
        if found is None or part is None:
            yield unevaluated(name, "the model was not measured, which the policy asks for", blocks=True)
        elif found["subject"] not in {None, subject}:
            yield errored(name, "what was measured is not what the package is now; revalidate it")
        else:
            yield _check(name, part["outcome"], part["reason"])


def _check(name: str, outcome: str, reason: str) -> Check:
    if outcome == "passed":
        return passed(name, reason)
    if outcome == "failed":
        return failed(name, reason)
    return errored(name, reason) if outcome == "errored" else unevaluated(name, reason, blocks=True)


def claim_checks(policy: Policy, claimed: Measurements | None, measured: Measurements | None) -> Iterator[Check]:
    """Yield a check of each metric that the submitter claims and that was measured, by its name.

    A claim further from the measure than the policy's tolerance fails, whatever data it is about, and whether it is
    better or worse. Of each slice only what fails has a check.
    """
    if policy.evaluation is None or claimed is None or measured is None:
        return
    tolerance = policy.evaluation.tolerance
    pairs = [(claim, measured.find(claim.name, claim.slice)) for claim in claimed.values]
    known = [(claim, measure) for claim, measure in pairs if measure is not None]
    wrong = [pair for pair in known if abs(pair[0].value - pair[1].value) > tolerance]
    yield from (_claim(*pair, tolerance, holds=True) for pair in known if pair not in wrong and pair[0].slice is None)
    yield from (_claim(*pair, tolerance, holds=False) for pair in wrong[:_LISTED])
    if len(wrong) > _LISTED:
        yield failed(
            "claim:more", f"{len(wrong) - _LISTED} more claims are further from the measure than {tolerance:g}"
        )


def _claim(claim: MetricValue, measure: MetricValue, tolerance: float, *, holds: bool) -> Check:
    of = f" of {claim.slice}" if claim.slice is not None else ""
    said = f"the submitter claims {claim.value:.6g}{of}, and {measure.value:.6g} was measured"
    check = (passed if holds else failed)(
        f"claim:{claim.name}", said if holds else f"{said}: further away than {tolerance:g}"
    )
    return check.compared(f"{measure.value:.6g} within {tolerance:g}", f"{claim.value:.6g}")
