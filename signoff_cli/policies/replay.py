"""Replaying a policy over evidence that exists: what it would have held, by the gates that judge candidates.

Some of what a policy asks cannot be judged from evidence alone, such as what an archive holds. There the recorded
checks stand if the policy that was used asked the same; else it is said that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec.structs import replace as with_fields

from signoff.aws.clients import error_message
from signoff.errors import PolicyFault, SignoffError
from signoff.ledger.recorded_checks import holds
from signoff.metrics.values import measurements_of
from signoff.model_package.artifacts import image_only
from signoff.model_package.image_scans import Scan
from signoff.model_package.images import repository_of
from signoff.model_package.subject import described_fields, unpinned
from signoff.policy.files import ANY_ROLE
from signoff.policy.policy import Policy, of_document
from signoff.policy.submitters import refusal
from signoff.submission.policy_choices import policy_faults
from signoff.validation import gates
from signoff.validation.bias_gates import bias_checks, drift_checks
from signoff.validation.bias_reports import read_baselines, read_report
from signoff.validation.champion import Champion, beside, named_champion, recorded_claims
from signoff.validation.checks import Check, CheckStatus, failed, verdict
from signoff.validation.images import repository_checks, scan_checks
from signoff.validation.metric_gates import Measured, data_check, metric_checks
from signoff.validation.specifications import environments
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import find_or_fail, is_package_name

if TYPE_CHECKING:
    from signoff.aws.vault import Vault
    from signoff.documents.faults import Fault
    from signoff.ledger.history import History
    from signoff.metrics.values import Measurements
    from signoff_cli.packages.lookup import LedgerReader

Evidence = Mapping[str, Any]
# Parts of a policy that evidence alone does not tell about, and the kinds of checks that come of them.
_STANDING: Mapping[str, tuple[Callable[[Policy], Any], tuple[str, ...]]] = {
    "artifact": (lambda policy: policy.requirements, ("artifact",)),
    "sources.model_data": (lambda policy: policy.sources.model_data, ("source",)),
    "images.signed_by": (lambda policy: (policy.images.signed_by, policy.images.exempt), ("signature",)),
    "evaluation": (lambda policy: policy.evaluation, ("evaluation", "claim")),
    "smoke": (lambda policy: policy.smoke, ("smoke",)),
}
_BESIDE = ("champion", "suspicious")
_JUDGED = {"metric", *_BESIDE, "data", "bias", "drift", "registry", "scan", "provenance", "unpinned", "environment"}
_OF_POLICY = {*_JUDGED, *(kind for _, kinds in _STANDING.values() for kind in kinds)}
_OTHER = "the policy that it was judged by asks otherwise, and evidence alone does not tell"
_OLD = "its evidence is of version 1, which does not say"
_PAIRED = "it was measured, row by row beside the champion, and the policy that judged it asked otherwise"


@dataclass(frozen=True)
class Replay:
    """What a policy makes of one piece of evidence: its `checks`, and by part of the policy what is not known."""

    name: str
    recorded: str
    checks: Sequence[Check]
    unknown: Mapping[str, str]

    @property
    def verdict(self) -> str:
        """The verdict as far as it is known."""
        return verdict(self.checks)

    @property
    def newly_held(self) -> bool:
        """Whether it would be held, and was not."""
        return self.recorded == "passed" and self.verdict != "passed"

    @property
    def told(self) -> list[dict[str, Any]]:
        """The checks that would hold it, or ask whoever approves it."""
        documents = (check.document for check in self.checks)
        return [each for each in documents if holds(each) or each["status"] == "errored" or each.get("asks")]

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "package": self.name,
            "recorded": self.recorded,
            "verdict": self.verdict,
            "newly_held": self.newly_held,
            "checks": self.told,
            "unknown": dict(self.unknown),
        }


def replay(name: str, policy: Policy, evidence: Evidence, vault: Vault) -> Replay:
    """Return what `policy` makes of a piece of `evidence` about the package `name`.

    Raises `DocumentMissing` or `ObjectMissing` if what the evidence names cannot be read from the vault.
    """
    used = _used(evidence, vault)
    if used and policy.deployment.execution_role == ANY_ROLE:
        own = with_fields(policy.deployment, execution_role=used.deployment.execution_role)
        policy = with_fields(policy, deployment=own)
    judging = _Judging(policy, used, evidence, vault)
    judging.whatever_is_asked()
    judging.what_stands()
    judging.package()
    judging.images()
    judging.metrics()
    return Replay(name, str(evidence["verdict"]), judging.checks, judging.unknown)


def _used(evidence: Evidence, vault: Vault) -> Policy | None:
    """Return the policy that a piece of evidence was judged by, or None where this version cannot read it."""
    try:
        return of_document(vault.read("policies", evidence["policy"]))
    except PolicyFault:
        return None


@dataclass
class _Judging:
    """The judgement of one piece of evidence by a policy, as it grows; `used` is the policy that judged it then."""

    policy: Policy
    used: Policy | None
    evidence: Evidence
    vault: Vault
    checks: list[Check] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)

    def _recorded(self, *kinds: str) -> Iterator[Check]:
        for each in self.evidence["checks"]:
            if _kind(each["name"]) in kinds:
                yield Check(**{**each, "status": CheckStatus(each["status"])})

    def whatever_is_asked(self) -> None:
        """Keep what no policy has a say in, such as whether the package changed, or an image is missing."""
        kinds = {_kind(each["name"]) for each in self.evidence["checks"]} - _OF_POLICY
        kept = list(self._recorded(*kinds))
        refused = {f"deployment:{each.path}" for each in self._choices(self.used)} if self.used else set()
        self.checks += [each for each in kept if each.name not in refused and each.name != "submitter"]
        # Who is refused for another reason than the policy's did not prove who they are.
        allowed = self.used is None or refusal(self.used, self.evidence["submitter"]) is None
        self.checks += [each for each in kept if each.name == "submitter" and holds(each.document) and allowed]

    def what_stands(self) -> None:
        """Keep the checks of what the two policies ask alike, and say what else is not known."""
        for part, (asked, kinds) in _STANDING.items():
            if self.used and asked(self.used) == asked(self.policy):
                self.checks += self._recorded(*kinds)
            elif asked(self.policy):
                self.unknown[part] = _OTHER

    def package(self) -> None:
        """Judge what the package is, and who submitted it."""
        policy, subject = self.policy, self.evidence["subject"]
        described, manifest = described_fields(subject), subject["deployment"]["manifest"]
        self.checks += gates.submitter_check(policy, self.evidence["submitter"], None, None)
        self.checks += gates.model_data_checks(image_only(described), policy)
        self.checks += gates.unpinned_checks(unpinned(described), policy.sources.unpinned)
        self.checks += gates.environment_checks(environments(described, manifest), policy.sources.environment)
        self.checks += [failed(f"deployment:{each.path}", each.message) for each in self._choices(policy)]
        if "provenance" in self.evidence:
            self.checks += gates.provenance_checks(policy.provenance, self.evidence["provenance"])
        elif policy.provenance.required or policy.provenance.repositories:
            self.unknown["provenance"] = _OLD

    def _choices(self, policy: Policy) -> list[Fault]:
        return policy_faults({"Deployment": self.evidence["subject"]["deployment"]["manifest"]}, policy)

    def images(self) -> None:
        """Judge the images by where they come from, and by their scans as they were then."""
        rules, day = self.policy.images, str(self.evidence["started"])[:10]
        scans = {each["digest"]: each["scan"] for each in self.evidence.get("images") or ()}
        for image in dict.fromkeys(self.evidence["subject"]["images"].values()):
            self.checks += repository_checks(image, rules)
            scan = scans.get(image.rpartition("@")[2])
            if rules.exempts(repository_of(image)):
                self.checks += scan_checks(image, None, rules, day)
            elif scan is not None:
                self.checks += scan_checks(image, Scan.of(scan), rules, day)
            elif rules.block_at:
                self.unknown[f"scan:{image}"] = "no scan was recorded: the policy asked for none"

    def metrics(self) -> None:
        """Judge the metrics, beside those of the champion that the evidence names.

        What Signoff measured counts before claims, where the policy wants models measured at all.
        """
        claims, champion = recorded_claims(self.evidence, self.policy, self.vault), self._champion()
        self.checks += data_check(self.policy, claims.measurements)
        self._bias(claims.measurements)
        measured = self._measured() if self.policy.evaluation else None
        known = {value.name for value in measured.values} if measured else set()
        claimed, by_signoff = (
            with_fields(self.policy, metrics=tuple(each for each in self.policy.metrics if (each.name in known) is own))
            for own in (False, True)
        )
        found = list(metric_checks(claimed, beside(claimed, claims, champion, self.vault)))
        if "comparison" in self.evidence:
            self.checks += found
        else:
            self._without_champion(found, _OLD)
        if measured:
            alone = Measured(candidate=measured, because=_PAIRED, first=champion is None)
            self._measured_gates(list(metric_checks(by_signoff, alone)))

    def _without_champion(self, found: Sequence[Check], because: str) -> None:
        """Add checks but for those beside the champion, of which nothing is known."""
        self.checks += [each for each in found if _kind(each.name) not in _BESIDE]
        self.unknown |= {each.name: because for each in found if _kind(each.name) in _BESIDE}

    def _measured_gates(self, found: Sequence[Check]) -> None:
        """Add the checks of what was measured: beside the champion as they were, if the same was asked then."""
        if any(each.status is not CheckStatus.SKIPPED for each in found if _kind(each.name) in _BESIDE):
            names = {each.name for each in found}
            if self.used and _asked_of_metrics(self.used) == _asked_of_metrics(self.policy):
                self.checks += [each for each in self._recorded(*_BESIDE) if each.name in names]
                found = [each for each in found if _kind(each.name) not in _BESIDE]
            self._without_champion(found, _PAIRED)
        else:
            self.checks += found

    def _measured(self) -> Measurements | None:
        recorded = (self.evidence.get("metrics") or {}).get("measured")
        return measurements_of(recorded) if recorded else None

    def _bias(self, claimed: Measurements | None) -> None:
        """Judge the bias report and the baselines, which the vault holds copies of since version 2."""
        if "bias" in self.evidence:
            artifacts = self.evidence["artifacts"]
            report = read_report(self.vault, artifacts)
            self.checks += bias_checks(self.policy, report)
            self.checks += drift_checks(self.policy, read_baselines(self.vault, artifacts), claimed, report)
        else:
            asked = {"bias": self.policy.bias, "drift": self.policy.comparison.drift}
            self.unknown |= {part: _OLD for part, wanted in asked.items() if wanted}

    def _champion(self) -> Champion | None:
        named = (self.evidence.get("comparison") or {}).get("champion")
        return named_champion(named, self.vault) if named else None


def _asked_of_metrics(policy: Policy) -> tuple[Any, ...]:
    return policy.metrics, policy.comparison, policy.evaluation


def _kind(name: str) -> str:
    return name.partition(":")[0]


def replay_all(
    policy: Policy, against: Sequence[str], ledger: LedgerReader, vault: Vault
) -> tuple[list[Replay], dict[str, str]]:
    """Return what `policy` makes of each package that `against` names, by version.

    These are groups, as the index spells them, or `group/version`.

    Those without evidence are left out. Beside them, by name, why the evidence of others cannot be read. Raises
    `CommandFailed` if a name stands for no package with evidence.
    """
    replays, unread = [], {}
    for named in against:
        histories = [history for history in _histories(named, ledger) if history.state.evidence]
        if not histories:
            raise CommandFailed(f"there is no package with evidence in {named}: `signoff list` shows those there are")
        for history in histories:
            state, sha256 = history.state, (history.state.evidence or {})["sha256"]
            name = f"{state.group}/{state.version}"
            try:
                replays.append(replay(name, policy, vault.read("evidence", sha256), vault))
            except (SignoffError, ClientError) as error:
                unread[name] = error_message(error) if isinstance(error, ClientError) else str(error)
    return replays, unread


def _histories(named: str, ledger: LedgerReader) -> list[History]:
    if is_package_name(named):
        heads = [find_or_fail(ledger, named)]
    else:
        heads = sorted(ledger.rows_by_group(named), key=lambda head: (head.get("version") or 0, head["package"]))
    return [ledger.history(str(head["package"])).verified() for head in heads]
