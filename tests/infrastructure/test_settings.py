"""Choices by context, the workflow's placeholders, and the bundle."""

from pathlib import Path

import pytest

from infra.app import main
from infra.functions import code_bundle
from infra.functions.workflow import WorkflowFault, read_definition
from infra.settings import DeploymentSettings, SettingFault, read


def test_what_is_not_chosen_has_its_default():
    assert read(lambda _name: None) == DeploymentSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architecture", "sparc"),
        ("bundle", "zip"),
        ("ephemeral", "perhaps"),
        ("lockMode", "governance"),
        ("lockDays", "0"),
        ("lockDays", "a week"),
        ("approvedRetentionDays", "-1"),
        ("logRetentionDays", "8"),
        ("inspectConcurrency", "many"),
        ("queueConcurrency", "1"),
        ("unapprovedDays", "7"),
        ("uploadsDays", "6"),
        ("suffix", "2"),
        ("suffix", "-Two"),
        ("sharedPrefixes", "fraud"),
        ("sharedPrefixes", "-"),
        ("sharedPrefixes", "fraud-*"),
        ("sharedPrefixes", "fraud-,fraud-eu-"),
    ],
)
def test_a_choice_that_is_none_is_refused_by_name(name, value):
    with pytest.raises(SettingFault, match=name):
        read({name: value}.get)


def test_a_list_may_be_written_as_text_or_as_json():
    assert read({"sourceBuckets": "one, two"}.get).source_buckets == ("one", "two")
    assert read({"sourceBuckets": ["one", "two"]}.get).source_buckets == ("one", "two")


def test_the_hosts_architecture_is_one_that_lambda_has():
    assert read({"architecture": "host"}.get).architecture in code_bundle.PLATFORMS


def test_the_command_says_what_is_wrong_and_fails():
    with pytest.raises(SystemExit, match="lockMode"):
        main(["-c", "lockMode=none"])


def test_a_definition_gets_the_arns_that_it_names(tmp_path):
    path = tmp_path / "definition.json"
    path.write_text('{"FunctionName": "${OneArn}", "Arguments": "{% $states.input %}"}')
    _, substitutions = read_definition(path, {"OneArn": "arn:one", "TwoArn": "arn:two"})
    assert substitutions == {"OneArn": "arn:one"}


def test_a_definition_that_names_an_unknown_arn_is_refused(tmp_path):
    path = tmp_path / "definition.json"
    path.write_text('{"FunctionName": "${TreeArn}"}')
    with pytest.raises(WorkflowFault, match=r"TreeArn.*OneArn"):
        read_definition(path, {"OneArn": "arn:one"})


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one function, in place of this one."""
    functions = tmp_path / "functions"
    (functions / "signoff" / "__pycache__").mkdir(parents=True)
    (functions / "signoff" / "__pycache__" / "ledger.pyc").write_bytes(b"compiled")
    (functions / "signoff" / "ledger.py").write_text("ENTRIES = ()\n")
    (functions / "announce.py").write_text("import signoff.ledger\n")
    (tmp_path / "lock.txt").write_text("")
    monkeypatch.setattr(code_bundle, "FUNCTIONS", functions)
    monkeypatch.setattr(code_bundle, "LOCK", tmp_path / "lock.txt")
    monkeypatch.setattr(code_bundle, "BUILD", tmp_path / "build")
    return functions


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("sources")
def test_a_bundle_holds_the_handlers_and_their_package_and_nothing_compiled():
    folder, _ = code_bundle.bundle("arm64", "source")
    assert files(folder) == {"announce.py", "signoff/ledger.py"}


def test_the_same_sources_make_the_same_bundle_and_other_sources_another(sources):
    first = code_bundle.bundle("arm64", "source")
    assert code_bundle.bundle("arm64", "source") == first
    (sources / "announce.py").write_text("import signoff.ledger  # changed\n")
    assert code_bundle.bundle("arm64", "source")[1] != first[1]


@pytest.mark.usefixtures("sources")
def test_each_architecture_has_a_bundle_of_its_own():
    digests = {code_bundle._digest(architecture, "wheels") for architecture in code_bundle.PLATFORMS}
    assert len(digests) == 2


def test_botocore_is_cut_down_to_the_services_that_are_called(tmp_path):
    for library, kept in (("botocore", "sagemaker"), ("boto3", "s3")):
        for name in (kept, "ec2"):
            (tmp_path / library / "data" / name).mkdir(parents=True)
    (tmp_path / "botocore" / "data" / "endpoints.json").write_text("{}")
    (tmp_path / "regex" / "tests").mkdir(parents=True)
    code_bundle._prune(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.parent.name == "data"}
    assert left == {"botocore/data/sagemaker", "botocore/data/endpoints.json", "boto3/data/s3"}
    assert not (tmp_path / "regex" / "tests").exists()


def test_every_service_that_the_functions_call_is_left_in_botocore():
    functions = Path(code_bundle.FUNCTIONS)
    text = "".join(path.read_text() for path in functions.rglob("*.py"))
    called = {part.partition('"')[0] for part in text.split('client("')[1:]}
    assert called
    assert called <= code_bundle.SERVICES


def test_the_template_says_where_the_code_lies_for_sam_to_find_it(template):
    functions = [r for r in template.document["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert all(function["Metadata"]["aws:asset:path"].startswith("asset.") for function in functions)
    assert {function["Metadata"]["aws:asset:property"] for function in functions} == {"Code"}
