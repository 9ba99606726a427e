"""Whether S3 has the model data that a request to SageMaker names, in any account's bucket."""


def holds(url: str) -> bool:
    """Whether there is an object at an `s3://` URL, or any below one that ends in `/`; other URLs are not looked up."""
    from ministack.services import s3

    if not url.startswith("s3://"):
        return True
    bucket, _, key = url.removeprefix("s3://").partition("/")
    owner = s3._bucket_owner_account(bucket)
    record = s3._buckets.get_scoped(owner, None, bucket) if owner else None
    if record is None:
        return False
    objects = record["objects"]
    return any(name.startswith(key) for name in list(objects)) if url.endswith("/") else key in objects
