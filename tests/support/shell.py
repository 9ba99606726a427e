"""A person's shell in which the `signoff` command runs, as a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass

from local.engine.strict_requests import FILE
from tests.support.pipeline import Pipeline
from tests.support.repository import ROOT


@dataclass(frozen=True)
class Shell:
    """The settings that `signoff local env --as` prints for a user, or those of another endpoint `url`."""

    pipeline: Pipeline
    user: str
    url: str | None = None

    def signoff(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command and return what it printed and its exit code."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        paths = os.pathsep.join([str(ROOT / "functions"), str(ROOT)])
        settings = self.pipeline.stack.engine.environment(self.user)
        endpoint = {"AWS_ENDPOINT_URL": self.url} if self.url else {}
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tests.support.strict_command", *arguments],
            cwd=ROOT,
            env=kept | settings | endpoint | {"PYTHONPATH": paths, FILE: str(self.pipeline.stack.request_faults)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
