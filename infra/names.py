"""Names shared with tools, guardrails and the functions."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aws_cdk as cdk

# The path of all of Signoff's roles. Not a prefix of their names: anyone who may create roles could choose that, and
# a path is what IAM policies can reserve.
ROLES = "/signoff/"
# The path, among them, of the role that makes what the template of a SageMaker project names.
PROJECT_ROLES = "/signoff/projects/"
# Where in SSM Parameter Store the policies lie.
POLICIES = "/signoff/policies"
# Where the ARN of each group's champion, a model, is published.
CHAMPIONS = "/signoff/champions"
# What the constructs for other teams' apps look up: the ARN of the function that records baselines.
CONSTRUCTS = "/signoff/constructs"
BASELINE_RECORDER = f"{CONSTRUCTS}/record-baseline"
# By these tags Signoff knows a model package group as its own, and as one with a policy of its own (signoff.aws.ssm).
GROUP_TAGS = {"signoff:governed": "true", "signoff:policy": "own"}
# By this tag the role that makes projects knows a policy that is not theirs.
PLATFORMS_POLICY = ("signoff:written-by", "platform")
# The tag of the vault's copies, before and after an approval: the first may expire (signoff.aws.vault).
UNDECIDED, APPROVED = ("signoff:kept", "until-decided"), ("signoff:kept", "approved")
# The tag of an upload whose submission is registered, and so copied to the vault (signoff.submission.register_model).
REGISTERED = ("signoff:registration", "registered")
# The key of the submissions table's row in which the sweep keeps its round (signoff.aws.submissions_table).
ROUND = "sweep"
# The bus, and the source of Signoff's own events, which may be trusted.
BUS = "signoff"
SOURCE = "signoff"
DECISION = "Model Approval Decision"
ANNOTATION = "Model Annotation"
# The roles of a workload account for Signoff: one that CreateModel assumes, one that models run under.
DEPLOYER = "SignoffDeployer"
WORKLOAD_MODELS = "SignoffModels"
# The function whose role makes models: other accounts and regions know that role by its path and this part of its name.
MODEL_MAKER = "CreateModel"
# What the names of the temporary models that Signoff measures begin with (signoff.model_package.temporary_model).
TEMPORARY_MODELS = "signoff-eval-"


def model_maker_role(partition: str, account: str, stack: str) -> str:
    """The pattern of the ARN of CreateModel's role, whose last part CloudFormation makes up."""
    return f"arn:{partition}:iam::{account}:role{ROLES}{stack}-{MODEL_MAKER}Role*"


def regional_vault(account: str, region: str, suffix: str = "") -> str:
    """The name of the vault that the account `account` keeps in another region than the registry's."""
    return f"signoff-vault-{account}-{region}{suffix}"


def key_alias(suffix: str = "") -> str:
    """The alias of the customer's own key."""
    return f"alias/signoff{suffix}"


def bus_arn(stack: "cdk.Stack", *, account: str | None = None, region: str | None = None) -> str:
    """The ARN of the bus `signoff`, of the stack's own account and region by default.

    It refers to no resource of the stack, so that a role may be granted it and be named by the bus's policy.
    """
    return stack.format_arn(service="events", account=account, region=region, resource="event-bus", resource_name=BUS)
