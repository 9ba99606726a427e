"""Inspects one artifact in a build: `python -m signoff.inspect_in_build` handles one request of InspectArtifact's.

The same code as the function's, without its time limit (infra/functions/long_task.py). A failure is an exception in
the build's log.
"""

from __future__ import annotations

from signoff import bootstrap
from signoff.runtime.observability import about, logger
from signoff.runtime.settings import from_environment
from signoff.validation.inspect_artifact import ArtifactInspector
from signoff.validation.long_tasks import INSPECTION, LongTasks


def main() -> None:
    """Run the requested inspection and store its result in the vault."""
    settings = from_environment(bootstrap.BuildSettings)
    about(settings.request)
    vault = bootstrap.vault(settings.vault_bucket)
    found = LongTasks(vault, INSPECTION).run(settings.request, settings.build, ArtifactInspector(vault).inspect)
    logger().info("inspected", extra={"sha256": found["sha256"], "refusals": found["refusal_count"]})


if __name__ == "__main__":
    main()
