"""What inspections found, as people read it: on a terminal, in a file, from the vault and without it."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from signoff.artifact.findings import Finding
from signoff.artifact.remedies import REMEDIES
from signoff.aws.vault import Vault
from signoff.report.document import document as document_of
from signoff_cli.output import console, findings
from signoff_cli.output.findings import describe_counts
from signoff_cli.output.package_page import print_package
from signoff_cli.packages.evidence import with_evidence
from tests.support.archives import member, tar
from tests.support.model_shapes import MODELS, SEVERAL, WEIGHTS, manifest, source, submitted
from tests.support.world import IMAGE, World

REASON = "Has a name with a backslash, which some systems treat as a slash"
UNREAD = "the findings cannot be read from the vault, so that only the ledger's summary is shown"
SEVERAL_MODELS = manifest(SEVERAL, deployment={"PrimaryContainer": {"Mode": "MultiModel"}})
ONE_PREFIX = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})


def backslash(name: str) -> Finding:
    return Finding(name, "backslash", "error", REASON)


def in_a_file(*found: Finding) -> list[str]:
    printed = io.StringIO()
    findings.print_findings(found, console.console(printed))
    return printed.getvalue().splitlines()


def on_a_terminal(*found: Finding, width: int = 80) -> list[str]:
    printed = io.StringIO()
    findings.print_findings(found, Console(file=printed, width=width, force_terminal=True, color_system=None))
    return printed.getvalue().splitlines()


class Closed(Vault):
    """A vault that this caller may not read."""

    def __init__(self) -> None:
        super().__init__(World().vault_bucket)  # type: ignore[arg-type]

    def read(self, prefix: str, sha256: str) -> Any:
        denied = {"Error": {"Code": "AccessDenied", "Message": "ask your administrator"}}
        raise ClientError(denied, "GetObject")  # type: ignore[arg-type]


def shown(world: World, arn: str, vault: Vault | None = None) -> tuple[str, list[str]]:
    """Return the page of a package, and the notes on what could not be read."""
    history = world.history(arn)
    document, notes = with_evidence({**document_of(history), "champion": None}, vault or world.vault)
    page = io.StringIO()
    print_package(history, document, console.console(page))
    return page.getvalue(), notes


def refused(world: World, **files: bytes) -> str:
    for key, data in {**world.files("churn/run-7"), **{f"churn/run-7/{k}": v for k, v in files.items()}}.items():
        world.upload(key, data)
    world.deliver()
    return str(world.submissions.get("churn/run-7")["package"])


def failing() -> tuple[World, str]:
    world = World()
    archive = tar(member("../up", b"x"), member("a\\b", b"x"), member("c\\d", b"x"), member(".DS_Store", b"x"))
    return world, refused(world, **{"model.tar.gz": gzip.compress(archive)})


def test_each_rule_is_a_block_with_its_members_and_what_to_do():
    assert in_a_file(backslash("a\\b"), Finding("../up", "parent-directory", "error", "Climbs"), backslash("c\\d")) == [
        "",
        "error  backslash, 2 times",
        f"  {REASON}",
        "    - a\\b",
        "    - c\\d",
        f"  What to do: {REMEDIES['backslash']}",
        "",
        "error  parent-directory",
        "  Climbs",
        "    - ../up",
        f"  What to do: {REMEDIES['parent-directory']}",
    ]


def test_of_very_many_members_ten_are_listed():
    lines = in_a_file(*(backslash(f"{number}\\") for number in range(25)))
    assert "    - 9\\" in lines
    assert "    - 10\\" not in lines
    assert "    - and 15 more, which --json lists" in lines


def test_what_is_about_the_archive_has_no_member():
    assert in_a_file(Finding(None, "not-gzip", "error", "Not gzip"))[1:3] == ["error  not-gzip", "  Not gzip"]


def test_a_file_gets_long_names_whole_and_a_terminal_in_its_own_width():
    name = "weights/" * 50 + "\\"
    assert f"    - {name}" in in_a_file(backslash(name))
    lines = on_a_terminal(backslash(name))
    assert max(map(len, lines)) <= 80
    assert name in "".join(line.removeprefix("    - ").strip() for line in lines)


@pytest.mark.parametrize("width", [1, 20, 80, 200])
def test_any_width_of_a_terminal_shows_everything(width: int):
    lines = on_a_terminal(backslash("weights/\\"), width=width)
    assert "".join(REASON.split()) in "".join("".join(lines).split())


def test_a_name_commands_no_terminal():
    assert "    - a\\u001b[31m" in in_a_file(backslash("a\x1b[31m"))


@pytest.mark.parametrize(
    ("errors", "warnings", "words"),
    [(0, 0, ""), (1, 0, "1 error"), (0, 1, "1 warning"), (1200, 2, "1,200 errors and 2 warnings")],
)
def test_findings_are_counted_in_words(errors: int, warnings: int, words: str):
    assert describe_counts(errors, warnings) == words


def test_a_page_shows_what_was_found_in_place_of_what_the_check_says_of_it():
    page, notes = shown(*failing())
    assert notes == []
    assert "failed    artifact:InferenceSpecification.Containers[0].ModelDataUrl: see below" in page
    assert "Found in InferenceSpecification.Containers[0].ModelDataUrl: 3 errors and 1 warning" in page
    assert "error  backslash, 2 times" in page
    assert "warning  left-over" in page
    assert f"What to do: {REMEDIES['parent-directory']}" in page
    assert page.count(REMEDIES["parent-directory"]) == 1


def test_who_may_not_read_the_vault_is_told_so_and_gets_what_the_ledger_says():
    world, arn = failing()
    page, notes = shown(world, arn, Closed())
    assert notes == [f"{UNREAD.replace('findings', 'evidence')}: ask your administrator"]
    assert "../up: Has a name with `..`: it would climb out of the model's directory [parent-directory]" in page
    assert REMEDIES["parent-directory"] in page


def test_findings_that_are_gone_are_no_error_of_the_command():
    world, arn = failing()
    (key,) = (key for key in world.vault_bucket.versions if key.startswith("findings/"))
    del world.vault_bucket.versions[key]
    page, notes = shown(world, arn)
    assert [note.startswith(f"{UNREAD}: s3://vault/findings/") for note in notes] == [True]
    assert REMEDIES["parent-directory"] in page


def test_warnings_of_a_package_that_passed_are_shown_to_whoever_decides():
    world = World()
    archive = tar(member("model.bin", b"weights"), member(".DS_Store", b"x"))
    page, _ = shown(world, refused(world, **{"model.tar.gz": gzip.compress(archive)}))
    assert "passed    artifact:InferenceSpecification.Containers[0].ModelDataUrl: a readable archive" in page
    assert "warning  left-over" in page


def test_a_package_without_findings_or_evidence_has_no_section_of_them():
    world = World()
    arn = world.submit()
    assert shown(world, arn)[1] == []
    world.deliver()
    assert "Found in" not in shown(world, arn)[0]


def test_files_under_a_prefix_are_told_by_their_names_there():
    world = World()
    harmful = {**WEIGHTS, "weights/notes.txt": b"cposix\nsystem\n(S'id'\ntR."}
    arn = submitted(world, ONE_PREFIX, harmful)
    world.deliver()
    page, _ = shown(world, arn)
    assert "Found in InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri: 1 error" in page
    assert "    - notes.txt\n" in page


def test_members_of_archives_under_a_prefix_are_told_with_their_archive_and_twenty_archives_at_most():
    world = World()
    bad = gzip.compress(tar(member("../up", b"x")))
    arn = submitted(world, SEVERAL_MODELS, {**MODELS, **{f"models/{n:02}.tar.gz": bad for n in range(21)}})
    world.deliver()
    page, notes = shown(world, arn)
    assert "error  parent-directory, 20 times" in page
    assert "    - 00.tar.gz > ../up\n" in page
    assert "ModelDataUrl: 21 errors" in page
    assert [note.endswith("findings of 20 objects are shown, and 21 were refused") for note in notes] == [True]


def test_a_required_file_that_is_missing_under_a_prefix_is_a_finding_like_any_other():
    world = World(artifact={"required_files": ["code/*.py"]})
    arn = submitted(world, ONE_PREFIX, WEIGHTS)
    world.deliver()
    assert f"What to do: {REMEDIES['required-file-missing']}" in shown(world, arn)[0]
