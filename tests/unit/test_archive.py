from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.archive import MAX_FINDINGS, MAX_INVENTORY, Inspection, Limits, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LINKS = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}
FILES = {"model.joblib": b"weights" * 100, "code/inference.py": b"def model_fn(model_dir): ..."}


def member(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def link(name: str, target: str, kind: str = "symbolic") -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=LINKS[kind], linkname=target)


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def honest(form: int = tarfile.PAX_FORMAT) -> bytes:
    return tar(*(member(name, content) for name, content in FILES.items()), form=form)


def inspected(data: bytes, *required: str, chunk: int = 64 * 1024, limits: Limits | None = None) -> Inspection:
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return inspect(chunks, required, limits)


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> Inspection:
    return inspected(gzip.compress(tar(member("model.joblib", b"weights"), *members)))


def rules(inspection: Inspection) -> list[str]:
    return [finding.rule for finding in inspection.findings]


def found(inspection: Inspection) -> list[tuple[str | None, str, str]]:
    return [(finding.member, finding.rule, finding.severity) for finding in inspection.findings]


# Honest archives.


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_an_honest_archive_of_each_tar_format_passes_with_its_digest_and_inventory(form: int) -> None:
    expanded = honest(form)
    data = gzip.compress(expanded)
    inspection = inspected(data, "model.joblib", "code/*.py")
    assert inspection.passed
    assert inspection.findings == ()
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()
    assert (inspection.size, inspection.expanded_size, inspection.members) == (len(data), len(expanded), 2)
    assert [(entry.name, entry.size, entry.type) for entry in inspection.inventory] == [
        ("model.joblib", 700, "file"),
        ("code/inference.py", 28, "file"),
    ]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["GNU", "pax"])
def test_long_names_pass_and_are_listed_whole(form: int) -> None:
    name = "/".join(["directory"] * 30) + "/größe.bin"
    inspection = inspected(gzip.compress(tar(member(name, b"x"), form=form)), "*größe.bin")
    assert inspection.passed
    assert inspection.inventory[0].name == name


def test_what_tar_writes_for_a_directory_passes() -> None:
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
    inspection = inspected(gzip.compress(data), "model/1/weights", "model/same")
    assert inspection.findings == ()
    assert {entry.type for entry in inspection.inventory} == {"directory", "file", "symbolic link", "hard link"}


def test_a_link_into_a_directory_that_has_no_member_of_its_own_is_no_dangling_link() -> None:
    assert archive_of(member("versions/1/weights", b"x"), link("latest", "versions/1")).findings == ()


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


@pytest.mark.parametrize("chunk", [1, 7, 4096, 1 << 20])
def test_the_size_of_the_chunks_makes_no_difference(chunk: int) -> None:
    data = gzip.compress(honest())
    assert inspected(data, chunk=chunk) == inspected(data)


# The container: gzip and tar.

NOT_GZIP = {
    "empty": b"",
    "a zip archive": b"PK\x03\x04rest",
    "a tar archive that is not compressed": honest(),
    "an HTML or XML page": b"\n <!doctype html><html></html>",
    "a JSON document": b'{"error": "no such key"}',
    "a pickle": b"\x80\x04N.",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "zeros": bytes(2000),
    "data of no kind known here": b"\x01\x02\x03",
}


@pytest.mark.parametrize(("kind", "data"), NOT_GZIP.items())
def test_what_is_not_gzip_is_refused_by_what_it_looks_like(kind: str, data: bytes) -> None:
    inspection = inspected(data, "model.joblib")
    assert rules(inspection) == ["not-gzip"]
    assert inspection.findings[0].reason.endswith(kind)
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_is_refused(kept: float) -> None:
    data = gzip.compress(honest())
    cut = data[: int(len(data) * kept)]
    inspection = inspected(cut, "model.joblib")
    assert rules(inspection) == ["truncated-gzip"]
    assert inspection.sha256 == hashlib.sha256(cut).hexdigest()


