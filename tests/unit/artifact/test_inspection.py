from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from signoff.artifact.inspection import inspect
from signoff.artifact.scan import scan
from signoff.artifact.streams.limits import Limits
from tests.support.archives import (
    FORMATS,
    LINKS,
    WEIGHTS,
    archive_of,
    found,
    honest,
    inspected,
    link,
    member,
    rules,
    tar,
)
from tests.support.tarballs import stored_gzip

if TYPE_CHECKING:
    pass


# Honest archives.


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_a_valid_archive_of_each_tar_format_passes_with_its_digest_and_inventory(form: int) -> None:
    expanded = honest(form)
    data = gzip.compress(expanded)
    inspection = inspected(data, "model.joblib", "code/*.py")
    assert inspection.passed
    assert inspection.findings == ()
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()
    assert (inspection.size, inspection.expanded_size, inspection.members) == (len(data), len(expanded), 2)
    assert [(entry.name, entry.size, entry.type) for entry in inspection.inventory] == [
        ("model.joblib", 929, "file"),
        ("code/inference.py", 28, "file"),
    ]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["GNU", "pax"])
def test_long_names_pass_and_are_listed_whole(form: int) -> None:
    name = "/".join(["directory"] * 30) + "/größe.bin"
    inspection = inspected(gzip.compress(tar(member(name, b"x"), form=form)), "*größe.bin")
    assert inspection.passed
    assert inspection.inventory[0].name == name


def test_links_in_an_archive_are_refused_because_sagemaker_does_not_extract_them() -> None:
    data = tar(
        member(".", type=tarfile.DIRTYPE),
        member("./model", type=tarfile.DIRTYPE),
        member("./model/1", type=tarfile.DIRTYPE),
        member("./model/1/weights", b"x"),
        link("./model/latest", "1"),
        link("./model/1/again", "../../model/1/weights"),
        link("./model/copy", "./model/1/weights", "hard"),
        link("./model/same", "1/../latest/weights"),
    )
    inspection = inspected(gzip.compress(data), "model/1/weights")
    assert found(inspection) == [
        ("model/latest", "symbolic-link", "error"),
        ("model/1/again", "symbolic-link", "error"),
        ("model/same", "symbolic-link", "error"),
        ("model/copy", "hard-link", "error"),
    ]
    assert "--dereference" in inspection.findings[0].remedy
    assert "--hard-dereference" in inspection.findings[-1].remedy
    assert {entry.type for entry in inspection.inventory} == {"directory", "file", "symbolic link", "hard link"}


def test_a_link_into_a_directory_that_has_no_member_of_its_own_is_no_dangling_link() -> None:
    assert rules(archive_of(member("versions/1/weights", b"x"), link("latest", "versions/1"))) == ["symbolic-link"]


def test_a_sparse_file_counts_by_what_it_unpacks_to() -> None:
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "weights"}
    sparse["GNU.sparse.realsize"] = str(10 * 1024**2)
    content = b"1\n0\n512\n".ljust(512, b"\0") + b"x" * 512
    data = gzip.compress(tar(member("GNUSparseFile.0/weights", content, pax_headers=sparse)))
    assert inspected(data).inventory[0].size == 10 * 1024**2
    assert inspected(data).passed
    assert rules(inspected(data, limits=Limits(expanded_size=1024**2))) == ["expansion-limit"]


def test_several_gzip_members_are_one_stream() -> None:
    data = honest()
    pieces = b"".join(gzip.compress(data[at : at + 700]) for at in range(0, len(data), 700))
    assert inspected(pieces).passed
    assert inspected(pieces, chunk=1).passed
    assert inspected(pieces).expanded_size == len(data)


def test_several_gzip_members_that_expand_much_are_one_stream() -> None:
    data = tar(member("model.joblib", bytes(5_000_000)))
    pieces = gzip.compress(data[:3_000_000]) + gzip.compress(data[3_000_000:])
    assert inspected(pieces).findings == ()
    assert inspected(pieces).expanded_size == len(data)


@pytest.mark.parametrize("chunk", [1, 7, 4096, 1 << 20])
def test_the_size_of_the_chunks_makes_no_difference(chunk: int) -> None:
    data = gzip.compress(honest())
    assert inspected(data, chunk=chunk) == inspected(data)


# Names.

