"""What each function may do: the calls that it makes, on the resources that it makes them on."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.policies import PATH
from infra.roles import Grant

ANY_PACKAGE = "Which packages and groups there are is decided by those who register, not by the stack"
ANY_OBJECT = "The keys under the prefix are those of the submissions"
LIST_ONLY = "SageMaker's list calls name no resource"


@dataclass(frozen=True)
class Permissions:
    """The grants of each function, over the stack's resources.

    source_buckets are names of further buckets to read artifacts from; execution_roles are the ARNs that models may
    run under.
    """

    stack: cdk.Stack
    artifacts: s3.Bucket
    vault: s3.Bucket
    ledger: dynamodb.Table
    packages: dynamodb.Table
    submissions: dynamodb.Table
    bus: events.EventBus
    source_buckets: Sequence[str]
    execution_roles: Sequence[str]

    def register_model(self) -> list[Grant]:
        """Completes a submission: copies to the vault, creates the package, reports to the submitter."""
        return [
            Grant(("s3:ListBucket", "s3:ListBucketVersions"), (self.artifacts.bucket_arn,)),
            self._objects(
                self.artifacts,
                "*",
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:GetObjectTagging",
                "s3:GetObjectVersionTagging",
                "s3:PutObjectTagging",
                "s3:PutObjectVersionTagging",
            ),
            self._objects(self.artifacts, "*/registration-report.json", "s3:PutObject"),
            Grant(("s3:ListBucket",), (self.vault.bucket_arn,)),
            self._read_vault("models/", "registrations/"),
            self._write_vault("models/", "registrations/"),
            self._multipart("models/"),
            self._table(self.submissions, "GetItem", "PutItem", "UpdateItem", "Query"),
            *self._append(),
            self._policies(),
            self._sagemaker(
                ("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListTags", "AddTags"),
                "model-package-group/*",
            ),
            self._sagemaker(("CreateModelPackage", "DescribeModelPackage"), "model-package/*", "model-package-group/*"),
            self._images("ecr:BatchGetImage"),
        ]

    def open_validation(self) -> list[Grant]:
        """Opens an attempt: reads what the registry, the policy and the registration say, and claims the package."""
        return [
            *self._append(),
            self._describe_package(),
            self._describe_group(),
            self._policies(),
            self._read_vault("registrations/"),
            self._write_vault("policies/"),
        ]

    def inspect_artifact(self) -> list[Grant]:
        """Copies an artifact to the vault when it is not there yet, reads the copy, writes its findings."""
        sources = [f"arn:{self.stack.partition}:s3:::{name}/*" for name in self.source_buckets]
        return [
            Grant(("s3:GetObject", "s3:GetObjectVersion"), (self.artifacts.arn_for_objects("*"), *sources), ANY_OBJECT),
            self._read_vault("models/"),
            self._write_vault("models/", "findings/"),
            self._multipart("models/"),
        ]

    def record_evidence(self) -> list[Grant]:
        """Judges what was found and writes the evidence, the ledger entry and the package's metadata."""
        return [
            *self._append(),
            self._describe_package("UpdateModelPackage"),
            self._policies(),
            self._read_vault("models/", "findings/", "registrations/", "policies/", "evidence/"),
            self._write_vault("evidence/", "policies/"),
        ]

    def apply_decision(self) -> list[Grant]:
        """Decides by policy and ledger, projects the decision to the registry, extends the retention."""
        kept = ("models/", "evidence/", "policies/")
        return [
            *self._append(),
            self._describe_package("UpdateModelPackage"),
            self._describe_group(),
            self._policies(),
            self._read_vault("evidence/", "policies/", "registrations/"),
            Grant(("s3:GetObjectRetention", "s3:PutObjectRetention"), self._in_vault(*kept), ANY_OBJECT),
        ]

    def create_model(self) -> list[Grant]:
        """Makes the deployable model agree with the ledger."""
        return [
            *self._append(),
            self._describe_package("UpdateModelPackage"),
            self._describe_group(),
            self._sagemaker(("CreateModel",), "model/*", "model-package/*"),
            self._sagemaker(("DescribeModel", "DeleteModel", "AddTags", "ListTags"), "model/*"),
            Grant(("sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs"), ("*",), LIST_ONLY),
            self._sagemaker(("DescribeEndpoint",), "endpoint/*"),
            self._sagemaker(("DescribeEndpointConfig",), "endpoint-config/*"),
            Grant(
                ("iam:PassRole",),
                tuple(self.execution_roles),
                "A policy or the context names these execution roles by pattern",
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            self._read_vault("models/", "evidence/", "policies/", "registrations/"),
        ]

    def sweep(self, machine_arn: str, executions_arn: str, queues: Sequence[sqs.IQueue]) -> list[Grant]:
        """Finds what lacks its next step and starts it again, through the same queues and workflow as events do."""
        return [
            *self._append(),
            self._table(self.submissions, "GetItem", "Query", "UpdateItem", "PutItem"),
            Grant(("states:StartExecution",), (machine_arn,)),
            Grant(("states:DescribeExecution",), (executions_arn,), "Executions are named when they start"),
            Grant(("sqs:SendMessage",), tuple(queue.queue_arn for queue in queues)),
            Grant(("s3:ListBucket",), (self.artifacts.bucket_arn,)),
            Grant(("sagemaker:ListModelPackageGroups",), ("*",), LIST_ONLY),
            self._sagemaker(("ListModelPackages", "DescribeModelPackage"), "model-package/*", "model-package-group/*"),
            self._describe_group(),
            self._policies(),
        ]

    def announce(self, failures: sqs.IQueue) -> list[Grant]:
        """Reads the ledger's stream and puts its entries on the bus."""
        stream = self.ledger.table_stream_arn or ""
        return [
            Grant(("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), (stream,)),
            Grant(("dynamodb:ListStreams",), ("*",), "DynamoDB's ListStreams names no resource; Lambda asks for it"),
            Grant(("sqs:SendMessage",), (failures.queue_arn,)),
            Grant(("events:PutEvents",), (self.bus.event_bus_arn,)),
        ]

    def consume(self, queue: sqs.IQueue) -> Grant:
        """What Lambda does with a function's inbox in the function's name."""
        return Grant(("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"), (queue.queue_arn,))

    def _append(self) -> list[Grant]:
        """Reading the ledger and adding to it: a transaction of two puts, which are all that it may write."""
        return [
            self._table(self.ledger, "PutItem", "Query", "GetItem"),
            self._table(self.packages, "PutItem", "GetItem", "Query"),
        ]

    def _table(self, table: dynamodb.Table, *operations: str) -> Grant:
        actions = tuple(f"dynamodb:{operation}" for operation in operations)
        indexed = "Query" in operations and table is not self.ledger
        indexes = (f"{table.table_arn}/index/*",) if indexed else ()
        return Grant(actions, (table.table_arn, *indexes), "All indexes of the one table")

    def _policies(self) -> Grant:
        arn = self.stack.format_arn(service="ssm", resource=f"parameter{PATH}/*")
        return Grant(("ssm:GetParameter",), (arn,), "The path of the policies, one for each group")

    def _sagemaker(self, operations: Sequence[str], *resources: str) -> Grant:
        arns = tuple(self.stack.format_arn(service="sagemaker", resource=resource) for resource in resources)
        return Grant(tuple(f"sagemaker:{operation}" for operation in operations), arns, ANY_PACKAGE)

    def _describe_package(self, *more: str) -> Grant:
        return self._sagemaker(("DescribeModelPackage", *more), "model-package/*")

    def _describe_group(self) -> Grant:
        return self._sagemaker(("DescribeModelPackageGroup", "ListTags"), "model-package-group/*")

    def _images(self, *actions: str) -> Grant:
        arn = self.stack.format_arn(service="ecr", account="*", resource="repository/*")
        return Grant(actions, (arn,), "Images come from any repository, AWS's own deep learning images among them")

    def _objects(self, bucket: s3.Bucket, pattern: str, *actions: str) -> Grant:
        return Grant(actions, (bucket.arn_for_objects(pattern),), ANY_OBJECT)

    def _in_vault(self, *prefixes: str) -> tuple[str, ...]:
        return tuple(self.vault.arn_for_objects(f"{prefix}*") for prefix in prefixes)

    def _read_vault(self, *prefixes: str) -> Grant:
        return Grant(("s3:GetObject", "s3:GetObjectVersion"), self._in_vault(*prefixes), ANY_OBJECT)

    def _write_vault(self, *prefixes: str) -> Grant:
        return Grant(("s3:PutObject",), self._in_vault(*prefixes), ANY_OBJECT)

    def _multipart(self, *prefixes: str) -> Grant:
        return Grant(("s3:AbortMultipartUpload",), self._in_vault(*prefixes), ANY_OBJECT)
