"""Logs, traces and metrics, created when a function is first invoked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from signoff.aws.clients import naming_transient_errors

Handler = Callable[[Any, Any], Any]


@cache
def logger() -> Logger:
    """Return the structured logger; `about` sets its correlation id."""
    return Logger()


@cache
def tracer() -> Tracer:
    """Return the tracer; it does nothing outside Lambda."""
    return Tracer()


@cache
def metrics() -> Metrics:
    """Return the metrics, written to the log in embedded metric format."""
    return Metrics()


def about(package: str | None) -> None:
    """Set the correlation id of all further logs to `package`, an ARN or another key of the ledger."""
    logger().set_correlation_id(package)


def count(name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add to the metric `name` in the namespace Signoff."""
    metrics().add_metric(name=name, unit=unit, value=value)


def observed(handler: Handler) -> Handler:
    """Return `handler` with logging, tracing and metrics around it, built at its first invocation."""

    @cache
    def instrumented() -> Handler:
        logged = logger().inject_lambda_context(clear_state=True)(naming_transient_errors(handler))
        traced: Handler = tracer().capture_lambda_handler(capture_response=False)(logged)
        return traced

    @wraps(handler)
    def invoked(event: Any, context: Any) -> Any:
        try:
            return instrumented()(event, context)
        finally:
            _flush_metrics()

    return invoked


def _flush_metrics() -> None:
    # `log_metrics` would warn about an invocation without metrics.
    if metrics().provider.metric_set:
        metrics().flush_metrics()
