"""What one model uses of AWS, recorded from a run in memory: `python -m tests.support.recorded_usage`.

The use cases are the real ones, and AWS is the tests' (`tests.faults.faulty_world`), which notes each call with the
function that makes it. The recording is kept beside this module, so that docs/scale.md changes when somebody records
anew, and not with every call that is saved; a test fails when the two are too far apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from signoff.aws.ledger_items import entry_item, package_row_item
from signoff.ledger.history import History
from tests.faults.faults import INVOKE
from tests.faults.faulty_world import FaultyWorld
from tests.support.repository import ROOT

RECORDING = ROOT / "tests/support/recorded_usage.json"
# The billed kind of a call to an adapter; what is called nothing of these is free, or counted by what it keeps.
_S3 = ("FakeBucket", "FakeInbox", "FakeS3")
_S3_WRITES = ("put", "copy", "tag", "retain", "names", "etags", "listing", "list", "history", "write", "delete")
_OTHERS = (
    *("FakeLedger", "FakeSubmissions", "FakeParameters", "FakeRegistry", "FakeSts", "FakeEcr", "FakeImageResolver"),
    *("FakeExecutions", "FakeQueue", "FakeLineage", "FakeOutlets"),
)
# The states that a validation enters, and those for each artifact and each document. A test follows the definition.
STATES = (
    *("OpenValidation", "IsThereAnythingToValidate", "InspectArtifacts", "IsItToBeMeasured", "RecordEvidence"),
    *("DidItPass", "ApprovalRequested"),
)
ARTIFACT = ("KeepArtifact", "IsItKept", "InspectArtifact", "IsItInspected", "Inspected")
DOCUMENT = ("KeepArtifact", "IsItKept", "NothingToInspect", "Inspected")
_QUEUED = {"RegisterModel", "KeepSignature", "ApplyDecision", "CreateModel"}


def record() -> dict[str, Any]:
    """Return what the second model of a group uses: a signed submission of one archive, and its approval."""
    world = FaultyWorld()
    _submitted_and_approved(world, "churn/run-1")
    before, noted, announced = _ledger(world), len(world.interruptions.noted), len(world.outlets.announced)
    told, kept = len(world.outlets.told), _documents(world)
    files = world.files("churn/run-2")
    _submitted_and_approved(world, "churn/run-2", files)
    calls = world.interruptions.noted[noted:]
    functions = _by_function(calls)
    kept_there, inspected = (functions[name]["invocations"] for name in ("KeepArtifact", "InspectArtifact"))
    histories = [each for key, each in _ledger(world).items() if key not in before]
    appends = sum(name == "FakeLedger.append" for _, name, _ in calls)
    reads = sum(name.startswith(("FakeLedger.", "FakeSubmissions.get")) for _, name, _ in calls) - appends
    submissions = sum(name.startswith("FakeSubmissions.") and not name.endswith(".get") for _, name, _ in calls)
    items = [_size(entry_item(entry)) for history in histories for entry in history.entries]
    row = max(_size(package_row_item(history)) for history in histories)
    return {
        "functions": functions,
        "states": len(STATES) + len(ARTIFACT) * inspected + len(DOCUMENT) * (kept_there - inspected),
        "streams": 2 * inspected,  # each artifact is read to be inspected, and before that at most once to be hashed
        "objects": len(files) + 1,
        "events": len(files) + 1 + len(world.outlets.announced) - announced + 1,
        "messages": sum(functions[name]["invocations"] for name in functions if name in _QUEUED),
        "notifications": len(world.outlets.told) - told,
        "write_units": _written(items, row, appends) + submissions,
        "read_units": reads * ceil(sum(items) / 4096),
        "item_bytes": sum(items) + row * (1 + _indexes("PackageHeadTable")),
        "document_bytes": _documents(world) - kept,
    }


def _submitted_and_approved(world: FaultyWorld, prefix: str, files: Mapping[str, Any] | None = None) -> None:
    known = set(world.registry.described)
    world.uploads(files or world.files(prefix))
    world._handle_all()
    (arn,) = set(world.registry.described) - known
    world.decides(arn, "approve")
    world._handle_all()
    assert str(world.state(arn).status) == "Approved"
    assert world.state(arn).model


def _ledger(world: FaultyWorld) -> dict[str, History]:
    return {key: history for key, history in world.ledger.histories.items() if key.startswith("arn:")}


def _by_function(calls: Iterable[tuple[str, str, bool]]) -> dict[str, dict[str, int]]:
    functions: dict[str, dict[str, int]] = {}
    for function, name, _ in calls:
        counts = functions.setdefault(
            function, {"invocations": 0, "s3_write": 0, "s3_read": 0, "other": 0, "memory": _memory(function)}
        )
        counts[kind_of(name)] += 1
    return dict(sorted(functions.items()))


def kind_of(name: str) -> str:
    """Return the kind of a call that an adapter makes. Raises ValueError for an adapter that nobody has priced."""
    if name == INVOKE:
        return "invocations"
    adapter, _, call = name.partition(".")
    if adapter in _S3:
        return "s3_write" if call.startswith(_S3_WRITES) else "s3_read"
    if adapter.startswith(_OTHERS):
        return "other"
    raise ValueError(f"what does {name} cost?")


def _memory(function: str) -> int:
    """Return a function's memory in MiB, as the app's specifications have it."""
    name = re.sub(r"(?<!^)([A-Z])", r"_\1", function).lower()
    text = (ROOT / "infra/functions/specs.py").read_text()
    found = re.search(rf'FunctionSpec\(\s*"{name}".*?memory=(\d+)', text, re.DOTALL)
    assert found, f"no specification of {name}"
    return int(found[1])


def _indexes(table: str) -> int:
    """Return how many indexes a table has, as the app makes them."""
    text = (ROOT / "infra/storage/tables.py").read_text()
    _, _, rest = text.partition(f"class {table}(")
    return rest.partition("\nclass ")[0].count("index_name=")


def _written(items: list[int], row: int, appends: int) -> int:
    """Return the write units of a ledger: transactions count twice, and each index the item once more, or moves it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    entries = sum(ceil(size / 1024) * (2 + _indexes("LedgerEntryTable")) for size in items)
    return entries + appends * ceil(row / 1024) * (2 + 2 * _indexes("PackageHeadTable"))


def _size(item: Mapping[str, Any]) -> int:
    return len(json.dumps(item))


def _documents(world: FaultyWorld) -> int:
    """Return the bytes of all objects in the vault but the models' copies."""
    versions = world.vault_bucket.versions.items()
    return sum(len(each.data) for key, stored in versions if not key.startswith("models/") for each in stored)


def kept() -> dict[str, Any]:
    """Return the recording that the page is made of."""
    document: dict[str, Any] = json.loads(RECORDING.read_text())
    return document


if __name__ == "__main__":
    RECORDING.write_text(json.dumps(record(), indent=2) + "\n")
