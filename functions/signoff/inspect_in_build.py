"""Runs a long inspection in a build: `python -m signoff.inspect_in_build` handles one request.

The same code as InspectArtifact's, without its time limit (infra/functions/long_inspection.py). A failure is an
exception in the build's log.
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

# The workflow retries a function after a transient error, but not a build.
_TRIES = 3


@dataclass(frozen=True)
class Settings:
    """The settings of this program. `request` is the id that InspectArtifact returned."""

    vault_bucket: str
    request: str


def main() -> None:
    """Run the requested inspection and store its result in the vault; repeating a request does nothing."""
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
