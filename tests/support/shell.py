"""A person's shell in which the `signoff` command runs, as a process of its own."""

import subprocess
from dataclasses import dataclass

from tests.support import commands
from tests.support.pipeline import Pipeline


@dataclass(frozen=True)
class Shell:
    """The settings that `signoff local env --as` prints for a user, or those of another endpoint `url`."""

    pipeline: Pipeline
    user: str
    url: str | None = None

    def signoff(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command and return what it printed and its exit code."""
        settings = self.pipeline.stack.engine.environment(self.user)
        endpoint = {"AWS_ENDPOINT_URL": self.url} if self.url else {}
        return commands.signoff(arguments, settings | endpoint, self.pipeline.stack.request_faults)
