"""CreateModel: on a registry event, or a rollback, makes the deployable model agree with the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import client
from signoff.aws.sqs import DELETED
from signoff.aws.target_accounts import Deployers
from signoff.deployment.create_model import Deploying
from signoff.deployment.target_models import Elsewhere
from signoff.governance.registry_status import Projecting
from signoff.runtime.batches import each_event, package_named
from signoff.runtime.clock import utc_now
from signoff.runtime.observability import about, count, logger, observed
from signoff.runtime.settings import from_environment


@dataclass(frozen=True)
class Settings(bootstrap.ChampionSettings):
    """What this function needs of its environment; `regional_vaults` is `<region>=<bucket>,...` of further regions."""

    regional_vaults: str = ""

    @property
    def vaults(self) -> dict[str, str]:
        """The vault's name by region."""
        pairs = (pair.partition("=") for pair in self.regional_vaults.split(",") if pair)
        return {region: bucket for region, _, bucket in pairs}


@observed
def handler(event: Any, context: Any) -> Any:
    """Answer each event of the batch; those that could not be answered are reported for another try."""
    return each_event(event, _converge)


def _converge(event: dict[str, Any]) -> None:
    deleted = event["detail"].get(DELETED)
    arn = package_named(event["detail"])
    about(arn)
    state = _deploying().retire(deleted) if deleted else _deploying().converge(arn)
    if state and state.retirement_blocked_by:
        count("RetirementBlocked")
        logger().warning("the model is in use and stays", extra={"endpoints": state.retirement_blocked_by})
    failed = {place: there.failed for place, there in (state.elsewhere if state else {}).items() if there.failed}
    if failed:
        count("DeploymentFailed", len(failed))
        logger().warning("models could not be made or deleted elsewhere", extra={"places": failed})
    logger().info("converged", extra={"status": state and state.status, "model": state and state.model})


@cache
def _deploying() -> Deploying:
    settings = from_environment(Settings)
    registry, ledger = bootstrap.registry(), bootstrap.ledger(settings)
    vault, projecting = bootstrap.vault(settings.vault_bucket), Projecting(registry, ledger)
    champions = bootstrap.champions(settings)
    deployers = Deployers(vault, settings.vaults, client("sts"), utc_now)
    elsewhere = Elsewhere(deployers, vault, ledger, champions)
    return Deploying(
        governance=bootstrap.governance(settings),
        registry=registry,
        ledger=ledger,
        vault=vault,
        projecting=projecting,
        champions=champions,
        elsewhere=elsewhere,
    )
