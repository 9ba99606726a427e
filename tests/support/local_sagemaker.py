"""The engine's SageMaker without the engine: asked in one process, with a clock and an S3 of the test's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.sagemaker.account import RequestRefused, TransformJob
from local.sagemaker.api import SageMakerApi

OWN, OTHER, REGION = "111111111111", "222222222222", "us-east-1"
IMAGE = f"{OWN}.dkr.ecr.{REGION}.amazonaws.com/serve@sha256:" + "0" * 64
ROLE = f"arn:aws:iam::{OWN}:role/execution"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://data/model.tar.gz"}
SPECIFICATION = {"Containers": [CONTAINER]}
INSTANCES = {
    "SupportedTransformInstanceTypes": ["ml.m5.large"],
    "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
}


class LocalSageMaker:
    """One SageMaker for all accounts; what is asked of it is asked by `account` in `region` as `caller`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.objects = {"s3://data/model.tar.gz"}
        self.started: list[TransformJob] = []  # transform jobs, which go on as the test says
        self.forbidden: set[tuple[str, str]] = set()
        self.time = 1_700_000_000.0
        self._sagemaker = SageMakerApi(
            lambda headers: (OWN, REGION, ""),
            lambda arn, detail: self.events.append((arn, detail)),
            holds=self._holds,
            pulls=lambda image: "/absent" not in image,
            finds=lambda url: any(each.startswith(url) for each in self.objects),
            transforms=self.started.append,
            clock=lambda: self.time,
        )

    def ask(
        self, action: str, account: str = OWN, region: str = REGION, caller: str | None = None, **request: Any
    ) -> dict[str, Any]:
        caller = caller or f"arn:aws:iam::{account}:root"
        return self._sagemaker.ask(action, request, account, region, caller, self._authorize)

    def refusal(self, action: str, **request: Any) -> tuple[str, str]:
        """The code and the message with which a request is refused."""
        with pytest.raises(RequestRefused) as caught:
            self.ask(action, **request)
        return caught.value.code, caught.value.message

    def group(self, name: str = "tumours", **more: Any) -> str:
        return str(self.ask("CreateModelPackageGroup", ModelPackageGroupName=name, **more)["ModelPackageGroupArn"])

    def package(self, group: str = "tumours", **more: Any) -> str:
        return str(self.ask("CreateModelPackage", ModelPackageGroupName=group, **more)["ModelPackageArn"])

    def approved(self, group: str = "tumours", **more: Any) -> str:
        return self.package(
            group, **{"ModelApprovalStatus": "Approved", "InferenceSpecification": SPECIFICATION, **more}
        )

    def package_described(self, name: str, **more: Any) -> dict[str, Any]:
        return self.ask("DescribeModelPackage", ModelPackageName=name, **more)

    def model(self, name: str = "m", **request: Any) -> dict[str, Any]:
        """Create a model and describe it."""
        self.ask("CreateModel", ModelName=name, **request)
        return self.ask("DescribeModel", ModelName=name)

    def pages(self, action: str, items: str, **request: Any) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list, each asked for when it is wanted."""
        while True:
            answer = self.ask(action, **request)
            yield answer[items]
            if "NextToken" not in answer:
                return
            request["NextToken"] = answer["NextToken"]

    def _holds(self, url: str) -> bool:
        return any(each.startswith(url) if url.endswith("/") else each == url for each in self.objects)

    def _authorize(self, action: str, resource: str) -> None:
        if (action, resource) in self.forbidden:
            raise RequestRefused(
                f"not authorized to perform: {action} on resource: {resource}", "AccessDeniedException"
            )
