"""The kinds of values that fields of a policy hold: what is allowed of each, and what is said where it is not.

The Structs of a policy import no `annotations` from `__future__`: what is said of a field is evaluated once, with its
module, and not read again as text when the first policy is.
"""

from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta


def meaning(description: str, **more: Any) -> Meta:
    """Return what is said of a field, and what more is allowed or told of it, in the keywords of `msgspec.Meta`."""
    return Meta(description=description, **more)


def _written(pattern: str, otherwise: str) -> dict[str, Any]:
    """Return how a JSON Schema says a pattern, and what editors and `signoff policy check` say where it does not "
    "hold."""
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
        "believed",
    ),
    meaning(
        "A pattern (`*`, `?`) of persons: an IAM user's ARN, `arn:aws:identitycenter:::user/<name>`, or a role "
        "without its path, `arn:aws:iam::<account>:role/<name>`."
    ),
]
Prefix = Annotated[str, _text(r"^s3://(.*/)?$", "must be an S3 prefix, s3://.../: other names begin as it does too")]
# Days and shorter: months and years are of no certain length.
_DURATION = r"^P(?=[0-9T])(N+D)?(T(?=[0-9])(N+H)?(N+M)?(N+S)?)?$".replace("N+", r"[0-9]+(\.[0-9]+)?")
_NO_DURATION = "must be an ISO 8601 duration of days and shorter, such as P14D or PT12H"
Duration = Annotated[timedelta, Meta(extra_json_schema=_written(_DURATION, _NO_DURATION))]
