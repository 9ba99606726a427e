"""S3: ranges and tags of versions, version ids in events, conditional copies, locks and checksums of what is copied.

Who may not list a bucket is not told that an object is missing.
"""

import contextvars
import http
import json
from collections.abc import Awaitable, Callable
from typing import Any

Answer = tuple[int, dict[str, str], Any]

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def install() -> None:
    """Patch S3 in the running emulator."""
    from ministack import app
    from ministack.services import eventbridge, s3

    app.SERVICE_HANDLERS["s3"] = _telling_listers(app.SERVICE_HANDLERS["s3"], s3)
    s3._get_object = _with_ranges_of_versions(s3._get_object, s3)
    s3._fire_s3_event = _remembering_version(s3._fire_s3_event)
    s3._copy_object = _with_conditional_copy(_locking(_with_checksum(s3._copy_object), s3, headers_at=2), s3)
    s3._upload_part_copy = _with_checksum_of_parts(s3._upload_part_copy, s3)
    s3._object_record_from_version = _telling_composites(s3._object_record_from_version)
    for name in ("_get_object_tagging", "_put_object_tagging"):
        setattr(s3, name, _of_hidden_versions(getattr(s3, name), s3))
    s3._complete_multipart_upload = _locking(s3._complete_multipart_upload, s3)
    eventbridge._dispatch_event = _naming_version(eventbridge._dispatch_event)


def _telling_listers(handle: Callable[..., Awaitable[Answer]], s3: Any) -> Callable[..., Awaitable[Answer]]:
    """Without `s3:ListBucket`, a missing object cannot be told from one that may not be read.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """

    async def handle_request(method: str, path: str, headers: dict[str, str], body: Any, query: Any) -> Answer:
        answer = await handle(method, path, headers, body, query)
        bucket, _, key = path.lstrip("/").partition("/")
        missing = answer[0] == http.HTTPStatus.NOT_FOUND and (method == "HEAD" or b"<Code>NoSuchKey<" in answer[2])
        if missing and key and not _may_list(headers, bucket):
            refused = s3._error("AccessDenied", "Access Denied", http.HTTPStatus.FORBIDDEN, path)
            return (*refused[:2], b"" if method == "HEAD" else refused[2])
        return answer

    return handle_request


def _may_list(headers: dict[str, str], bucket: str) -> bool:
    from ministack import app
    from ministack.core.iam_evaluator import enforce
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id

    keys, listing = extract_access_key_id(headers), {"resource_arn": f"arn:aws:s3:::{bucket}"}
    return not app.AUTH or not keys or enforce(keys, "s3:ListBucket", "s3", get_region(), **listing) is None


def _with_ranges_of_versions(get_object: Callable[..., Answer], s3: Any) -> Callable[..., Answer]:
    def get(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Answer:
        status, answered, body = get_object(bucket, key, headers, query)
        wanted = headers.get("range", "")
        if status != 200 or not wanted or not s3._qp(query or {}, "versionId"):
            return status, answered, body
        return _sliced(s3, bucket, key, wanted, answered, body)

    return get


def _sliced(s3: Any, bucket: str, key: str, wanted: str, headers: dict[str, str], body: bytes) -> Answer:
    bounds = s3._parse_range(wanted, len(body))
    if bounds is None:
        refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, refused, s3._xml_body(s3._range_error_xml(bucket, key))
    start, end = bounds
    # The whole object's checksum does not match a part of it, which botocore would report.
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("x-amz-checksum")}
    part = body[start : end + 1]
    kept |= {"Content-Length": str(len(part)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    return 206, kept, part


def _with_conditional_copy(copy_object: Callable[..., Answer], s3: Any) -> Callable[..., Answer]:
    def copy(bucket: str, key: str, headers: dict[str, str]) -> Answer:
        target = s3._ensure_bucket(bucket)
        if target is not None:
            refused: Answer | None = s3._check_put_preconditions(headers, target["objects"].get(key))
            if refused is not None:
                return refused
        return copy_object(bucket, key, headers)

    return copy


def _with_checksum(copy_object: Callable[..., Answer]) -> Callable[..., Answer]:
    """CopyObject names the algorithm by another header than PutObject, whose the emulator looks at."""

    def copy(bucket: str, key: str, headers: dict[str, str]) -> Answer:
        wanted = headers.get("x-amz-checksum-algorithm")
        return copy_object(bucket, key, {**headers, "x-amz-sdk-checksum-algorithm": wanted} if wanted else headers)

    return copy


def _with_checksum_of_parts(upload_part_copy: Callable[..., Answer], s3: Any) -> Callable[..., Answer]:
    """S3 computes the checksum of each copied part, with the algorithm of the upload."""

    def copy(bucket: str, key: str, query: dict[str, Any], headers: dict[str, str]) -> Answer:
        status, answered, body = upload_part_copy(bucket, key, query, headers)
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"), {})
        algorithm = upload.get("checksum_algorithm")
        if status != 200 or not algorithm:
            return status, answered, body
        part = upload["parts"][int(s3._qp(query, "partNumber", "1"))]
        value = s3._compute_s3_checksum(algorithm, part["body"])
        part["checksums"] = {algorithm: value}
        element = f"<Checksum{algorithm}>{value}</Checksum{algorithm}>"
        return status, answered, body.replace(b"</CopyPartResult>", f"{element}</CopyPartResult>".encode())

    return copy


def _telling_composites(record_of: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A checksum that ends in the number of parts is composite, of an object's version as of its current one."""

    def record(version: dict[str, Any]) -> dict[str, Any]:
        found = record_of(version)
        composite = any("-" in value for value in found["checksums"].values())
        return {**found, "checksum_type": "COMPOSITE" if composite else None}

    return record


def _of_hidden_versions(tagging: Callable[..., Answer], s3: Any) -> Callable[..., Answer]:
    """A delete marker hides a key, and not the tags of a version that is asked for by its id."""

    def tag(bucket: str, key: str, *more: Any) -> Answer:
        found = s3._ensure_bucket(bucket)
        if found is None or key in found["objects"] or not s3._qp(more[-1] or {}, "versionId"):
            return tagging(bucket, key, *more)
        found["objects"][key] = {}  # for the emulator, which serves one request at a time, to look on
        try:
            return tagging(bucket, key, *more)
        finally:
            del found["objects"][key]

    return tag


def _locking(create: Callable[..., Answer], s3: Any, headers_at: int | None = None) -> Callable[..., Answer]:
    """Copies and multipart uploads are locked as the request or else the bucket says, not like their source."""

    def create_object(bucket: str, key: str, *more: Any) -> Answer:
        answer = create(bucket, key, *more)
        version = answer[1].get("x-amz-version-id")
        if answer[0] == 200 and version and s3._bucket_object_lock.get(bucket):
            for inherited in (s3._object_retention, s3._object_legal_hold):
                inherited.pop((bucket, key, version), None)
            headers = more[headers_at - 2] if headers_at else {}
            s3._apply_object_lock_from_headers(bucket, key, headers, version)
        return answer

    return create_object


def _remembering_version(fire: Callable[..., None]) -> Callable[..., None]:
    def fire_event(*args: Any, version_id: str | None = None, **more: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*args, version_id=version_id, **more)
        finally:
            _version.reset(token)

    return fire_event


def _naming_version(dispatch: Callable[..., None]) -> Callable[..., None]:
    def dispatch_event(event: dict[str, Any], view: Any = None) -> None:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event, view = {**event, "Detail": json.dumps(detail)}, None
            _version.set(None)  # later events must not get this version
        dispatch(event, view)

    return dispatch_event
