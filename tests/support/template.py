"""A synthesised CloudFormation template, with its references resolved to what AWS might make of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT, REGION = "123456789012", "us-east-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::StackName": "Signoff",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Signoff/9f0c3a80-5d3e-11ef-8d3a-0e5a3f5b1c2d",
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role{path}{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
    "AWS::Events::EventBus": "arn:aws:events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::CodeBuild::Project": "arn:aws:codebuild:{region}:{account}:project/{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
}


@dataclass(frozen=True)
class SynthesizedTemplate:
    """A template's resources and outputs. A resource is named by its construct's path (`Vault`, `Rules/SweepDue`).

    `deployed` are the names that resources got in a deployment, by their logical ids; the others get made up ones.
    """

    document: Mapping[str, Any]
    deployed: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, str] = field(default_factory=lambda: _PSEUDO)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of all resources of a type, by name."""
        return {
            self.name(logical): self.resolve(resource.get("Properties", {}))
            for logical, resource in self.document["Resources"].items()
            if resource["Type"] == kind
        }

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """Return the resolved properties of the resource of that type and name."""
        return self.of_type(kind)[name]

    def raw(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the resources of a type as they stand, with what is beside their properties."""
        return (resource for resource in self.document["Resources"].values() if resource["Type"] == kind)

    def name(self, logical: str) -> str:
        """Return a resource's name: its construct's path without the stack and CDK's own last part."""
        path: str = self.document["Resources"][logical]["Metadata"]["aws:cdk:path"]
        return "/".join(part for part in path.split("/")[1:] if part != "Resource")

    def logical_ids(self, kind: str) -> list[str]:
        """Return the logical ids of all resources of a type."""
        return [logical for logical, resource in self.document["Resources"].items() if resource["Type"] == kind]

    def deployed_as(self, names: Mapping[str, str], account: str, region: str) -> "SynthesizedTemplate":
        """Return the template with the names that its resources got in an account and region."""
        there = {"AWS::AccountId": account, "AWS::Region": region}
        return SynthesizedTemplate(self.document, names, {**self.pseudo, **there})

    def role(self, name: str) -> str:
        """Return the ARN of the role of that name."""
        arn: str = self.resolve({"Fn::GetAtt": [self._logical("AWS::IAM::Role", name), "Arn"]})
        return arn

    def outputs(self) -> dict[str, Any]:
        """Return the outputs' resolved values."""
        return {key: self.resolve(output["Value"]) for key, output in self.document["Outputs"].items()}

    def resolve(self, node: Any) -> Any:
        """Return `node` with every reference replaced by a name or an ARN."""
        match node:
            case {"Ref": str(logical)}:
                return self.pseudo.get(logical) or self._physical(logical)
            case {"Fn::GetAtt": [logical, attribute]}:
                return self._attribute(logical, attribute)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(str(self.resolve(part)) for part in parts)
            case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
                return str(self.resolve(text)).split(separator)[int(index)]
            case {"Fn::Sub": str(text)}:
                return self._with_pseudo_parameters(text)
            case dict():
                return {key: self.resolve(value) for key, value in node.items()}
            case list():
                return [self.resolve(value) for value in node]
            case _:
                return node

    def _physical(self, logical: str) -> str:
        resource = self.document["Resources"][logical]
        if logical in self.deployed:
            return self.deployed[logical]
        if resource["Type"] == "AWS::S3::Bucket":
            return f"signoff-{self.name(logical).lower()}"
        if resource["Type"] == "AWS::Events::EventBus":
            return str(resource["Properties"]["Name"])
        if resource["Type"] in ("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"):
            return str(self._attribute(logical, "Arn"))
        return f"Signoff-{self.name(logical).replace('/', '-')}"

    def _attribute(self, logical: str, attribute: str) -> Any:
        resource = self.document["Resources"][logical]
        kind, name = resource["Type"], f"Signoff-{self.name(logical).replace('/', '-')}"
        if kind in ("AWS::S3::Bucket", "AWS::Events::EventBus") or logical in self.deployed:
            name = _last(self._physical(logical))
        region, account = self.pseudo["AWS::Region"], self.pseudo["AWS::AccountId"]
        arn = _ARNS[kind].format(
            name=name, region=region, account=account, path=resource.get("Properties", {}).get("Path", "/")
        )
        if attribute == "StreamArn":
            return f"{arn}/stream/2026-03-02T09:00:00.000"
        return arn if attribute == "Arn" else name

    def _logical(self, kind: str, name: str) -> str:
        resources = self.document["Resources"]
        return next(key for key in resources if resources[key]["Type"] == kind and self.name(key) == name)

    def _with_pseudo_parameters(self, text: str) -> str:
        for name, value in self.pseudo.items():
            text = text.replace(f"${{{name}}}", value)
        return text


def _last(physical: str) -> str:
    """Return the name in an ARN or in a queue's URL, and any other name as it is."""
    if physical.startswith("arn:"):
        return physical.rpartition(":")[2]
    return physical.rpartition("/")[2] if physical.startswith("http") else physical
