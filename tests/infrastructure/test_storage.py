"""Buckets and tables: what keeps the record keeps it."""

import pytest

from infra import names
from signoff.aws.vault import APPROVED, UNDECIDED
from signoff.submission.register_model import _REGISTERED
from tests.support.iam import allowed, denied
from tests.support.template import ACCOUNT, SynthesizedTemplate

BUCKETS = ("Artifacts", "Vault", "Answers", "AccessLogs")
TABLES = ("Ledger", "Packages", "Submissions")
WRITERS = {
    "models/breast-cancer/1/model.tar.gz": {"RegisterModelRole", "KeepArtifactRole", "KeepAtLengthRole"},
    "registrations/1.json": {"RegisterModelRole"},
    "signatures/1.json": {"KeepSignatureRole"},
    "findings/1.json": {"InspectArtifactRole", "InspectAtLengthRole"},
    "requests/1.json": {"KeepArtifactRole", "InspectArtifactRole"},
    "kept/1.json": {"KeepAtLengthRole"},
    "inspected/1.json": {"InspectAtLengthRole"},
    "evidence/1.json": {"RecordEvidenceRole"},
    "policies/1.json": {"OpenValidationRole", "ApplyDecisionRole"},
    "decisions/1.json": {"ApplyDecisionRole"},
    "heads/2026-03-02.json": {"SweepRole"},
    "elsewhere.json": set(),
    "models": set(),
}
FUNCTIONS = (
    *("RegisterModelRole", "OpenValidationRole", "InspectArtifactRole", "RecordEvidenceRole"),
    *("KeepArtifactRole", "KeepAtLengthRole", "KeepSignatureRole"),
    *("ApplyDecisionRole", "CreateModelRole", "SweepRole", "AnnounceRole", "InspectAtLengthRole"),
)
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/Administrator"


def policy_of(template: SynthesizedTemplate, bucket: str) -> dict:
    return template.one("AWS::S3::BucketPolicy", f"{bucket}/Policy")["PolicyDocument"]


def by(principal: str) -> dict[str, str]:
    return {"aws:PrincipalArn": principal, "aws:SecureTransport": "true"}


