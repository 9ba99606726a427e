"""The types of values in a policy: their constraints and error messages.

The modules with a policy's Structs do not import `annotations` from `__future__`, so that annotations are evaluated
once, with the module, and not parsed from text with the first policy.
"""

from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta


def meaning(description: str, **more: Any) -> Meta:
    """Return a field's description and further keywords as `msgspec.Meta`."""
    return Meta(description=description, **more)


def _written(pattern: str, otherwise: str) -> dict[str, Any]:
    """Return a pattern for the JSON Schema, with the message of editors and `signoff policy check`."""
    return {"pattern": pattern, "patternErrorMessage": otherwise}


def _text(pattern: str, otherwise: str) -> Meta:
    return Meta(pattern=pattern, extra_json_schema=_written(pattern, otherwise))


AccountId = Annotated[str, _text(r"^[0-9]{12}$", "must be the id of an AWS account, 12 digits")]
Region = Annotated[str, _text(r"^[a-z]{2}(-[a-z]+)+-[0-9]+$", "must be an AWS region, such as eu-west-1")]
Arn = Annotated[
    str, _text(r"^arn:([^:]*:){4}", "must be a pattern of an ARN, such as arn:aws:iam::<account>:role/<name>")
]
Person = Annotated[
    str,
    _text(
        r"^arn:(?!.*:assumed-role/)([^:]*:){4}",
        "must be a pattern of a person's ARN, such as arn:aws:iam::<account>:role/<name>. Callers choose the names of "
        "their sessions (assumed-role): list the role, and put it under `trusted_sessions` if its session names can be "
        "trusted",
    ),
    meaning(
        "A pattern (`*`, `?`) of persons: an IAM user's ARN, `arn:aws:identitycenter:::user/<name>`, or a role "
        "without its path, `arn:aws:iam::<account>:role/<name>`."
    ),
]
Prefix = Annotated[str, _text(r"^s3://(.*/)?$", "must be an S3 prefix that ends in /, such as s3://bucket/models/")]
# No months and years, whose length varies.
_DURATION = r"^P(?=[0-9T])(N+D)?(T(?=[0-9])(N+H)?(N+M)?(N+S)?)?$".replace("N+", r"[0-9]+(\.[0-9]+)?")
_NO_DURATION = "must be an ISO 8601 duration in days or shorter units, such as P14D or PT12H"
Duration = Annotated[timedelta, Meta(extra_json_schema=_written(_DURATION, _NO_DURATION))]
