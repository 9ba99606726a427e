"""One account's SageMaker in one region: moto's store, and beside it what moto forgets."""

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from moto.core.request import Request
from moto.sagemaker.responses import SageMakerResponse

Document = dict[str, Any]


class Refused(Exception):
    """Raised when SageMaker refuses a request; `code` is the AWS error code."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Account:
    """What one account has in one region."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.remembered: dict[str, Document] = {}
        self.tokens: dict[str, tuple[Document, str]] = {}
        self.deleted: set[str] = set()
        self.policies: dict[str, str] = {}

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource, from its kind (`model`, `model-package-group`) and name."""
        return f"arn:aws:sagemaker:{self.region}:{self.account_id}:{kind}/{name}"

    def moto(self, action: str, request: Document) -> Document:
        """Let moto answer; raises Refused where moto refuses or has not got the action."""
        url = f"https://api.sagemaker.{self.region}.amazonaws.com/"
        headers = {
            "X-Amz-Target": f"SageMaker.{action}",
            "Content-Type": "application/x-amz-json-1.1",
            "x-moto-account-id": self.account_id,
        }
        asked = Request.from_primitives("POST", url, headers, json.dumps(request))
        try:
            status, _, body = SageMakerResponse.dispatch(asked, url, asked.headers)
        except NotImplementedError as missing:
            raise Refused(f"{action} is not available in the local engine", "UnknownOperationException") from missing
        answer: Document = json.loads(body or "{}")
        if status >= 400:
            raise Refused(answer.get("Message") or answer.get("message", ""), answer["__type"])
        return answer


@dataclass
class Call:
    """One request: whose, what, and the registry events it leaves behind."""

    account: Account
    action: str
    request: Document
    caller: str
    events: list[tuple[str, Document]] = field(default_factory=list)

    def moto(self, action: str | None = None, request: Document | None = None) -> Document:
        """Let moto answer this request, or another one in its place."""
        return self.account.moto(action or self.action, self.request if request is None else request)


@functools.cache
def service_model() -> ServiceModel:
    """SageMaker's API as botocore describes it."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