def test_a_gzip_whose_checksum_does_not_match_is_refused_though_its_tar_reads_well() -> None:
    weights = member("weights", hashlib.shake_256().digest(3_000_000))
    data = bytearray(gzip.compress(tar(member("model.joblib", b"x"), weights)))
    data[-8] ^= 1
    inspection = inspected(bytes(data))
    assert inspection.members == 2
    assert rules(inspection) == ["corrupt-gzip"]


def test_damage_in_the_gzip_is_named_beside_the_damage_it_does_to_the_tar() -> None:
    data = bytearray(gzip.compress(honest(), compresslevel=0))
    data[15 + 512 * 3 + 100] ^= 1
    assert rules(inspected(bytes(data))) == ["corrupt-tar", "corrupt-gzip"]


@pytest.mark.parametrize("garbage", [b"x", b"\x1f", b"\0" * 100, b"PK\x03\x04", b"x" * 100_000])
def test_garbage_after_the_gzip_stream_is_refused(garbage: bytes) -> None:
    data = gzip.compress(honest()) + garbage
    inspection = inspected(data)
    assert rules(inspection) == ["trailing-data"]
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("content", [b"", b"weights", b"\x80\x04N." * 1000, gzip.compress(honest())])
def test_gzip_of_something_else_than_a_tar_is_refused(content: bytes) -> None:
    assert rules(inspected(gzip.compress(content), "model.joblib")) == ["not-tar"]


@pytest.mark.parametrize("kept", [512 + 100, 512 * 3 - 20, 512 * 3, 512 * 3 + 100, 512 * 5])
def test_a_truncated_tar_is_refused_wherever_it_ends(kept: int) -> None:
    assert rules(inspected(gzip.compress(honest()[:kept]))) == ["truncated-tar"]


def test_a_damaged_header_in_the_middle_is_refused_and_not_taken_for_the_end() -> None:
    data = bytearray(honest())
    data[512 * 3] ^= 1
    inspection = inspected(gzip.compress(bytes(data)))
    assert rules(inspection) == ["corrupt-tar"]
    assert inspection.members == 1


@pytest.mark.parametrize(
    "headers",
    [{"size": "-1024"}, {"size": "a"}, {"GNU.sparse.map": "a,b"}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}],
    ids=str,
)
def test_pax_headers_that_make_no_sense_are_refused(headers: dict[str, str]) -> None:
    odd = member("a", b"x" * 600, pax_headers=headers)
    assert rules(inspected(gzip.compress(tar(odd, member("b", b"y"))))) == ["corrupt-tar"]


def test_headers_too_large_to_be_honest_are_refused_before_they_are_read() -> None:
    inspection = inspected(gzip.compress(tar(member("a", pax_headers={"comment": "x" * 10_000_000}))))
    assert rules(inspection) == ["header-too-large"]


def test_headers_without_end_are_refused() -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 4
    block = name.tobuf(tarfile.GNU_FORMAT) + b"abc".ljust(512, b"\0")
    assert rules(inspected(gzip.compress(block * 5000)))[0] in ("header-too-large", "corrupt-tar")


def test_an_archive_without_members_is_refused() -> None:
    assert rules(inspected(gzip.compress(tar()))) == ["empty-archive"]


def test_an_archive_hidden_behind_the_end_of_another_is_refused() -> None:
    assert rules(inspected(gzip.compress(honest() + honest()))) == ["data-after-end"]


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


@pytest.mark.parametrize("name", ["...", "a..b", "..a", "a/b..", "100%", "a b/c", "~x", "größe", "model.v1:2"])
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
    assert found(inspection) == [("escape", "link-leaves", "error")]


def test_every_link_on_the_way_out_is_named() -> None:
    inspection = archive_of(link("one", "two"), link("two", "three"), link("three", "/etc"))
    assert [finding.member for finding in inspection.findings] == ["one", "two", "three"]
    assert set(rules(inspection)) == {"link-leaves"}


def test_links_in_a_circle_are_refused() -> None:
    assert rules(archive_of(link("a", "b"), link("b", "a"), link("c", "c"))) == ["link-loop"] * 3


