"""Policy files, as the CDK app deploys them: to SSM Parameter Store, with the execution role filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from signoff.documents.faults import Fault
from signoff.documents.strict_json import parse
from signoff.policy.lint import all_faults
from signoff.policy.policy import Policy, of_document

# Bytes of an advanced parameter.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
LONGEST = 8192
ANY_ROLE = "arn:aws:iam::123456789012:role/filled-in-by-the-app"


@dataclass(frozen=True)
class PolicyRead:
    """The content of a policy file: the parsed JSON, all its faults, and the policy if it has none."""

    document: Any
    faults: tuple[Fault, ...]
    policy: Policy | None = None


def read(data: bytes, role: str = ANY_ROLE) -> PolicyRead:
    """Read the `data` of a policy file, as it would be deployed with `role` (an ARN) for the execution role."""
    written, unread = parse(data)
    if written is None and unread:
        return PolicyRead(None, tuple(unread))
    document = with_execution_role(written, role)
    known = {fault.path for fault in unread}
    more = [fault for fault in all_faults(document) if fault.path not in known]
    faults = (*unread, *more, *_too_long(document))
    return PolicyRead(written, faults, None if faults else of_document(document))


def with_execution_role(document: Any, role: str = ANY_ROLE) -> Any:
    """Return a policy file's document with `role` (an ARN) where it leaves the execution role out.

    The CDK app fills it in, so a file may leave it out and the functions never read one without.
    """
    deployment = document.get("deployment", {}) if isinstance(document, dict) else None
    if not isinstance(deployment, dict):
        return document
    return {**document, "deployment": {"execution_role": role, **deployment}}


def text(document: Any) -> str:
    """Return a policy as the text of its parameter, in ASCII: CloudFormation shows nothing else as it was deployed.

    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220
    """
    return json.dumps(document, separators=(",", ":"))


def _too_long(document: Any) -> list[Fault]:
    length = len(text(document).encode(errors="replace"))
    message = f"is {length:,} bytes long as the app writes it; SSM Parameter Store allows {LONGEST:,}"
    return [Fault("", message)] if length > LONGEST else []
