"""The right to operate: a managed policy for `signoff doctor`, `redrive` and `revalidate`. It decides nothing."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import names
from infra.access.compliance import acknowledge_wildcards
from infra.access.roles import Grant, document


class OperatorPolicy(iam.ManagedPolicy):
    """`SignoffOperator-<region>`: to be attached to the operators' role, which the guardrails name by --operator.

    `inboxes` are the queues that dead letters go back to, `workflow` the ARNs of the state machine and of its
    executions, `functions` those whose logs are read, `invoked` those that commands run by hand; `forwards` says
    whether other accounts hear events.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        inboxes: Sequence[sqs.IQueue],
        dead_letters: Sequence[sqs.IQueue],
        ledger: dynamodb.Table,
        packages: dynamodb.Table,
        workflow: tuple[str, str],
        functions: Sequence[lambda_.Function],
        invoked: Sequence[lambda_.Function],
        forwards: bool,
        keys: Sequence[Grant],
    ) -> None:
        stack = cdk.Stack.of(scope)
        machine, executions = workflow
        buses = names.bus_arn(stack, account="*")
        grants = [
            *_looking(stack),
            *_reading(ledger, packages),
            *_moving(inboxes, dead_letters),
            Grant(("states:DescribeExecution",), (executions,), "Executions are named by Step Functions"),
            Grant(("states:StartExecution",), (machine,)),
            Grant(("lambda:InvokeFunction",), tuple(each.function_arn for each in invoked)),
            Grant(("logs:FilterLogEvents",), tuple(each.log_group.log_group_arn for each in functions)),
            *([Grant(("events:PutEvents",), (buses,), "Each account's bus decides for itself")] if forwards else []),
            *keys,
        ]
        super().__init__(
            scope,
            construct_id,
            managed_policy_name=f"SignoffOperator-{stack.region}",
            description="Sees what is stuck, redrives dead letters and has packages validated again",
            document=document(grants),
        )
        for grant in grants:
            acknowledge_wildcards(self, grant.resources, grant.reason)


def _looking(stack: cdk.Stack) -> list[Grant]:
    """What `signoff doctor` asks of the machinery."""

    def every(service: str, resource: str) -> str:
        return stack.format_arn(service=service, resource=f"{resource}:*")

    stacks = stack.format_arn(service="cloudformation", resource=f"stack/{stack.stack_name}/*")
    policies = tuple(
        stack.format_arn(service="ssm", resource=f"parameter{names.POLICIES}{below}") for below in ("", "/*")
    )
    return [
        Grant(
            (
                "cloudformation:DescribeStacks",
                "cloudformation:DescribeStackEvents",
                "cloudformation:ListStackResources",
            ),
            (stacks,),
            "A stack's ARN ends in an id that AWS makes up",
        ),
        Grant(("events:ListRules",), ("*",), "EventBridge's list calls name no resource"),
        Grant(("cloudwatch:DescribeAlarms",), (every("cloudwatch", "alarm"),), "It lists by prefix"),
        Grant(
            ("lambda:GetEventSourceMapping",),
            (every("lambda", "event-source-mapping"),),
            "Lambda makes up the ids of event source mappings",
        ),
        Grant(
            ("ssm:GetParametersByPath", "ssm:GetParameter", "ssm:GetParameterHistory"),
            policies,
            "All that lies under the policies' path",
        ),
    ]


def _reading(ledger: dynamodb.Table, packages: dynamodb.Table) -> list[Grant]:
    """The ledger and its index, and for a day what was appended, as the stream has it."""
    return [
        Grant(("dynamodb:Query",), (ledger.table_arn,)),
        Grant(("dynamodb:Scan",), (packages.table_arn,)),
        Grant(("dynamodb:Query",), (f"{packages.table_arn}/index/*",), "All indexes of the one table"),
        Grant(("dynamodb:GetShardIterator", "dynamodb:GetRecords"), (ledger.table_stream_arn or "",)),
    ]


def _moving(inboxes: Sequence[sqs.IQueue], dead_letters: Sequence[sqs.IQueue]) -> list[Grant]:
    """Reading dead letters, and moving or dropping them.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    moving = ("sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks")
    taking = ("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return [
        Grant((*taking, *moving), tuple(each.queue_arn for each in dead_letters)),
        Grant(("sqs:SendMessage", "sqs:GetQueueAttributes"), tuple(each.queue_arn for each in inboxes)),
    ]
