"""The `signoff` command: exit code 0 when done, 1 when refused or failed (the reason on stderr), 2 for wrong usage."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from signoff_cli import errors
from signoff_cli.commands import (
    annotate,
    audit,
    champion,
    compare,
    decide,
    engine,
    evidence,
    inspect,
    listing,
    manifest,
    operate,
    policy,
    projects,
    report,
    show,
    submit,
)
from signoff_cli.commands.options import PLAIN, examples

app = typer.Typer(name="signoff", pretty_exceptions_enable=False, **PLAIN)
manifests = typer.Typer(help="Check manifests before they are submitted.", **PLAIN)
app.add_typer(manifests, name="manifest")
policies = typer.Typer(help="Check policies before they are deployed.", **PLAIN)
app.add_typer(policies, name="policy")
project_commands = typer.Typer(help="SageMaker projects whose groups Signoff governs.", **PLAIN)
app.add_typer(project_commands, name="projects")

app.command(
    epilog=examples(
        "signoff submit model.tar.gz --group churn --wait",
        "signoff submit out/model.tar.gz --group churn --manifest churn.json --file quality.json=eval/latest.json",
        "signoff submit weights/ --group summaries --file adapters/=out/lora",
        "signoff submit model.tar.gz --group experiments --create-group",
        "signoff submit model.tar.gz --group churn --json | jq .status",
    )
)(submit.submit)
app.command(
    epilog=examples(
        "signoff inspect model.tar.gz",
        "signoff inspect out/model.tar.gz --policy infra/policies/groups/churn.json --json | jq .findings",
        "signoff inspect s3://training/run-7/output/model.tar.gz",
    )
)(inspect.inspect)
app.command(
    "list",
    epilog=examples(
        "signoff list",
        "signoff list --group churn --status PendingApproval",
        "signoff list --submitter user/alice --since 7d",
        "signoff list --metadata ticket=CHG-4711 --json",
    ),
)(listing.list_packages)
app.command(
    epilog=examples(
        "signoff queue",
        "signoff queue --all --role risk",
        "signoff queue --group churn --json | jq -r '.[0].package'",
    )
)(listing.queue)
app.command(
    epilog=examples(
        "signoff show churn/3",
        "signoff show arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3 --json | jq .evidence.uri",
    )
)(show.show)
app.command(
    epilog=examples(
        "signoff evidence churn/3",
        "signoff evidence churn/3 --verify",
        "signoff evidence churn/3 --json | sha256sum",
        "signoff evidence --schema > evidence.schema.json",
    )
)(evidence.evidence)
app.command(
    epilog=examples(
        "signoff report churn/3 --open",
        "signoff report churn/3 --html churn-3.html",
        'signoff report churn/3 >> "$GITHUB_STEP_SUMMARY"',
    )
)(report.report)
app.command(
    epilog=examples("signoff compare churn/2 churn/3", "signoff compare churn/3 churn-eu/1 --json | jq .metrics")
)(compare.compare)
app.command(epilog=examples("signoff watch churn/3", "signoff watch churn/3 --timeout 60"))(show.watch)
app.command(
    epilog=examples(
        'signoff approve churn/3 --reason "Lift of 2 points in the shadow test"',
        'signoff approve churn/3 --reason "CAB-1042" --evidence 3f1c9a... --yes --json',
        'signoff approve churn/3 --reason "The rows are few" --accept champion:auc',
        'signoff approve churn/3 --reason "INC-77: fraud runs unscored" --break-glass',
    )
)(decide.approve)
app.command(epilog=examples('signoff reject churn/3 --reason "Trained on last year\'s features"'))(decide.reject)
app.command(epilog=examples('signoff revoke churn/3 --reason "Drifts since Monday" --yes'))(decide.revoke)
app.command(epilog=examples('signoff reopen churn/3 --reason "The labels were right after all"'))(decide.reopen)
app.command(
    epilog=examples(
        'signoff rollback churn --reason "Version 4 drifts"',
        'signoff rollback churn --to 2 --reason "INC-77" --yes --json',
    )
)(decide.rollback)
app.command(
    epilog=examples(
        "signoff annotate churn/3 --set ticket=CHG-4711 --remove draft",
        'signoff annotate churn/3 --add-specification gpu.json --reason "For the new endpoints" --yes --json',
    )
)(annotate.annotate)
app.command(
    epilog=examples(
        "signoff audit churn/3",
        "signoff audit churn --csv > churn.csv",
        "signoff audit --since 7d --csv",
        "signoff audit --all --verify",
        "signoff audit churn/3 --verify --bytes --json | jq .findings",
    )
)(audit.audit)
app.command(
    epilog=examples(
        "signoff champion churn",
        "signoff champion churn --at 2026-03-15",
        "signoff champion churn --json | jq -r .model",
    )
)(champion.champion)
app.command(
    epilog=examples('signoff revalidate churn/3 --reason "The image was pushed" --wait', "signoff revalidate churn/3")
)(show.revalidate)
app.command(
    epilog=examples(
        "signoff doctor",
        "signoff doctor --json | jq -r '.findings[] | select(.by_itself == null) | .commands[]'",
    )
)(operate.doctor)
app.command(
    epilog=examples(
        "signoff redrive RegisterDeadLetters --dry-run",
        "signoff redrive DecisionDeadLetters --limit 1",
        "signoff redrive DeployDeadLetters",
        "signoff redrive SweepDeadLetters --drop 5fea7756-0ea4-451a-a703-a558b933e274",
    )
)(operate.redrive)
manifests.command(
    epilog=examples(
        "signoff manifest check manifest.json",
        "signoff manifest check churn.json --policy infra/policies/groups/churn.json --json | jq .faults",
        "python -m pipelines.manifest | signoff manifest check -",
    )
)(manifest.check)
manifests.command(
    epilog=examples("signoff manifest schema > .vscode/signoff-manifest.schema.json"),
)(manifest.schema)
policies.command(
    epilog=examples(
        "signoff policy check infra/policies/groups/churn.json",
        "signoff policy check infra/policies/*.json infra/policies/*/*.json",
        "jq '.mode = \"report\"' churn.json | signoff policy check - --json | jq '.[0].faults'",
    )
)(policy.check)
policies.command(
    "test",
    epilog=examples(
        "signoff policy test churn.json --against churn",
        "signoff policy test infra/policies/default.json --against churn/7 --against fraud --json | jq .replays",
    ),
)(policy.replay)
policies.command(
    epilog=examples("signoff policy show churn", "signoff policy show churn --json | jq .policy.metrics"),
)(policy.show)
policies.command(
    epilog=examples("signoff policy schema > .vscode/signoff-policy.schema.json"),
)(policy.schema)
project_commands.command(
    "list",
    epilog=examples("signoff projects list", "signoff projects list --name-contains churn --sort-by Name --json"),
)(projects.list_projects)
project_commands.command(
    epilog=examples("signoff projects show churn", "signoff projects show churn --json | jq .template")
)(projects.show)
project_commands.command(
    epilog=examples(
        "signoff projects update churn --wait",
        "signoff projects update churn --version v2 --parameter Policy=strict --yes --json",
    )
)(projects.update)
app.command("local", **engine.PASSED_ON)(engine.local)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"signoff {version('signoff')}")
        raise typer.Exit


@app.callback(epilog=examples("signoff submit model.tar.gz --group churn --wait", "signoff show churn/1"))
def signoff(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The gate between a trained model and production on AWS.

    Finds everything through the outputs of Signoff's CloudFormation stack, with the usual AWS settings: AWS_PROFILE,
    AWS_REGION, AWS_ENDPOINT_URL. A PACKAGE is an ARN or group/version.

    Exits 0 on success, 1 when refused or failed, with the reason on standard error, and 2 on wrong usage.
    """


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    # boto3 reads AWS_DEFAULT_REGION only; every other SDK, and the AWS CLI, AWS_REGION first.
    if os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    run(sys.argv[1:])


def run(arguments: Sequence[str]) -> None:
    """Run the command with `arguments`, and exit."""
    errors.run(lambda: app(arguments))


if __name__ == "__main__":
    main()