UNSAFE = {
    "/etc/passwd": "absolute-name",
    "//server/share": "absolute-name",
    "C:/windows/system32": "drive-letter",
    "./c:autorun": "drive-letter",
    "../../etc/cron.d/job": "parent-directory",
    "a/../../b": "parent-directory",
    "a/../b": "parent-directory",
    "a/..": "parent-directory",
    "a/.. /b": "parent-directory",
    "%2e%2e/b": "parent-directory",
    "a%2F..%2Fb": "parent-directory",
    "\uff0e\uff0e/b": "parent-directory",
    "\u2025/b": "parent-directory",
    "a\nb": "control-character",
    "a\x1b[2Jb": "control-character",
    "a\x85b": "control-character",
    "a\\b": "backslash",
}


@pytest.mark.parametrize(("name", "rule"), UNSAFE.items())
def test_an_unsafe_name_is_refused_by_its_rule(name: str, rule: str) -> None:
    inspection = archive_of(member(name, b"x"))
    assert not inspection.passed
    assert rules(inspection) == [rule]
    assert (inspection.findings[0].member or "").isprintable()


def test_a_backslash_spelling_of_the_parent_directory_breaks_both_rules() -> None:
    assert rules(archive_of(member("..\\..\\b"))) == ["parent-directory", "backslash"]


def test_a_nul_in_a_pax_name_is_refused() -> None:
    inspection = archive_of(member("b", pax_headers={"path": "model\0.joblib"}))
    assert found(inspection) == [("model\\x00.joblib", "control-character", "error")]


@pytest.mark.parametrize("name", ["...", "a..b", "..a", "100%", "a b/c", "~x", "größe", "model.v1:2"])
def test_a_name_that_only_looks_odd_passes(name: str) -> None:
    assert archive_of(member(name, b"x")).findings == ()


def test_a_name_that_is_not_utf_8_is_shown_escaped() -> None:
    inspection = inspected(gzip.compress(tar(member("caf\udce9", b"x"), form=tarfile.GNU_FORMAT)))
    assert inspection.inventory[0].name == "caf\\udce9"
    assert json.dumps(inspection.document()).encode("ascii")


def test_a_name_too_long_for_any_system_is_refused_and_shown_cut() -> None:
    inspection = archive_of(member("a/" * 3000 + "b"))
    assert rules(inspection) == ["name-too-long"]
    assert len(inspection.findings[0].member or "") < 1100


def test_two_members_of_one_name_are_refused_however_it_is_spelt() -> None:
    inspection = archive_of(member("./a//b", b"x"), member("a/b", b"y"))
    assert found(inspection) == [("a/b", "duplicate-name", "error")]


def test_a_directory_named_twice_is_harmless() -> None:
    directory = member("code", type=tarfile.DIRTYPE)
    assert archive_of(directory, directory).findings == ()


def test_a_member_below_a_file_is_refused() -> None:
    assert found(archive_of(member("model.joblib/x"))) == [("model.joblib/x", "name-through-link", "error")]


@pytest.mark.parametrize(
    "name",
    [
        "._model.joblib",
        "code/._x.py",
        ".DS_Store",
        "code/.DS_Store",
        "__MACOSX/x",
        "a/.ipynb_checkpoints/x-checkpoint.txt",
    ],
)
def test_what_programs_leave_behind_is_told_as_what_it_is(name: str) -> None:
    inspection = archive_of(member(name, b"x"))
    assert found(inspection) == [(name, "left-over", "warning")]
    assert "COPYFILE_DISABLE" in inspection.findings[0].remedy


@pytest.mark.parametrize("name", [".hidden", "a._b", "a/b._", "x.DS_Store", "my__MACOSX/x", "ipynb_checkpoints/x"])
def test_a_name_that_only_resembles_what_programs_leave_behind_passes(name: str) -> None:
    assert archive_of(member(name, b"x")).findings == ()


# Links and special files.


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "a/../../secret", "C:\\x", "a\\..\\x", "..", "x\n"])
def test_a_link_that_leaves_the_archive_is_refused(kind: str, target: str) -> None:
    assert found(archive_of(link("escape", target, kind))) == [("escape", "link-leaves", "error")]


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_that_leaves_the_archive_through_another_link_is_refused(kind: str) -> None:
    inspection = archive_of(
        member("a/b/c", b"x"),
        link("deep/er/up", "../.."),  # to the root: inside
        link("escape", "deep/er/up/../x", kind),  # from the root one further up: outside
    )
    assert ("escape", "link-leaves", "error") in found(inspection)
    assert ("deep/er/up", "link-leaves", "error") not in found(inspection)


def test_every_link_on_the_way_out_is_named() -> None:
    inspection = archive_of(link("one", "two"), link("two", "three"), link("three", "/etc"))
    assert [finding.member for finding in inspection.findings] == ["one", "two", "three"]
    assert set(rules(inspection)) == {"link-leaves"}


