"""What each group requires, where the functions read it: the policies as parameters in SSM Parameter Store."""

from collections.abc import Iterable
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra import names
from infra.policy_files import PolicyFile


def make_parameters(
    scope: Construct, policies: Iterable[PolicyFile], unapproved_days: int, *, execution_role: str
) -> None:
    """An SSM parameter for each policy; a warning for one whose packages wait longer than the vault keeps their copies.

    One that outgrows a standard parameter becomes an advanced one by itself, and stays one: SSM refuses the way back.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
    """
    parameters = Construct(scope, "Policies")
    for policy in policies:
        made = ssm.StringParameter(
            parameters,
            policy.name.replace("/", "-"),
            # One for all spellings: names that differ by case only are one group to SageMaker.
            parameter_name=f"{names.POLICIES}/{policy.name.lower()}",
            string_value=policy.text(execution_role),
            description=policy.policy.description[:1024] or None,
            tier=ssm.ParameterTier.INTELLIGENT_TIERING,
        )
        # Whoever makes projects may not touch it.
        cdk.Tags.of(made).add(*names.PLATFORMS_POLICY)
        expiry = policy.policy.approvals.expiry
        if expiry and expiry.after >= timedelta(days=unapproved_days) > timedelta():
            cdk.Annotations.of(made).add_warning_v2(
                "signoff:unapprovedDays",
                f"policy {policy.name}: approvals.expiry.after is not less than the {unapproved_days} days after which "
                "the vault's copies expire that were never approved: a later approval is refused (-c unapprovedDays)",
            )
