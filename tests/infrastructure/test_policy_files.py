"""Policy files: what is deployed is what the functions can read, and a fault stops the deployment by its name."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra import names
from infra.app import build
from infra.groups.policies import make_parameters
from infra.policy_files import PolicyFileFault, load, load_projects, refuse_conflicts
from infra.settings import DeploymentSettings
from signoff.policy import parameter
from signoff.policy.policy import parse
from signoff_cli.audit.deployed_policies import deployed_texts

APPROVER = "arn:aws:iam::123456789012:user/approver"
TICKETS = "arn:aws:iam::123456789012:role/tickets"


def write(folder: Path, name: str, document: Any) -> Path:
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_every_policy_of_the_app_becomes_a_parameter_that_the_functions_can_read(template):
    parameters = {p["Name"]: p for p in template.of_type("AWS::SSM::Parameter").values() if "/policies/" in p["Name"]}
    assert set(parameters) == {
        f"/signoff/policies/{policy.name.lower()}" for policy in load(DeploymentSettings.policies)
    }
    policies = {name: parse(parameter["Value"]) for name, parameter in parameters.items()}
    assert all(policy.deployment.execution_role for policy in policies.values())


def test_an_audit_reads_from_the_template_what_was_deployed(template):
    parameters = [p for p in template.of_type("AWS::SSM::Parameter").values() if "/policies/" in p["Name"]]
    expected = {parameter["Name"]: parameter["Value"] for parameter in parameters}
    assert deployed_texts(template.document, template.outputs(), names.POLICIES) == expected


def test_a_policy_is_deployed_in_ascii_because_cloudformation_shows_nothing_else(tmp_path):
    write(tmp_path, "default", {"description": "Prüfung 審査"})
    (policy,) = load(tmp_path)
    text = policy.text("arn:aws:iam::123456789012:role/default")
    assert text.isascii()
    assert parse(text).description == "Prüfung 審査"


def test_the_default_policy_asks_for_one_approval_by_someone_else(template):
    default = template.one("AWS::SSM::Parameter", "Policies/default")
    policy = parse(default["Value"])
    assert (policy.approvals.needed, policy.approvals.submitter_may_approve) == (1, False)
    assert (policy.metrics, policy.artifact.required_files, policy.groups.create) == ((), (), False)
    assert policy.deployment.network_isolation is True
    assert policy.deployment.execution_role == template.role("ModelExecutionRole")


def test_a_role_that_a_policy_names_is_kept(tmp_path):
    write(tmp_path, "default", {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/own"}})
    (policy,) = load(tmp_path)
    assert json.loads(policy.text("arn:aws:iam::123456789012:role/default")) == policy.document


def test_a_groups_policy_is_named_after_its_group(tmp_path):
    write(tmp_path, "default", {})
    write(tmp_path, "groups/breast-cancer", {})
    assert [policy.name for policy in load(tmp_path)] == ["default", "groups/breast-cancer"]


def test_two_policies_whose_groups_differ_by_case_only_are_refused(tmp_path):
    write(tmp_path, "default", {})
    for name in ("Churn", "churn"):
        write(tmp_path, f"groups/{name}", {})
    with pytest.raises(PolicyFileFault, match=r"groups/churn\.json: .*/groups/Churn\.json is for the same group"):
        load(tmp_path)


def test_a_policy_is_kept_under_its_groups_name_in_lower_case(tmp_path):
    write(tmp_path, "default", {})
    write(tmp_path, "groups/Churn", {})
    stack = cdk.Stack(cdk.App())
    make_parameters(stack, load(tmp_path), 365, execution_role="arn:aws:iam::123456789012:role/own")
    parameters = Template.from_stack(stack).find_resources("AWS::SSM::Parameter")
    made = [each["Properties"] for each in parameters.values()]
    kept = {each["Name"]: each["Value"] for each in made}
    assert set(kept) == {"/signoff/policies/default", "/signoff/policies/groups/churn"}
    assert parameter.read(kept["/signoff/policies/groups/churn"], "churn").group == "Churn"


@pytest.mark.parametrize(("days", "warned"), [(30, 1), (31, 0), (0, 0)])
def test_a_policy_whose_packages_wait_for_longer_than_their_copies_are_kept_is_warned_of(tmp_path, days, warned):
    write(tmp_path, "default", {"approvals": {"expiry": {"after": "P30D"}}})
    app = cdk.App(outdir=str(tmp_path / "out"))
    make_parameters(cdk.Stack(app), load(tmp_path), days, execution_role="arn:aws:iam::123456789012:role/own")
    app.synth()
    told = "".join(file.read_text() for file in (tmp_path / "out").glob("*.json"))
    assert told.count("policy default: approvals.expiry.after is not less than the 30 days") == warned


def test_two_policies_for_projects_that_differ_by_case_only_are_refused(tmp_path):
    for name in ("Standard", "standard"):
        write(tmp_path, f"projects/{name}", {})
    with pytest.raises(
        PolicyFileFault, match=r"projects/standard\.json: .*/projects/Standard\.json is for the same group"
    ):
        load_projects(tmp_path)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "Expecting"),
        ([], "must be an object, not a list"),
        ({"aprovals": {}}, "aprovals"),
        ({"approvals": {"needed": "one"}}, "needed"),
        ({"metrics": [{"name": "accuracy", "path": "a..b", "at_least": 0.9}]}, "a..b"),
        ({"deployment": []}, "deployment"),
        ({"description": "x" * 8192}, "8,192"),
    ],
)
def test_a_faulty_policy_stops_the_deployment_and_is_named(tmp_path, document, complaint):
    write(tmp_path, "default", {})
    path = write(tmp_path, "groups/faulty", document)
    with pytest.raises(PolicyFileFault, match=f"{path}.*{complaint}"):
        load(tmp_path)


def test_all_faults_of_a_file_are_reported_at_once_each_with_its_name(tmp_path):
    write(tmp_path, "default", {})
    path = write(tmp_path, "groups/faulty", {"aprovals": {}, "mode": "loud", "approvals": {"needed": 0}})
    with pytest.raises(PolicyFileFault) as refused:
        load(tmp_path)
    lines = str(refused.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(path)] * 3
    assert [line.split(": ")[1] for line in lines] == ["approvals.needed", "aprovals", "mode"]


def test_a_faulty_policy_for_projects_stops_the_deployment_too(tmp_path):
    write(tmp_path, "default", {})
    path = write(tmp_path, "projects/faulty", {"approvals": {"needed": 2, "approvers": [APPROVER]}})
    with pytest.raises(PolicyFileFault, match=rf"{path}: approvals\.needed: 2 approvals can never be reached"):
        build({"policies": str(tmp_path), "bundle": "source", "projects": "true"}, tmp_path / "out")


def test_a_key_that_is_given_twice_is_a_fault(tmp_path):
    path = write(tmp_path, "default", '{"mode": "report", "mode": "enforce"}')
    with pytest.raises(PolicyFileFault, match=f"{path}: mode: is given more than once"):
        load(tmp_path)


def believing(*principals: str) -> dict[str, Any]:
    return {"approvals": {"identity": "asserted", "publishers": {"acme.tickets": principals}}}


def test_two_policies_that_believe_a_source_of_different_principals_are_refused(tmp_path):
    write(tmp_path, "default", believing(TICKETS))
    path = write(tmp_path, "projects/trusting", believing(TICKETS, APPROVER))
    with pytest.raises(
        PolicyFileFault, match=rf"{path}: .*publishers\[\"acme.tickets\"\]: .*default\.json lists other principals"
    ):
        build({"policies": str(tmp_path), "bundle": "source", "projects": "true"}, tmp_path / "out")


def test_two_policies_may_believe_a_source_of_the_same_principals(tmp_path):
    write(tmp_path, "default", believing(TICKETS, APPROVER))
    write(tmp_path, "groups/churn", believing(APPROVER, TICKETS))
    found = load(tmp_path)
    refuse_conflicts(found)
    assert [set(each.policy.approvals.publishers["acme.tickets"]) for each in found] == [{TICKETS, APPROVER}] * 2


def test_an_app_without_a_default_policy_is_not_deployed(tmp_path):
    with pytest.raises(PolicyFileFault, match=r"default\.json"):
        build({"policies": str(tmp_path), "bundle": "source"}, tmp_path / "out")


def test_a_policy_may_outgrow_a_standard_parameter_and_shrink_again(template):
    parameters = template.of_type("AWS::SSM::Parameter").values()
    assert {parameter["Tier"] for parameter in parameters if "/policies/" in parameter["Name"]} == {
        "Intelligent-Tiering"
    }
