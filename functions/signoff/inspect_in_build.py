"""What runs where there is all the time that it takes: `python -m signoff.inspect_in_build` carries out one request.

The same code as InspectArtifact's, in a build (infra/functions/long_inspection.py). It fails by an exception, which the
build's log shows.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import naming_transient_errors
from signoff.errors import Transient
from signoff.runtime.observability import about, logger
from signoff.runtime.settings import from_environment
from signoff.validation.inspect_artifact import ArtifactInspector
from signoff.validation.long_inspection import LongInspections

# What the workflow does for a function that met a transient error it does here, for there a failed build is final.
_TRIES = 3


@dataclass(frozen=True)
class Settings:
    """What this program needs of its environment. `request` is what InspectArtifact asked for."""

    vault_bucket: str
    request: str


def main() -> None:
    """Inspect what the request asks for and leave what was found in the vault; the same request again does nothing."""
    settings = from_environment(Settings)
    about(settings.request)
    vault = bootstrap.vault(settings.vault_bucket)
    found = _run_with_retries(LongInspections(vault), settings.request, ArtifactInspector(vault, bootstrap.bucket))
    logger().info("artifact", extra={"artifact": found["url"], "refusals": found["refusal_count"]})


def _run_with_retries(long_inspections: LongInspections, request: str, inspector: ArtifactInspector) -> dict[str, Any]:
    run = naming_transient_errors(long_inspections.run)
    for _ in range(_TRIES - 1):
        with suppress(Transient):
            return dict(run(request, inspector))
    return dict(run(request, inspector))


if __name__ == "__main__":
    main()
