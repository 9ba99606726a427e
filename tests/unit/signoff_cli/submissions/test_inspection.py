"""`signoff inspect`: what will be found of an artifact, before it is submitted."""

import gzip
import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest

from signoff.artifact.inspection import inspect
from signoff.artifact.remedies import REMEDIES
from signoff.artifact.report import MAX_FINDINGS, MAX_INVENTORY
from signoff_cli.main import run
from tests.support.archives import honest, member, tar

ROLE = "arn:aws:iam::123456789012:role/model"


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command and return its exit code and what it printed."""
    with pytest.raises(SystemExit) as ended:
        run(["inspect", *arguments])
    code = ended.value.code
    printed = capsys.readouterr()
    return (code if isinstance(code, int) else 0), printed.out, printed.err


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


@pytest.fixture
def good(tmp_path: Path) -> str:
    return written(tmp_path / "model.tar.gz", gzip.compress(honest(), mtime=0))


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return written(tmp_path / "bad.tar.gz", gzip.compress(tar(member("../escape", b"x")), mtime=0))


def test_an_archive_that_would_pass_is_shown_with_what_it_holds(good: str, capsys: pytest.CaptureFixture[str]):
    code, out, _ = inspected(capsys, good)
    assert code == 0
    assert f"{good}: passed" in out
    assert inspect([Path(good).read_bytes()]).sha256 in out
    assert [line.split() for line in out.splitlines()[5:7]] == [["pickle", "1", "929"], ["python", "source", "1", "28"]]


def test_an_archive_that_would_be_refused_is_told_member_by_member(bad: str, capsys: pytest.CaptureFixture[str]):
    code, out, err = inspected(capsys, bad)
    assert code == 1
    assert f"{bad}: failed, 1 error\n" in out
    assert "error  parent-directory\n" in out
    assert "    - ../escape\n" in out
    assert f"  What to do: {REMEDIES['parent-directory']}\n" in out
    assert "would be refused, for 1 reason\n" in err


def test_an_archive_with_warnings_only_is_shown_with_them_and_with_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    archive = tar(member("model.bin", b"weights"), member(".DS_Store", b"x"))
    code, out, _ = inspected(capsys, written(tmp_path / "model.tar.gz", gzip.compress(archive)))
    assert (code, "passed, 1 warning" in out, "warning  left-over" in out) == (0, True, True)
    assert "model.bin  file" in out


def test_members_beyond_those_that_are_listed_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    archive = tar(*(member(f"{number}.bin", b"x") for number in range(MAX_INVENTORY + 3)))
    code, out, _ = inspected(capsys, written(tmp_path / "model.tar.gz", gzip.compress(archive)))
    assert (code, out.splitlines()[-1]) == (0, "and 3 more members")


def test_errors_are_counted_even_where_they_are_not_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    archive = gzip.compress(tar(*(member(f"{number}\\", b"x") for number in range(MAX_FINDINGS + 34))))
    _, out, err = inspected(capsys, written(tmp_path / "model.tar.gz", archive))
    assert f"failed, {MAX_FINDINGS + 34} errors\n" in out
    assert "34 more findings of this severity are not listed" in out
    assert f"would be refused, for {MAX_FINDINGS + 34} reasons" in err


def test_json_has_the_verdict_the_digest_the_findings_and_the_inventory(bad: str, capsys: pytest.CaptureFixture[str]):
    code, out, _ = inspected(capsys, bad, "--json")
    document: dict[str, Any] = json.loads(out)
    assert (code, document["verdict"]) == (1, "failed")
    assert document["sha256"] == inspect([Path(bad).read_bytes()]).sha256
    assert {"member", "rule", "severity", "reason"} <= set(document["findings"][0])
    assert (document["inventory"][0]["name"], document["inventory"][0]["kind"]) == ("../escape", "text")
    assert document["kinds"] == {"text": {"members": 1, "size": 1}}


def test_a_policys_required_files_are_looked_for(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    document = {"deployment": {"execution_role": ROLE}, "artifact": {"required_files": ["LICENSE"]}}
    policy = written(tmp_path / "policy.json", json.dumps(document).encode())
    code, out, _ = inspected(capsys, good, "--policy", policy)
    assert (code, "required-file-missing" in out) == (1, True)


def test_a_policys_formats_are_looked_for_and_the_refusal_says_which(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    document = {"artifact": {"formats": ["onnx"], "code": {"python": ["src/*"]}, "licence": True}}
    packed = written(tmp_path / "model.tar.gz", gzip.compress(tar(member("model.bin", b"GGUF"), *honest_code())))
    code, out, _ = inspected(
        capsys, packed, "--policy", written(tmp_path / "p.json", json.dumps(document).encode()), "--json"
    )
    found = {(each["member"], each["rule"]) for each in json.loads(out)["findings"]}
    assert (code, found) == (
        1,
        {(None, "licence-missing"), ("model.bin", "format-not-allowed"), ("code/a", "code-out-of-place")},
    )


def honest_code() -> list[tuple[tarfile.TarInfo, bytes]]:
    return [member("code/a", b"import os\n"), member("notes.md", b"words")]


def test_compiled_code_is_refused_without_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out, _ = inspected(capsys, written(tmp_path / "m.tar.gz", gzip.compress(tar(member("weights", b"\x7fELF")))))
    assert (code, "compiled-code" in out) == (1, True)


@pytest.mark.parametrize(
    ("artifact", "told"),
    [
        ("there/is/none.tar.gz", "cannot be read: No such file"),
        ("s3://bucket", "is not the URI of an object"),
        ("s3://bucket/prefix/", "is not the URI of an object"),
    ],
)
def test_what_is_no_artifact_is_told(artifact: str, told: str, capsys: pytest.CaptureFixture[str]):
    code, _, err = inspected(capsys, artifact)
    assert (code, told in err) == (1, True)


def test_what_is_no_archive_at_all_is_a_finding_and_no_failure_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code, out, _ = inspected(capsys, written(tmp_path / "model.tar.gz", b"not an archive"), "--json")
    assert (code, [each["rule"] for each in json.loads(out)["findings"]]) == (1, ["not-gzip"])


def test_a_single_file_is_inspected_as_what_its_name_claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert inspected(capsys, written(tmp_path / "model.pkl", pickle.dumps([0.5])))[0] == 0
    code, out, _ = inspected(capsys, written(tmp_path / "evil.pkl", b"cposix\nsystem\n(S'id'\ntR."))
    assert (code, "unsafe-pickle" in out) == (1, True)
    code, out, _ = inspected(capsys, written(tmp_path / "page.onnx", b"<html></html>"))
    assert (code, "page.onnx" in out) == (1, True)


def test_a_folder_is_inspected_file_by_file_and_held_to_the_policy_as_a_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    written(folder / "model.pkl", pickle.dumps([0.5]))
    written(folder / "code/inference.py", b"import os\n")
    policy = written(tmp_path / "p.json", json.dumps({"artifact": {"licence": True}}).encode())
    code, out, _ = inspected(capsys, str(folder), "--json")
    document = json.loads(out)
    assert (code, [each["name"] for each in document["inventory"]]) == (0, ["code/inference.py", "model.pkl"])
    assert document["kinds"]["pickle"]["members"] == 1
    assert "licence-missing" in inspected(capsys, str(folder), "--policy", policy)[1]
    written(folder / "weights.bin", b"cposix\nsystem\n(S'id'\ntR.")
    assert inspected(capsys, str(folder))[0] == 1


def test_a_folder_without_files_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, _, err = inspected(capsys, str(tmp_path))
    assert (code, "is a folder without a file" in err) == (1, True)
