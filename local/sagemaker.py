"""SageMaker in the engine: moto's, behind the emulator's front door, with its gaps closed by rules.

A request goes to the rule for its action, if there is one, else straight to moto. Everything runs on the
server's one event loop, one request after another, which is what moto, not being thread-safe, needs.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local import group_policies, model_registry, models
from local.sagemaker_account import Account, Call, Refused, service_model
from signoff.constraints import faults

Response = tuple[int, dict[str, str], bytes]
Publish = Callable[[str, dict[str, Any]], None]
Identify = Callable[[Mapping[str, str]], tuple[str, str, str]]

_RULES = {**model_registry.RULES, **group_policies.RULES, **models.RULES}
_JSON = {"Content-Type": "application/x-amz-json-1.1"}


class SageMaker:
    """SageMaker's control plane for every account and region of one engine."""

    def __init__(self, identify: Identify, publish: Publish) -> None:
        """Take how to know a request's account, region and caller's ARN, and how to put an event on the bus."""
        self._identify = identify
        self._publish = publish
        self._accounts: dict[tuple[str, str], Account] = {}

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, query: Mapping[str, Any]
    ) -> Response:
        """Answer one request in the way the emulator's other services do: status, headers, body."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            answer = self.ask(action, json.loads(body or b"{}"), *self._identify(headers))
        except Refused as refusal:
            error = {"__type": refusal.code, "message": refusal.message}
            return 400, {**_JSON, "x-amzn-errortype": refusal.code}, json.dumps(error).encode()
        return 200, dict(_JSON), json.dumps(answer).encode()

    def ask(self, action: str, request: dict[str, Any], account_id: str, region: str, caller: str) -> dict[str, Any]:
        """Answer one request of the caller (an ARN) to an account's SageMaker in a region; raises Refused."""
        _check(action, request)
        account = self._accounts.setdefault((account_id, region), Account(account_id, region))
        call = Call(account, action, request, caller)
        rule = _RULES.get(action)
        answer = rule(call) if rule else call.moto()
        for arn, detail in call.events:
            self._publish(arn, detail)
        return answer


def _check(action: str, request: dict[str, Any]) -> None:
    """Refuse what the service model does not allow, as SageMaker does and moto does not."""
    model = service_model()
    if action not in model.operation_names:
        raise Refused(f"SageMaker has no operation {action!r}", "UnknownOperationException")
    found = faults(model.operation_model(action).input_shape, request)
    if found:
        errors = "; ".join(f"Value at '{fault.path}' failed to satisfy constraint: {fault.message}" for fault in found)
        raise Refused(f"{len(found)} validation error{'s'[: len(found) - 1]} detected: {errors}")
