"""SageMaker's projects and Service Catalog's products, as far as `signoff projects` asks about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRODUCT = "prod-1"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:project"
ANN = "arn:aws:iam::123456789012:user/ann"


def project(name: str = "churn", status: str = "CreateCompleted", **fields: Any) -> dict[str, Any]:
    """Return what DescribeProject says of a project made from the product's version v1."""
    product = {"ProductId": PRODUCT, "ProvisioningArtifactId": "pa-1"}
    return {
        "ProjectName": name,
        "ProjectArn": f"{ARN}/{name}",
        "ProjectId": f"p-{name}",
        "ProjectStatus": status,
        "CreationTime": MONDAY,
        "CreatedBy": {"IamIdentity": {"Arn": ANN}},
        "ServiceCatalogProvisioningDetails": product,
        "ServiceCatalogProvisionedProductDetails": {"ProvisionedProductId": "pp-1"},
        **fields,
    }


def made_from_s3(name: str = "churn", url: str = "https://s3/t/v1.json", **detail: Any) -> dict[str, Any]:
    """Return what DescribeProject says of a project made from a template in S3."""
    described = project(name)
    del described["ServiceCatalogProvisioningDetails"], described["ServiceCatalogProvisionedProductDetails"]
    stack = {"StatusMessage": "CREATE_COMPLETE"}
    detail = {"TemplateName": "signoff", "TemplateURL": url, "StackDetail": stack, **detail}
    return {**described, "TemplateProviderDetails": [{"CfnTemplateProviderDetail": detail}]}


def refused(code: str, message: str, operation: str) -> ClientError:
    """Return the error that boto3 raises for a refusal."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeSageMaker:
    """Projects by name. An update leaves the statuses in `then`, one for each time that somebody looks."""

    def __init__(self, *projects: dict[str, Any]) -> None:
        self.projects = {each["ProjectName"]: each for each in projects}
        self.lists: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.then: list[dict[str, Any]] = []
        self.refusal: ClientError | None = None

    def list_projects(self, **request: Any) -> dict[str, Any]:
        self.lists.append(request)
        names = sorted(self.projects)
        start = int(request.get("NextToken", 0))
        end = start + request["MaxResults"]
        summary = ("ProjectName", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")
        page = [{field: self.projects[name][field] for field in summary} for name in names[start:end]]
        return {"ProjectSummaryList": page, **({"NextToken": str(end)} if end < len(names) else {})}

    def describe_project(self, ProjectName: str) -> dict[str, Any]:  # noqa: N803 -- the API's own name
        if ProjectName not in self.projects:
            raise refused("ValidationException", f"Project {ARN}/{ProjectName} does not exist", "DescribeProject")
        described = self.projects[ProjectName]
        if self.updates and self.then:
            described = self.projects[ProjectName] = described | self.then.pop(0)
        return {**described, "ResponseMetadata": {}}

    def update_project(self, **request: Any) -> dict[str, Any]:
        if self.refusal:
            raise self.refusal
        self.updates.append(request)
        return {"ProjectArn": f"{ARN}/{request['ProjectName']}"}


class FakeServiceCatalog:
    """One product with versions v1, v2 and so on, each an hour after the one before."""

    def __init__(self, versions: int = 1, deprecated: tuple[str, ...] = ()) -> None:
        self.asked = 0
        self.visible = True
        self._artifacts = [
            {
                "Id": f"pa-{number}",
                "Name": f"v{number}",
                "CreatedTime": MONDAY + timedelta(hours=number),
                "Guidance": "DEPRECATED" if f"v{number}" in deprecated else "DEFAULT",
            }
            for number in range(versions, 0, -1)
        ]

    def describe_product(self, Id: str) -> dict[str, Any]:  # noqa: N803 -- the API's own name
        self.asked += 1
        if not self.visible or Id != PRODUCT:
            raise refused("ResourceNotFoundException", f"Product {Id} not found.", "DescribeProduct")
        return {"ProvisioningArtifacts": self._artifacts}


class FakeGroups:
    """Model package groups with their tags."""

    def __init__(self, **projects: str) -> None:
        self._projects = projects

    def groups(self) -> Iterator[tuple[str, dict[str, str]]]:
        for group, name in self._projects.items():
            yield group, {"sagemaker:project-id": f"p-{name}"} if name else {}
