"""S3 in the engine does what the pipeline relies on."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from signoff.aws.s3 import Bucket
from signoff.errors import TakesTooLong
from tests.support.aws import client
from tests.support.waiting import eventually

MEGABYTE = 1024 * 1024


@pytest.fixture
def s3(engine: Engine) -> Any:
    return client(engine, "s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"bucket-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def test_a_range_of_a_version_is_just_that(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"other")

    part = s3.get_object(Bucket=bucket, Key="k", VersionId=version, Range="bytes=2-4")

    assert part["Body"].read() == b"234"
    assert (part["ContentRange"], part["ContentLength"]) == ("bytes 2-4/10", 3)
    assert part["VersionId"] == version


def test_a_range_beyond_a_version_is_refused(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["VersionId"]

    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=bucket, Key="k", VersionId=version, Range="bytes=20-30")


def test_a_copy_goes_to_a_new_key_only_when_asked_so(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    source = {"Bucket": bucket, "Key": "a"}

    first = s3.copy_object(Bucket=bucket, Key="b", CopySource=source, IfNoneMatch="*")

    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source, IfNoneMatch="*")
    assert s3.head_object(Bucket=bucket, Key="b")["VersionId"] == first["VersionId"]


def test_what_was_written_meanwhile_is_not_written_over(s3: Any, bucket: str) -> None:
    reports = Bucket(s3, bucket)

    assert reports.put_after(None, "report", b"first")
    first = reports.current("report")
    assert not reports.put_after(None, "report", b"who saw nothing")
    assert reports.put_after(first, "report", b"second")
    assert not reports.put_after(first, "report", b"who saw the first")

    assert reports.get("report") == b"second"


def test_a_copy_is_of_the_version_it_names(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"first")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"second")

    copied = s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a", "VersionId": version})

    assert copied["CopySourceVersionId"] == version
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"first"


def test_a_large_copy_is_put_together_from_parts_of_one_version(s3: Any, bucket: str) -> None:
    body = bytes(range(256)) * (6 * MEGABYTE // 256)
    version = s3.put_object(Bucket=bucket, Key="a", Body=body)["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"other")
    target = {"Bucket": bucket, "Key": "b"}
    upload = s3.create_multipart_upload(**target, Metadata={"m": "1"})["UploadId"]

    parts = []
    for number, (start, end) in enumerate([(0, 5 * MEGABYTE - 1), (5 * MEGABYTE, len(body) - 1)], 1):
        part = s3.upload_part_copy(
            **target,
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": "a", "VersionId": version},
            CopySourceRange=f"bytes={start}-{end}",
        )
        parts.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
    done = s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")

    copied = s3.get_object(**target, VersionId=done["VersionId"])
    assert copied["Body"].read() == body
    assert copied["Metadata"] == {"m": "1"}


@pytest.mark.parametrize("parts", [1, 2])
def test_s3_computes_the_sha256_of_a_copy_and_says_whether_it_is_of_parts(
    s3: Any, bucket: str, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bytes(range(256)) * (6 * MEGABYTE // 256)
    version = s3.put_object(Bucket=bucket, Key="a", Body=body)["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"other")
    for module in ("signoff.aws.s3", "signoff.aws.part_copies"):
        monkeypatch.setattr(f"{module}.PART", 5 * MEGABYTE if parts > 1 else len(body))
    here = Bucket(s3, bucket)
    source = here.version("a", version)
    assert source is not None

    copy = here.copy_from(source, "b", {"m": "1"})

    assert copy is not None
    assert here.copy_from(source, "b", {"m": "2"}) is None
    assert (here.current("b"), here.checksum(source)) == (copy, None)
    s3.put_object(Bucket=bucket, Key="b", Body=b"over it")
    digests = [sha256(body[at : at + 5 * MEGABYTE]).digest() for at in (0, 5 * MEGABYTE)]
    expected = {1: ("FULL_OBJECT", sha256(body), ""), 2: ("COMPOSITE", sha256(b"".join(digests)), "-2")}
    kind, digest, suffix = expected[parts]
    assert here.checksum(copy) == f"{kind} {b64encode(digest.digest()).decode()}{suffix}"


def test_nothing_is_left_of_a_copy_whose_time_is_up(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=bytes(6 * MEGABYTE))
    for module in ("signoff.aws.s3", "signoff.aws.part_copies"):
        monkeypatch.setattr(f"{module}.PART", 5 * MEGABYTE)
    here = Bucket(s3, bucket)
    source = here.current("a")
    assert source is not None

    def going_on() -> None:
        raise TakesTooLong("no time")

    with pytest.raises(TakesTooLong):
        here.copy_from(source, "b", {}, going_on)
    assert here.current("b") is None
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_tags_are_put_as_a_whole_and_read_by_version(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=1&b=2")["VersionId"]

    s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=version, Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})

    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": "3"}]
    s3.delete_object(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=version)["TagSet"] == [{"Key": "c", "Value": "3"}]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object_tagging(Bucket=bucket, Key="k")


@pytest.fixture
def locked(s3: Any) -> str:
    name = f"locked-{uuid4().hex}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
    return name


def test_what_is_locked_is_not_deleted_and_its_lock_can_be_extended(s3: Any, locked: str) -> None:
    version = s3.put_object(Bucket=locked, Key="k", Body=b"kept")["VersionId"]
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)

    s3.put_object_retention(
        Bucket=locked, Key="k", VersionId=version, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later}
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=locked, Key="k", VersionId=version)
    assert s3.get_object_retention(Bucket=locked, Key="k")["Retention"]["RetainUntilDate"] == later


def copied_whole(s3: Any, source: dict[str, str], target: dict[str, str]) -> str:
    version: str = s3.copy_object(**target, CopySource=source)["VersionId"]
    return version


def copied_in_parts(s3: Any, source: dict[str, str], target: dict[str, str]) -> str:
    upload = s3.create_multipart_upload(**target)["UploadId"]
    part = s3.upload_part_copy(**target, UploadId=upload, PartNumber=1, CopySource=source)
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    done = s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
    version: str = done["VersionId"]
    return version


@pytest.mark.parametrize("copy", [copied_whole, copied_in_parts])
def test_a_locked_bucket_locks_what_is_copied_to_it(s3: Any, bucket: str, locked: str, copy: Any) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")

    version = copy(s3, {"Bucket": bucket, "Key": "a"}, {"Bucket": locked, "Key": "a"})

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=locked, Key="a", VersionId=version)
    assert s3.get_object_retention(Bucket=locked, Key="a", VersionId=version)["Retention"]["Mode"] == "GOVERNANCE"


def test_a_copy_does_not_inherit_the_lock_of_its_source(s3: Any, locked: str) -> None:
    version = s3.put_object(Bucket=locked, Key="a", Body=b"a")["VersionId"]
    later = datetime.now(UTC) + timedelta(days=300)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": later}
    s3.put_object_retention(Bucket=locked, Key="a", VersionId=version, Retention=retention)

    s3.copy_object(Bucket=locked, Key="b", CopySource={"Bucket": locked, "Key": "a"})

    assert s3.get_object_retention(Bucket=locked, Key="b")["Retention"]["RetainUntilDate"] < later


def test_an_upload_is_announced_with_its_version(engine: Engine, s3: Any, bucket: str) -> None:
    sqs, events = client(engine, "sqs"), client(engine, "events")
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    events.put_rule(
        Name=bucket, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    )
    events.put_targets(Rule=bucket, Targets=[{"Id": "q", "Arn": arn}])

    version = s3.put_object(Bucket=bucket, Key="a b/ü.json", Body=b"{}")["VersionId"]

    messages = eventually(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"))
    detail = json.loads(messages[0]["Body"])["detail"]
    assert detail["object"]["version-id"] == version
    assert (detail["object"]["key"], detail["reason"]) == ("a b/ü.json", "PutObject")