def test_a_member_below_a_link_is_refused() -> None:
    inspection = archive_of(member("real/x", b"x"), link("alias", "real"), member("alias/y", b"y"))
    assert found(inspection) == [("alias/y", "name-through-link", "error")]


def test_a_hard_link_to_what_is_no_file_of_the_archive_is_refused() -> None:
    inspection = archive_of(link("a", "nowhere", "hard"), member("d", type=tarfile.DIRTYPE), link("b", "d", "hard"))
    assert rules(inspection) == ["hard-link-missing"] * 2


def test_a_symbolic_link_to_nowhere_inside_is_a_warning() -> None:
    inspection = archive_of(link("a", "nowhere"))
    assert found(inspection) == [("a", "dangling-link", "warning")]
    assert inspection.passed


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V"])
def test_devices_fifos_and_members_of_unknown_type_are_refused(kind: bytes) -> None:
    assert found(archive_of(member("special", type=kind))) == [("special", "special-file", "error")]


def test_a_link_that_claims_contents_is_refused() -> None:
    data = bytearray(tar(member("model.joblib", b"x"), link("a", "model.joblib")))
    data[1024 + 124 : 1024 + 136] = b"00000001000\0"
    data[1024 + 148 : 1024 + 156] = b" " * 8
    data[1024 + 148 : 1024 + 156] = b"%06o\0 " % sum(data[1024:1536])
    assert rules(inspected(gzip.compress(bytes(data)))) == ["ambiguous-size"]


# Required files.


def test_a_missing_required_file_is_named_by_its_pattern() -> None:
    inspection = inspected(gzip.compress(honest()), "model.joblib", "*.safetensors", "LICENSE")
    assert rules(inspection) == ["required-file-missing"] * 2
    assert "*.safetensors" in inspection.findings[0].reason
    assert "LICENSE" in inspection.findings[1].reason


def test_a_directory_or_a_dangling_link_is_no_required_file() -> None:
    members = (member("model", type=tarfile.DIRTYPE), link("weights", "nowhere"), link("again", "model"))
    inspection = inspected(gzip.compress(tar(*members)), "model", "weights", "again")
    assert rules(inspection).count("required-file-missing") == 3


# Bombs, and the bounds of a report.


def test_an_archive_that_expands_beyond_the_limit_is_not_read_further_but_hashed_to_its_end() -> None:
    data = gzip.compress(tar(member("zeros", bytes(50_000_000))))
    inspection = inspected(data, limits=Limits(expanded_size=5_000_000))
    assert rules(inspection) == ["expansion-limit"]
    assert inspection.expanded_size < 10_000_000
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


def test_an_archive_that_expands_beyond_the_ratio_is_refused_once_it_is_large() -> None:
    data = gzip.compress(tar(member("zeros", bytes(20_000_000))))
    assert rules(inspected(data, chunk=4096, limits=Limits(ratio=100, ratio_from=1_000_000))) == ["expansion-ratio"]
    assert inspected(data, limits=Limits(ratio=100)).passed


def test_zeros_behind_the_end_of_the_tar_count_as_expansion_too() -> None:
    data = gzip.compress(honest() + bytes(20_000_000))
    assert rules(inspected(data, limits=Limits(expanded_size=5_000_000))) == ["expansion-limit"]


def test_an_archive_with_too_many_members_is_refused() -> None:
    data = gzip.compress(tar(*(member(str(number)) for number in range(20))))
    assert rules(inspected(data, limits=Limits(members=10))) == ["too-many-members"]
    assert inspected(data, limits=Limits(members=20)).passed


def test_every_finding_is_reported_up_to_a_number_and_the_rest_is_counted() -> None:
    names = [f"/{number}" for number in range(MAX_FINDINGS + 50)]
    inspection = inspected(gzip.compress(tar(*map(member, names))), "model.joblib")
    assert rules(inspection)[0] == "required-file-missing"
    assert rules(inspection).count("absolute-name") == MAX_FINDINGS
    assert found(inspection)[-1] == (None, "more-findings", "error")
    assert "50 more" in inspection.findings[-1].reason


