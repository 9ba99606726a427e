"""CloudFormation: AWS::SageMaker::EndpointConfig, made by the engine's SageMaker.

As in CloudFormation's resource schema, its id is its ARN, and any change but to its tags replaces it.
"""

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]
Ask = Callable[[str, Properties], Properties]
Answer = tuple[str, Properties]

_KIND = "AWS::SageMaker::EndpointConfig"
_NAME = "EndpointConfigName"
_REPLACING = (
    *(_NAME, "ProductionVariants", "ShadowProductionVariants", "DataCaptureConfig", "AsyncInferenceConfig"),
    *("ExplainerConfig", "KmsKeyId", "VpcConfig", "EnableNetworkIsolation", "ExecutionRoleArn"),
)
_LONGEST_NAME = 63


def install(ask: Ask) -> None:
    """Have the running emulator make the type through `ask`, which takes an action and its request."""
    from ministack.services.cloudformation import provisioners

    def create(logical_id: str, properties: Properties, stack: str) -> Answer:
        name = properties.get(_NAME) or provisioners._physical_name(stack, logical_id, max_len=_LONGEST_NAME)
        return _known(ask("CreateEndpointConfig", {**properties, _NAME: name})["EndpointConfigArn"], name)

    def delete(arn: str, properties: Properties) -> None:
        ask("DeleteEndpointConfig", {_NAME: arn.rpartition("/")[2]})

    provisioners._REPLACING_PROPERTIES[_KIND] = _REPLACING
    provisioners._CUSTOM_NAME_REPLACEMENT[_KIND] = {"name": _NAME}
    provisioners._STACK_TAG_PROPERTY[_KIND] = ("Tags", "list")
    provisioners._RESOURCE_HANDLERS[_KIND] = {"create": create, "update": _unchanged, "delete": delete}


def _unchanged(arn: str, *_: Any) -> Answer:
    """Only tags can change in place, and nothing here depends on them."""
    return _known(arn, arn.rpartition("/")[2])


def _known(arn: str, name: str) -> Answer:
    return arn, {"EndpointConfigArn": arn, _NAME: name}
