"""A status set in the registry itself (Studio, the console, the CLI): who may have done it.

It is nobody's decision. Events name no author, and are to the second; a description names whoever wrote last, whatever
they wrote. Of two writes within a second the later one's author would be taken for the author of both.
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserContext.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def last_modifier(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of the package's last modifier, whatever they changed, as SageMaker reports it."""
    modifier = described.get("LastModifiedBy") or {}
    arn: str | None = (modifier.get("IamIdentity") or {}).get("Arn") or modifier.get("UserProfileArn")
    return arn
