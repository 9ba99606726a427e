"""Keeps one artifact in a build: `python -m signoff.keep_in_build` handles one request of KeepArtifact's.

The same code as the function's, without its time limit (infra/functions/long_task.py). A failure is an exception in
the build's log.
"""

from __future__ import annotations

from signoff import bootstrap
from signoff.runtime.observability import about, logger
from signoff.runtime.settings import from_environment
from signoff.validation.keep_artifact import ArtifactKeeper
from signoff.validation.long_tasks import KEEPING, LongTasks


def main() -> None:
    """Copy and hash what is requested and store the result in the vault."""
    settings = from_environment(bootstrap.BuildSettings)
    about(settings.request)
    vault = bootstrap.vault(settings.vault_bucket)
    kept = LongTasks(vault, KEEPING).run(settings.request, settings.build, ArtifactKeeper(vault, bootstrap.bucket).keep)
    logger().info("kept", extra={"key": kept["key"], "sha256": kept["sha256"]})


if __name__ == "__main__":
    main()
