"""One account's SageMaker in one region, and one request to it.

Registry, models, transform jobs, their tags and lineage are kept here; endpoints and their configurations are moto's.
"""

import functools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from moto.core.request import Request
from moto.sagemaker.responses import SageMakerResponse

Document = dict[str, Any]
Clock = Callable[[], float]


class RequestRefused(Exception):
    """Raised when SageMaker refuses a request; `code` is the AWS error code."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class GroupRecord:
    """A model package group: its description, its packages by version, and its last version number."""

    described: Document
    packages: dict[int, Document] = field(default_factory=dict)
    versions: int = 0

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return str(self.described["ModelPackageGroupArn"])


@dataclass
class TransformJob:
    """A job: its description, which changes while it runs, its model's containers, and how it is cancelled."""

    described: Document
    containers: list[Document]
    role: str
    now: Callable[[], float]
    cancel: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def status(self) -> str:
        """The job's TransformJobStatus."""
        return str(self.described["TransformJobStatus"])

    @property
    def stopping(self) -> bool:
        """Whether somebody asked it to stop."""
        return self.status == "Stopping"

    def begin(self) -> None:
        """Say that its instance has started."""
        self.described["TransformStartTime"] = self.now()

    def end(self, reason: str | None = None) -> None:
        """Say what became of it: completed, or failed for a reason; stopped, if that was asked for before."""
        with self.lock:
            status = "Stopped" if self.stopping else "Failed" if reason else "Completed"
            ended = {"TransformEndTime": self.now(), "TransformJobStatus": status}
            self.described.update(ended | ({"FailureReason": reason[:1024]} if status == "Failed" and reason else {}))


class AccountState:
    """One account's resources in one region. Groups and packages are keyed by lower-case name, as in their ARNs."""

    def __init__(self, account_id: str, region: str, clock: Clock = time.time) -> None:
        self.account_id = account_id
        self.region = region
        self.groups: dict[str, GroupRecord] = {}
        self.unversioned: dict[str, Document] = {}
        self.models: dict[str, Document] = {}
        self.transform_jobs: dict[str, TransformJob] = {}
        self.actions: dict[str, Document] = {}
        self.artifacts: dict[str, Document] = {}
        self.associations: list[Document] = []
        self.policies: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.tokens: dict[tuple[str, str], tuple[Document, str]] = {}
        self._clock = clock
        self._last = 0.0

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource, from its kind (`model`, `model-package-group`) and name."""
        return f"arn:aws:sagemaker:{self.region}:{self.account_id}:{kind}/{name}"

    def now(self) -> float:
        """The time in seconds, strictly increasing, so that creation order is sort order."""
        self._last = round(max(self._clock(), self._last + 1e-6), 6)
        return self._last

    def moto(self, action: str, request: Document) -> Document:
        """Let moto handle it; raises RequestRefused where moto refuses or lacks the action."""
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
            raise RequestRefused(
                f"{action} is not available in the local engine", "UnknownOperationException"
            ) from missing
        answer: Document = json.loads(body or "{}")
        if status >= 400:
            raise RequestRefused(answer.get("Message") or answer.get("message", ""), answer["__type"])
        return answer


class Regions:
    """Every account's SageMaker in every region of one engine."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._accounts: dict[tuple[str, str], AccountState] = {}

    def account(self, account_id: str, region: str) -> AccountState:
        """The account's SageMaker in the region; an empty one if it was never used."""
        key = (account_id, region)
        if key not in self._accounts:
            self._accounts[key] = AccountState(account_id, region, self._clock)
        return self._accounts[key]

    def others(self, account: AccountState) -> list[AccountState]:
        """The other accounts in the account's region."""
        return [each for each in self._accounts.values() if each.region == account.region and each is not account]


def _nobody_asks(action: str, resource: str) -> None:
    """Allow everything: the engine evaluates identity policies elsewhere."""


@dataclass
class ApiCall:
    """One request: the caller, the action, and the registry events that it causes."""

    account: AccountState
    action: str
    request: Document
    caller: str
    regions: Regions = field(default_factory=Regions)
    authorize: Callable[[str, str], None] = _nobody_asks
    holds: Callable[[str], bool] = lambda url: True
    pulls: Callable[[str], bool] = lambda image: True
    finds: Callable[[str], bool] = lambda url: True
    transforms: Callable[[TransformJob], None] = lambda job: None
    events: list[tuple[str, Document]] = field(default_factory=list)

    def moto(self, action: str | None = None, request: Document | None = None) -> Document:
        """Let moto answer this request, or another one in its place."""
        return self.account.moto(action or self.action, self.request if request is None else request)

    def owner(self, name: str) -> AccountState:
        """The account of a name (this one) or an ARN (the one in it); raises RequestRefused for another region."""
        if not name.startswith("arn:"):
            return self.account
        region, account_id = name.split(":")[3:5]
        if region != self.account.region:
            raise RequestRefused(f"Invalid ARN {name}: it is of region {region}, and this is {self.account.region}")
        return self.regions.account(account_id, region)

    @property
    def identity(self) -> Document:
        """The caller as a UserContext."""
        return {"IamIdentity": {"Arn": self.caller, "PrincipalId": self.caller.rpartition("/")[2]}}


@functools.cache
def service_model() -> ServiceModel:
    """SageMaker's API as botocore describes it."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"))


@functools.cache
def members(shape: str) -> tuple[str, ...]:
    """The names of the fields of one of SageMaker's structures."""
    return tuple(service_model().shape_for(shape).members)


def only(shape: str, document: Document) -> Document:
    """The fields of a document that the structure has."""
    return {name: document[name] for name in members(shape) if name in document}
