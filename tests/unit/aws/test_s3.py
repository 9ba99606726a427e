"""Buckets on moto and in memory, both held to the same: versions, copies, listings and tags."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.vault import source_metadata
from signoff.errors import ObjectMissing
from tests.support.clock import Clock
from tests.support.fake_bucket import FakeS3


@pytest.fixture(params=["fake", "moto"])
def buckets(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeS3(Clock()).bucket
    s3 = request.getfixturevalue("aws")("s3")
    for name in ("vault", "artifacts"):
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return lambda name: Bucket(s3, name)


def put(bucket: Any, key: str, data: bytes) -> None:
    assert bucket.put_after(bucket.current(key), key, data)


def test_a_key_is_written_once(buckets: Any):
    vault = buckets("vault")
    assert vault.put_once("k", b"one")
    assert not vault.put_once("k", b"two")
    assert vault.read(vault.current("k")) == b"one"


def test_every_version_stays_readable_and_a_reader_without_one_gets_the_newest(buckets: Any):
    vault = buckets("vault")
    put(vault, "k", b"one")
    first = vault.current("k")
    put(vault, "k", b"three")
    assert (vault.read(first), vault.read(vault.current("k"))) == (b"one", b"three")
    assert (first.size, first.uri) == (3, "s3://vault/k")
    assert vault.version("k", first.version_id) == first


def test_what_is_not_there_is_none_or_missing(buckets: Any):
    vault = buckets("vault")
    put(vault, "k", b"one")
    stored = vault.current("k")
    assert vault.current("absent") is None
    other = type(stored)(stored.bucket, "absent", stored.version_id, 0, "", {})
    with pytest.raises(ObjectMissing):
        vault.read(other)


def test_an_object_is_opened_with_its_version_and_its_bytes_by_one_request(buckets: Any):
    vault = buckets("vault")
    put(vault, "k", b"one")
    first = vault.current("k")
    put(vault, "k", b"three")
    newest, older = vault.opened("k"), vault.opened("k", first.version_id)
    assert (newest.stored, b"".join(newest.chunks)) == (vault.current("k"), b"three")
    assert (older.stored, b"".join(older.chunks)) == (first, b"one")
    assert vault.opened("absent") is None
    assert vault.opened("k", "absent") is None


def test_a_large_object_is_opened_and_read_by_ranges(aws: Any, monkeypatch: pytest.MonkeyPatch):
    s3 = aws("s3")
    s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)
    data = bytes(range(256)) * 8
    monkeypatch.setattr("signoff.aws.s3.RANGE", len(data) - 1)
    vault = Bucket(s3, "vault")
    put(vault, "k", data)
    opened = vault.opened("k")
    assert (opened.stored.size, b"".join(opened.chunks)) == (len(data), data)


def test_an_object_that_may_not_be_read_is_missing():
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    with pytest.raises(ObjectMissing, match="cannot be read"):
        Bucket(SimpleNamespace(get_object=denied), "vault").opened("k")


def test_a_listing_tells_what_each_object_under_a_prefix_is_by_its_etag(buckets: Any):
    vault = buckets("vault")
    for key, data in (("a/1", b"one"), ("a/2", b"two"), ("b", b"no")):
        put(vault, key, data)
    assert dict(vault.etags("a/")) == {key: vault.current(key).etag for key in ("a/1", "a/2")}


def test_a_copy_is_of_one_version_with_its_own_metadata_and_no_tags(buckets: Any):
    artifacts, vault = buckets("artifacts"), buckets("vault")
    put(artifacts, "m", b"one")
    source = artifacts.current("m")
    artifacts.tag(source.key, source.version_id, {"a": "b"})
    put(artifacts, "m", b"two")
    copy = vault.copy_from(source, "models/m", source_metadata(source))
    assert vault.read(copy) == b"one"
    assert dict(copy.metadata) == source_metadata(source)
    assert vault.current("models/m") == copy


def test_a_listing_has_the_newest_version_of_each_object_under_a_prefix(buckets: Any):
    vault = buckets("vault")
    for key, data in (("a/2", b"x"), ("a/1", b"one"), ("b/1", b"x"), ("a/1", b"three"), ("a/2/3", b"")):
        put(vault, key, data)
    listed = list(vault.listing("a/"))
    assert [(each.key, each.size) for each in listed] == [("a/1", 5), ("a/2", 1), ("a/2/3", 0)]
    assert listed == [vault.current(each.key) for each in listed]


def test_a_large_copy_is_none_where_somebody_puts_something_first(aws: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("signoff.aws.s3.PART", 1)
    s3 = aws("s3")
    s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)
    vault = Bucket(s3, "vault")
    put(vault, "m", b"model")
    source = vault.current("m")
    assert vault.read(vault.copy_from(source, "alone", {})) == b"model"

    put_first = [lambda **_: put(vault, "raced", b"another")]
    s3.meta.events.register("before-call.s3.UploadPartCopy", lambda **_: put_first and put_first.pop()())
    assert vault.copy_from(source, "raced", {}) is None
    assert [each.version_id for each in vault.history("raced")] == [vault.current("raced").version_id]
    assert vault.read(vault.current("raced")) == b"another"


class Written:
    """S3 where somebody writes to a key just before we do."""

    def __init__(self, error: str) -> None:
        self.error = error
        self.asked: dict[str, Any] = {}

    def put_object(self, **asked: Any) -> None:
        self.asked = asked
        raise ClientError({"Error": {"Code": self.error}}, "PutObject")


@pytest.mark.parametrize("error", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_what_somebody_else_has_written_or_deleted_meanwhile_is_not_written_over(error: str):
    s3, known = Written(error), ObjectVersion("artifacts", "k", "1", 3, "e7a9", {})
    assert not Bucket(s3, "artifacts").put_after(known, "k", b"two")
    assert s3.asked["IfMatch"] == '"e7a9"'
    assert not Bucket(s3, "artifacts").put_after(None, "k", b"two")
    assert s3.asked["IfNoneMatch"] == "*"


def test_what_is_deleted_stands_in_no_listing(aws: Any):
    s3 = aws("s3")
    s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket="vault", Key="a/1", Body=b"x")
    s3.delete_object(Bucket="vault", Key="a/1")
    assert list(Bucket(s3, "vault").listing("a/")) == []


def test_what_may_not_be_listed_or_has_no_bucket_is_missing(aws: Any):
    with pytest.raises(ObjectMissing, match="s3://nowhere/a/ cannot be listed by Signoff"):
        list(Bucket(aws("s3"), "nowhere").listing("a/"))


def test_names_come_with_the_time_of_their_last_change(buckets: Any):
    vault = buckets("vault")
    for key in ("a/1", "a/2", "b/1"):
        put(vault, key, b"x")
    assert [key for key, _ in vault.names("a/")] == ["a/1", "a/2"]
    assert all(changed.tzinfo for _, changed in vault.names(""))


def test_tags_are_added_to_those_that_are_there_while_there_is_room(aws: Any):
    s3 = aws("s3")
    s3.create_bucket(Bucket="vault")
    s3.put_object(Bucket="vault", Key="k", Body=b"", Tagging="&".join(f"t{number}=x" for number in range(9)))
    bucket = Bucket(s3, "vault")
    bucket.tag("k", bucket.current("k").version_id, {"signoff:registration": "registered"})
    bucket.tag("k", bucket.current("k").version_id, {"one": "too many"})
    tags = {tag["Key"] for tag in s3.get_object_tagging(Bucket="vault", Key="k")["TagSet"]}
    assert tags == {"signoff:registration", *(f"t{number}" for number in range(9))}


def test_a_tag_is_left_alone_that_says_otherwise(buckets: Any):
    vault = buckets("vault")
    put(vault, "k", b"one")
    stored = vault.current("k")
    for tags in ({"state": "done"}, {"state": "begun"}):
        vault.tag("k", stored.version_id, tags, unless={"state": "done"})
    if isinstance(vault, Bucket):
        found = vault._s3.get_object_tagging(Bucket="vault", Key="k")["TagSet"]
        assert found == [{"Key": "state", "Value": "done"}]
    else:
        assert vault.tags("k") == {"state": "done"}


class UnderWay:
    """S3 while another conditional write to the same key is under way, whose outcome nobody knows yet."""

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_: Any) -> None:
            answer: Any = {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}
            raise ClientError(answer, operation)

        return refuse


def test_a_write_that_meets_another_is_tried_again_until_that_is_done(aws: Any):
    s3, waited = aws("s3"), []
    s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)
    turns = iter([UnderWay(), UnderWay(), s3])
    met = SimpleNamespace(put_object=lambda **said: next(turns).put_object(**said))

    assert Bucket(met, "vault", pause=waited.append).put_once("k", b"one")
    assert s3.get_object(Bucket="vault", Key="k")["Body"].read() == b"one"
    assert waited == [0.1, 0.2]


def test_a_write_that_meets_another_is_not_taken_for_done():
    waited: list[float] = []
    bucket = Bucket(UnderWay(), "vault", pause=waited.append)
    source = ObjectVersion("artifacts", "m", "1", 3, "", {})
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        bucket.put_once("k", b"one")
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        bucket.copy_from(source, "k", {})
