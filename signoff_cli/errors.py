"""How the command fails: one clear line on standard error, and exit code 1."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from signoff.documents.text import clean

_NOT_PERMITTED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_NOT_ACCEPTED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_CREDENTIALS = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws sts get-caller-identity` shows who you are)"
)
_SETTINGS = {
    "NoCredentialsError": f"there are no AWS credentials; {_CREDENTIALS}",
    "PartialCredentialsError": f"the AWS credentials are incomplete; {_CREDENTIALS}",
    "ResponseParserError": "what answered is not AWS; check AWS_ENDPOINT_URL",
    "NoRegionError": "there is no AWS region; set AWS_REGION, or `region` in your AWS profile",
}


class CommandFailed(Exception):
    """Raised when a command cannot do, or did not reach, what it was asked for; the message is for a person."""


def run(command: Callable[[], object]) -> None:
    """Call `command`, which ends the process itself when all is well.

    Whatever fails is one clear message on standard error and exit code 1, and never a traceback.
    """
    try:
        command()
    except Exception as error:  # everything that a person may run into ends here
        if os.environ.get("SIGNOFF_DEBUG"):
            raise
        lines = explain(error).split("\n")
        sys.stderr.write("signoff: " + "\n".join(clean(line) for line in lines) + "\n")
        sys.exit(1)


def explain(error: Exception) -> str:
    """Return the message about `error`, which any part of the command raised: what is wrong and what to do."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and not missing.startswith("signoff"):
        return f"the command needs {missing.partition('.')[0]}: pip install 'signoff[cli]'"
    name = type(error).__name__
    if name in _SETTINGS:
        return _SETTINGS[name]
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _aws_answer(error, response["Error"])
    module = type(error).__module__
    if module.startswith(("signoff.", "signoff_cli.", "local.")):
        return str(error)
    if module.startswith(("botocore.", "boto3.")) or isinstance(error, OSError):
        return f"{error}{_hint(name)}"
    return f"something unexpected happened ({name}: {error}); set SIGNOFF_DEBUG=1 to see where"


def _aws_answer(error: Exception, answer: dict[str, Any]) -> str:
    code, message = answer.get("Code", ""), answer.get("Message") or str(error)
    operation = getattr(error, "operation_name", "AWS")
    if code in _NOT_PERMITTED:
        return f"you are not permitted to do this: {operation}: {message}"
    if code in _NOT_ACCEPTED:
        return f"AWS does not accept these credentials ({code}): {message}; {_CREDENTIALS}"
    return f"{operation} was refused ({code}): {message}"


def _hint(name: str) -> str:
    if name in {"EndpointConnectionError", "ConnectTimeoutError"}:
        return " (check AWS_ENDPOINT_URL; `signoff local up` starts the local engine)"
    return ""