def vault_refuses(
    template: SynthesizedTemplate, action: str, key: str, principal: str, *, overwriting: bool = False
) -> bool:
    resource = f"arn:aws:s3:::signoff-vault/{key}" if key else "arn:aws:s3:::signoff-vault"
    context = by(principal) if overwriting else {**by(principal), "s3:if-none-match": "*"}
    return denied(policy_of(template, "Vault"), action, resource, context)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_encrypted_and_closed_to_the_public(template, bucket):
    properties = template.one("AWS::S3::Bucket", bucket)
    rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["AES256"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_answers_only_over_tls(template, bucket):
    plain = {"aws:PrincipalArn": ADMINISTRATOR, "aws:SecureTransport": "false"}
    resource = f"arn:aws:s3:::signoff-{bucket.lower()}/any"
    assert denied(policy_of(template, bucket), "s3:GetObject", resource, plain)
    assert not denied(policy_of(template, bucket), "s3:GetObject", resource, by(ADMINISTRATOR))


@pytest.mark.parametrize("bucket", ["Artifacts", "Vault"])
def test_a_bucket_keeps_versions_logs_requests_and_forgets_unfinished_uploads(template, bucket):
    properties = template.one("AWS::S3::Bucket", bucket)
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LoggingConfiguration"]["DestinationBucketName"] == "signoff-accesslogs"
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert rules[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_the_artifacts_bucket_itself_notifies_eventbridge_of_uploads(template):
    notification = template.one("AWS::S3::Bucket", "Artifacts")["NotificationConfiguration"]
    assert notification == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not [resource for resource in template.document["Resources"].values() if "Custom::" in resource["Type"]]


def test_the_vault_locks_what_is_put_there_for_two_weeks(template):
    properties = template.one("AWS::S3::Bucket", "Vault")
    assert properties["ObjectLockEnabled"] is True
    assert properties["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": {"Days": 14, "Mode": "GOVERNANCE"}}


@pytest.mark.parametrize(
    "action",
    [
        *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"),
        *("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
    ],
)
def test_nobody_takes_anything_out_of_the_vault(template, action):
    everybody = [ADMINISTRATOR, *(template.role(name) for name in FUNCTIONS)]
    assert all(vault_refuses(template, action, "models/g/1/model.tar.gz", who) for who in everybody)


@pytest.mark.parametrize(
    "action",
    [
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketVersioning",
        "s3:PutReplicationConfiguration",
        "s3:DeleteBucket",
    ],
)
def test_nobody_changes_what_protects_the_vault(template, action):
    assert vault_refuses(template, action, "", ADMINISTRATOR)


@pytest.mark.parametrize("key", WRITERS)
def test_each_prefix_of_the_vault_has_its_writers_and_no_others(template, key):
    putting = {who for who in FUNCTIONS if not vault_refuses(template, "s3:PutObject", key, template.role(who))}
    assert putting == WRITERS[key]
    assert vault_refuses(template, "s3:PutObject", key, ADMINISTRATOR)


@pytest.mark.parametrize("key", [key for key in WRITERS if key.endswith(".json") and WRITERS[key]])
def test_nobody_puts_a_document_where_there_may_be_one_not_even_its_writer(template, key):
    """S3 refuses a conditional write to a key that has a version, and the policy every write without the condition."""
    assert all(vault_refuses(template, "s3:PutObject", key, template.role(who), overwriting=True) for who in FUNCTIONS)


@pytest.mark.parametrize(
    ("key", "role"), [("evidence/1.json", "ApplyDecisionRole"), ("heads/2026-03-02.json", "SweepRole")]
)
def test_only_a_decision_extends_a_retention_and_only_the_sweep_locks_heads(template, key, role):
    extending = {
        who for who in FUNCTIONS if not vault_refuses(template, "s3:PutObjectRetention", key, template.role(who))
    }
    assert extending == {role}
    assert vault_refuses(template, "s3:PutObjectRetention", key, ADMINISTRATOR)


@pytest.mark.parametrize("key", ["heads/2026-03-02.json", "evidence/1.json"])
def test_who_keeps_heads_writes_nothing_else(template, key):
    policy = template.one("AWS::IAM::Role", "SweepRole")["Policies"][0]["PolicyDocument"]
    resource = f"arn:aws:s3:::signoff-vault/{key}"
    may = [allowed(policy, action, resource, {}) for action in ("s3:PutObject", "s3:PutObjectRetention")]
    assert may == [key.startswith("heads/")] * 2


def test_the_vault_can_be_read_by_those_whose_roles_say_so(template):
    assert not vault_refuses(template, "s3:GetObject", "models/g/1/model.tar.gz", ADMINISTRATOR)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_on_demand_encrypted_recoverable_and_protected(template, table):
    properties = template.one("AWS::DynamoDB::Table", table)
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] is True


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {part["KeyType"]: part["AttributeName"] for part in schema}


def test_the_tables_have_the_keys_that_the_functions_use(template):
    tables = template.of_type("AWS::DynamoDB::Table")
    assert {name: keys(table["KeySchema"]) for name, table in tables.items()} == {
        "Ledger": {"HASH": "package", "RANGE": "sequence"},
        "Packages": {"HASH": "package"},
        "Submissions": {"HASH": "submission"},
    }
    indexes = {
        index["IndexName"]: keys(index["KeySchema"])
        for table in tables.values()
        for index in table.get("GlobalSecondaryIndexes", ())
    }
    assert indexes == {
        "by-next": {"HASH": "next", "RANGE": "since"},
        "by-status": {"HASH": "status", "RANGE": "since"},
        "by-group": {"HASH": "group", "RANGE": "version"},
        "by-arn": {"HASH": "arn", "RANGE": "created"},
        "by-deployed": {"HASH": "deployed", "RANGE": "rank"},
        "by-due": {"HASH": "status", "RANGE": "due"},
        "by-rollback": {"HASH": "rollback"},
        "by-open": {"HASH": "open", "RANGE": "due"},
        "by-kind": {"HASH": "kind", "RANGE": "time"},
    }


def test_the_ledger_streams_its_new_entries(template):
    assert template.one("AWS::DynamoDB::Table", "Ledger")["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"])
def test_nobody_changes_an_entry_of_the_ledger(template, operation):
    policy = template.one("AWS::DynamoDB::Table", "Ledger")["ResourcePolicy"]["PolicyDocument"]
    assert denied(policy, f"dynamodb:{operation}", "any", by(ADMINISTRATOR))
    assert not denied(policy, "dynamodb:PutItem", "any", by(ADMINISTRATOR))


def rules(template: SynthesizedTemplate, bucket: str) -> dict[str, dict]:
    found = template.one("AWS::S3::Bucket", bucket)["LifecycleConfiguration"]["Rules"]
    return {rule["Id"]: rule for rule in found}


def test_of_the_vault_nothing_expires_but_copies_that_nobody_approved(template):
    found = rules(template, "Vault")
    expiring = {name for name, rule in found.items() if {"ExpirationInDays", "NoncurrentVersionExpiration"} & set(rule)}
    assert expiring == {"ExpireUnapproved"}
    assert found["ExpireUnapproved"] == {
        "Id": "ExpireUnapproved",
        "Status": "Enabled",
        "Prefix": "models/",
        "TagFilters": [{"Key": key, "Value": value} for key, value in UNDECIDED.items()],
        "ExpirationInDays": 365,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    assert all(rule.get("Prefix") == "models/" for name, rule in found.items() if name != "AbortUnfinishedUploads")


def test_uploads_expire_and_sooner_once_their_submission_is_registered(template):
    found = rules(template, "Artifacts")
    gone = {"NoncurrentVersionExpiration": {"NoncurrentDays": 7}, "Status": "Enabled"}
    tag = [{"Key": key, "Value": value} for key, value in _REGISTERED.items()]
    assert found["ExpireRegistered"] == {"Id": "ExpireRegistered", "ExpirationInDays": 7, "TagFilters": tag, **gone}
    assert found["ExpireUploads"] == {"Id": "ExpireUploads", "ExpirationInDays": 90, **gone}
    assert found["ForgetExpired"]["ExpiredObjectDeleteMarker"] is True


def test_the_tags_of_the_life_cycle_are_those_that_the_functions_set():
    assert dict([names.UNDECIDED]) == UNDECIDED
    assert dict([names.APPROVED]) == APPROVED
    assert dict([names.REGISTERED]) == _REGISTERED


def test_what_lies_in_the_vault_becomes_cheaper_and_stays_as_quick_to_read(template, region):
    for found in (rules(template, "Vault"), rules(region, "Vault")):
        (transition,) = found["TierModels"]["Transitions"]
        assert transition == {"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 30}


def test_in_another_regions_vault_nothing_expires_because_all_of_it_is_approved(region):
    assert set(rules(region, "Vault")) == {"AbortUnfinishedUploads", "TierModels"}


TAGGING = ("s3:PutObjectTagging", "s3:PutObjectVersionTagging")


@pytest.mark.parametrize("action", TAGGING)
def test_nobody_tags_what_is_approved_so_that_it_would_expire(template, action):
    for who in (ADMINISTRATOR, *(template.role(name) for name in FUNCTIONS)):
        context = {**by(who), "s3:ExistingObjectTag/signoff:kept": "approved"}
        assert denied(policy_of(template, "Vault"), action, "arn:aws:s3:::signoff-vault/models/g/1/m", context)


def test_who_copies_tags_its_copy_and_who_decides_tags_what_is_approved(template):
    def tagging(action: str) -> set[str]:
        key = "models/g/1/model.tar.gz"
        return {who for who in FUNCTIONS if not vault_refuses(template, action, key, template.role(who))}

    assert tagging("s3:PutObjectTagging") == WRITERS["models/breast-cancer/1/model.tar.gz"]
    assert tagging("s3:PutObjectVersionTagging") == {"ApplyDecisionRole"}
    assert all(vault_refuses(template, action, "models/g/1/model.tar.gz", ADMINISTRATOR) for action in TAGGING)


def test_what_outlives_the_stack_is_as_protected_as_before(template, chosen, ephemeral):
    for found in (template, chosen):
        assert {each["DeletionPolicy"] for each in found.raw("AWS::S3::BucketPolicy")} == {"Retain"}
        assert {each["UpdateReplacePolicy"] for each in found.raw("AWS::S3::BucketPolicy")} == {"Retain"}
    for kind in ("AWS::KMS::Key", "AWS::KMS::Alias"):
        assert {each["DeletionPolicy"] for each in chosen.raw(kind)} == {"Retain"}
    assert {each.get("DeletionPolicy", "Delete") for each in ephemeral.raw("AWS::S3::BucketPolicy")} == {"Delete"}


def test_what_holds_the_record_outlives_the_stack(template):
    kept = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    policies = {resource["DeletionPolicy"] for kind in kept for resource in template.raw(kind)}
    assert policies == {"Retain"}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_an_ephemeral_stacks_buckets_stay_and_empty_themselves(ephemeral, bucket):
    """CloudFormation deletes no bucket that is not empty, and nobody may delete what is locked."""
    assert {each["DeletionPolicy"] for each in ephemeral.raw("AWS::S3::Bucket")} == {"Retain"}
    found = rules(ephemeral, bucket)
    assert (found["Empty"]["ExpirationInDays"], found["Empty"]["NoncurrentVersionExpiration"]) == (
        7,
        {"NoncurrentDays": 1},
    )
    assert found["EmptyOfMarkers"]["ExpiredObjectDeleteMarker"] is True
    assert not {"Prefix", "TagFilters"} & {key for key in found["Empty"] if found["Empty"][key]}


def test_an_ephemeral_stack_goes_with_all_else_that_it_holds(ephemeral):
    kinds = {"AWS::DynamoDB::Table", "AWS::Logs::LogGroup"}
    policies = {resource["DeletionPolicy"] for kind in kinds for resource in ephemeral.raw(kind)}
    assert policies == {"Delete"}
    assert not ephemeral.one("AWS::DynamoDB::Table", "Ledger")["DeletionProtectionEnabled"]
    lock = ephemeral.one("AWS::S3::Bucket", "Vault")["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Days"] == 1
