"""Whether S3 has the objects that a request to SageMaker names, in any account's bucket."""

from typing import Any


def holds(url: str) -> bool:
    """Whether there is an object at an `s3://` URL, or any below one that ends in `/`; other URLs are not looked up."""
    if not url.startswith("s3://"):
        return True
    objects, key = _objects(url)
    return any(name.startswith(key) for name in list(objects)) if url.endswith("/") else key in objects


def finds(url: str) -> bool:
    """Whether there is any object whose `s3://` URL begins with this one."""
    objects, prefix = _objects(url)
    return any(name.startswith(prefix) for name in list(objects))


def _objects(url: str) -> tuple[dict[str, Any], str]:
    """The objects in the bucket that a URL names, by key, and the URL's own key."""
    from ministack.services import s3

    bucket, _, key = url.partition("://")[2].partition("/")
    owner = s3._bucket_owner_account(bucket)
    record = s3._buckets.get_scoped(owner, None, bucket) if owner else None
    return (record["objects"] if record else {}), key
