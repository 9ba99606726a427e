"""What each field of a policy means, in one place: the JSON Schema and the table in docs/policy.md say it."""

from __future__ import annotations

from collections.abc import Mapping

# What is said of patterns of persons, wherever they are listed.
PERSONS = (
    "Patterns (`*`, `?`) of persons: an IAM user's ARN, `arn:aws:identitycenter:::user/<name>`, or a role without its "
    "path, `arn:aws:iam::<account>:role/<name>`."
)
_VPC = "The network that the containers are connected to."

# By structure and field, as in `functions/signoff/policy/policy.py` and `functions/signoff/policy/approvals.py`.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Policy": {
        "description": "What the policy is for, in words. It is the description of the SSM parameter too.",
        "mode": "`enforce` holds what is refused; `report` checks and records the same and holds nothing.",
        "groups": "Whether submissions make the group, and whose baselines count.",
        "submissions": "Who may submit.",
        "approvals": "Who decides, how many of them, how they prove it, and how long it may take.",
        "artifact": "What the model archive must hold, and what may lie in it.",
        "metrics": "Thresholds on the numbers of the model quality document. Each has to be met.",
        "sources": "What a model may consist of although it cannot be pinned or looked into.",
        "validation": "What SageMaker may test a package with when it is registered.",
        "deployment": "Under whose authority and in which network models run.",
        "accounts": "Other AWS accounts that the group is open to. Only in the policy of one group.",
        "registration_defaults": (
            "Fields of a manifest that submissions may leave out. With them a submission may do without a manifest."
        ),
    },
    "Groups": {
        "create": "Whether a submission makes the model package group that it names, if it is not there.",
        "baselines": (
            "Patterns (`*`, `?`) of the ARNs of CloudFormation stacks whose models count as approved by code review."
        ),
    },
    "Submissions": {
        "submitters": "Who may submit: patterns of persons; none means anyone who can upload.",
    },
    "Approvals": {
        "needed": (
            "How many different people have to approve in all; at least as many as the roles need together, 20 at most."
        ),
        "approvers": (
            "Who may decide, beside the roles' members: patterns of persons. With neither, anyone of the "
            "registry's account."
        ),
        "roles": "Roles whose say is needed as such, by name. Nobody fills two of them.",
        "submitter_may_approve": "Whether who submitted a model may decide about it as anybody else.",
        "submitter_may_withdraw": "Whether who submitted a model may reject or revoke it.",
        "unknown_submitter": (
            "Where nobody knows who submitted: `one_more` approval is needed, it is refused (`refuse`), or the same "
            "number is enough (`accept`)."
        ),
        "identity": (
            "`verified`: a decision carries a signed request to AWS STS as proof. `asserted`: events of `publishers` "
            "are believed without."
        ),
        "publishers": (
            "By event source, who may speak as it: patterns (`*`, `?`) of the ARNs of IAM principals. Only where "
            "`identity` is `asserted`; the bus refuses events of these sources from everybody else."
        ),
        "trusted_sessions": (
            "Roles whose sessions are a person each, because an identity provider sets their names: patterns of "
            "`arn:aws:iam::<account>:role/<name>`."
        ),
        "registry_edits": (
            "A status set in Studio, the console or by API is set back (`hold`), or counts as the vote of the known "
            "person who set it (`count`)."
        ),
        "expiry": "How long a package may await its decision; without it, for ever.",
        "revocation": "What revokes an approval, beside a change of what was approved, which always does.",
        "break_glass": "Who may approve alone, with a reason and an alarm: patterns of persons.",
    },
    "Role": {
        "members": "Who fills the role: patterns of persons.",
        "needed": "How many of them have to approve, 20 at most.",
    },
    "Expiry": {
        "after": "The time from the request for approval on: an ISO 8601 duration of days and shorter, such as `P14D`.",
        "action": "What happens then: the package is rejected (`reject`), or asked for again (`extend`).",
        "reminders": "When people are reminded before that, as durations from the request on.",
    },
    "Revocation": {
        "after": "How long an approval holds: an ISO 8601 duration of days and shorter, such as `P180D`.",
        "superseded": "Whether an approval is revoked once another package is the group's champion.",
    },
    "Artifact": {
        "required_files": "Glob patterns, each of which a file in the archive has to match.",
        "forbidden_files": "Glob patterns, none of which a file in the archive, or a link, may match.",
        "formats": (
            "Formats that models in the archive may be of, told by their content; none means any that can be looked "
            "into. `unknown` stands for binary data of no known format. Text, JSON and code are no models."
        ),
        "code": "Where code may lie in the archive: glob patterns by what it is, which is told by its content.",
        "licence": (
            "Whether the archive must hold a licence at its top: a file LICENSE, LICENCE or COPYING, in any case, with "
            ".txt or .md or without, that is not blank."
        ),
        "model_card": (
            "Whether the archive must hold a model card at its top: README.md that begins with YAML, as Hugging Face "
            "has it, or MODEL_CARD.md or MODEL_CARD.json that is not blank, in any case."
        ),
        "limits": "How far an archive may expand, and how much may lie in it, before it is refused.",
    },
    "Code": {
        "python": "For Python source, and whatever is called `.py`.",
        "scripts": "For scripts of any other language that begin with `#!`, and whatever is called `.sh`.",
        "compiled": "For programs, libraries and bytecode: ELF, PE, Mach-O, WebAssembly, Java and `.pyc`.",
    },
    "ArtifactLimits": {
        "expanded_gib": "GiB that an archive may expand to, 1,024 at most.",
        "ratio": "How many times its compressed size an archive of more than a GiB may expand to, 10,000 at most.",
        "members": "How many members an archive may have, 200,000 at most.",
        "nested": "How many levels deep archives and compressed files may lie in one another, 10 at most.",
    },
    "Metric": {
        "name": "What the metric is called in the evidence.",
        "path": "A JMESPath expression that finds the number in the model quality document.",
        "at_least": "The least that it may be.",
        "at_most": "The most that it may be.",
    },
    "Sources": {
        "unpinned": "Ways in which SageMaker may find code or weights that are not in the vault.",
        "environment": (
            "Patterns (`NAME=VALUE`, with `*` and `?`) of variables that make a container fetch code or weights when "
            "it starts."
        ),
    },
    "Validation": {
        "roles": "ARNs of the roles under which SageMaker may run a transform job on a package.",
        "outputs": "S3 prefixes (`s3://.../`) below which that job may write.",
    },
    "Deployment": {
        "execution_role": (
            "The ARN of the role that models run under. In a policy file it may be left out: the stack's own is used."
        ),
        "network_isolation": "Whether containers can make no network calls (EnableNetworkIsolation).",
        "vpc": _VPC,
        "tags": "Tags that models get.",
        "choices": "What a manifest may choose instead; nothing, unless it is listed here.",
        "targets": "Where else models are made: in other accounts, other regions. Only in the policy of one group.",
    },
    "Choices": {
        "execution_roles": "ARNs of the roles that a manifest may choose (ExecutionRoleArn).",
        "vpcs": "The networks that a manifest may choose (VpcConfig).",
        "network_isolation": "The values that a manifest may choose (EnableNetworkIsolation).",
        "tags": "The keys that a manifest may give values to (Tags).",
    },
    "Vpc": {
        "security_groups": "The ids of the security groups.",
        "subnets": "The ids of the subnets.",
    },
    "Target": {
        "region": "The AWS region.",
        "execution_role": "The ARN of the role that models run under there.",
        "account": "The AWS account, 12 digits; without it, the registry's own.",
        "vpc": _VPC,
    },
    "Accounts": {
        "submit": "Accounts (12 digits) that may register packages; their people may look and decide.",
        "deploy": "Accounts (12 digits) that make models of the packages themselves; their people may look and decide.",
    },
}

