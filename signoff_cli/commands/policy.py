"""`signoff policy`: what a policy says, and what is wrong with it, before it is deployed. Asks nothing of AWS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.policies.check import PolicyCheck

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Policies; - reads standard input.")]


def check(files: Files, json: AsJson = False) -> None:
    """Explain policies in sentences, and list every error by its path.

    Needs no AWS account, network or credentials. Warnings point out what is weak, or probably not intended.
    As in the files of the CDK app, the execution role may be left out.

    Exits 1 when there are errors, with each on standard error.
    """
    from signoff_cli.output import console
    from signoff_cli.policies import check as policy_checking

    checked = policy_checking.with_conflicts([policy_checking.check(_name(file), _bytes(file)) for file in files])
    if json:
        console.print_json([each.document for each in checked])
    else:
        for each in checked:
            if not each.faults:
                _print(each)
    if any(each.faults for each in checked):
        raise policy_checking.InvalidPolicies(checked)


def schema() -> None:
    """Print the JSON Schema of policies, with which an editor completes, explains and checks them (draft 2020-12).

    `signoff policy check` covers more.
    """
    from signoff_cli.output import console
    from signoff_cli.policies.schema import policy_schema

    console.print_json(policy_schema())


def _name(file: str) -> str:
    return "the policy" if file == "-" else file


def _bytes(file: str) -> bytes:
    from signoff_cli.manifests.check import read_limited

    if file == "-":
        return read_limited(sys.stdin.buffer)
    try:
        with Path(file).open("rb") as opened:
            return read_limited(opened)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error


# How a topic is called for people, where the JSON output has another name.
_LABELS = {"demands": "requires"}


def _print(checked: PolicyCheck) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console

    console.print_line(clean(f"{checked.name} is valid"))
    for topic, sentences in checked.sentences.items():
        label = _LABELS.get(topic, topic)
        for number, sentence in enumerate(sentences):
            console.print_line(f"  {label if number == 0 else '':<12}{clean(sentence)}")
    for warning in checked.warnings:
        console.print_line(f"  {'warning':<12}{clean(warning)}")
