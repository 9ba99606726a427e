"""SageMaker in the engine: its registry and models by our own rules, the rest by moto.

A request goes to the rule for its action, if there is one, otherwise to moto. Everything runs on the
server's one event loop, one request after another, which is what the stores and moto, not being thread-safe, need.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker import group_policies, groups, lineage, models, package_lists, packages, tags, transform_jobs
from local.sagemaker.account import ApiCall, Clock, Regions, RequestRefused, TransformJob, service_model
from signoff.service_model.constraints import faults

Response = tuple[int, dict[str, str], bytes]
Publish = Callable[[str, dict[str, Any]], None]
Identify = Callable[[Mapping[str, str]], tuple[str, str, str]]
Rules = Mapping[str, Callable[[ApiCall], dict[str, Any]]]
Authorize = Callable[[Mapping[str, str], str, str], None]

_RULES = {
    **groups.RULES,
    **group_policies.RULES,
    **packages.RULES,
    **package_lists.RULES,
    **models.RULES,
    **tags.RULES,
    **transform_jobs.RULES,
    **lineage.RULES,
}
_JSON = {"Content-Type": "application/x-amz-json-1.1"}


class SageMakerApi:
    """SageMaker's control plane for every account and region of one engine."""

    def __init__(
        self,
        identify: Identify,
        publish: Publish,
        *,
        authorize: Authorize = lambda headers, action, resource: None,
        holds: Callable[[str], bool] = lambda url: True,
        pulls: Callable[[str], bool] = lambda image: True,
        finds: Callable[[str], bool] = lambda url: True,
        transforms: Callable[[TransformJob], None] = lambda job: None,
        rules: Rules | None = None,
        clock: Clock = time.time,
    ) -> None:
        """Take how to know a request's account, region and caller's ARN, and how to put an event on the bus.

        `authorize` raises RequestRefused when identity policies do not let the request (its headers) do an action to a
        resource; `holds` says whether S3 has an object at a URL (or any below one that ends in `/`), `pulls` whether
        ECR has an image, and `finds` whether S3 has any object whose URL begins so; `transforms` begins to run a
        transform job; `rules` are those of further actions.
        """
        self._identify = identify
        self._publish = publish
        self._authorize = authorize
        self._holds = holds
        self._pulls = pulls
        self._finds = finds
        self._transforms = transforms
        self._rules = {**_RULES, **(rules or {})}
        self._regions = Regions(clock)

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, query: Mapping[str, Any]
    ) -> Response:
        """Answer one request in the way the emulator's other services do: status, headers, body."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]

        def authorize(action: str, resource: str) -> None:
            self._authorize(headers, action, resource)

        try:
            answer = self.ask(action, json.loads(body or b"{}"), *self._identify(headers), authorize)
        except RequestRefused as refusal:
            error = {"__type": refusal.code, "message": refusal.message}
            return 400, {**_JSON, "x-amzn-errortype": refusal.code}, json.dumps(error).encode()
        return 200, dict(_JSON), json.dumps(answer).encode()

    def ask(
        self,
        action: str,
        request: dict[str, Any],
        account_id: str,
        region: str,
        caller: str,
        authorize: Callable[[str, str], None] = lambda action, resource: None,
    ) -> dict[str, Any]:
        """Answer one request of the caller (an ARN) to an account's SageMaker in a region; raises RequestRefused."""
        _check(action, request)
        account = self._regions.account(account_id, region)
        looks = (self._holds, self._pulls, self._finds)
        call = ApiCall(account, action, request, caller, self._regions, authorize, *looks, self._transforms)
        rule = self._rules.get(action)
        answer = rule(call) if rule else call.moto()
        for arn, detail in call.events:
            self._publish(arn, detail)
        return answer


def _check(action: str, request: dict[str, Any]) -> None:
    """Refuse what the service model does not allow, as SageMaker does and moto does not."""
    model = service_model()
    if action not in model.operation_names:
        raise RequestRefused(f"SageMaker has no operation {action!r}", "UnknownOperationException")
    found = faults(model.operation_model(action).input_shape, request)
    if found:
        errors = "; ".join(f"Value at '{fault.path}' failed to satisfy constraint: {fault.message}" for fault in found)
        raise RequestRefused(f"{len(found)} validation error{'s'[: len(found) - 1]} detected: {errors}")
