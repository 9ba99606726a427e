"""Alarms on everything that waits for a person, fails, or takes too long."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

PERIOD = 5  # minutes
HOUR = 3600
DAY = 24 * HOUR


class Alarms(Construct):
    """Makes the alarms; each notifies the topic at `topic_arn`, if there is one."""

    def __init__(self, scope: Construct, construct_id: str, *, topic_arn: str | None) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic_arn)) if topic_arn else None

    def on_dead_letters(self, queue: sqs.Queue) -> None:
        """Alarm when anything lies in a dead-letter queue."""
        self._alarm(
            f"{queue.node.id}Waiting",
            queue.metric_approximate_number_of_messages_visible(period=_period(), statistic="Maximum"),
            "Something could not be delivered or handled: read it, mend the cause, redrive the queue",
        )

    def on_queue(self, queue: sqs.Queue) -> None:
        """Alarm when a message has waited for two hours, through several attempts."""
        self._alarm(
            f"{queue.node.id}Old",
            queue.metric_approximate_age_of_oldest_message(period=_period(), statistic="Maximum"),
            "Messages wait longer than their function should need: is it failing, or throttled?",
            above=2 * HOUR,
        )

    def on_function(self, function: lambda_.Function) -> None:
        """Alarm when a function fails or is throttled."""
        self._alarm(
            f"{function.node.id}Errors",
            function.metric_errors(period=_period()),
            "A function raised an error: its log group says which",
        )
        self._alarm(
            f"{function.node.id}Throttles",
            function.metric_throttles(period=_period()),
            "A function was throttled: raise its concurrency, or the account's",
        )

    def on_workflow(self, machine: sfn.StateMachine) -> None:
        """Alarm when a validation fails, times out or is aborted."""
        for what, metric in (
            ("Failed", machine.metric_failed(period=_period())),
            ("TimedOut", machine.metric_timed_out(period=_period())),
            ("Aborted", machine.metric_aborted(period=_period())),
        ):
            self._alarm(
                f"Validation{what}",
                metric,
                "A validation ended without a verdict: the ledger says whether another begins by itself",
            )

    def on_progress(self) -> None:
        """Alarm on the functions' own metrics: stuck packages, models not retired, break-glass approvals."""
        self._alarm(
            "OldestValidating",
            _own_metric("OldestValidatingSeconds", "Maximum"),
            "A package has been validating for over an hour",
            above=HOUR,
        )
        self._alarm(
            "RoundLate",
            _own_metric("RoundSeconds", "Maximum"),
            "The sweep has not looked at everything within a day: let it make more calls (context sweepCalls)",
            above=DAY,
        )
        self._alarm(
            "BreakGlassUsed",
            _own_metric("BreakGlass", "Sum"),
            "Somebody approved a package alone, past the number of approvals that its policy asks for: ask them why",
        )
        self._alarm(
            "DeploymentFailed",
            _own_metric("DeploymentFailed", "Sum"),
            "A model could not be made or deleted in another account or region: the ledger says where and why",
        )
        self._alarm(
            "RetirementBlocked",
            _own_metric("RetirementBlocked", "Sum"),
            "A model that is no longer signed is still in use by an endpoint: the ledger names it",
        )

    def _alarm(self, construct_id: str, metric: cloudwatch.IMetric, what: str, above: int = 0) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=what,
            metric=metric,
            threshold=above,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._action:
            alarm.add_alarm_action(self._action)


def _own_metric(name: str, statistic: str) -> cloudwatch.Metric:
    """A metric that the functions publish; Powertools adds the service's name to each as a dimension."""
    return cloudwatch.Metric(
        namespace="Signoff",
        metric_name=name,
        dimensions_map={"service": "signoff"},
        period=_period(),
        statistic=statistic,
    )


def _period() -> cdk.Duration:
    return cdk.Duration.minutes(PERIOD)
