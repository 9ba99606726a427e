"""`signoff submit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.options import AsJson, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.ledger.history import History
    from signoff.policy.policy import Policy
    from signoff.submission.layout import Submission
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.stack import Stack
    from signoff_cli.submissions.registration import RegistrationRefused
    from signoff_cli.submissions.upload import UploadPlan

File = Annotated[Path, typer.Argument(metavar="ARTIFACT", help="The model artifact: a .tar.gz, or a folder.")]
Group = Annotated[str, typer.Option(metavar="GROUP", help="The model package group to submit to, by name or ARN.")]
ManifestFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its manifest; by default manifest.json beside the artifact.")
]
NoManifest = Annotated[
    bool, typer.Option("--no-manifest", help="Submit no manifest: for groups whose policy has registration defaults.")
]
Named = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="NAME=PATH",
        help="The local file of the object that the manifest calls NAME, or the folder for NAME/. Repeatable.",
    ),
]
CreateGroup = Annotated[
    bool,
    typer.Option(
        "--create-group", help="Create the group if it does not exist, where the default policy lets submissions do so."
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow it until it is waiting for approval or has failed.")]


def submit(
    artifact: File,
    group: Group,
    manifest: ManifestFile = None,
    no_manifest: NoManifest = False,
    file: Named = None,
    create_group: CreateGroup = False,
    wait: Wait = False,
    timeout: Timeout = 900,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Submit a model artifact with its manifest.

    Uploads both, and every other object that the manifest names, and signs a statement of their SHA-256 that proves who
    submitted them.

    An object is read from the file of its name in the manifest's folder, unless --file names another. The artifact is
    uploaded under the name that the manifest has for its model data; if it has none, the artifact becomes the
    ModelDataUrl of the one container without model data. A name that ends in / means all files of a folder, with its
    subfolders.

    --json prints the document of `show --json`, with the submission's prefix and its registration report; it implies
    --wait.

    Exits 1 when the registration or the validation failed, with the reasons on standard error.
    """
    from signoff_cli.stack import Stack
    from signoff_cli.statements.signature import require_credentials

    plan = _planned(artifact, manifest, no_manifest, file or [])
    found = Stack.find(stack)
    require_credentials()
    name = _group(found, group)
    _check_archives(plan, _check_group(found, name, plan, create_group, json), json)
    submission = _uploaded(found, name, plan, create_group, json)
    if wait or json:
        _follow(found, submission, timeout, json)


def _group(found: Stack, group: str) -> str:
    """Return the group's name; an ARN must be of a group that this stack submits to."""
    from signoff_cli.stack import current_location
    from signoff_cli.workload import resolve_group

    location = found.registry_location
    if location is None and not group.startswith("arn:"):
        return group
    return resolve_group(group, location or current_location(), found.registry)


def _check_group(found: Stack, group: str, plan: UploadPlan, create: bool, json: bool) -> Policy | None:
    """Return by which policy the submission will be judged, and say so; in other accounts only Signoff knows."""
    from signoff.model_package.groups import is_group_name
    from signoff_cli.submissions import preflight

    if not is_group_name(group):
        raise CommandFailed(
            f"{group} cannot be the name of a model package group: letters, digits and hyphens, 63 at most"
        )
    if found.registry_location:
        return None
    policy = preflight.governing(
        group, found.registry, found.policies, create=create, manifest=plan.manifest is not None
    )
    if policy:
        preflight.all_named(plan, policy.policy.registration_defaults)
    _report(f"policy    {policy.name if policy else 'unknown: you may not read the policies'}", json)
    return policy.policy if policy else None


def _check_archives(plan: UploadPlan, policy: Policy | None, json: bool) -> None:
    """Raise `CommandFailed` for archives that hold what is not submitted, and tell what is odd about the others."""
    from signoff.documents.text import clean
    from signoff_cli.submissions import archives

    required = policy.artifact.required_files if policy else ()
    refused = []
    for each in plan.uploads:
        if each.name.endswith(archives.SUFFIXES):
            faults, odd = archives.problems(each.path, required)
            refused += [f"  {clean(each.name)}: {clean(fault)}" for fault in faults]
            for warning in odd:
                _report(f"warning   {clean(each.name)} {clean(warning)}", json)
    if refused:
        raise CommandFailed("\n".join(["these cannot be submitted, and nothing was uploaded:", *refused]))


def _planned(artifact: Path, manifest: Path | None, no_manifest: bool, files: list[str]) -> UploadPlan:
    from signoff.submission.layout import MANIFEST
    from signoff_cli.submissions.upload import plan

    if no_manifest and manifest:
        raise typer.BadParameter("--manifest and --no-manifest cannot be used together")
    # Beside `.` is not in it, though pathlib has it so.
    beside = (artifact if artifact.name else artifact.absolute()).parent / MANIFEST
    if manifest is None and not no_manifest:
        if artifact.exists() and not beside.is_file():
            raise CommandFailed(f"there is no {beside}; give the manifest with --manifest FILE")
        manifest = beside
    return plan(artifact, manifest, dict(_pair(file) for file in files))


