"""The CDK app: `cdk synth` and `cdk deploy` run it, and so does `python -m infra.app` alone.

Alone it takes the same choices (`-c name=value`) and writes the assembly to `--output` (cdk.out), with no CDK CLI.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.jsii_node import use_bundled_node

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).resolve().parent.parent
STACK = "Signoff"
# The stack of a workload account: what the app makes when the context says where the registry is (`-c central=...`).
WORKLOAD = "SignoffWorkload"
# What the CDK CLI adds by itself, so that `sam local invoke` finds the code whichever way the app was synthesised.
METADATA = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}


def build(context: Mapping[str, Any] | None = None, output: Path | None = None) -> "cdk.App":
    """The app with the choices in `context` over those in cdk.json, not yet synthesised.

    output: where its assembly goes, unless the CDK CLI says. Raises SettingFault, PolicyFileFault or WorkflowFault
    when what it is given cannot be deployed.
    """
    use_bundled_node()
    _reach_functions()
    import aws_cdk as cdk

    from infra import settings
    from infra.access import compliance
    from infra.region import SignoffRegionStack
    from infra.stack import SignoffStack
    from infra.workload import SignoffWorkloadStack

    flags = json.loads((ROOT / "cdk.json").read_bytes())["context"]
    app = cdk.App(context={**METADATA, **flags, **(context or {})}, outdir=str(output) if output else None)
    chosen = settings.read(app.node.try_get_context)
    if chosen.central:
        SignoffWorkloadStack(app, WORKLOAD, settings=chosen, central=chosen.central)
    else:
        SignoffStack(app, STACK, settings=chosen)
        for region in chosen.regions:
            SignoffRegionStack(app, f"{STACK}Region-{region}", settings=chosen, region=region, central=STACK)
    cdk.Tags.of(app).add("project", "signoff")
    if chosen.nag:
        compliance.check(app)
    return app


def synthesise(context: Mapping[str, Any] | None = None, output: Path | None = None) -> Path:
    """Write the app's assembly, and return its folder.

    Raises what `build` raises, RuntimeError for what the CDK refuses, and LimitExceeded for what AWS would refuse for
    its size.
    """
    from infra import limits

    # The CDK counts resources too, and does not say what to do.
    assembly = Path(build({"@aws-cdk/core:stackResourceLimit": 0, **(context or {})}, output).synth().directory)
    limits.check(assembly)
    return assembly


def _reach_functions() -> None:
    """Let the app import the functions' package, which is installed in Lambda but not on every machine that deploys."""
    path = str(ROOT / "functions")
    if path not in sys.path:
        sys.path.append(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Synthesise the app; exits with 1 and what is wrong when it cannot be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--output", type=Path, help="the assembly's folder (the CDK CLI's, or cdk.out)")
    options = parser.parse_args(arguments)
    context = dict(pair.partition("=")[::2] for pair in options.context)
    try:
        synthesise(context, options.output)
    except (ValueError, RuntimeError) as fault:  # jsii raises RuntimeError for what the library refuses
        sys.exit(f"signoff: {fault}")


if __name__ == "__main__":
    main()
