"""What a policy says, in sentences for people, by topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from signoff.approval.deadlines import spoken
from signoff.documents.text import counted, joined
from signoff.policy.files import ANY_ROLE

if TYPE_CHECKING:
    from signoff.policy.approvals import Approvals
    from signoff.policy.artifact import Artifact
    from signoff.policy.deployment import Target, Vpc
    from signoff.policy.evaluation import Job
    from signoff.policy.images import Images
    from signoff.policy.metrics import Bias, Comparison, Metric
    from signoff.policy.policy import Policy
from signoff.policy.provenance import Provenance

# The CDK app fills it in where a policy file leaves it out.
_APPS_ROLE = "the role for models that Signoff's stack makes"


def sentences(policy: Policy) -> Mapping[str, list[str]]:
    """Return what `policy` requires, each topic with at least one sentence."""
    return {topic: [f"{each}." for each in describe(policy)] for topic, describe in _TOPICS.items()}


def _mode(policy: Policy) -> Iterator[str]:
    if policy.enforced:
        yield "Enforced: no model is created of what is refused"
    else:
        yield "Report only: everything is checked and recorded, and nothing is enforced"


def _requires(policy: Policy) -> Iterator[str]:
    yield from _artifact(policy.artifact)
    for metric in policy.metrics:
        yield from _metric(metric)
    yield from (_bias(bias) for bias in policy.bias)
    yield from _images(policy.images)
    yield from _measured(policy)
    yield from _provenance(policy.provenance)
    if policy.sources.unpinned:
        yield f"It may use sources that are not pinned in the vault: {_all(policy.sources.unpinned)}"
    if policy.sources.model_data:
        yield f"Its packages may load of other groups: {_all(policy.sources.model_data)}"
    if policy.sources.environment:
        yield f"Its containers may fetch what these variables name: {_all(policy.sources.environment)}"
    if policy.validation.roles:
        yield f"SageMaker may test it under {_any(policy.validation.roles)}"
    if policy.registration_defaults is not None:
        yield f"Where a manifest leaves them out, these fields are set: {_all(sorted(policy.registration_defaults))}"


def _provenance(provenance: Provenance) -> Iterator[str]:
    if provenance.required:
        yield f"It says where it comes from: {_all(provenance.required)}"
    if provenance.repositories:
        yield f"It comes from {_any(provenance.repositories)}, as its submitter says"


def _artifact(artifact: Artifact) -> Iterator[str]:
    files, code = artifact.required_files, artifact.code
    yield f"The archive holds {_all(files)}" if files else "The archive is readable and safe, whatever files it holds"
    if artifact.forbidden_files:
        yield f"No file in it matches {_any(artifact.forbidden_files)}"
    if artifact.formats:
        yield f"Models in it are of the formats {_all(artifact.formats)}, and of no other"
    for what, places in (("Python source", code.python), ("Scripts", code.scripts), ("Compiled code", code.compiled)):
        yield f"{what}: allowed {f'where {_any(places)} matches' if places else 'nowhere'}"
    if artifact.pickles.trusted:
        yield f"Pickles may also name {_all(artifact.pickles.trusted)}, with any arguments"
    if artifact.tensorflow.operators:
        yield f"Graphs of TensorFlow may also use {_all(artifact.tensorflow.operators)}"
    wanted = [what for what, asked in (("a licence", artifact.licence), ("a model card", artifact.model_card)) if asked]
    if wanted:
        yield f"It holds {_all(wanted)}"


def _metric(metric: Metric) -> Iterator[str]:
    unit = f" {metric.unit}" if metric.unit else ""
    also = f", also in each slice {_any(metric.slices)}" if metric.slices else ""
    if bounds := _bounds(metric):
        yield f"The metric {metric.name} ({metric.path}) is {bounds}{unit}{also}"
    if margin := metric.against_champion:
        size = f"{abs(margin.at_least) * 100:g} % of it" if margin.relative else f"{abs(margin.at_least):g}{unit}"
        gap = f"better than the champion's by at least {size}"
        if margin.at_least <= 0:
            gap = (
                f"no worse than the champion's by more than {size}"
                if margin.at_least
                else "no worse than the champion's"
            )
        yield f"The metric {metric.name} ({metric.path}) is {gap}{also}"
    if metric.suspicious:
        beyond = f"If {metric.name} is better than the champion's by more than {metric.suspicious:g}{unit}"
        yield f"{beyond}, whoever approves has to accept that by name"


def _bounds(bounds: Metric | Bias) -> str:
    least = f"at least {bounds.at_least:g}" if bounds.at_least is not None else ""
    most = f"at most {bounds.at_most:g}" if bounds.at_most is not None else ""
    return " and ".join(filter(None, (least, most)))


_MEANS = {"pass": "passes", "fail": "fails", "ask": "has to be accepted by name by whoever approves"}


def _comparing(policy: Policy) -> Iterator[str]:
    compared: Comparison = policy.comparison
    if compared.data_sets:
        yield f"Metrics are about one of the data sets with the SHA-256 {_any(compared.data_sets)}"
    if not any(metric.compares for metric in policy.metrics):
        yield "Metrics are shown beside the champion's, and nothing is asked of that"
    else:
        certain = f"{compared.confidence * 100:g} % confidence"
        yield f"A difference that is uncertain ({certain}) {_MEANS[compared.inconclusive]}"
        yield f"A difference within its margin whose certainty is unknown {_MEANS[compared.points]}"
        yield f"What was measured on another data set is not compared, and {_goes(compared.other_data)}"
    yield f"What is asked for and cannot be evaluated {_goes(compared.unevaluated)}"
    if compared.drift:
        yield "Metrics and bias are within the constraints that the package itself names (DriftCheckBaselines)"
    if policy.stales_with_champion:
        yield "Once another model is the champion, it has to be validated anew before it is approved"


def _goes(block: str) -> str:
    return "fails" if block == "block" else "passes"


def _bias(bias: Bias) -> str:
    group = f" of {bias.facet}={bias.value}" if bias.value else f" of each group of {bias.facet}"
    return f"The bias {bias.metric}{group} is {_bounds(bias)}"


def _images(images: Images) -> Iterator[str]:
    if images.repositories:
        yield f"Its images come from {_any(images.repositories)}"
    if images.block_at:
        wait = counted(images.wait_minutes, "minute")
        yield (
            f"ECR has scanned each image and found nothing of severity {images.block_at} or above, or that nobody has "
            f"judged; a scan that is not finished is waited for, {wait} in all"
        )
    for each in images.accepted:
        yield f"{each.id} in an image is accepted until {each.until}{f': {each.reason}' if each.reason else ''}"
    if images.signed_by:
        yield f"ECR has signed each image with {_any(images.signed_by)}"
    if images.exempt and (images.block_at or images.signed_by):
        yield f"Images from {_any(images.exempt)} need neither scan nor signature"


def _measured(policy: Policy) -> Iterator[str]:
    evaluation, smoke = policy.evaluation, policy.smoke
    if evaluation:
        yield f"Signoff has it score {evaluation.data.uri} and computes the metrics itself, {_job(evaluation.job)}"
        yield f"What the submitter claims may be {evaluation.tolerance:g} from what is measured"
        if evaluation.metrics:
            yield f"These must have a value: {_all(evaluation.metrics)}"
    if smoke:
        within = "" if smoke.predictions.kind == "label" else f" within {smoke.tolerance:g}"
        yield f"It answers {smoke.data.uri} as expected{within}, {_job(smoke.job)}"


def _job(job: Job) -> str:
    return f"on one {job.instance_type}, for {job.minutes} minutes at most"


def _submitting(policy: Policy) -> Iterator[str]:
    submitters = policy.submissions.submitters
    yield f"Submitters: {_any(submitters)}" if submitters else "Anyone who can upload to the group may submit"
    if policy.groups.create:
        yield "A submission creates the group if it does not exist; under the default policy only if it asks for that"
    else:
        yield "The group has to exist: no submission creates it"
    if policy.groups.baselines:
        yield f"Models of these stacks count as approved by code review: {_any(policy.groups.baselines)}"


def _approving(policy: Policy) -> Iterator[str]:
    approvals = policy.approvals
    seats = sum(role.needed for role in approvals.roles.values())
    total = max(approvals.needed, seats)
    yield "1 person has to approve" if total == 1 else f"{total} different people have to approve"
    for name, role in approvals.roles.items():
        yield f"{role.needed} of them in the role {name}: {_any(role.members)}"
    if len(approvals.roles) > 1:
        yield "Nobody fills two roles"
    yield _listed(approvals)
    if approvals.submitter_may_approve:
        yield "The submitter of a model may approve it too"
    elif approvals.submitter_may_withdraw:
        yield "Nobody approves what they submitted; they may reject or revoke it"
    else:
        yield "Nobody decides about what they submitted"


def _listed(approvals: Approvals) -> str:
    if approvals.approvers:
        return f"{'Also listed' if approvals.roles else 'Listed'}: {_any(approvals.approvers)}"
    if approvals.roles:
        return "Nobody else may decide"
    return (
        "Every IAM user and user of IAM Identity Center in the registry's account, or in an account that the group is "
        "open to, may decide; roles, federated users and root may not"
    )


def _proving(policy: Policy) -> Iterator[str]:
    approvals = policy.approvals
    if approvals.identity == "verified":
        yield "Approvers prove their identity with a signed request to AWS STS"
    for source, principals in approvals.publishers.items():
        yield f"Events from {source} are believed without proof, and only {_any(principals)} may send them"
    yield "A person is an IAM user, a user of IAM Identity Center, or a role with all its sessions"
    if approvals.trusted_sessions:
        yield f"Sessions of these roles are a person each: {_any(approvals.trusted_sessions)}"


_UNKNOWN = {
    "one_more": "If the submitter is unknown, 1 more approval is needed",
    "refuse": "A submission whose submitter is unknown is refused",
    "accept": "If the submitter is unknown, the same approvals are enough",
}


def _unknown(policy: Policy) -> Iterator[str]:
    yield _UNKNOWN[policy.approvals.unknown_submitter]


def _expiring(policy: Policy) -> Iterator[str]:
    expiry = policy.approvals.expiry
    if expiry is None:
        yield "A package waits for its decision without a time limit, and nobody is reminded"
        return
    after = spoken(expiry.after)
    if expiry.action == "reject":
        yield f"A package without a decision after {after} is rejected"
    else:
        yield f"A package without a decision after {after} is requested again, and the time starts again"
    if expiry.reminders:
        yield f"People are reminded after {_all(spoken(each) for each in sorted(expiry.reminders))}"


def _revoking(policy: Policy) -> Iterator[str]:
    revocation = policy.approvals.revocation
    yield "An approval is revoked once what was approved has changed"
    if revocation.after:
        yield f"An approval lapses after {spoken(revocation.after)}"
    if revocation.superseded:
        yield "An approval is revoked once another package is the group's champion"
    if policy.images.revoke and policy.images.block_at:
        yield "The champion's approval is revoked once a scan finds more in an image than was approved"


def _break_glass(policy: Policy) -> Iterator[str]:
    people = policy.approvals.break_glass
    yield f"{_any(people)} may approve alone, with a reason and an alarm" if people else "Nobody may approve alone"


def _annotating(policy: Policy) -> Iterator[str]:
    others = policy.approvals.annotators
    also = f", and {_all(others)}," if others else ""
    yield f"A package's submitter and those who may decide{also} may annotate it"


def _registry(policy: Policy) -> Iterator[str]:
    left = policy.mode == "report"
    yield f"A status set in Studio, the console or by API is {'recorded and left' if left else 'reset'}"
    if policy.write_back:
        yield "A package's model card shows its evidence, and SageMaker's lineage its approval"
    else:
        yield "Nothing is written into model cards and SageMaker's lineage"


def _accounts(policy: Policy) -> Iterator[str]:
    accounts = policy.accounts
    if accounts.submit:
        yield f"Accounts that may submit: {_all(accounts.submit)}"
    if accounts.deploy:
        yield f"Accounts that create models of the group's packages themselves: {_all(accounts.deploy)}"
    if not accounts.submit and not accounts.deploy:
        yield "The group is open to no other account" + (
            ", except those that models are created in" if _elsewhere(policy) else ""
        )


def _elsewhere(policy: Policy) -> bool:
    return any(target.account for target in policy.deployment.targets)


def _deploying(policy: Policy) -> Iterator[str]:
    deployment, choices = policy.deployment, policy.deployment.choices
    own = deployment.execution_role == ANY_ROLE
    yield f"Models run under {_APPS_ROLE if own else deployment.execution_role}"
    yield f"Their containers reach {'no network' if deployment.network_isolation else 'the network'}"
    if deployment.vpc:
        yield f"They are connected to {_network(deployment.vpc)}"
    if deployment.tags:
        yield f"They are tagged {_all(f'{key}={value}' for key, value in deployment.tags.items())}"
    offered = {
        "an execution role": choices.execution_roles,
        "a network": choices.vpcs,
        "network isolation": choices.network_isolation,
        f"the tags {', '.join(choices.tags)}": choices.tags,
    }
    chosen = [what for what, offers in offered.items() if offers]
    yield f"A manifest may choose {_all(chosen)}" if chosen else "A manifest may choose none of these"
    yield from (_target(target) for target in deployment.targets)


def _target(target: Target) -> str:
    where = f"account {target.account} in {target.region}" if target.account else target.region
    network = f", connected to {_network(target.vpc)}" if target.vpc else ""
    return f"A model is also created in {where}, under {target.execution_role}{network}"


def _network(vpc: Vpc) -> str:
    return f"the subnets {_all(vpc.subnets)} with the security groups {_all(vpc.security_groups)}"


def _all(items: Iterable[str]) -> str:
    return joined(items, "and")


def _any(items: Iterable[str]) -> str:
    return joined(items, "or")


_TOPICS: dict[str, Callable[[Policy], Iterator[str]]] = {
    "mode": _mode,
    "demands": _requires,
    "comparing": _comparing,
    "submitting": _submitting,
    "approving": _approving,
    "proving": _proving,
    "unknown": _unknown,
    "expiring": _expiring,
    "revoking": _revoking,
    "break glass": _break_glass,
    "annotating": _annotating,
    "registry": _registry,
    "accounts": _accounts,
    "deploying": _deploying,
}
