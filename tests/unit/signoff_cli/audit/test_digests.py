"""Hashing again whatever a piece of evidence names, and printing the evidence itself."""

import hashlib
import json
from typing import Any

import pytest

from signoff.ledger.history import History
from signoff_cli.audit.digests import Comparison, EvidenceVerifier, recorded_evidence
from signoff_cli.commands import evidence
from signoff_cli.errors import CommandFailed
from tests.support.compared import CHAMPION
from tests.support.world import World


def measured(world: World) -> History:
    """Return the ledger of a package with an archive and a quality document, both in the vault."""
    return world.history(world.pending())


def compared(world: World, history: History) -> list[Comparison]:
    return list(EvidenceVerifier(world.vault).verify(*recorded_evidence(history)))


def wrong(world: World, history: History) -> dict[str, str]:
    """Return the result of each comparison that does not fit, by what was compared."""
    return {each.what: each.result for each in compared(world, history) if not each.fits}


def document_of(world: World, history: History) -> Any:
    assert history.state.evidence
    return world.vault.read("evidence", history.state.evidence["sha256"])


def key_of(world: World, uri: str) -> str:
    key = world.vault.key_of(uri)
    assert key
    return key


def rewrite(world: World, key: str, data: bytes = b"other") -> None:
    """Have a key of the vault hold something else, as only somebody could who gets past Object Lock."""
    world.vault_bucket.versions[key][-1].data = data


def test_everything_that_evidence_names_by_a_digest_is_read_and_hashed():
    world = World()
    history = measured(world)
    found = compared(world, history)
    assert {each.result for each in found} == {"same"}
    document = document_of(world, history)
    digests = {document["policy"], document["subject"]["sha256"], *(each["sha256"] for each in document["artifacts"])}
    assert digests <= {each.expected for each in found}
    assert sum("findings" in each.what for each in found) == 1
    assert all(each["key"] in world.vault_bucket.reads for each in document["artifacts"])


def test_progress_is_told_in_bytes():
    world, read = World(), []
    history = measured(world)
    list(EvidenceVerifier(world.vault, read.append).verify(*recorded_evidence(history)))
    assert sum(read) >= sum(each["size"] for each in document_of(world, history)["artifacts"])


def test_bytes_that_are_no_longer_those_that_were_judged_are_found():
    world = World()
    history = measured(world)
    model = document_of(world, history)["artifacts"][0]
    rewrite(world, model["key"])
    assert wrong(world, history) == {f"artifacts {model['name']}": "differs"}


def test_another_version_on_top_of_the_one_that_was_judged_is_found():
    world = World()
    history = measured(world)
    model = document_of(world, history)["artifacts"][0]
    world.vault_bucket.put(model["key"], b"other")
    assert wrong(world, history) == {f"artifacts {model['name']}, the version that is read": "differs"}


def test_what_is_not_in_the_vault_any_more_is_unreadable():
    world = World()
    history = measured(world)
    model = document_of(world, history)["artifacts"][0]
    del world.vault_bucket.versions[model["key"]]
    name = f"artifacts {model['name']}"
    assert wrong(world, history) == {name: "unreadable", f"{name}, the version that is read": "unreadable"}


@pytest.mark.parametrize("prefix", ["policies/", "findings/"])
def test_a_document_with_other_content_is_found(prefix: str):
    world = World()
    history = measured(world)
    document = document_of(world, history)
    found = next(each["findings"] for each in document["artifacts"] if "findings" in each)
    rewrite(world, f"policies/{document['policy']}.json" if prefix == "policies/" else key_of(world, found))
    assert set(wrong(world, history).values()) == {"differs"}


def test_nothing_in_evidence_is_believed_that_has_another_digest_than_the_ledger_names():
    world = World()
    history = measured(world)
    assert history.state.evidence
    rewrite(world, f"evidence/{history.state.evidence['sha256']}.json", b'{"artifacts": []}')
    assert [(each.what, each.result) for each in compared(world, history)] == [("evidence", "differs")]
    del world.vault_bucket.versions[f"evidence/{history.state.evidence['sha256']}.json"]
    assert [(each.what, each.result) for each in compared(world, history)] == [("evidence", "unreadable")]


def recorded(world: World, history: History, **changed: Any) -> History:
    """Return the same ledger with other evidence, a forger's: it says `changed`, and has a digest of its own."""
    document = {**document_of(world, history), **changed}
    written = world.vault.write("evidence", document)
    *before, entry = (each for each in history.entries if each.sequence <= 3)
    forged = type(entry)(**{**vars(entry), "details": {**entry.details, "sha256": written.sha256}})
    return History(history.package, (*before, forged))


def test_evidence_of_something_else_is_found():
    world = World()
    history = measured(world)
    another = recorded(world, history, group="other", verdict="failed")
    facts = next(each for each in compared(world, another) if each.what == "facts that differ")
    assert (facts.result, facts.found) == ("differs", "group, verdict")
    subject = {**document_of(world, history)["subject"], "images": {}}
    assert wrong(world, recorded(world, history, subject=subject))["subject"] == "differs"


@pytest.mark.parametrize("broken", [{"artifacts": [{"name": "a"}]}, {"artifacts": None}, {"subject": []}])
def test_evidence_that_says_nothing_that_can_be_understood_is_no_good_evidence(broken: dict[str, Any]):
    world = World()
    assert "unreadable" in wrong(world, recorded(world, measured(world), **broken)).values()


