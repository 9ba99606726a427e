"""The table of docs/reliability.md: each call of a function, each fault of it, and by what means the run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.faults.faults import INVOKE, Fault
from tests.faults.journey import Case, Result
from tests.support.repository import ROOT

PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- The table is written by `make sweep`. -->\n", "<!-- The end of the table. -->\n"
AT_ONCE, WRONG, NONE = "at once", "wrong", "n/a"
# What the adapters' calls are to AWS.
OPERATIONS = {
    INVOKE: "the invocation itself",
    "FakeBucket.checksum": "s3:HeadObject",
    "FakeBucket.copy_from": "s3:CopyObject",
    "FakeBucket.current": "s3:HeadObject",
    "FakeBucket.version": "s3:HeadObject",
    "FakeBucket.get": "s3:GetObject",
    "FakeBucket.opened": "s3:GetObject",
    "FakeBucket.read": "s3:GetObject",
    "FakeBucket.stream": "s3:GetObject",
    "FakeBucket.history": "s3:ListObjectVersions",
    "FakeBucket.listing": "s3:ListObjectVersions",
    "FakeBucket.names": "s3:ListObjectsV2",
    "FakeBucket.page": "s3:ListObjectsV2",
    "FakeBucket.put_after": "s3:PutObject",
    "FakeBucket.put_locked": "s3:PutObject",
    "FakeBucket.put_once": "s3:PutObject",
    "FakeBucket.retain": "s3:PutObjectRetention",
    "FakeBucket.etags": "s3:ListObjectsV2",
    "FakeBucket.tag": "s3:PutObjectTagging",
    "FakeBucket.tag_once": "s3:PutObjectTagging",
    "FakeEcr.batch_get_image": "ecr:BatchGetImage",
    "FakeEcr.describe_image_scan_findings": "ecr:DescribeImageScanFindings",
    "FakeEcr.describe_image_signing_status": "ecr:DescribeImageSigningStatus",
    "FakeExecutions.start": "states:StartExecution",
    "FakeExecutions.status": "states:DescribeExecution",
    "FakeLedger.append": "dynamodb:TransactWriteItems",
    "FakeLedger.chain_heads": "dynamodb:Scan",
    "FakeLedger.history": "dynamodb:Query",
    "FakeLedger.baseline_page": "dynamodb:Scan",
    "FakeLedger.group_page": "dynamodb:Scan",
    "FakeLedger.indexed_all": "dynamodb:BatchGetItem",
    "FakeLedger.postpone": "dynamodb:PutItem",
    "FakeLedger.reindex": "dynamodb:PutItem",
    "FakeLedger.rows_by_arn": "dynamodb:Query",
    "FakeLedger.rows_by_group": "dynamodb:Query",
    "FakeLedger.rows_due": "dynamodb:Query",
    "FakeLedger.rows_by_step": "dynamodb:Query",
    "FakeLedger.rows_deployed": "dynamodb:Query",
    "FakeLineage.artifact": "sagemaker:ListArtifacts",
    "FakeLineage.associate": "sagemaker:ListAssociations",
    "FakeLineage.associate_new": "sagemaker:AddAssociation",
    "FakeLineage.create_action": "sagemaker:CreateAction",
    "FakeLineage.update_action": "sagemaker:UpdateAction",
    "FakeOutlets.publish": "sns:Publish",
    "FakeOutlets.put": "events:PutEvents",
    "FakeParameters.delete_parameter": "ssm:DeleteParameter",
    "FakeParameters.get_paginator": "ssm:GetParametersByPath",
    "FakeParameters.get_parameter": "ssm:GetParameter",
    "FakeParameters.get_parameters": "ssm:GetParameters",
    "FakeParameters.put_parameter": "ssm:PutParameter",
    "FakeQueue.send": "sqs:SendMessage",
    "FakeRegistry.batch": "sagemaker:BatchDescribeModelPackage",
    "FakeRegistry.create_group": "sagemaker:CreateModelPackageGroup",
    "FakeRegistry.create_model": "sagemaker:CreateModel",
    "FakeRegistry.create_package": "sagemaker:CreateModelPackage",
    "FakeRegistry.delete_model": "sagemaker:DeleteModel",
    "FakeRegistry.describe": "sagemaker:DescribeModelPackage",
    "FakeRegistry.describe_model": "sagemaker:DescribeModel",
    "FakeRegistry.endpoints_using": "sagemaker:ListEndpoints",
    "FakeRegistry.group": "sagemaker:DescribeModelPackageGroup",
    "FakeRegistry.group_tags": "sagemaker:ListTags",
    "FakeRegistry.models_named": "sagemaker:ListModels",
    "FakeRegistry.modified": "sagemaker:Search",
    "FakeRegistry.set_status": "sagemaker:UpdateModelPackage",
    "FakeRegistry.update_package": "sagemaker:UpdateModelPackage",
    "FakeRegistry.versions": "sagemaker:ListModelPackages",
    "FakeSts.send": "sts:GetCallerIdentity",
    "FakeSubmissions.announce": "dynamodb:PutItem",
    "FakeSubmissions.claim": "dynamodb:PutItem",
    "FakeSubmissions.close": "dynamodb:PutItem",
    "FakeSubmissions.get": "dynamodb:GetItem",
    "FakeSubmissions.get_all": "dynamodb:BatchGetItem",
    "FakeSubmissions.keep_round": "dynamodb:PutItem",
    "FakeSubmissions.open": "dynamodb:Query",
    "FakeSubmissions.refuse": "dynamodb:PutItem",
    "FakeSubmissions.round": "dynamodb:GetItem",
    "FakeSubmissions.wait": "dynamodb:PutItem",
    "FakeTransformJobs.under_way": "sagemaker:ListTransformJobs",
}
Row = tuple[str, str]
Table = dict[Row, dict[Fault, set[str]]]


def row_of(case: Case) -> Row:
    """Return the function of a case and the action that it calls."""
    return case.function, OPERATIONS[case.operation]


def means(result: Result) -> set[str]:
    """Return by what means a run with a fault went on."""
    return {WRONG} if result.wrong else {*result.helped} or {AT_ONCE}


def table_of(results: Iterable[Result]) -> Table:
    """Return by what means runs with a fault went on, by the call and the fault."""
    table: Table = {}
    for result in results:
        table.setdefault(row_of(result.case), {}).setdefault(result.case.fault, set()).update(means(result))
    return table


def written(table: Mapping[Row, Mapping[Fault, set[str]]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| function | call | {' | '.join(Fault)} |", f"|---|---|{'---|' * len(Fault)}"]
    for function, operation in sorted(table):
        cells = [", ".join(sorted(table[function, operation].get(fault, {NONE}))) for fault in Fault]
        lines.append(f"| {function} | {operation} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def read() -> Table:
    """Return the page's table."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    rows = [line.strip("| \n").split(" | ") for line in rest.partition(END)[0].splitlines()[2:]]
    return {
        (function, operation): {
            fault: set(cell.split(", ")) for fault, cell in zip(Fault, cells, strict=True) if cell != NONE
        }
        for function, operation, *cells in rows
    }


def write(table: Table) -> None:
    """Put a table into the page, and keep the rows and faults that it leaves out."""
    kept = read()
    table = {row: {**kept.get(row, {}), **table.get(row, {})} for row in {*kept, *table}}
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + written(table) + END + rest.partition(END)[2], encoding="utf-8")
