"""What a model costs on AWS at list prices, as a pure function of what a run used.

Prices are of us-east-1, without free tiers, taxes and discounts, in US dollars, as their pages had them on `LOOKED_UP`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

LOOKED_UP = "2026-12-01"
GIB, MILLION = 2**30, 1_000_000


@dataclass(frozen=True)
class Price:
    """What one `unit` costs, and the page that says so."""

    amount: float
    unit: str
    source: str


_AWS = "https://aws.amazon.com"
PRICES = {
    "lambda_gb_second": Price(0.0000133334, "GB-second of Lambda (arm64)", f"{_AWS}/lambda/pricing/"),
    "lambda_request": Price(0.20 / MILLION, "invocation of Lambda", f"{_AWS}/lambda/pricing/"),
    "state": Price(0.025 / 1000, "state transition of a Standard workflow", f"{_AWS}/step-functions/pricing/"),
    "s3_write": Price(0.005 / 1000, "PUT, COPY, POST or LIST of S3", f"{_AWS}/s3/pricing/"),
    "s3_read": Price(0.0004 / 1000, "GET, HEAD or other request of S3", f"{_AWS}/s3/pricing/"),
    "s3_gb_month": Price(
        0.023, "GB-month of S3 (Standard, and Intelligent-Tiering's first tier)", f"{_AWS}/s3/pricing/"
    ),
    "dynamodb_write": Price(
        0.625 / MILLION, "write unit of DynamoDB (on demand)", f"{_AWS}/dynamodb/pricing/on-demand/"
    ),
    "dynamodb_read": Price(0.125 / MILLION, "read unit of DynamoDB (on demand)", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "dynamodb_gb_month": Price(
        0.45, "GB-month of DynamoDB with recovery (0.25 + 0.20)", f"{_AWS}/dynamodb/pricing/on-demand/"
    ),
    "event": Price(1.00 / MILLION, "event that is not free (own events, S3's)", f"{_AWS}/eventbridge/pricing/"),
    "queue_request": Price(0.40 / MILLION, "request of SQS", f"{_AWS}/sqs/pricing/"),
    "notification": Price(0.50 / MILLION, "message of SNS, without its deliveries", f"{_AWS}/sns/pricing/"),
    "log_gb": Price(0.50, "GB of logs taken in", f"{_AWS}/cloudwatch/pricing/"),
    "trace": Price(5.00 / MILLION, "trace of X-Ray", f"{_AWS}/xray/pricing/"),
    "alarm_month": Price(0.10, "alarm and month", f"{_AWS}/cloudwatch/pricing/"),
    "metric_month": Price(0.30, "metric of Signoff's own and month", f"{_AWS}/cloudwatch/pricing/"),
    "key_month": Price(1.00, "KMS key of the customer's own and month", f"{_AWS}/kms/pricing/"),
    "build_minute": Price(0.005, "minute of CodeBuild (general1.small)", f"{_AWS}/codebuild/pricing/"),
    "action_minute": Price(0.002, "minute of an action of CodePipeline (V2)", f"{_AWS}/codepipeline/pricing/"),
}


@dataclass(frozen=True)
class Assumptions:
    """What no run in memory can say: sizes, times and shares, which are guesses until AWS is measured.

    `artifact` is the model's size in bytes; `read_rate` how many of them an inspection reads in a second; `own` and
    `call` are seconds of an invocation, beside its calls and for each; `started` is the share of invocations that start
    a new environment, which takes `start` seconds; `range` is what one GET reads of an artifact; `logged` are the bytes
    that an invocation, or a state of the workflow, logs.
    """

    artifact: int = 100 * 10**6
    read_rate: int = 120 * 10**6
    own: float = 0.03
    call: float = 0.025
    started: float = 0.02
    start: float = 0.9
    range: int = 4 * 2**20
    logged: int = 2500


Usage = Mapping[str, float]
_READERS = {"KeepArtifact", "InspectArtifact"}  # which read a whole artifact: to hash it, and to inspect it


def usage(recorded: Mapping[str, Any], given: Assumptions) -> dict[str, float]:
    """Return how many units of each price one model uses, from its upload to the model that is deployable.

    `recorded` is what `tests.support.recorded_usage.record` returns.
    """
    functions = recorded["functions"]
    invocations = sum(each["invocations"] for each in functions.values())
    ranges = recorded["streams"] * ceil(given.artifact / given.range)
    states = recorded["states"] + 1  # the end is a transition, too
    return {
        "lambda_request": invocations,
        "lambda_gb_second": sum(_gb_seconds(name, each, given) for name, each in functions.items()),
        "state": states,
        "s3_write": sum(each["s3_write"] for each in functions.values()) + recorded["objects"],
        "s3_read": sum(each["s3_read"] for each in functions.values()) + ranges,
        "dynamodb_write": recorded["write_units"],
        "dynamodb_read": recorded["read_units"],
        "event": recorded["events"],
        "queue_request": 3 * recorded["messages"],  # sent, received, deleted
        "notification": recorded["notifications"],
        "log_gb": (invocations + 2 * states) * given.logged / GIB,
        "trace": invocations,
    }


def _gb_seconds(name: str, function: Mapping[str, Any], given: Assumptions) -> float:
    calls = sum(function[kind] for kind in ("s3_write", "s3_read", "other"))
    each = given.own + given.started * given.start
    reading = given.artifact / given.read_rate if name in _READERS else 0
    return float((function["invocations"] * each + calls * given.call + reading) * function["memory"] / 1024)


def stored(recorded: Mapping[str, Any], given: Assumptions) -> dict[str, float]:
    """Return what a model keeps, in GB: its copy, its week in the inbox, its documents, and its ledger."""
    in_s3 = given.artifact * (1 + 7 / 30) + recorded["document_bytes"]
    return {"s3_gb_month": in_s3 / GIB, "dynamodb_gb_month": recorded["item_bytes"] / GIB}


def at_rest(parts: Mapping[str, int], *, own_key: bool = False) -> dict[str, float]:
    """Return what a deployed stack uses in a month in which nothing happens.

    `parts` are the numbers of `alarms`, `metrics` and `queues` with a reader, and of `sweeps` in a month.
    """
    # Lambda keeps five long polls of 20 seconds open at each queue.
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    polls = parts["queues"] * 5 * 3 * 60 * 24 * 30
    return {
        "alarm_month": parts["alarms"],
        "metric_month": parts["metrics"],
        "queue_request": polls,
        "lambda_request": parts["sweeps"],
        "lambda_gb_second": parts["sweeps"] * 3 * 0.5,  # three seconds each, as a bound
        "trace": parts["sweeps"],
        "key_month": int(own_key),
    }


def pipeline_usage(minutes: Mapping[str, int], builds: int) -> dict[str, float]:
    """Return what one run of a deployment pipeline uses: actions by their minutes, of which some are `builds`."""
    return {"action_minute": sum(minutes.values()), "build_minute": builds}


def cost(used: Usage) -> dict[str, float]:
    """Return what is used in dollars, by price."""
    return {name: amount * PRICES[name].amount for name, amount in used.items()}


def total(used: Usage, times: float = 1) -> float:
    """Return what all of `used` costs, so many times."""
    return sum(cost(used).values()) * times