def test_links_in_a_circle_are_refused() -> None:
    assert rules(archive_of(link("a", "b"), link("b", "a"), link("c", "c"))) == ["link-loop"] * 3


def test_a_member_below_a_link_is_refused() -> None:
    inspection = archive_of(member("real/x", b"x"), link("alias", "real"), member("alias/y", b"y"))
    assert ("alias/y", "name-through-link", "error") in found(inspection)


def test_a_hard_link_to_what_is_no_file_of_the_archive_is_refused() -> None:
    inspection = archive_of(link("a", "nowhere", "hard"), member("d", type=tarfile.DIRTYPE), link("b", "d", "hard"))
    assert rules(inspection) == ["hard-link-missing"] * 2


def test_a_symbolic_link_to_nowhere_inside_is_refused() -> None:
    assert found(archive_of(link("a", "nowhere"))) == [("a", "dangling-link", "error")]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V"])
def test_devices_fifos_and_members_of_unknown_type_are_refused(kind: bytes) -> None:
    assert found(archive_of(member("special", type=kind))) == [("special", "special-file", "error")]


def test_a_link_that_claims_contents_is_refused() -> None:
    data = bytearray(tar(member("model.joblib", b"x"), link("a", "model.joblib")))
    data[1024 + 124 : 1024 + 136] = b"00000001000\0"
    data[1024 + 148 : 1024 + 156] = b" " * 8
    data[1024 + 148 : 1024 + 156] = b"%06o\0 " % sum(data[1024:1536])
    assert "ambiguous-size" in rules(inspected(gzip.compress(bytes(data))))


# Required files.


def test_a_missing_required_file_is_named_by_its_pattern() -> None:
    inspection = inspected(gzip.compress(honest()), "model.joblib", "*.safetensors", "LICENSE")
    assert rules(inspection) == ["required-file-missing"] * 2
    assert "*.safetensors" in inspection.findings[0].reason
    assert "LICENSE" in inspection.findings[1].reason


def test_a_required_file_in_the_only_folder_at_the_top_is_told_from_one_that_is_nowhere() -> None:
    macos = (member("._model", b"x"), member("__MACOSX/model", b"x"))
    packed = gzip.compress(tar(member("model", type=tarfile.DIRTYPE), *macos, member("model/model.joblib", WEIGHTS)))
    inspection = inspected(packed, "model.joblib", "LICENSE")
    assert rules(inspection)[:2] == ["required-file-in-folder", "required-file-missing"]
    assert "model/" in inspection.findings[0].reason
    assert "tar -C" in inspection.findings[0].remedy


@pytest.mark.parametrize("other", ["config.json", "other/config.json"])
def test_a_required_file_in_one_of_several_folders_is_missing(other: str) -> None:
    packed = gzip.compress(tar(member("model/model.joblib", WEIGHTS), member(other, b"{}")))
    assert rules(inspected(packed, "model.joblib")) == ["required-file-missing"]


def test_a_directory_or_a_link_is_no_required_file() -> None:
    links = (link("weights", "nowhere"), link("again", "there"), link("same", "there", "hard"))
    members = (member("model", type=tarfile.DIRTYPE), member("there", b"x"), *links)
    inspection = inspected(gzip.compress(tar(*members)), "model", "weights", "aga*", "same", "there")
    assert rules(inspection)[:4] == ["required-file-missing", *["required-file-is-link"] * 3]
    assert "again is a link" in inspection.findings[2].reason
    assert "--dereference" in inspection.findings[2].remedy


def test_a_required_file_is_there_where_another_than_a_link_has_such_a_name() -> None:
    members = (link("a.joblib", "b.joblib"), member("b.joblib", WEIGHTS))
    assert rules(inspected(gzip.compress(tar(*members)), "*.joblib")) == ["symbolic-link"]


def test_small_files_have_their_digest_and_large_ones_have_none():
    large = b"x" * (1024 * 1024 + 1)
    found = inspect([stored_gzip(tar(member("a.txt", b"small"), member("b.txt", large)))], scan=scan).inventory
    assert {each.name: each.sha256 for each in found} == {"a.txt": hashlib.sha256(b"small").hexdigest(), "b.txt": None}


def test_a_file_that_a_scan_reads_only_in_part_has_the_digest_of_all_of_it():
    content = b"x" * 5000
    first = [stored_gzip(tar(member("a", content)))]
    (entry,) = inspect(first, scan=lambda reader, _: reader.read(1) and None).inventory
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
