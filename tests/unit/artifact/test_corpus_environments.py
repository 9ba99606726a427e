"""`make corpus` says what it refused, what could not be had, and goes on."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.corpus import environments
from tests.corpus.environments import Environment
from tests.support.pickled import calling


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the environments `one` and `two` have written a pickle each; the Python of `old` is not here."""
    names = {
        "old": Environment("2.0", "scikit-learn==0.1"),
        "one": Environment("3.11", ""),
        "two": Environment("3.11", ""),
    }
    monkeypatch.setattr(environments, "ENVIRONMENTS", names)
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["environments"])
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.pkl").write_bytes(pickle.dumps({"weights": [0.5]}))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> tuple[object, list[str]]:
    with pytest.raises(SystemExit) as ended:
        environments.main()
    return ended.value.code, capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("written")
def test_a_version_whose_python_is_not_here_is_left_out_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys)
    assert not code
    assert lines[0] == "old: needs Python 2.0, which is not here"
    assert lines[-2:] == ["2 of 3 environments, 2 files", "left out: 1 (old)"]


def test_what_is_refused_is_told_and_fails_after_all_were_judged(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (written / "one" / "bad.pkl").write_bytes(calling("posix", "system"))
    code, lines = said(capsys)
    assert code
    assert any("posix.system" in line and "bad.pkl" in line for line in lines)
    assert lines[-3:] == ["2 of 3 environments, 3 files", "left out: 1 (old)", "failed: 1 (one)"]


def test_where_nothing_was_judged_nothing_is_said_to_be_well(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (written / name / "model.pkl").unlink()
    assert said(capsys)[0]
