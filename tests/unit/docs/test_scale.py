"""docs/scale.md is made from a recording, which is what a run uses today or nearly so."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.support.recorded_usage import ARTIFACT, DOCUMENT, STATES, kept, kind_of, record
from tests.support.repository import ROOT
from tests.support.scale_page import PAGE, page, tables

AGAIN = "python -m tests.support.recorded_usage && python -m tests.support.scale_page"
# How far a run may be from the recording: what is saved may wait to be recorded, what is added may not.
LEAST, MOST = 0.6, 1.15


def test_the_page_is_what_is_generated_from_the_recording() -> None:
    written = PAGE.read_text()
    assert written == page(written), AGAIN
    assert all(table in written for table in tables().values())


def test_the_recording_is_nearly_what_a_run_uses_now() -> None:
    then, now = _sums(kept()), _sums(record())
    far = {name: (then[name], now[name]) for name in then if not LEAST * then[name] <= now[name] <= MOST * then[name]}
    assert then.keys() == now.keys()
    assert far == {}, AGAIN


def _sums(recorded: dict[str, Any]) -> dict[str, float]:
    functions = recorded["functions"].values()
    sums = {kind: sum(each[kind] for each in functions) for kind in ("invocations", "s3_write", "s3_read", "other")}
    return sums | {name: value for name, value in recorded.items() if name != "functions"}


def test_a_validation_enters_the_states_that_are_priced() -> None:
    states = json.loads((ROOT / "statemachine/validation.asl.json").read_bytes())["States"]
    _follow(states, STATES)
    for path in (ARTIFACT, DOCUMENT):
        _follow(states["InspectArtifacts"]["ItemProcessor"]["States"], path)


def _follow(states: dict[str, Any], names: tuple[str, ...]) -> None:
    for name, after in pairwise(names):
        state = states[name]
        assert after in {state.get("Next"), state.get("Default"), *(each["Next"] for each in state.get("Choices", ()))}
    assert states[names[-1]]["Type"] == "Succeed"


def test_a_call_that_nobody_has_priced_is_no_free_call() -> None:
    with pytest.raises(ValueError, match="what does Satellite"):
        kind_of("Satellite.launch")
