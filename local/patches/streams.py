"""DynamoDB streams to Lambda: limited retries, bisected batches, partial failures, failure destinations.

The emulator's reader treats a batch as handled when the function names failed records, and retries forever a batch
that the function refuses. This one follows "Using Lambda with DynamoDB": a failed record blocks later records
until it is handled, or its retries are exhausted and it goes to the mapping's failure destination.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

Records = list[dict[str, Any]]

_PAUSE_SECONDS = 0.1


@dataclass
class MappingProgress:
    """The retry state of a mapping's current batch."""

    attempts: int = 0
    limit: int | None = None
    not_before: float = 0.0
    busy: bool = False


def install() -> None:
    """Replace the emulator's reader by this one."""
    from ministack.services import lambda_svc

    lambda_svc._poll_dynamodb_streams = StreamReader().poll


class StreamReader:
    """Reads every table's stream for the functions mapped to it, one batch of a mapping at a time."""

    def __init__(self) -> None:
        self._progress: dict[str, MappingProgress] = {}

    def poll(self) -> bool:
        """Start a batch for each mapping that has one waiting; true when any was started."""
        from ministack.core.responses import request_scope
        from ministack.services import lambda_svc

        started = False
        for account, region, mapping in lambda_svc._iter_all_esms():
            if ":dynamodb:" in mapping.get("EventSourceArn", "") and mapping.get("Enabled", True):
                with request_scope(account, region):
                    started = self._start(account, region, mapping) or started
        return started

    def _start(self, account: str, region: str, mapping: dict[str, Any]) -> bool:
        progress = self._progress.setdefault(mapping["UUID"], MappingProgress())
        if progress.busy or time.monotonic() < progress.not_before:
            return False
        batch = _waiting(mapping, progress.limit)
        if not batch:
            return False
        progress.busy = True
        arguments = (account, region, mapping, progress, batch)
        threading.Thread(target=self._run, args=arguments, daemon=True).start()
        return True

    def _run(
        self, account: str, region: str, mapping: dict[str, Any], progress: MappingProgress, batch: Records
    ) -> None:
        from ministack.core.responses import request_scope
        from ministack.services import lambda_svc

        try:
            with request_scope(account, region):
                _deliver(mapping, progress, batch)
        finally:
            progress.busy = False
            lambda_svc._esm_wake.set()


def settled(batch: Records, result: dict[str, Any], partial: bool) -> int:
    """How many records at the batch's start need no retry, by the function's result."""
    if result.get("error"):
        return 0
    body = result.get("body")
    failures = body.get("batchItemFailures") if partial and isinstance(body, dict) else None
    if not failures:
        return len(batch)
    order = {record["dynamodb"]["SequenceNumber"]: index for index, record in enumerate(batch)}
    # An identifier that names no record of the batch fails all of it, as on AWS.
    return min(order.get(str(failure.get("itemIdentifier")), 0) for failure in failures)


def _waiting(mapping: dict[str, Any], limit: int | None) -> Records:
    from ministack.services import dynamodb, lambda_svc

    table = _table(mapping)
    lambda_svc._init_stream_position(mapping["UUID"], mapping["EventSourceArn"], mapping.get("StartingPosition"))
    if table not in dynamodb._tables:
        return []
    positions = lambda_svc._dynamodb_stream_positions
    # What has expired meanwhile is gone.
    positions[mapping["UUID"]] = max(positions[mapping["UUID"]], dynamodb.stream_start_position(table))
    size = limit or int(mapping.get("BatchSize", 100))
    records: Records = dynamodb.stream_records_since(table, positions[mapping["UUID"]], size)
    return records


def _deliver(mapping: dict[str, Any], progress: MappingProgress, batch: Records) -> None:
    from ministack.services import lambda_svc

    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if function is None:
        return
    wanted = lambda_svc._apply_filter_criteria(batch, mapping)
    result = lambda_svc._execute_function(function, {"Records": wanted}) if wanted else {}
    done = settled(batch, result, "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []))
    if result.get("throttle"):
        # The batch did not reach the function, which is no attempt: it waits as long as its records are kept.
        # https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html (retry attempts)
        progress.not_before = time.monotonic() + _PAUSE_SECONDS
        return
    if done == 0:
        progress.attempts += 1
        progress.not_before = time.monotonic() + _PAUSE_SECONDS
        if len(batch) > 1 and mapping.get("BisectBatchOnFunctionError"):
            progress.limit = len(batch) // 2
            progress.attempts = 0
            return
        if not _given_up(mapping, progress):
            return
        lambda_svc._send_ddb_stream_failure_record(
            mapping, function, batch, mapping["EventSourceArn"], result, "RetryAttemptsExhausted"
        )
        done = len(batch)
    lambda_svc._dynamodb_stream_positions[mapping["UUID"]] += done
    progress.attempts, progress.limit = 0, None


def _given_up(mapping: dict[str, Any], progress: MappingProgress) -> bool:
    most = int(mapping.get("MaximumRetryAttempts", -1))
    return 0 <= most < progress.attempts


def _table(mapping: dict[str, Any]) -> str:
    name: str = mapping["EventSourceArn"].partition(":table/")[2].partition("/")[0]
    return name
