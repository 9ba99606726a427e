"""Folders as artifacts: which of their files are uploaded, and under which names."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.documents.text import clean
from signoff.submission import object_list
from signoff.submission.layout import MANIFEST, Submission
from signoff.submission.manifest import Manifest
from signoff_cli.errors import CommandFailed
from signoff_cli.submissions import folders
from signoff_cli.submissions.upload import Upload, UploadPlan, digests, plan, upload
from tests.support.depth import examples
from tests.support.manifests import IMAGE, SHAPE

SUBMISSION = Submission("summaries", "one")


def objects(plan: UploadPlan) -> list[str]:
    """The names of what is uploaded beside the manifest."""
    return sorted(upload.name for upload in plan.uploads if upload.name != MANIFEST)


def source(uri: str) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}}


def manifest(folder: Path, *containers: dict[str, Any]) -> Path:
    containers = containers or ({"Image": IMAGE, "ModelDataSource": source("weights/")},)
    path = folder / "manifest.json"
    path.write_text(json.dumps({"InferenceSpecification": {"Containers": list(containers)}}))
    return path


def fill(folder: Path, *names: str) -> Path:
    for name in names or ("config.json", "shards/1.bin"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))
    return folder


def names(planned: UploadPlan) -> list[str]:
    return [each.name for each in planned.uploads]


def refusal(artifact: Path, manifest: Path | None, **files: Path) -> str:
    with pytest.raises(CommandFailed) as refused:
        plan(artifact, manifest, files)
    return str(refused.value)


def test_all_files_of_a_folder_are_uploaded_under_the_prefix_that_the_manifest_names(tmp_path: Path) -> None:
    weights = fill(tmp_path / "weights")
    planned = plan(weights, manifest(tmp_path), {})
    assert names(planned) == ["manifest.json", "weights/config.json", "weights/shards/1.bin"]
    assert planned.uploads[2].path == weights / "shards/1.bin"
    assert objects(planned) == ["weights/config.json", "weights/shards/1.bin"]


def test_a_folder_of_another_name_is_uploaded_under_the_name_that_the_manifest_has_for_it(tmp_path: Path) -> None:
    assert "weights/config.json" in names(plan(fill(tmp_path / "checkpoint-900"), manifest(tmp_path), {}))


def test_the_folder_one_stands_in_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fill(tmp_path / "weights"))
    assert names(plan(Path(), None, {})) == ["weights/config.json", "weights/shards/1.bin"]
    assert "weights/config.json" in names(plan(Path(), manifest(tmp_path), {}))


def test_a_folder_may_be_elsewhere_with_or_without_its_slash(tmp_path: Path) -> None:
    container = {"Image": IMAGE, "ModelDataSource": source("weights/"), "AdditionalModelDataSources": [
        {"ChannelName": "lora", **source("adapters/")}]}  # fmt: skip
    path, lora = manifest(tmp_path, container), fill(tmp_path / "out/lora", "a.bin")
    weights = fill(tmp_path / "weights")
    for name in ("adapters/", "adapters"):
        assert "adapters/a.bin" in names(plan(weights, path, {name: lora}))


def test_a_folder_beside_the_manifest_is_found_without_being_told(tmp_path: Path) -> None:
    path = manifest(
        tmp_path, {"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}, {"Image": IMAGE, "ModelDataUrl": "more/"}
    )
    fill(tmp_path, "model.tar.gz", "more/a.tar.gz", "unrelated/b")
    assert names(plan(tmp_path / "model.tar.gz", path, {})) == ["manifest.json", "model.tar.gz", "more/a.tar.gz"]


def test_what_the_manifest_means_is_what_is_uploaded(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    planned = plan(fill(tmp_path / "weights"), path, {})
    (prefix,) = Manifest(json.loads(path.read_text()), "b", SUBMISSION.prefix, SHAPE).objects()
    listed = object_list.objects({"objects": objects(planned)})
    assert listed is not None
    assert object_list.faults(listed, [prefix]) == []


def test_a_file_of_its_own_stands_over_the_one_in_the_folder(tmp_path: Path) -> None:
    other = fill(tmp_path, "newer.json") / "newer.json"
    planned = plan(fill(tmp_path / "weights"), manifest(tmp_path), {"weights/config.json": other})
    assert Upload("weights/config.json", other) in planned.uploads
    assert names(planned).count("weights/config.json") == 1


# What is left out, and what is refused


def test_secrets_repositories_and_environments_in_a_folder_are_refused_each_for_what_it_is(tmp_path: Path) -> None:
    secret = (".env", ".aws/credentials", ".git/config", ".git/objects/1", "code/.venv/bin/x")
    weights = fill(tmp_path / "weights", "a.bin", *secret)
    (weights / "tls.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{'A' * 64}\n")
    told = refusal(weights, manifest(tmp_path)).splitlines()
    assert "nothing was uploaded" in told[0]
    assert {line.split()[0] for line in told[1:]} == {
        *("weights/.env:", "weights/.aws/credentials:", "weights/.git/:", "weights/code/.venv/:", "weights/tls.pem:"),
    }


def test_what_python_and_jupyter_leave_behind_is_left_out(tmp_path: Path) -> None:
    weights = fill(
        tmp_path / "weights", "a.bin", "code/__pycache__/a.pyc", ".ipynb_checkpoints/x.ipynb", "__MACOSX/._a"
    )
    planned = plan(weights, manifest(tmp_path), {})
    assert objects(planned) == ["weights/a.bin"]
    assert len(planned.left_out) == 3


@pytest.mark.parametrize("name", ["a%20b.bin", "a#b.bin", "a?b.bin"])
def test_a_file_whose_name_a_url_would_change_is_told_to_be_renamed(tmp_path: Path, name: str) -> None:
    assert "rename" in refusal(fill(tmp_path / "weights", name), manifest(tmp_path))


def test_a_manifest_that_names_an_object_percent_encoded_is_refused_before_anything_is_uploaded(tmp_path: Path) -> None:
    path = manifest(tmp_path, {"Image": IMAGE, "ModelDataUrl": "my%20model.tar.gz"})
    told = refusal(fill(tmp_path, "my model.tar.gz") / "my model.tar.gz", path)
    assert "InferenceSpecification.Containers[0].ModelDataUrl: my%20model.tar.gz is percent-encoded" in told
    assert "Nothing was uploaded" in told


def test_what_operating_systems_leave_behind_is_left_out_and_told(tmp_path: Path) -> None:
    weights = fill(tmp_path / "weights", "a.bin", ".DS_Store", "sub/Thumbs.db", "sub/._b.bin", "sub/b.bin", ".config")
    (weights / "empty").mkdir()
    planned = plan(weights, manifest(tmp_path), {})
    assert objects(planned) == ["weights/.config", "weights/a.bin", "weights/sub/b.bin"]
    assert set(planned.left_out) == {
        "weights/.DS_Store",
        "weights/sub/Thumbs.db",
        "weights/sub/._b.bin",
        "weights/empty/",
    }


@pytest.mark.parametrize("held", [(), (".DS_Store",)])
def test_a_folder_without_files_is_refused(tmp_path: Path, held: Sequence[str]) -> None:
    (tmp_path / "weights").mkdir()
    for name in held:
        fill(tmp_path / "weights", name)
    assert "holds no file" in refusal(tmp_path / "weights", manifest(tmp_path))


def test_a_link_within_the_folder_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    weights = fill(tmp_path / "weights", "blobs/1")
    (weights / "model.bin").symlink_to("blobs/1")
    assert "weights/model.bin" in names(plan(weights, manifest(tmp_path), {}))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("../secret", "out of the folder"),
        ("/etc/passwd", "out of the folder"),
        ("nowhere", "leads nowhere"),
        ("model.bin", "leads nowhere"),
        ("shards", "link to a folder"),
        (".", "link to a folder"),
    ],
)
def test_any_other_link_is_refused_before_anything_is_uploaded(tmp_path: Path, target: str, words: str) -> None:
    fill(tmp_path, "secret")
    weights = fill(tmp_path / "weights")
    (weights / "model.bin").symlink_to(target)
    told = refusal(weights, manifest(tmp_path))
    assert "nothing was uploaded" in told
    assert "weights/model.bin: is a symbolic link" in told
    assert words in told


def test_a_folder_that_is_itself_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "weights").symlink_to(fill(tmp_path / "elsewhere"))
    assert "weights/config.json" in names(plan(tmp_path / "weights", manifest(tmp_path), {}))


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    weights = fill(tmp_path / "weights")
    os.mkfifo(weights / "pipe")
    assert "weights/pipe: is neither a file nor a folder" in refusal(weights, manifest(tmp_path))


@pytest.mark.parametrize("name", ["a\nb", "a?b", "a#b", "a\\b", "a%20b", b"a\xff".decode(errors="surrogateescape")])
def test_names_that_no_object_of_a_submission_may_have_are_refused_all_at_once(tmp_path: Path, name: str) -> None:
    weights = fill(tmp_path / "weights", name, "c?d")
    lines = refusal(weights, manifest(tmp_path)).split("\n  ")
    assert [line for line in lines if line.startswith(f"weights/{clean(name)}: ")]
    assert [line for line in lines if line.startswith("weights/c?d: ")]


def test_a_name_that_is_too_long_for_a_file_of_a_model_is_refused(tmp_path: Path) -> None:
    deep = "/".join(["d" * 200] * 3)
    assert "longer than 512 bytes" in refusal(fill(tmp_path / "weights", deep), manifest(tmp_path))


def test_more_files_than_a_submission_may_have_are_refused(tmp_path: Path) -> None:
    weights = fill(tmp_path / "weights", *(str(number) for number in range(object_list.MAX_OBJECTS + 1)))
    assert "1,001 files" in refusal(weights, manifest(tmp_path))


def test_a_folder_for_one_object_is_refused_and_a_file_for_a_prefix(tmp_path: Path) -> None:
    file = fill(tmp_path, "model.tar.gz") / "model.tar.gz"
    weights = fill(tmp_path / "weights")
    assert "is a file, and the manifest's model data is weights/" in refusal(file, manifest(tmp_path))
    several = [{"Image": IMAGE, "ModelDataSource": source(name)} for name in ("weights/", "more/")]
    assert "is not a folder" in refusal(weights, manifest(tmp_path, *several), **{"more/": file})
    single = manifest(tmp_path, {"Image": IMAGE, "ModelDataUrl": "model.tar.gz"})
    assert "is a folder, and the manifest's model data is model.tar.gz" in refusal(weights, single)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no file or folder" in refusal(tmp_path / "weights", None)
    container = {"Image": IMAGE, "ModelDataUrl": "m.tar.gz", "AdditionalS3DataSource": {"S3Uri": "more/"}}
    told = refusal(fill(tmp_path, "m.tar.gz") / "m.tar.gz", manifest(tmp_path, container))
    assert "names more/, which is not in" in told


parts = st.text("ab.", min_size=1, max_size=3).filter(lambda part: part not in {".", ".."})


@settings(max_examples=examples(50), deadline=None)
@given(st.sets(st.lists(parts, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6))
def test_every_file_is_found_once_whatever_the_folder_looks_like(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str]
) -> None:
    root = tmp_path_factory.mktemp("folder")
    written = set()
    for name in sorted(wanted, key=len, reverse=True):
        if not (root / name).exists() and not any((root / above).is_file() for above in Path(name).parents):
            fill(root, name)
            written.add(name)

    found = folders.read(root)

    assert set(found.files) | {name for name in found.left_out if not name.endswith("/")} == written
    assert {name: path.read_text() for name, path in found.files.items()} == {name: name for name in found.files}


# The upload


def planned(folder: Path, *names: str) -> UploadPlan:
    fill(folder, "manifest.json", *names)
    return UploadPlan(tuple(Upload(name, folder / name) for name in ("manifest.json", *names)))


SAM = "arn:aws:iam::123456789012:user/sam"
MARKS = {"signoff-submission": "signed", "signoff-submitter": SAM}


def unsigned() -> dict[str, Any]:
    return {}


def test_everything_is_uploaded_and_marked_and_last_what_is_signed_of_it(aws: Any, tmp_path: Path) -> None:
    s3, order, done = aws("s3"), [], []
    s3.create_bucket(Bucket="artifacts")
    s3.meta.events.register("before-parameter-build.s3.PutObject", lambda params, **_: order.append(params["Key"]))
    what = planned(tmp_path, *(f"weights/{number}.bin" for number in range(40)))

    def sign() -> dict[str, Any]:
        return {"uploaded": len(order)}

    upload(s3, "artifacts", SUBMISSION, what, sign, done.append, SAM)
    assert (order[0], order[-1]) == ("summaries/one/manifest.json", "summaries/one/submission.json")
    assert json.loads(s3.get_object(Bucket="artifacts", Key=order[-1])["Body"].read()) == {"uploaded": 41}
    assert {f"summaries/one/{name}" for name in objects(what)} == set(order[1:-1])
    marks = [s3.head_object(Bucket="artifacts", Key=key)["Metadata"] for key in order]
    assert marks == [MARKS] * 41 + [{}]
    assert sum(done) == what.size


def test_a_large_file_is_marked_too(aws: Any, tmp_path: Path) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="artifacts")
    (tmp_path / "large.bin").write_bytes(bytes(9 * 1024 * 1024))  # in parts
    what = UploadPlan((Upload("large.bin", tmp_path / "large.bin"),))
    upload(s3, "artifacts", SUBMISSION, what, unsigned, lambda _: None, SAM)
    stored = s3.head_object(Bucket="artifacts", Key="summaries/one/large.bin")
    assert stored["ETag"].endswith('-2"')
    assert stored["Metadata"] == MARKS


def test_what_is_uploaded_instead_of_a_file_is_what_is_hashed_and_counted(aws: Any, tmp_path: Path) -> None:
    s3, done = aws("s3"), []
    s3.create_bucket(Bucket="artifacts")
    fill(tmp_path, "manifest.json")
    what = UploadPlan((Upload(MANIFEST, tmp_path / "manifest.json", b"{}"),))
    upload(s3, "artifacts", SUBMISSION, what, unsigned, done.append, SAM)
    stored = s3.get_object(Bucket="artifacts", Key="summaries/one/manifest.json")["Body"].read()
    assert (stored, sum(done), what.size) == (b"{}", 2, 2)
    assert digests(what, lambda _: None) == {MANIFEST: hashlib.sha256(b"{}").hexdigest()}


def test_every_file_is_hashed_and_every_byte_of_it_told(tmp_path: Path) -> None:
    what, done = planned(tmp_path, "a.bin", "b/c.bin"), []
    (tmp_path / "a.bin").write_bytes(bytes(5_000_000))
    found = digests(what, done.append)
    assert found == {it.name: hashlib.sha256(it.path.read_bytes()).hexdigest() for it in what.uploads}
    assert sum(done) == what.size
    assert max(done) < 5_000_000


def test_nothing_is_signed_of_what_did_not_arrive(aws: Any, tmp_path: Path) -> None:
    s3, signed = aws("s3"), []
    with pytest.raises(ClientError, match="NoSuchBucket"):
        upload(
            s3, "artifacts", SUBMISSION, planned(tmp_path, "a.bin"), lambda: signed.append(1) or {}, lambda _: None, SAM
        )
    assert signed == []


def test_several_files_are_uploaded_at_a_time(aws: Any, tmp_path: Path) -> None:
    s3, together = aws("s3"), threading.Barrier(4, timeout=20)
    s3.create_bucket(Bucket="artifacts")

    def wait(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith(".bin"):
            together.wait()

    s3.meta.events.register("before-parameter-build.s3.PutObject", wait)
    upload(
        s3,
        "artifacts",
        SUBMISSION,
        planned(tmp_path, "a.bin", "b.bin", "c.bin", "d.bin"),
        unsigned,
        lambda _: None,
        SAM,
    )
    assert not together.broken


def test_what_s3_refuses_ends_the_upload(aws: Any, tmp_path: Path) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="artifacts")

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith("b.bin"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    s3.meta.events.register("before-parameter-build.s3.PutObject", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        upload(s3, "artifacts", SUBMISSION, planned(tmp_path, "a.bin", "b.bin"), unsigned, lambda _: None, SAM)
