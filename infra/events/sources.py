"""The functions' event sources: a queue, or the ledger's stream."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources

from infra.events.queues import DeadLetterQueue, WorkQueue
from infra.functions.function import Function

# One message per invocation: a copy of gigabytes must not delay other messages or time out with them.
BATCH = 1


def read_queue(function: Function, queue: WorkQueue, at_once: int) -> None:
    """Have `function` read `queue`, so many messages `at_once`: the account's other functions need executions too.

    A message that it reports as failed comes back alone.
    """
    function.add_event_source_mapping(
        "Inbox",
        event_source_arn=queue.queue_arn,
        batch_size=BATCH,
        max_concurrency=at_once,
        report_batch_item_failures=True,
    )


def read_stream(function: Function, table: dynamodb.Table, failures: DeadLetterQueue) -> None:
    """Have `function` read the stream of `table` in order; an entry that keeps failing ends in `failures`."""
    function.add_event_source_mapping(
        "Entries",
        event_source_arn=table.table_stream_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=100,
        bisect_batch_on_error=True,
        retry_attempts=10,
        max_record_age=cdk.Duration.hours(12),
        on_failure=sources.SqsDlq(failures),
        report_batch_item_failures=True,
    )
