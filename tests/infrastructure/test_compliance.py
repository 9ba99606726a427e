"""What others check: cdk-nag, cfn-lint; and what may be chosen still passes both."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from infra.access import compliance
from tests.support.cfn_lint import linted
from tests.support.template import SynthesizedTemplate


def lint(folder: Path) -> list[str]:
    return linted(folder / "Signoff.template.json", "us-east-1", "eu-central-1")


def test_cfn_lint_finds_nothing(template, assembly):
    assert template.document
    assert lint(assembly) == []


def test_cfn_lint_finds_nothing_when_everything_is_chosen(chosen, chosen_assembly):
    assert chosen.document
    assert lint(chosen_assembly) == []


def test_cdk_nag_stops_what_breaks_its_rules(tmp_path):
    app = cdk.App(outdir=str(tmp_path))
    s3.Bucket(cdk.Stack(app, "Careless"), "Open")
    compliance.check(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-S10" in (tmp_path / "validation-report.json").read_text()


def suppressions(template: SynthesizedTemplate) -> list[tuple[str, dict[str, str]]]:
    return [
        (template.name(logical), rule)
        for logical, resource in template.document["Resources"].items()
        for rule in resource["Metadata"].get("cdk_nag", {}).get("rules_to_suppress", ())
    ]


def test_every_exception_from_cdk_nag_says_why(template):
    assert len(suppressions(template)) > 0
    assert [(name, rule["id"]) for name, rule in suppressions(template) if len(rule["reason"].split()) < 4] == []


def test_the_exceptions_from_cdk_nag_are_of_five_kinds(template):
    kinds = {rule["id"].partition("[")[0] for _, rule in suppressions(template) if "::E" not in rule["id"]}
    assert kinds == {"AwsSolutions-IAM5", "AwsSolutions-L1", "AwsSolutions-S1", "AwsSolutions-SQS3", "AwsSolutions-CB4"}


def test_a_key_of_the_customers_own_encrypts_everything_that_is_kept(chosen):
    key = "arn:aws:kms:us-east-1:123456789012:key/Signoff-Key"
    for name in ("Artifacts", "Vault"):
        (rule,) = chosen.one("AWS::S3::Bucket", name)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    tables = chosen.of_type("AWS::DynamoDB::Table").values()
    assert {table["SSESpecification"]["KMSMasterKeyId"] for table in tables} == {key}
    assert {queue["KmsMasterKeyId"] for queue in chosen.of_type("AWS::SQS::Queue").values()} == {key}
    assert {group["KmsKeyId"] for group in chosen.of_type("AWS::Logs::LogGroup").values()} == {key}
    assert chosen.one("AWS::CodeBuild::Project", "InspectAtLength")["EncryptionKey"] == key
    assert chosen.one("AWS::KMS::Key", "Key")["EnableKeyRotation"] is True


def test_the_choices_are_carried_out(chosen):
    assert {tuple(f["Architectures"]) for f in chosen.of_type("AWS::Lambda::Function").values()} == {("x86_64",)}
    vault = chosen.one("AWS::S3::Bucket", "Vault")
    assert vault["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": {"Days": 30, "Mode": "COMPLIANCE"}}
    assert vault["BucketName"] == "acme-vault"
    assert chosen.one("AWS::S3::Bucket", "Artifacts")["BucketName"] == "acme-submissions"
    assert "ReservedConcurrentExecutions" not in chosen.one("AWS::Lambda::Function", "InspectArtifact")