def test_the_inventory_is_cut_and_says_so() -> None:
    data = gzip.compress(tar(*(member(str(number)) for number in range(MAX_INVENTORY + 5))))
    document = inspected(data).document()
    assert (document["members"], len(document["inventory"])) == (MAX_INVENTORY + 5, MAX_INVENTORY)
    assert document["inventory_omitted"] == 5


def test_the_document_is_plain_json() -> None:
    document = archive_of(member("../x", b"x")).document()
    assert json.loads(json.dumps(document)) == document
    assert document["verdict"] == "failed"
    assert document["findings"] == [
        {
            "member": "../x",
            "rule": "parent-directory",
            "severity": "error",
            "reason": "Has a name with `..`: it would climb out of the model's directory",
        }
    ]


# Time, memory, and other people's errors.


def test_a_lost_connection_is_raised_and_never_taken_for_a_bad_archive() -> None:
    def chunks() -> Iterator[bytes]:
        yield gzip.compress(honest())[:200]
        raise ValueError("connection lost")

    with pytest.raises(ValueError, match="connection lost"):
        inspect(chunks())


def test_links_that_cost_much_to_follow_are_given_up() -> None:
    steps = "/".join("abcdefghij" for _ in range(370))
    links = [link(f"l{number}", f"l{number + 1}/{steps}") for number in range(300)]
    inspection = archive_of(*links)
    assert "link-loop" in rules(inspection)


def test_memory_does_not_grow_with_the_archive() -> None:
    def peak(size: int) -> int:
        header = member("weights")[0]
        header.size = size
        deflater = zlib.compressobj(wbits=31)
        block = bytes(range(256)) * 4096

        def chunks() -> Iterator[bytes]:
            yield deflater.compress(header.tobuf())
            for _ in range(size // len(block)):
                yield deflater.compress(block)
            yield deflater.compress(bytes(10240)) + deflater.flush()

        tracemalloc.start()
        try:
            assert inspect(chunks()).passed
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(64 << 20) < peak(4 << 20) + (1 << 20)


HONEST = [
    gzip.compress(data, compresslevel=level, mtime=0)
    for level in (0, 6)
    for data in (
        honest(tarfile.USTAR_FORMAT),
        tar(member("a" * 200, b"x", pax_headers={"x": "y"}), link("l", "a" * 200)),
    )
]
edits = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=20)),
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for change, place, content in changes:
        at = int(place * len(data))
        if change == "flip":
            data = (
                data[:at] + bytes(a ^ b for a, b in zip(data[at:], content, strict=False)) + data[at + len(content) :]
            )
        elif change == "cut":
            data = data[:at] + data[at + len(content) * 40 :]
        else:
            data = data[:at] + content + data[at:]
    return data


@given(st.sampled_from(HONEST), edits, st.integers(1, 5000))
@settings(max_examples=300, deadline=2000)
def test_whatever_is_done_to_the_bytes_the_inspection_ends_with_their_digest(
    data: bytes, changes: list[tuple[str, float, bytes]], chunk: int
) -> None:
    damaged = mutated(data, changes)
    inspection = inspected(damaged, "a*", chunk=chunk)
    assert inspection.sha256 == hashlib.sha256(damaged).hexdigest()
    assert inspection.size == len(damaged)
    assert json.dumps(inspection.document())


@given(st.sampled_from([gzip.decompress(data) for data in HONEST]), edits)
@settings(max_examples=300, deadline=2000)
def test_whatever_is_done_to_the_tar_inside_the_inspection_ends_with_a_verdict(
    data: bytes, changes: list[tuple[str, float, bytes]]
) -> None:
    damaged = gzip.compress(mutated(data, changes), mtime=0)
    document = inspected(damaged).document()
    assert document["verdict"] == ("failed" if document["findings"] else "passed")
