"""Copying within S3: by parts as many as the size asks for, once, and leaving nothing of a copy that fails."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.aws.parallel import AT_ONCE
from signoff.aws.part_copies import PART
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.errors import ObjectMissing, TakesTooLong

GB = 1000**3


class ServerSide:
    """The part of S3 that copies by parts, without the bytes; `errors` are the codes that operations fail with."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def _called(self, operation: str, given: dict[str, Any]) -> None:
        self.calls.append((operation, given))
        if operation in self.errors:
            raise ClientError({"Error": {"Code": self.errors[operation]}}, operation)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return what was given to an operation, each time that it was called."""
        return [given for name, given in self.calls if name == operation]

    def head_object(self, **given: Any) -> None:
        raise ClientError({"Error": {"Code": "404"}}, "HeadObject")

    def create_multipart_upload(self, **given: Any) -> dict[str, Any]:
        self._called("create", given)
        return {"UploadId": "u"}

    def upload_part_copy(self, **given: Any) -> dict[str, Any]:
        self._called("part", given)
        return {"CopyPartResult": {"ETag": f"e{given['PartNumber']}", "ChecksumSHA256": f"c{given['PartNumber']}"}}

    def complete_multipart_upload(self, **given: Any) -> dict[str, Any]:
        self._called("complete", given)
        return {"VersionId": "v", "ETag": '"e-2"'}

    def abort_multipart_upload(self, **given: Any) -> None:
        self._called("abort", given)


def of_size(size: int) -> ObjectVersion:
    return ObjectVersion("artifacts", "m", "v1", size, "e", {})


def copied(s3: ServerSide, size: int, **more: Any) -> ObjectVersion | None:
    return Bucket(s3, "vault").copy_from(of_size(size), "models/m", {"a": "b"}, **more)


@pytest.mark.parametrize(("size", "parts"), [(PART + 1, 2), (5 * GB, 19), (50 * GB, 187), (50_000 * GB, 10_000)])
def test_a_copy_takes_as_many_parts_as_its_size_asks_for_and_each_byte_is_in_one(size: int, parts: int):
    s3 = ServerSide()
    copy = copied(s3, size)
    ranges = sorted(tuple(map(int, given["CopySourceRange"][6:].split("-"))) for given in s3.of("part"))
    assert (copy and copy.version_id, copy and copy.size, len(ranges)) == ("v", size, parts)
    assert [first for first, _ in ranges] == [0, *(last + 1 for _, last in ranges[:-1])]
    assert ranges[-1][1] == size - 1


def test_s3_computes_the_sha256_of_each_part_and_puts_them_together_where_nothing_is():
    s3 = ServerSide()
    copied(s3, PART + 1)
    ((create,), (complete,)) = s3.of("create"), s3.of("complete")
    assert (create["ChecksumAlgorithm"], create["Metadata"], complete["IfNoneMatch"]) == ("SHA256", {"a": "b"}, "*")
    parts = [{"PartNumber": number, "ETag": f"e{number}", "ChecksumSHA256": f"c{number}"} for number in (1, 2)]
    assert complete["MultipartUpload"] == {"Parts": parts}
    assert s3.of("abort") == []


def test_a_copy_whose_time_is_up_ends_within_the_parts_under_way_and_leaves_nothing():
    s3 = ServerSide()

    def going_on() -> None:
        if s3.of("part"):
            raise TakesTooLong("no time")

    with pytest.raises(TakesTooLong):
        copied(s3, 50 * GB, going_on=going_on)
    assert len(s3.of("part")) <= AT_ONCE
    assert (len(s3.of("abort")), s3.of("complete")) == (1, [])


@pytest.mark.parametrize("code", ["PreconditionFailed", "NoSuchUpload"])
def test_what_came_to_be_there_meanwhile_is_left_as_it_is(code: str):
    s3 = ServerSide(complete=code)
    assert copied(s3, PART + 1) is None
    assert len(s3.of("abort")) == 1


def test_a_write_that_meets_another_is_not_taken_for_done():
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        copied(ServerSide(complete="ConditionalRequestConflict"), PART + 1)


@pytest.mark.parametrize("code", ["NoSuchVersion", "PreconditionFailed"])
def test_a_source_that_goes_or_becomes_another_while_it_is_copied_is_missing(code: str):
    s3 = ServerSide(part=code)
    with pytest.raises(ObjectMissing, match="s3://artifacts/m version v1 no longer exists"):
        copied(s3, PART + 1)
    assert {given["CopySourceIfMatch"] for given in s3.of("part")} == {'"e"'}
    assert s3.of("complete") == []
