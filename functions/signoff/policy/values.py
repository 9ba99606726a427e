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
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html (ExecutionRoleArn)
RoleArn = Annotated[
    str,
    _text(
        r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$",
        "must be the ARN of a role, such as arn:aws:iam::123456789012:role/models",
    ),
]
SecurityGroup = Annotated[str, _text(r"^sg-[0-9a-z]+$", "must be the id of a security group, such as sg-0a1b2c3d")]
Subnet = Annotated[str, _text(r"^subnet-[0-9a-z]+$", "must be the id of a subnet, such as subnet-0a1b2c3d")]
Region = Annotated[str, _text(r"^[a-z]{2}(-[a-z]+)+-[0-9]+$", "must be an AWS region, such as eu-west-1")]
# An ARN's beginning: its account is empty, has 12 digits, or is a pattern.
_TO_ACCOUNT = r"[^:]*:[^:]*:[^:]*:([0-9]{12}|[0-9*?]*[*?][0-9*?]*|):"
# What IAM has neither users nor roles of.
_NOBODY_IN_IAM = r"[^:]*:iam:[^:]*:[^:]*:(?!(user|role)/|root(?!.)|[^/]*[*?])"
Arn = Annotated[
    str,
    _text(
        f"^arn:{_TO_ACCOUNT}",
        "must be a pattern of an ARN, such as arn:aws:iam::<account>:role/<name>, its account of 12 digits",
    ),
]
StackArn = Annotated[
    str,
    _text(
        r"^arn:[^:]*:cloudformation:[^:]*:[^:]*:stack/",
        "must be a pattern of the ARN of a CloudFormation stack, such as "
        "arn:aws:cloudformation:*:<account>:stack/churn-*/*",
    ),
]
Person = Annotated[
    str,
    _text(
        f"^arn:(?!.*:assumed-role/)(?!{_NOBODY_IN_IAM}){_TO_ACCOUNT}",
        "must be a pattern of a person's ARN, such as arn:aws:iam::<account>:role/<name> or user/<name>, its account "
        "of 12 digits. Callers choose the names of their sessions (assumed-role): list the role, and put it under "
        "`trusted_sessions` if its session names can be trusted",
    ),
    meaning(
        "A pattern (`*`, `?`) of persons: an IAM user's ARN, `arn:aws:identitycenter:::user/<name>`, or a role "
        "without its path, `arn:aws:iam::<account>:role/<name>`."
    ),
]
Sessions = Annotated[
    str,
    _text(
        f"^arn:{_TO_ACCOUNT}role/",
        "must be a pattern of roles without their path, such as arn:aws:iam::<account>:role/<name>, its account of 12 "
        "digits",
    ),
]
Prefix = Annotated[
    str, _text(r"^s3://[^/]+/(.*/)?$", "must be an S3 prefix that ends in /, such as s3://bucket/models/")
]
Objects = Annotated[
    str, _text(r"^s3://[^/]+/.", "must be a pattern of S3 URIs with a bucket, such as s3://bucket/models/*")
]
ObjectUri = Annotated[
    str,
    _text(r"^s3://[a-z0-9.-]+/(.*[^/])$", "must be the S3 URI of one object, such as s3://bucket/held-out/churn.csv"),
]
VersionId = Annotated[str, _text(r"^(?!null$)[^\s]{1,1024}$", "must be the version id that S3 gave the object")]
Column = Annotated[
    str, _text(r"^[^\s].{0,255}$", "must be the position of a column, from 0, such as `0`, or a key, such as `label`")
]
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataProcessing.html (InputFilter)
JsonPath = Annotated[
    str, _text(r"^\$.{0,62}$", "must be a path of SageMaker's InputFilter, such as $[1:], 63 characters at most")
]
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformResources.html
InstanceType = Annotated[
    str, _text(r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", "must be an instance type of SageMaker, such as ml.m5.large")
]
Variable = Annotated[str, _text(r"^[^=]+=", "must be a pattern of a variable, NAME=VALUE, such as HF_MODEL_ID=acme/*")]
Name = Annotated[str, _text(r"^[^\s]", "must be a name that does not begin with white space")]
Sha256 = Annotated[str, _text(r"^[0-9a-f]{64}$", "must be a SHA-256 as 64 digits, 0 to 9 and a to f")]
Day = Annotated[str, _text(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "must be a day, such as 2027-03-31")]
Repository = Annotated[
    str,
    _text(
        r"^[^\s/@]+/[^\s@]+$",
        "must be a pattern of a registry and a repository, without tag or digest, such as "
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/*",
    ),
]
SigningProfile = Annotated[
    str,
    _text(
        r"^arn:[^:]*:signer:[^:]*:[^:]*:/signing-profiles/",
        "must be a pattern of a signing profile's ARN, such as "
        "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/release",
    ),
]
# No months and years, whose length varies.
_DURATION = r"^P(?=[0-9T])(N+D)?(T(?=[0-9])(N+H)?(N+M)?(N+S)?)?$".replace("N+", r"[0-9]+(\.[0-9]+)?")
_NO_DURATION = "must be an ISO 8601 duration in days or shorter units, such as P14D or PT12H"
Duration = Annotated[timedelta, Meta(extra_json_schema=_written(_DURATION, _NO_DURATION))]
