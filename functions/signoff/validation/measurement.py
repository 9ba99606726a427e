"""What a measurement of a model says: its checks, and what evidence has of it.

EvaluateModel leaves one document for each validation under `measured/`, named by its digest, which the workflow hands
on. It has the digest of the `subject` that was measured, and a part for each of `evaluation` and `smoke`: an `outcome`,
a `reason` in a sentence, and what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from signoff.metrics.values import Measurements, MetricValue
from signoff.policy.policy import Policy
from signoff.validation.checks import Check, errored, failed, passed, unevaluated

PREFIX = "measured"  # in the vault
Outcome = Literal["passed", "failed", "errored", "refused"]
_LISTED = 20  # claims with a check of their own; the last check counts the others


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
        elif found["subject"] != subject:
            yield errored(name, "what was measured is not what the package is now; revalidate it")
        else:
            yield _check(name, part["outcome"], part["reason"])


def _check(name: str, outcome: str, reason: str) -> Check:
    if outcome == "passed":
        return passed(name, reason)
    if outcome == "failed":
        return failed(name, reason)
    return errored(name, reason) if outcome == "errored" else unevaluated(name, reason, blocks=True)


def claim_checks(claimed: Measurements | None, measured: Measurements | None, tolerance: float) -> Iterator[Check]:
    """Yield a check of each metric that the submitter claims and that was measured, by its name.

    A claim further from the measure than `tolerance` fails, whatever data it is about, and whether it is better or
    worse. Of each slice only what fails has a check.
    """
    if claimed is None or measured is None:
        return
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