def _pair(text: str) -> tuple[str, Path]:
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise typer.BadParameter(f"--file must be NAME=PATH, not {text}")
    return name, Path(path)


def _uploaded(found: Stack, group: str, plan: UploadPlan, create_group: bool, json: bool) -> Submission:
    import secrets

    from signoff.documents.text import clean
    from signoff.runtime.clock import utc_now
    from signoff.submission.layout import Submission
    from signoff_cli.output import console
    from signoff_cli.stack import caller, s3
    from signoff_cli.statements.signature import sign_as_caller
    from signoff_cli.submissions import upload

    submission = Submission(group, upload.submission_name(utc_now(), secrets.token_hex(4)))
    bucket, audience, region = found.artifacts.name, found.audience, found.home_region
    for name, why in plan.left_out.items():
        _report(f"left out  {clean(name)}: {why}", json)
    for path, name in plan.model_data.items():
        _report(f"added     {path}: {clean(name)}", json)
    with console.progress(plan.size, "reading") as progress:
        digests = upload.digests(plan, progress)
    statement = upload.statement(audience, submission, digests, create_group=create_group)
    with console.progress(plan.size) as progress:
        upload.upload(s3(), bucket, submission, plan, lambda: sign_as_caller(statement, region), progress, caller())
    _report(f"uploaded  s3://{bucket}/{submission.prefix}/ ({len(plan.uploads)} files, {plan.size:,} bytes)", json)
    return submission


def _follow(found: Stack, submission: Submission, timeout: float, json: bool) -> None:
    from signoff.report.document import document as document_of
    from signoff.report.document import reason
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.submissions.registration import (
        RegistrationRefused,
        read_report,
        submission_fields,
        wait_for_registration,
    )

    deadline, bucket = Deadline(timeout), found.artifacts
    try:
        arn = wait_for_registration(lambda: read_report(bucket, submission), submission, deadline)
    except RegistrationRefused as refused:
        _print_refused(submission, refused, json)
        raise
    if found.registry_location:
        _wait_until_validated(found, submission, arn, deadline, json)
        return
    history = _wait_until_settled(found, arn, deadline, json)
    if json:
        document: dict[str, Any] = {
            **document_of(history),
            **submission_fields(submission, read_report(bucket, submission)),
        }
        console.print_json(document)
    why = reason(history)
    if why:
        raise CommandFailed(f"{history.state.group}/{history.state.version} is {history.state.status}: {why}")
    _report(f"now       {history.state.group}/{history.state.version} is {history.state.status}", json)


def _wait_until_validated(found: Stack, submission: Submission, arn: str, deadline: Deadline, json: bool) -> None:
    """Follow a package of the registry in another account, by what SageMaker shows of it."""
    from signoff_cli import workload
    from signoff_cli.output import console
    from signoff_cli.submissions.registration import read_report, submission_fields

    _report(f"registered {arn}", json)
    described = workload.wait_until_validated(found.registry, arn, deadline)
    if json:
        shown = {name: described.get(name) for name in ("ModelApprovalStatus", "CustomerMetadataProperties")}
        console.print_json(
            {"package": arn, **shown, **submission_fields(submission, read_report(found.artifacts, submission))}
        )
    why = workload.failure_reason(described)
    if why:
        raise CommandFailed(f"{submission.group}/{described.get('ModelPackageVersion')} did not pass: {why}")
    _report(f"now       {submission.group}/{described.get('ModelPackageVersion')} is waiting for approval", json)


def _print_refused(submission: Submission, refused: RegistrationRefused, json: bool) -> None:
    from signoff_cli.output import console
    from signoff_cli.submissions.registration import refused_document

    if json:
        console.print_json(refused_document(submission, refused.report))


def _wait_until_settled(found: Stack, arn: str, deadline: Deadline, json: bool) -> History:
    from signoff_cli.output import console
    from signoff_cli.packages.progress import follow, is_settled, wait_for_ledger

    ledger = found.ledger
    key = wait_for_ledger(ledger, arn, deadline)
    for entry in follow(lambda: ledger.history(key), lambda history: is_settled(history.state), deadline):
        _report(console.entry_line(entry), json)
    return ledger.history(key).verified()


def _report(text: str, json: bool) -> None:
    """Print a message on standard output, or on standard error when --json prints its document there."""
    from signoff_cli.output import console

    console.print_line(text, sys.stderr if json else sys.stdout)
