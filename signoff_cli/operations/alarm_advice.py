"""The commands for each alarm: the same as docs/operations.md has in the alarm's section."""

from __future__ import annotations

from collections.abc import Mapping

from signoff_cli.operations.parts import FUNCTION, LOG_GROUP, Parts

# Lambda's quota of concurrent executions in a region.
# https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_lambda.html
_CONCURRENCY = "L-B99A9384"
_ERRORED = "signoff list --status ValidationErrored"
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "ValidationFailed": (_ERRORED,),
    "ValidationTimedOut": (_ERRORED,),
    "ValidationAborted": (_ERRORED,),
    "OldestValidating": ("signoff list --status Validating",),
    "BreakGlassUsed": ("signoff list --status Approved --since P1D",),
    "DeploymentFailed": ("signoff list --status Approved --since P1D",),
    "RetirementBlocked": ("signoff doctor",),
    "RoundLate": ('make deploy CONTEXT="-c sweepCalls=<more>"',),
}


def advice(alarm: str, parts: Parts, sweep: str) -> tuple[str, ...]:
    """Return the commands that show, and where they can mend, what the alarm of that name rings for.

    `sweep` is the command that has the sweep run at once. Of an alarm that this version does not know, its history.
    """
    if alarm.endswith("DeadLettersWaiting"):
        return (f"signoff redrive {alarm.removesuffix('Waiting')}",)
    if alarm.endswith("QueueOld"):
        return ("signoff doctor", sweep)
    for suffix in ("Errors", "Throttles"):
        function = alarm.removesuffix(suffix)
        if function != alarm and function in parts.of(FUNCTION):
            return _of_function(function, suffix, parts)
    if alarm == "DeploymentFailed":
        return (*_BY_NAME[alarm], sweep)
    return _BY_NAME.get(alarm) or (f"aws cloudwatch describe-alarms --alarm-name-prefix {alarm}",)


def _of_function(function: str, suffix: str, parts: Parts) -> tuple[str, ...]:
    if suffix == "Errors":
        group = parts.one(LOG_GROUP, f"{function}Logs")
        return (f"aws logs tail {group} --since 2h --filter-pattern ERROR",)
    raised = f"--service-code lambda --quota-code {_CONCURRENCY} --desired-value <more>"
    return ("aws lambda get-account-settings", f"aws service-quotas request-service-quota-increase {raised}")
