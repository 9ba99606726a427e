"""What an audit reads of S3 and DynamoDB: every version ever written, locks, and items just as they are kept."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from signoff.aws.dynamodb import to_item
from signoff.aws.ledger_items import entry_item, package_row_item
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket, VersionRecord
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.ledger import checkpoints
from signoff.ledger.history import History
from signoff.sweep.daily_checkpoint import DailyCheckpoint
from signoff_cli.audit.auditor import Auditor
from signoff_cli.audit.verification import findings
from tests.support import entries
from tests.support.clock import START, Clock


@pytest.fixture
def bucket(aws: Any) -> Bucket:
    """A bucket whose locks can be asked for: moto shows them with a HEAD only."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)

    def locked(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        key = params["url_path"].partition("?")[0].removeprefix("/vault").removeprefix("/")
        version = params["query_string"]["versionId"]
        found = aws("s3").head_object(Bucket="vault", Key=key, VersionId=version).get("ObjectLockRetainUntilDate")
        return SimpleNamespace(status_code=200), {"Retention": {"RetainUntilDate": found} if found else {}}

    s3.meta.events.register("before-call.s3.GetObjectRetention", locked)
    return Bucket(s3, "vault")


@pytest.fixture
def ledger(aws: Any) -> LedgerTable:
    for name, keys in (("ledger", ("package", "sequence")), ("packages", ("package",))):
        aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "N" if key == "sequence" else "S"} for key in keys
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    return LedgerTable(aws("dynamodb"), "ledger", "packages", Clock())


def put(bucket: Bucket, key: str, data: bytes) -> None:
    assert bucket.put_after(bucket.current(key), key, data)


def test_what_is_written_once_is_locked_from_the_first_moment(bucket: Bucket):
    until = START + timedelta(days=365)
    assert bucket.put_locked("heads/1.json", b"{}", "GOVERNANCE", until)
    stored = bucket.current("heads/1.json")
    assert stored is not None
    assert bucket.retained_until("heads/1.json", stored.version_id) == until
    assert not bucket.put_locked("heads/1.json", b"[]", "GOVERNANCE", until)
    assert bucket.get("heads/1.json") == b"{}"


def test_what_is_not_locked_says_so(bucket: Bucket):
    put(bucket, "a", b"")
    stored = bucket.current("a")
    assert stored is not None
    assert bucket.retained_until("a", stored.version_id) is None


def test_every_version_is_found_the_oldest_first_and_every_mark_of_deletion(bucket: Bucket, aws: Any):
    for data in (b"1", b"2", b"3"):
        put(bucket, "heads/a", data)
    put(bucket, "heads/b", b"1")
    put(bucket, "elsewhere", b"1")
    aws("s3").delete_object(Bucket="vault", Key="heads/b")
    found = list(bucket.history("heads/"))
    assert [(each.key, each.latest, each.deletes) for each in found] == [
        ("heads/a", False, False),
        ("heads/a", False, False),
        ("heads/a", True, False),
        ("heads/b", False, False),
        ("heads/b", True, True),
    ]
    first = bucket.version("heads/a", found[0].version_id)
    assert first is not None
    assert bucket.read(first) == b"1"
    assert list(Vault(bucket).written("heads/")) == ["heads/a", "heads/b"]
    assert isinstance(found[0], VersionRecord)


def test_the_day_is_read_from_what_was_written_first(bucket: Bucket, ledger: LedgerTable, aws: Any):
    clock = Clock()
    ledger.append(History(entries.PACKAGE), [entries.registered()])
    assert DailyCheckpoint(ledger, Vault(bucket), clock, "GOVERNANCE", 365).write_once()
    put(bucket, checkpoints.daily_key("2026-03-02"), b"forged")
    reader = Auditor(ledger, Vault(bucket), Registry(aws("sagemaker")), pause=lambda: None)
    checkpoint_history = reader.checkpoint_history(clock(), reader.all_keys())
    assert list(checkpoint_history.named) == [entries.PACKAGE]
    assert [finding.name for finding in checkpoint_history.findings] == ["HeadsChanged"]


def test_every_ledger_has_its_tip_and_its_row(ledger: LedgerTable):
    history = ledger.append(History(entries.PACKAGE), [entries.registered(), entries.started()])
    ledger.append(History("unknown:x"), [entries.refused()])
    assert {key: (sequence, digest) for key, sequence, digest in ledger.chain_heads()}[entries.PACKAGE] == (
        2,
        history.head,
    )
    assert {key for key, _, _ in ledger.chain_heads()} == {entries.PACKAGE, "unknown:x"}
    assert (ledger.indexed(entries.PACKAGE) or {})["hash"] == history.head
    assert ledger.indexed("none") is None


def test_entries_are_read_as_they_are_kept(ledger: LedgerTable):
    history = ledger.append(History(entries.PACKAGE), [entries.registered(), entries.started()])
    assert ledger.verbatim(entries.PACKAGE) == (history, None)
    assert ledger.verbatim("none") == (History("none"), None)


@pytest.mark.parametrize(
    "written",
    [
        {"details": {"S": "{ }"}},
        {"details": {"S": "{"}},
        {"details": {"S": "[]"}},
        {"kind": {"S": "Nonsense"}},
        {"sequence": {"S": "2"}},
        {"more": {"S": ""}},
        {"actor": {"M": {}}},
    ],
)
def test_what_is_no_entry_as_signoff_writes_them_is_told(written: dict[str, Any]):
    from signoff.aws.ledger_items import verbatim

    items = [entry_item(entry) for entry in entries.history(*entries.PENDING).entries]
    read, fault = verbatim([items[0], {**items[1], **written}, items[2]])
    assert len(read) == 1
    assert (fault or "").startswith("item 2 is")


def test_a_ledger_with_what_is_no_entry_is_broken_there(ledger: LedgerTable, bucket: Bucket, aws: Any):
    history = ledger.append(History("unknown:x"), [entries.refused(), entries.refused("Other")])
    item = {**entry_item(history.entries[1]), "more": {"S": "x"}}
    aws("dynamodb").put_item(TableName="ledger", Item=item)
    reader = Auditor(ledger, Vault(bucket), Registry(aws("sagemaker")), pause=lambda: None)
    (found,) = findings(reader.collect("unknown:x", []))
    assert (found.name, found.entry) == ("ChainBroken", 2)
    aws("dynamodb").put_item(TableName="ledger", Item=entry_item(history.entries[1]))
    assert findings(reader.collect("unknown:x", [])) == []
    aws("dynamodb").put_item(TableName="packages", Item={**package_row_item(history), **to_item({"hash": "other"})})
    assert [each.name for each in findings(reader.collect("unknown:x", []))] == ["IndexDiffers"]
