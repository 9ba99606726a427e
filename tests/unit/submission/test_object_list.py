"""What a submission lists of itself: plain names, and such as can be the files of one folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import ManifestRefused
from signoff.submission.object_list import MAX_OBJECTS, faults, file_faults, objects

NAMES = st.lists(st.text("ab./\0", max_size=5), max_size=6)


def refused(listed: object) -> dict[str, str]:
    with pytest.raises(ManifestRefused) as caught:
        objects({"objects": listed})
    return {fault.path: fault.message for fault in caught.value.faults}


def test_the_names_are_returned_once_each_in_their_order():
    assert objects({"objects": ["b.bin", "a/c.bin", "b.bin"]}) == ("b.bin", "a/c.bin")


@pytest.mark.parametrize("document", [{}, {"objects": None}, {"submitter": "arn:aws:iam::1:user/sam"}])
def test_a_submission_need_not_list_anything(document: dict[str, object]):
    assert objects(document) is None


@pytest.mark.parametrize("listed", ["a", {"a": 1}, 3, [1], ["a", None], [["a"]]])
def test_what_is_no_list_of_names_is_refused(listed: object):
    assert "must list the names" in refused(listed)["objects"]


def test_more_objects_than_can_be_inspected_are_refused():
    most = [f"weights/{number}" for number in range(MAX_OBJECTS)]
    assert len(objects({"objects": most}) or ()) == MAX_OBJECTS
    assert f"{MAX_OBJECTS} are allowed" in refused([*most, "one-more"])["objects"]


def test_every_name_that_is_not_plain_is_named_with_its_place_and_what_is_wrong():
    found = refused(["good.bin", "../up", "a//b", "folder/", "manifest.json", "s3://bucket/key", "a%2Fb", "/root"])
    assert set(found) == {f"objects[{position}]" for position in range(1, 8)}
    assert "submission.json lists '../up', which points outside" in found["objects[1]"]
    assert "names a file of the submission itself" in found["objects[4]"]


def test_a_name_that_is_very_long_is_shown_in_part():
    (message,) = refused(["n" * 100_000]).values()
    assert len(message) < 300


def test_each_prefix_that_the_manifest_names_holds_something():
    (fault,) = faults(["weights/a", "other/b"], {"weights/", "models/"})
    assert (fault.path, "no object under models/" in fault.message) == ("objects", True)


def test_a_file_cannot_be_its_own_folder():
    (fault,) = faults(["weights/a", "weights/a/b"], {"weights/"})
    assert fault.message.startswith("weights/a/b: a is also a file")


def test_what_stands_under_no_prefix_need_not_be_a_file_of_the_model():
    assert faults(["weights/a", "x", "x/y"], {"weights/"}) == []


@pytest.mark.parametrize(
    ("names", "bad"),
    [
        (["a", "b/c", "b/d/e"], []),
        (["a/b", "a/b/c", "a/b/c/d"], ["a/b/c", "a/b/c/d"]),
        ([""], [""]),
        (["a/", "b"], ["a/"]),
        (["a//b"], ["a//b"]),
        (["../a", "./b", "c/.."], ["../a", "./b", "c/.."]),
        (["a\0b"], ["a\0b"]),
        (["x" * 255, "y" * 256, "d/" + "é" * 128], ["d/" + "é" * 128, "y" * 256]),
    ],
)
def test_names_that_no_file_can_have_are_told(names: list[str], bad: list[str]):
    assert sorted(name for name, _, _ in file_faults(names)) == sorted(bad)


@given(NAMES)
def test_names_without_a_fault_can_be_laid_out_as_files(names: list[str]):
    bad = {name for name, _, _ in file_faults(names)}
    files, folders = set(), set()
    for name in set(names) - bad:
        parts = name.split("/")
        assert all(part not in ("", ".", "..") and "\0" not in part for part in parts)
        files.add(name)
        folders |= {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    assert not files & folders
