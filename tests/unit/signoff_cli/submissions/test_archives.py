"""What a local archive is told before it is uploaded."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from signoff_cli.submissions import archives
from tests.support.archives import member, tar

KEY = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 64 + b"\n-----END RSA PRIVATE KEY-----\n"


def archive(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "model.tar.gz"
    path.write_bytes(gzip.compress(tar(*(member(name, content) for name, content in files.items())), mtime=0))
    return path


def problems(folder: Path, *names: str, required: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    return archives.problems(archive(folder, dict.fromkeys(names, b"x")), required)


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("./.env", ".env", "a file of secrets"),
        ("code/.env.production", "code/.env.production", "a file of secrets"),
        (".aws/credentials", ".aws/credentials", "credentials of AWS"),
        ("code/.netrc", "code/.netrc", "a password or a token"),
        ("ID_RSA", "ID_RSA", "a private key"),
        (".git/objects/ab/cd", ".git/", "is a repository"),
        ("code/.venv/lib/x.py", "code/.venv/", "is an environment"),
        ("env/pyvenv.cfg", "env/pyvenv.cfg", "part of a virtual environment"),
    ],
)
def test_what_must_not_be_submitted_is_named_with_what_to_do(tmp_path: Path, name: str, what: str, words: str) -> None:
    (told,), _ = problems(tmp_path, "model.joblib", name)
    assert told.startswith(f"{what} ")
    assert words in told


def test_a_private_key_is_told_by_its_content_and_a_text_about_keys_is_none(tmp_path: Path) -> None:
    about = b"Paste it below:\n-----BEGIN PRIVATE KEY-----\n...\n"
    refused, _ = archives.problems(archive(tmp_path, {"a": b"x", "certs/server": KEY, "README.md": about}))
    assert [each.partition(" holds")[0] for each in refused] == ["certs/server"]


def test_what_programs_left_behind_is_only_odd(tmp_path: Path) -> None:
    left = ("._model.joblib", "__MACOSX/x", ".ipynb_checkpoints/a.ipynb", ".env.example")
    refused, odd = problems(tmp_path, "model.joblib", *left)
    assert refused == []
    assert [each.split()[1] for each in odd] == ["._model.joblib:", "__MACOSX/x:", ".ipynb_checkpoints/a.ipynb:"]


def test_an_archive_that_was_packed_with_its_folder_is_told_how_to_pack_it(tmp_path: Path) -> None:
    names = ("./model/model.joblib", "._model")
    (refused,), _ = problems(tmp_path, *names, required=("model.joblib",))
    assert refused == (
        "model.joblib, which the policy requires, is in the folder model/: pack its content with "
        "`tar -czf model.tar.gz -C model .`"
    )
    assert "has all its files in the folder model/" in problems(tmp_path, *names)[1][-1]


def test_a_folder_that_a_server_wants_is_not_odd(tmp_path: Path) -> None:
    assert problems(tmp_path, "1/saved_model.pb", "1/variables/x", required=("*/saved_model.pb",)) == ([], [])


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"not tar")], ids=["nothing", "no gzip", "no tar in gzip"]
)
def test_what_cannot_be_read_is_left_to_the_inspection(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.tar.gz").write_bytes(content)
    assert archives.problems(tmp_path / "model.tar.gz") == ([], [])