EXAMPLES: Mapping[str, Mapping[str, list[object]]] = {
    "Submissions": {"submitters": [["arn:aws:iam::123456789012:role/training-*"]]},
    "Approvals": {
        "needed": [2],
        "approvers": [["arn:aws:identitycenter:::user/*@example.com"]],
        "roles": [{"risk": {"members": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_*"], "needed": 1}}],
        "publishers": [{"acme.tickets": ["arn:aws:iam::123456789012:role/tickets"]}],
        "trusted_sessions": [["arn:aws:iam::123456789012:role/federated-*"]],
        "break_glass": [["arn:aws:iam::123456789012:role/on-call"]],
    },
    "Expiry": {"after": ["P14D"], "reminders": [["P3D", "P7D"]]},
    "Revocation": {"after": ["P180D"]},
    "Artifact": {
        "required_files": [["model.joblib", "code/*.py"]],
        "forbidden_files": [["*.pkl", "data/*"]],
        "formats": [["safetensors", "onnx"]],
    },
    "Code": {"python": [["code/*"]], "compiled": [["code/lib/*.so"]]},
    "Metric": {"path": ["binary_classification_metrics.accuracy.value"], "at_least": [0.92]},
    "Sources": {"environment": [["HF_MODEL_ID=acme/*"]]},
    "Deployment": {"execution_role": ["arn:aws:iam::123456789012:role/models"], "tags": [{"team": "fraud"}]},
    "Target": {"region": ["eu-west-1"], "account": ["222222222222"]},
    "Groups": {"baselines": [["arn:aws:cloudformation:*:123456789012:stack/churn-*/*"]]},
}
