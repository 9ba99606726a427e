"""The project template, as a product and in S3: who may use it, what it makes, and what its role may do."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from infra.access.guardrails import GuardrailScope, deployment_statements, gate_statements
from infra.app import build
from infra.groups.projects import ARTIFACTS_EXPORT, TEMPLATES, ProjectFault, versions
from infra.settings import DeploymentSettings, SettingFault, read
from signoff.policy.policy import parse
from tests.support.cfn_lint import linted
from tests.support.iam import allowed, denied
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
PERSON, DEPLOYER = f"{ROLE}/DataScientist", f"{ROLE}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
GROUP = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/churn"
POLICIES = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/signoff/policies"
SUBMITTERS = f"arn:aws:iam::{ACCOUNT}:policy/signoff/projects/SC-1-pp-1-Submitters-XYZ"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/SC-{ACCOUNT}-pp-1/id"
# By its digest, so that nobody changes what projects were made from; a new version gets a line of its own.
RELEASED = {"v1": "521539"}


def catalog(template: SynthesizedTemplate, kind: str) -> list[dict[str, Any]]:
    return list(template.of_type(f"AWS::ServiceCatalog::{kind}").values())


@pytest.fixture(scope="module")
def launch(chosen: SynthesizedTemplate) -> dict[str, Any]:
    """What the launch role may do."""
    (policy,) = chosen.one("AWS::IAM::Role", "Projects/LaunchRole")["Policies"]
    document: dict[str, Any] = policy["PolicyDocument"]
    return document


@pytest.fixture(scope="module")
def guardrail() -> dict[str, Any]:
    gate = GuardrailScope(account=ACCOUNT)
    return {"Statement": [*gate_statements(gate), *deployment_statements(gate)]}


@pytest.mark.parametrize("path", versions(), ids=lambda path: path.stem)
def test_cfn_lint_finds_nothing_in_a_version_of_the_template(path: Path) -> None:
    assert linted(path, "us-east-1", "eu-central-1") == []


def test_a_released_version_never_changes() -> None:
    digests = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest()[:6] for path in versions()}
    assert digests == RELEASED


def test_versions_are_ordered_by_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        (tmp_path / f"v{number}.json").write_text("{}")
    assert [path.stem for path in versions(tmp_path)] == ["v1", "v9", "v10"]


@pytest.mark.parametrize("name", ["1.json", "v0.json", "v1.1.json", "template.json"])
def test_a_version_by_another_name_stops_the_deployment(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ProjectFault, match=name):
        versions(tmp_path)


def test_a_folder_without_versions_stops_the_deployment(tmp_path: Path) -> None:
    with pytest.raises(ProjectFault, match="no version"):
        versions(tmp_path)


def test_sagemakers_two_parameters_are_all_that_a_project_must_be_given() -> None:
    for path in versions():
        parameters = json.loads(path.read_bytes())["Parameters"]
        required = {name for name, parameter in parameters.items() if "Default" not in parameter}
        assert required == {"SageMakerProjectName", "SageMakerProjectId"}


def test_a_project_can_be_given_no_policy_that_the_platform_has_not_written() -> None:
    template = json.loads(versions()[-1].read_bytes())
    assert template["Parameters"]["Policy"]["AllowedPattern"] == "^[a-zA-Z0-9-]+$"
    value = template["Resources"]["GroupPolicy"]["Properties"]["Value"]
    assert value == {"Fn::Sub": "{{resolve:ssm:/signoff/policies/projects/${Policy}}}"}


def test_a_deleted_project_leaves_its_group_and_policy_for_the_auditor() -> None:
    resources = json.loads(versions()[-1].read_bytes())["Resources"]
    kept = {name: resources[name]["DeletionPolicy"] for name in ("Group", "GroupPolicy")}
    assert kept == {"Group": "RetainExceptOnCreate", "GroupPolicy": "RetainExceptOnCreate"}


def test_projects_are_offered_only_where_they_are_asked_for(template: SynthesizedTemplate) -> None:
    kinds = {resource["Type"] for resource in template.document["Resources"].values()}
    assert not {kind for kind in kinds if "ServiceCatalog" in kind}
    assert "ProjectTemplateUrl" not in template.outputs()
    assert "/signoff/policies/projects/standard" not in str(template.of_type("AWS::SSM::Parameter"))


def test_the_product_has_every_version_by_its_name_and_studio_shows_it(chosen: SynthesizedTemplate) -> None:
    (product,) = catalog(chosen, "CloudFormationProduct")
    assert [version["Name"] for version in product["ProvisioningArtifactParameters"]] == [p.stem for p in versions()]
    assert {"Key": "sagemaker:studio-visibility", "Value": "true"} in product["Tags"]


def test_the_product_is_launched_under_its_own_role_and_its_projects_can_be_tagged(chosen: SynthesizedTemplate) -> None:
    (launch,), (tags,) = catalog(chosen, "LaunchRoleConstraint"), catalog(chosen, "ResourceUpdateConstraint")
    assert launch["RoleArn"] == chosen.role("Projects/LaunchRole")
    assert tags["TagUpdateOnProvisionedProduct"] == "ALLOWED"


def test_the_product_is_for_those_principals_that_were_chosen(chosen: SynthesizedTemplate) -> None:
    found = {each["PrincipalARN"]: each["PrincipalType"] for each in catalog(chosen, "PortfolioPrincipalAssociation")}
    assert found == {PERSON: "IAM", "arn:aws:iam:::role/Team*": "IAM_PATTERN"}


@pytest.mark.parametrize("context", [{"projectPrincipals": PERSON}, {"projects": "true", "projectPrincipals": "Data"}])
def test_principals_that_could_make_no_project_stop_the_deployment(context: dict[str, str]) -> None:
    with pytest.raises(SettingFault, match="projectPrincipals"):
        read(context.get)


def test_the_newest_version_is_in_s3_as_well(chosen: SynthesizedTemplate, chosen_assembly: Path) -> None:
    outputs = chosen.outputs()
    (product,) = catalog(chosen, "CloudFormationProduct")
    assert outputs["ProjectTemplateUrl"] == product["ProvisioningArtifactParameters"][-1]["Info"]["LoadTemplateFromURL"]
    name = outputs["ProjectTemplateUrl"].rpartition("/")[2].removesuffix(".json")
    assert (chosen_assembly / f"asset.{name}.json").read_bytes() == versions()[-1].read_bytes()


def test_the_template_finds_the_bucket_that_the_stack_exports(chosen: SynthesizedTemplate) -> None:
    exports = {
        o["Export"]["Name"]: chosen.resolve(o["Value"]) for o in chosen.document["Outputs"].values() if "Export" in o
    }
    assert exports[ARTIFACTS_EXPORT] == chosen.outputs()["ArtifactsBucket"]
    for path in versions():
        assert json.dumps({"Fn::ImportValue": ARTIFACTS_EXPORT}) in path.read_text()


def test_the_policies_for_projects_are_such_as_the_functions_can_read(chosen: SynthesizedTemplate) -> None:
    policy = parse(chosen.one("AWS::SSM::Parameter", "Projects/Policies/projects-standard")["Value"])
    assert policy.deployment.execution_role == chosen.role("ModelExecutionRole")
    assert policy.approvals.submitter_may_approve is False


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *((f"sagemaker:{name}", GROUP) for name in ("CreateModelPackageGroup", "DescribeModelPackageGroup")),
        *((f"sagemaker:{name}", GROUP) for name in ("DeleteModelPackageGroup", "GetModelPackageGroupPolicy")),
        *((f"sagemaker:{name}", GROUP) for name in ("ListTags", "AddTags", "DeleteTags")),
        *((f"ssm:{name}", f"{POLICIES}/groups/churn") for name in ("PutParameter", "DeleteParameter")),
        *((f"ssm:{name}", f"{POLICIES}/groups/churn") for name in ("AddTagsToResource", "GetParameters")),
        ("ssm:GetParameters", f"{POLICIES}/projects/standard"),
        *((f"iam:{name}", SUBMITTERS) for name in ("CreatePolicy", "DeletePolicy", "CreatePolicyVersion")),
        *((f"cloudformation:{name}", STACK) for name in ("CreateStack", "UpdateStack", "DeleteStack")),
    ],
)
def test_the_launch_role_may_do_what_the_template_needs(launch: dict[str, Any], action: str, resource: str) -> None:
    assert allowed(launch, action, resource, {})


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ssm:PutParameter", f"{POLICIES}/default"),
        ("ssm:PutParameter", f"{POLICIES}/projects/standard"),
        ("sagemaker:UpdateModelPackage", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/churn/1"),
        ("sagemaker:PutModelPackageGroupPolicy", GROUP),
        ("sagemaker:CreateModel", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/churn"),
        ("iam:CreatePolicy", f"arn:aws:iam::{ACCOUNT}:policy/elsewhere"),
        ("iam:AttachRolePolicy", f"{ROLE}/DataScientist"),
        ("iam:PassRole", f"{ROLE}/signoff/Signoff-ModelExecutionRole-XYZ"),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Signoff/id"),
        ("s3:GetObject", "arn:aws:s3:::signoff-vault/models/churn/1/model.tar.gz"),
    ],
)
def test_the_launch_role_may_do_nothing_else(launch: dict[str, Any], action: str, resource: str) -> None:
    assert not allowed(launch, action, resource, {})


@pytest.mark.parametrize("action", ["PutParameter", "DeleteParameter", "RemoveTagsFromResource", "AddTagsToResource"])
def test_the_launch_role_touches_no_policy_of_the_platform(launch: dict[str, Any], action: str) -> None:
    for platform in (True, False):
        tags = {"aws:ResourceTag/signoff:written-by": "platform"} if platform else {}
        assert allowed(launch, f"ssm:{action}", f"{POLICIES}/groups/churn", tags) is not platform


def test_every_policy_of_the_platform_is_tagged_as_such(chosen: SynthesizedTemplate) -> None:
    made = [each for each in chosen.of_type("AWS::SSM::Parameter").values() if "/policies/" in each["Name"]]
    assert len(made) >= 3
    assert {each["Tags"]["signoff:written-by"] for each in made} == {"platform"}


def test_service_catalog_reads_the_templates_that_it_keeps(launch: dict[str, Any]) -> None:
    tagged = {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}
    assert allowed(launch, "s3:GetObject", "arn:aws:s3:::sc-templates/template", tagged)


def test_only_service_catalog_and_cloudformation_take_the_launch_role_on(chosen: SynthesizedTemplate) -> None:
    (statement,) = chosen.one("AWS::IAM::Role", "Projects/LaunchRole")["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {"servicecatalog.amazonaws.com", "cloudformation.amazonaws.com"}


def test_the_guardrails_let_the_launch_role_and_no_person_make_governed_groups(
    guardrail: dict[str, Any], chosen: SynthesizedTemplate
) -> None:
    asked = [
        ("sagemaker:CreateModelPackageGroup", GROUP, {"aws:TagKeys": ["signoff:governed"]}),
        ("ssm:PutParameter", f"{POLICIES}/groups/churn", {}),
    ]
    role = chosen.role("Projects/LaunchRole")
    for action, resource, context in asked:
        assert denied(guardrail, action, resource, {"aws:PrincipalArn": PERSON, **context})
        assert not denied(guardrail, action, resource, {"aws:PrincipalArn": role, **context})


def test_the_guardrails_let_only_deployers_pass_the_launch_role(
    guardrail: dict[str, Any], chosen: SynthesizedTemplate
) -> None:
    role = chosen.role("Projects/LaunchRole")
    assert denied(guardrail, "iam:PassRole", role, {"aws:PrincipalArn": PERSON})
    assert not denied(guardrail, "iam:PassRole", role, {"aws:PrincipalArn": DEPLOYER})


def test_models_of_projects_run_under_the_roles_that_their_policies_name(tmp_path: Path) -> None:
    role = f"{ROLE}/models-of-projects"
    for name, document in {"default": {}, "projects/own": {"deployment": {"execution_role": role}}}.items():
        path = tmp_path / "policies" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    choices = {"policies": str(tmp_path / "policies"), "projects": "true", "bundle": "source", "nag": "false"}
    build(choices, tmp_path / "out").synth()
    synthesised = SynthesizedTemplate(json.loads((tmp_path / "out" / "Signoff.template.json").read_bytes()))
    (policy,) = synthesised.one("AWS::IAM::Role", "CreateModelRole")["Policies"]
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert allowed(policy["PolicyDocument"], "iam:PassRole", role, context)


def test_without_a_policy_to_choose_there_are_no_projects(tmp_path: Path) -> None:
    (tmp_path / "default.json").write_text("{}")
    choices = {"policies": str(tmp_path), "projects": "true", "bundle": "source", "nag": "false"}
    with pytest.raises(ProjectFault, match="no policy for projects"):
        build(choices, tmp_path / "out")


def test_the_standard_policy_of_projects_asks_what_the_default_does() -> None:
    default, standard = (
        json.loads((DeploymentSettings.policies / f"{name}.json").read_bytes())
        for name in ("default", "projects/standard")
    )
    for field in ("approvals", "artifact", "metrics", "deployment"):
        assert standard[field] == default[field]
    assert TEMPLATES.is_dir()
