"""Copying a large object within S3 by parts, several of them at once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/CopyingObjectsMPUapi.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import ignoring
from signoff.aws.parallel import in_parallel

PART = 256 * 1024 * 1024  # bytes: 50 GB are 187 parts
_MOST = 10_000  # parts of one object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html

# There is an object; or a retry, after an answer that got lost, finds the upload completed.
_THERE = {"PreconditionFailed", "412", "NoSuchUpload"}


def copy_in_parts(
    s3: Any,
    target: Mapping[str, str],
    source: Mapping[str, Any],
    size: int,
    settings: Mapping[str, Any],
    going_on: Callable[[], None],
) -> dict[str, Any] | None:
    """Copy the `size` bytes of `source`, UploadPartCopy's parameters, to `target` (Bucket and Key), a new object.

    `settings` are those of CreateMultipartUpload. Returns CompleteMultipartUpload's answer, or None when there is an
    object already. What `going_on` raises before a part, like any error, ends the copy, of which nothing is left.
    """
    upload = {**target, "UploadId": s3.create_multipart_upload(**target, **settings)["UploadId"]}
    step = max(PART, -(-size // _MOST))
    ranges = [(start, min(start + step, size) - 1) for start in range(0, size, step)]
    done: dict[str, Any] | None = None
    try:
        parts = in_parallel(partial(_part, s3, upload, source, going_on), enumerate(ranges, 1))
        with ignoring(_THERE):
            done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    finally:
        if done is None:
            with suppress(ClientError):  # the bucket's life cycle aborts what is left
                s3.abort_multipart_upload(**upload)
    return done


def _part(
    s3: Any,
    upload: Mapping[str, str],
    source: Mapping[str, Any],
    going_on: Callable[[], None],
    part: tuple[int, tuple[int, int]],
) -> dict[str, Any]:
    """Copy one part, by its number and first and last position; return it as CompleteMultipartUpload takes it."""
    going_on()
    number, (first, last) = part
    copied = s3.upload_part_copy(**upload, **source, PartNumber=number, CopySourceRange=f"bytes={first}-{last}")
    result = copied["CopyPartResult"]
    return {"PartNumber": number, **{name: result[name] for name in ("ETag", "ChecksumSHA256") if name in result}}
