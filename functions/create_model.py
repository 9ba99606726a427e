"""CreateModel: on a registry event, or a rollback, makes the deployable model agree with the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import client
from signoff.aws.lineage import Lineage
from signoff.aws.sqs import DELETED
from signoff.aws.target_accounts import TargetAccounts
from signoff.deployment.approval_lineage import ApprovalLineage
from signoff.deployment.create_model import ModelDeployer
from signoff.deployment.target_models import TargetModels
from signoff.governance.registry_status import RegistryProjector
from signoff.runtime.batches import each_event
from signoff.runtime.clock import utc_now
from signoff.runtime.events import package_named, text_in
from signoff.runtime.observability import about, count, logger, observed
from signoff.runtime.settings import from_environment


@dataclass(frozen=True)
class Settings(bootstrap.ChampionSettings):
    """The settings of this function; `regional_vaults` is `<region>=<bucket>,...` of further regions."""

    regional_vaults: str = ""

    @property
    def vaults(self) -> dict[str, str]:
        """The vault's name by region."""
        pairs = (pair.partition("=") for pair in self.regional_vaults.split(",") if pair)
        return {region: bucket for region, _, bucket in pairs}


@observed
def handler(event: Any, context: Any) -> Any:
    """Handle each event of the batch; failed ones are reported to be retried."""
    return each_event(event, _converge)


def _converge(event: dict[str, Any]) -> None:
    deleted = text_in(event["detail"], DELETED) if DELETED in event["detail"] else None
    arn = package_named(event["detail"])
    about(arn)
    state = _deployer().retire(deleted) if deleted else _deployer().converge(arn)
    if state and state.retirement_blocked_by:
        count("RetirementBlocked")
        logger().warning("the model is in use and stays", extra={"endpoints": state.retirement_blocked_by})
    failed = {place: target.failed for place, target in (state.targets if state else {}).items() if target.failed}
    if failed:
        count("DeploymentFailed", len(failed))
        logger().warning("models could not be created or deleted in other targets", extra={"places": failed})
    logger().info("converged", extra={"status": state and state.status, "model": state and state.model})


@cache
def _deployer() -> ModelDeployer:
    settings = from_environment(Settings)
    registry, ledger = bootstrap.registry(), bootstrap.ledger(settings)
    vault, projector = bootstrap.vault(settings.vault_bucket), RegistryProjector(registry, ledger)
    champions = bootstrap.champions(settings)
    target_accounts = TargetAccounts(vault, settings.vaults, client("sts"), utc_now)
    target_models = TargetModels(target_accounts, vault, ledger, champions)
    return ModelDeployer(
        governance=bootstrap.governance(settings),
        registry=registry,
        ledger=ledger,
        vault=vault,
        projector=projector,
        champions=champions,
        target_models=target_models,
        approval_lineage=ApprovalLineage(Lineage(client("sagemaker"))),
    )
