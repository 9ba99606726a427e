"""`signoff policy`: what a policy says, what is wrong with it, and what it would have held, before it is deployed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.completion import COMPLETE_GROUP
from signoff_cli.commands.options import AsJson, GroupName, StackName
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


def show(group: GroupName, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Show the policy in force of a group: what it asks of a model, in sentences or as JSON.

    Of a group that does not exist yet it is the policy that the group would have. With --json also the policy itself
    and its digest, by which evidence and decisions name it.
    """
    from signoff.documents.text import clean
    from signoff_cli.output import console
    from signoff_cli.packages.policy_view import in_force
    from signoff_cli.policies.sentences import sentences
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    governing, exists = in_force(group, found.registry, found.policies)
    said = {topic: lines for topic, lines in sentences(governing.policy).items() if lines}
    if json:
        policy = governing.policy
        known = {"group": governing.group, "exists": exists, "name": governing.name, "sha256": policy.digest}
        console.print_json({**known, "sentences": said, "policy": policy.document})
        return
    absent = "" if exists else " will be, if it is created,"
    console.print_line(clean(f"{governing.group}{absent} under the policy {governing.name}"))
    console.print_line(f"  {'sha256':<12}{governing.policy.digest}")
    _print_sentences(said)


def schema() -> None:
    """Print the JSON Schema of policies, with which an editor completes, explains and checks them (draft 2020-12).

    `signoff policy check` covers more.
    """
    from signoff_cli.output import console
    from signoff_cli.policies.schema import policy_schema

    console.print_json(policy_schema())


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy; - reads standard input.")],
    against: Annotated[
        list[str],
        typer.Option(metavar="GROUP[/N]", help="A group, or one version of it; may be repeated.", **COMPLETE_GROUP),
    ],
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Replay a policy over evidence that exists, and say what it would have held and why.

    The newest evidence of each package is judged again by the gates that judge candidates: metrics, also beside the
    champion of that time, images and their scans, provenance, sources, choices of the manifest, the submitter. What
    evidence alone does not tell, such as what else an archive holds, stands as it was recorded if the policy that was
    used asks the same, and is otherwise said to be unknown.

    Exits 1 when a package that passed would be held, or evidence cannot be read, and of an invalid policy.
    """
    from signoff_cli.output import console, replays
    from signoff_cli.packages.lookup import is_package_name, spelling
    from signoff_cli.policies import check as policy_checking
    from signoff_cli.policies.replay import replay_all
    from signoff_cli.stack import Stack

    checked = policy_checking.check(_name(file), _bytes(file))
    if checked.faults or checked.policy is None:
        raise policy_checking.InvalidPolicies([checked])
    found = Stack.find(stack)
    named = [each if is_package_name(each) else spelling(found.ledger, found.registry, each) for each in against]
    replays_of, unread = replay_all(checked.policy, named, found.ledger, found.vault)
    if json:
        console.print_json({"replays": [each.document for each in replays_of], "unread": unread})
    else:
        for line in replays.lines([each.document for each in replays_of], enforced=checked.policy.enforced):
            console.print_line(line)
    replays.fail(sum(each.newly_held for each in replays_of), len(replays_of), unread)


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


def _print_sentences(said: Mapping[str, Sequence[str]]) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console

    for topic, sentences in said.items():
        label = _LABELS.get(topic, topic)
        for number, sentence in enumerate(sentences):
            console.print_line(f"  {label if number == 0 else '':<12}{clean(sentence)}")


# How a topic is called for people, where the JSON output has another name.
_LABELS = {"demands": "requires"}


def _print(checked: PolicyCheck) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console

    console.print_line(clean(f"{checked.name} is valid"))
    _print_sentences(checked.sentences)
    for warning in checked.warnings:
        console.print_line(f"  {'warning':<12}{clean(warning)}")