def test_the_evidence_of_the_champion_and_the_predictions_are_hashed_too():
    world = World()
    history = measured(world)
    kept = world.vault.write("evidence", {"of": "the champion"})
    predictions = world.vault_bucket.put("predictions/p.csv", b"1,0.5\n")
    measured_ = {
        "predictions": {"uri": world.vault.uri(predictions.key), "sha256": hashlib.sha256(b"1,0.5\n").hexdigest()}
    }
    champion = {**CHAMPION, "evidence": {"uri": kept.uri, "sha256": kept.sha256}}
    comparison = {**document_of(world, history)["comparison"], "champion": champion}
    whole = recorded(world, history, metrics={"measured": measured_}, comparison=comparison)
    results = {each.what: each.result for each in compared(world, whole)}
    assert results["comparison.champion.evidence"] == results["metrics.measured.predictions"] == "same"
    rewrite(world, kept.key)
    rewrite(world, predictions.key)
    found = wrong(world, whole)
    assert found["comparison.champion.evidence"] == found["metrics.measured.predictions"] == "differs"


def test_evidence_that_names_a_real_champion_is_verified_with_the_champions_own():
    world = World()
    first = world.approved()
    second = world.history(world.pending(prefix="churn/run-8"))
    named = document_of(world, second)["comparison"]["champion"]
    assert named["name"] == "churn/1"
    results = {each.what: each.result for each in compared(world, second)}
    assert results["comparison.champion.evidence"] == "same"
    rewrite(world, f"evidence/{world.evidence(first)}.json")
    assert wrong(world, second) == {"comparison.champion.evidence": "differs"}


def test_the_quality_document_of_a_package_from_elsewhere_is_looked_for_in_the_vault():
    world = World()
    world.set_policy("groups/churn")
    statistics = {"ContentType": "application/json", "S3Uri": "s3://pipelines/quality.json"}
    arn = world.elsewhere(ModelMetrics={"ModelQuality": {"Statistics": statistics}})
    world.deliver()
    history = world.history(arn)
    assert document_of(world, history)["metrics"]["claimed"]["document"]["uri"] == statistics["S3Uri"]
    assert wrong(world, history) == {}


def test_a_data_set_outside_the_vault_is_told_and_anything_else_there_is_unreadable():
    world = World()
    history = measured(world)
    elsewhere = {"uri": "s3://evaluation/test.csv", "sha256": "d" * 64}
    whole = recorded(world, history, metrics={"claimed": {"dataset": elsewhere, "predictions": elsewhere}})
    results = {each.what: each.result for each in compared(world, whole)}
    assert results["metrics.claimed.dataset"] == "outside"
    assert results["metrics.claimed.predictions"] == "unreadable"


def test_what_may_not_be_read_is_unreadable_and_says_why(monkeypatch: pytest.MonkeyPatch):
    from botocore.exceptions import ClientError

    world = World()
    history = measured(world)

    def refuse(_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetObject")

    monkeypatch.setattr(world.vault, "stream", refuse)
    found = [each for each in compared(world, history) if each.result == "unreadable"]
    assert {each.because for each in found} == {"not you"}


# What is printed


def test_json_is_the_very_bytes_whose_digest_is_the_evidences_name(capfdbinary: pytest.CaptureFixture[bytes]):
    world = World()
    history = measured(world)
    assert history.state.evidence
    evidence.print_evidence(history, world.vault, None, json=True)
    assert hashlib.sha256(capfdbinary.readouterr().out).hexdigest() == history.state.evidence["sha256"]
    evidence.print_evidence(history, world.vault, None, json=False)
    assert json.loads(capfdbinary.readouterr().out) == document_of(world, history)


def test_each_line_says_what_was_compared_and_where_it_lies(capsys: pytest.CaptureFixture[str]):
    world = World()
    history = measured(world)
    evidence.verify(history, world.vault, None, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert history.state.evidence
    sha256 = history.state.evidence["sha256"]
    assert lines[0] == f"same       evidence (s3://vault/evidence/{sha256}.json): {sha256}"
    assert all(line.startswith("same ") for line in lines)


def test_a_difference_fails_the_command_which_names_it(capsys: pytest.CaptureFixture[str]):
    world = World()
    history = measured(world)
    model = document_of(world, history)["artifacts"][0]
    rewrite(world, model["key"])
    with pytest.raises(CommandFailed, match=r"1 of [0-9]+ comparisons failed: artifacts InferenceSpecification"):
        evidence.verify(history, world.vault, None, json=False)
    assert f"\ndiffers    artifacts {model['name']} (s3://vault/{model['key']} version " in capsys.readouterr().out
    with pytest.raises(CommandFailed):
        evidence.verify(history, world.vault, None, json=True)
    said = json.loads(capsys.readouterr().out)
    found = next(each for each in said["compared"] if each["result"] == "differs")
    assert (found["expected"], found["found"]) == (model["sha256"], hashlib.sha256(b"other").hexdigest())


def test_earlier_evidence_is_named_by_its_digest():
    world = World()
    history = measured(world)
    assert history.state.evidence
    assert recorded_evidence(history, history.state.evidence["sha256"])[0].sequence == 3
    with pytest.raises(CommandFailed, match="has no evidence ff"):
        recorded_evidence(history, "f" * 64)
    with pytest.raises(CommandFailed, match="has no evidence yet:"):
        recorded_evidence(History(history.package, history.entries[:2]))
