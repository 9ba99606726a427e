"""Files of the real frameworks are checked without a miss and without a false alarm."""

from __future__ import annotations

import json
import pickle

import pytest
import skops.io

from signoff.artifact import scan
from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from tests.corpus.framework_archives import hostile, torch_samples
from tests.corpus.framework_files import by_name, files
from tests.corpus.model_archives import HostileModel, archive, entries, zipped
from tests.corpus.skops_archives import NODES
from tests.support.pickled import calling, named, text
from tests.support.tensor_files import SAMPLES

HONEST, TORCH, HOSTILE = list(by_name()), torch_samples(), hostile()


def inspected(data: bytes) -> Inspection:
    return inspect([data], scan=scan.scan)


def errors(inspection: Inspection) -> list[tuple[str | None, str, str]]:
    return [(each.member, each.rule, each.reason) for each in inspection.findings if each.severity == "error"]


@pytest.mark.parametrize("name", HONEST)
def test_what_a_framework_writes_passes(name: str) -> None:
    inspection = inspected(archive(files(name)))
    assert errors(inspection) == []
    assert inspection.members >= 6


@pytest.mark.parametrize("name", TORCH)
def test_what_pytorch_writes_passes(name: str) -> None:
    assert errors(inspected(archive(TORCH[name]))) == []


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_what_was_made_hostile_is_refused_by_its_rule(case: HostileModel) -> None:
    model = case.write()
    found = errors(inspected(archive(model)))
    assert [member for member, _, _ in found if member and member.split(" > ")[0] not in model] == []
    assert any(rule == case.rule and case.said in reason for _, rule, reason in found), found


@pytest.mark.parametrize("name", ["script.pt", "trace.pt"])
def test_torchscript_is_admitted_with_a_warning_where_the_policy_lists_it(name: str) -> None:
    data = archive({name: (SAMPLES / name).read_bytes()}, neighbours=False)
    inspection = inspect([data], Requirements(formats=["torchscript"]), scan.scan)
    assert inspection.passed
    assert {each.rule for each in inspection.findings} == {"torchscript-code"}
    assert not inspect([data], Requirements(formats=["pytorch"]), scan.scan).passed


def test_a_pickle_that_runs_code_is_refused_in_a_torchscript_that_is_admitted() -> None:
    honest = (SAMPLES / "script.pt").read_bytes()
    for entry in ("archive/data.pkl", "archive/constants.pkl", "archive/extra.pkl"):
        data = archive({"m.pt": zipped({**entries(honest), entry: calling("os", "system")})}, neighbours=False)
        inspection = inspect([data], Requirements(formats=["torchscript"]), scan.scan)
        assert {rule for _, rule, _ in errors(inspection)} == {"unsafe-pickle"}


def test_what_torchscript_hands_back_is_not_changed_by_a_pickle() -> None:
    tagged = named("torch.jit._pickle", "restore_type_tag") + named("builtins", "list") + text("t") + b"\x86R"
    changing = b"\x80\x04" + tagged + b"}" + text("append") + text("x") + b"sb."
    assert [rule for _, rule, _ in errors(inspected(archive({"m.pkl": changing})))] == ["unsafe-pickle"]


@pytest.mark.parametrize("name", [name for name in NODES if "nobody knows" not in name])
def test_skops_itself_asks_about_what_is_refused(name: str) -> None:
    value, said = NODES[name]
    asked = skops.io.get_untrusted_types(data=zipped({"schema.json": json.dumps(value | {"protocol": 2}).encode()}))
    assert asked
    assert said.split(" by ")[0].removeprefix("the method ") in asked or "old schema" in name


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    names = [*HONEST, *TORCH, *(case.name for case in HOSTILE)]
    assert len(set(names)) == len(names)
    assert len(HONEST) + len(TORCH) >= 100
    assert len(HOSTILE) >= 80


def test_times_of_pandas_with_a_time_zone_are_refused_though_they_are_valid() -> None:
    """Their type opens the file that its zone's name says."""
    import pandas

    moments = pandas.Series(pandas.to_datetime(["2026-01-01"])).dt.tz_localize("UTC")
    ((_, rule, reason),) = errors(inspected(archive({"features.pkl": pickle.dumps(moments)})))
    assert rule == "unknown-global"
    assert "pandas.DatetimeTZDtype" in reason


def test_what_pytorch_writes_here_is_checked_as_what_it_wrote_for_the_samples() -> None:
    pytest.importorskip("torch", reason="PyTorch is no dependency: its files are kept as samples")
    from tests.corpus.torch_files import files as of_torch

    for name, data in of_torch().items():
        sample = (SAMPLES / name).read_bytes()
        rules = [{rule for _, rule, _ in errors(inspected(archive({name: each})))} for each in (data, sample)]
        assert rules[0] == rules[1], name
