"""SageMaker projects: made from the product and from the template in S3, submitted to, listed, shown and updated."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.groups.projects import versions
from signoff.ledger.entries import Kind
from tests.support import commands
from tests.support.groups import Group
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Studio:
    """SageMaker and the command, as a member of the team that the projects are for uses them."""

    pipeline: Pipeline

    def create(self, **request: Any) -> "Made":
        """Create a project, and return it once SageMaker is done with it; from the product unless told otherwise."""
        name = f"project-{uuid4().hex[:8]}"
        product = {"ServiceCatalogProvisioningDetails": {"ProductId": self.pipeline.outputs["ProjectProductId"]}}
        sagemaker = self.pipeline.aws("sagemaker", "submitter")
        made = sagemaker.create_project(ProjectName=name, **(request or product))
        project = Made(self, name, made["ProjectId"])
        eventually(lambda: not project.status.endswith("InProgress"), what=f"{name} to be made")
        return project

    def created(self, **request: Any) -> "Made":
        """Create a project that nothing is wrong with."""
        project = self.create(**request)
        assert project.status == "CreateCompleted", project.described()
        return project

    def from_s3(self, **parameters: str) -> "Made":
        """Create a project from the template in S3, under the launch role."""
        outputs, given = self.pipeline.outputs, [{"Key": key, "Value": value} for key, value in parameters.items()]
        template = {"TemplateName": "signoff", "TemplateURL": outputs["ProjectTemplateUrl"], "Parameters": given}
        template["RoleARN"] = outputs["ProjectLaunchRoleArn"]
        return self.created(TemplateProviders=[{"CfnTemplateProvider": template}])

    def newer(self, change: str = "The second version") -> tuple[str, str]:
        """Release a newer version of the template and return its name and URL."""
        template = json.loads(versions()[-1].read_bytes())
        template["Resources"]["GroupPolicy"]["Properties"]["Description"] = change
        name = f"v-{uuid4().hex[:8]}"
        s3, where = self.pipeline.aws("s3"), {"Bucket": f"templates-{name}", "Key": "project.json"}
        s3.create_bucket(Bucket=where["Bucket"])
        s3.put_object(**where, Body=json.dumps(template).encode())
        url = f"https://s3.us-east-1.amazonaws.com/{where['Bucket']}/{where['Key']}"
        self.pipeline.aws("servicecatalog").create_provisioning_artifact(
            ProductId=self.pipeline.outputs["ProjectProductId"],
            Parameters={"Name": name, "Info": {"LoadTemplateFromURL": url}, "Type": "CLOUD_FORMATION_TEMPLATE"},
        )
        return name, url

    def newcomer(self, policy: str) -> dict[str, str]:
        """Create an IAM user who has nothing but a managed policy, and return the settings of their shell."""
        iam, name = self.pipeline.aws("iam"), f"newcomer-{uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        return self.pipeline.stack.engine.environment() | own

    def signoff(self, *arguments: str, expected: int = 0) -> str:
        """Run `signoff projects` as the user `submitter`."""
        settings = self.pipeline.stack.engine.environment("submitter")
        return self.run("projects", *arguments, settings=settings, expected=expected)

    def run(self, *arguments: str, settings: dict[str, str], expected: int = 0) -> str:
        """Run the command and return what it printed, on standard error when it is expected to fail."""
        ended = commands.signoff(arguments, settings, self.pipeline.stack.request_faults)
        assert ended.returncode == expected, ended.stdout + ended.stderr
        return ended.stderr if expected else ended.stdout

    def as_json(self, *arguments: str) -> Any:
        """Run the command with --json and return the document that it prints."""
        return json.loads(self.signoff(*arguments, "--json"))


@dataclass(frozen=True)
class Made:
    """A project that was asked for."""

    studio: Studio
    name: str
    id: str

    def described(self) -> dict[str, Any]:
        """What SageMaker says of it."""
        answer: dict[str, Any] = self.studio.pipeline.aws("sagemaker").describe_project(ProjectName=self.name)
        return answer

    @property
    def status(self) -> str:
        """Its ProjectStatus."""
        return str(self.described()["ProjectStatus"])

    @property
    def group(self) -> Group:
        """The model package group that bears its name."""
        return Group(self.studio.pipeline, self.name)

    def outputs(self) -> dict[str, str]:
        """What its stack gives out."""
        stack = f"SC-{self.studio.pipeline.stack.engine.account}-{self.id}"
        found = self.studio.pipeline.aws("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def policy(self, group: str | None = None) -> dict[str, Any]:
        """The policy of its group."""
        name = f"{self.studio.pipeline.outputs['PolicyPath']}/groups/{group or self.name}"
        document: dict[str, Any] = json.loads(
            self.studio.pipeline.aws("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        )
        return document

    def policy_description(self, group: str | None = None) -> str:
        """What the parameter that holds its group's policy says of itself."""
        name = f"{self.studio.pipeline.outputs['PolicyPath']}/groups/{group or self.name}"
        named = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        (found,) = self.studio.pipeline.aws("ssm").describe_parameters(ParameterFilters=named)["Parameters"]
        return str(found["Description"])


@pytest.fixture
def studio(pipeline: Pipeline) -> Studio:
    return Studio(pipeline)


def tags_of(pipeline: Pipeline, group: str) -> dict[str, str]:
    sagemaker = pipeline.aws("sagemaker")
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_a_project_from_the_product_has_a_governed_group_whose_packages_carry_its_id(studio: Studio) -> None:
    project = studio.created()
    policy = project.policy()
    assert policy["deployment"]["execution_role"] == studio.pipeline.outputs["ModelExecutionRoleArn"]
    assert policy["approvals"].items() >= {"needed": 1, "submitter_may_approve": False}.items()
    assert tags_of(studio.pipeline, project.name)["sagemaker:project-id"] == project.id

    package = project.group.pending()

    assert package.described()["MetadataProperties"]["ProjectId"] == project.id
    assert package.approve()["ExecutionRoleArn"] == policy["deployment"]["execution_role"]


def test_a_manifest_that_names_another_project_is_refused(studio: Studio) -> None:
    project = studio.created()
    report = project.group.submit(honest(MetadataProperties={"ProjectId": "p-other"})).report()
    (fault,) = report["faults"]
    assert (report["outcome"], fault["path"]) == ("refused", "MetadataProperties.ProjectId")
    assert project.id in fault["message"]


def test_a_project_from_the_template_in_s3_has_the_group_that_it_names(studio: Studio) -> None:
    name = f"models-{uuid4().hex[:8]}"
    project = studio.from_s3(ModelPackageGroupName=name)
    assert project.policy(name)["groups"] == {"create": False}
    package = Group(studio.pipeline, name).pending()
    assert package.described()["MetadataProperties"]["ProjectId"] == project.id
    assert studio.as_json("show", project.name)["groups"] == [name]


def test_a_project_that_spells_a_groups_name_otherwise_is_governed_by_the_platforms_policy(studio: Studio) -> None:
    group = Group(studio.pipeline, f"fraud-{uuid4().hex[:8]}")
    group.policy(approvals={"approvers": [studio.pipeline.user("reviewer")]})
    other = Group(studio.pipeline, group.name.upper())
    project = studio.from_s3(ModelPackageGroupName=other.name)
    assert "approvers" not in project.policy(other.name)["approvals"]

    refused = other.submit().report()
    package = group.pending()
    package.decide("approve")

    assert f"upload under {group.name}/" in refused["faults"][0]["message"]
    assert package.entries(Kind.DECISION_REFUSED)[-1]["refusal"] == "NotAnApprover"
    assert (package.status, package.models()) == ("PendingApproval", [])


def test_whoever_submits_to_a_project_needs_no_more_than_its_policy(studio: Studio, tmp_path: Path) -> None:
    project, other = studio.created(), studio.created()
    outputs = project.outputs()
    bucket = studio.pipeline.outputs["ArtifactsBucket"]
    assert outputs["SubmissionsUri"] == f"s3://{bucket}/{project.name}/"
    settings = studio.newcomer(outputs["SubmitPolicyArn"])
    for name, body in honest().items():
        (tmp_path / name).write_bytes(body)

    submit = ["submit", str(tmp_path / "model.tar.gz"), "--group"]
    studio.run(*submit, project.name, settings=settings)
    told = studio.run(*submit, other.name, settings=settings, expected=1)

    assert "you are not permitted to do this" in told
    eventually(project.group.packages, what="the newcomer's package")
    assert other.group.packages() == []


def test_a_group_that_is_there_already_is_not_taken_over(studio: Studio, group: Group) -> None:
    group.create()
    before = tags_of(studio.pipeline, group.name)
    given = [{"Key": "ModelPackageGroupName", "Value": group.name}]
    details = {"ProductId": studio.pipeline.outputs["ProjectProductId"], "ProvisioningParameters": given}
    project = studio.create(ServiceCatalogProvisioningDetails=details)
    assert project.status == "CreateFailed"
    assert tags_of(studio.pipeline, group.name) == before
    with pytest.raises(ClientError, match="ParameterNotFound"):
        project.policy(group.name)
    shown = studio.as_json("show", project.name)
    assert "already exists" in shown["failure"]
    told = studio.signoff("update", project.name, "--yes", expected=1)
    assert told.startswith(f"signoff: {project.name} is CreateFailed: fix the cause")


def test_a_policy_that_the_platform_has_not_written_makes_no_project(studio: Studio) -> None:
    given = [{"Key": "Policy", "Value": "mine"}]
    details = {"ProductId": studio.pipeline.outputs["ProjectProductId"], "ProvisioningParameters": given}
    project = studio.create(ServiceCatalogProvisioningDetails=details)
    assert project.status == "CreateFailed"
    with pytest.raises(ClientError, match="does not exist"):
        tags_of(studio.pipeline, project.name)


def test_projects_are_listed_with_status_and_version(studio: Studio) -> None:
    first, second = studio.created(), studio.created()
    created = studio.as_json("list", "--name-contains", first.name)[0]
    assert created["ProjectStatus"] == "CreateCompleted"
    assert created["template_version"] == created["newest_version"]
    listed = studio.as_json("list", "--sort-by", "CreationTime", "--sort-order", "Descending", "--limit", "2")
    assert [row["ProjectName"] for row in listed] == [second.name, first.name]
    later = studio.as_json("list", "--created-after", "2000-01-01", "--created-before", "2001-01-01")
    assert later == []
    table = studio.signoff("list", "--name-contains", first.name)
    assert first.name in table
    assert "CreateCompleted" in table


def test_a_project_is_moved_to_the_newest_version_and_keeps_its_parameters(studio: Studio) -> None:
    given = [{"Key": "ModelPackageGroupName", "Value": f"models-{uuid4().hex[:8]}"}]
    details = {"ProductId": studio.pipeline.outputs["ProjectProductId"], "ProvisioningParameters": given}
    project = studio.created(ServiceCatalogProvisioningDetails=details)
    name, _ = studio.newer("Moved to the newest")
    assert f"(newest: {name})" in studio.signoff("show", project.name)

    told = studio.signoff("update", project.name, "--description", "d", "--tag", "team=crm", "--yes", "--wait")

    shown = studio.as_json("show", project.name)
    assert told == f"{project.name} is UpdateCompleted, made from {name}.\n"
    assert (shown["ProjectStatus"], shown["ProjectDescription"]) == ("UpdateCompleted", "d")
    assert shown["template"] == {"kind": "product", "version": name, "newest": name}
    assert shown["ServiceCatalogProvisioningDetails"]["ProvisioningParameters"] == given
    assert shown["LastModifiedBy"]["IamIdentity"]["Arn"] == studio.pipeline.user("submitter")
    group = given[0]["Value"]
    assert project.policy_description(group) == "Moved to the newest"
    assert tags_of(studio.pipeline, group)["team"] == "crm"
    again = studio.signoff("update", project.name, "--yes")
    assert again == f"{project.name} is up to date already, made from {name}. Nothing was changed.\n"


def test_a_project_of_the_template_in_s3_is_moved_to_another_template(studio: Studio) -> None:
    project = studio.from_s3()
    _, url = studio.newer("Moved in S3")
    document = studio.as_json("update", project.name, "--template-url", url, "--yes", "--wait")
    (provider,) = document["TemplateProviderDetails"]
    assert document["ProjectStatus"] == "UpdateCompleted"
    assert provider["CfnTemplateProviderDetail"]["TemplateURL"] == url
    assert project.policy_description() == "Moved in S3"


@pytest.mark.deep
def test_nobody_is_there_to_be_asked_and_so_nothing_is_updated(studio: Studio) -> None:
    project = studio.created()
    name, _ = studio.newer()
    told = studio.signoff("update", project.name, "--version", name, expected=1)
    assert f"-> {name}" in told
    assert "give --yes. Nothing was changed" in told
    assert project.status == "CreateCompleted"


@pytest.mark.deep
def test_a_project_whose_package_is_being_validated_is_not_updated(studio: Studio) -> None:
    project = studio.created()
    studio.newer()
    with studio.pipeline.without_function("InspectArtifact"):
        package = project.group.submit().package()
        eventually(lambda: package.status == "Validating", what=f"{package.arn} to be validated")
        told = studio.signoff("update", project.name, "--yes", expected=1)
        assert f"being validated ({project.name}/1)" in told
        assert studio.as_json("show", project.name)["validating"] == [f"{project.name}/1"]
        assert project.status == "CreateCompleted"
    package.until("PendingApproval")
    studio.signoff("update", project.name, "--yes", "--wait")
    assert project.status == "UpdateCompleted"


def test_a_deleted_project_leaves_its_group_and_policy_and_is_not_updated(studio: Studio) -> None:
    project = studio.created()
    studio.pipeline.aws("sagemaker", "submitter").delete_project(ProjectName=project.name)
    eventually(lambda: project.status == "DeleteCompleted", what=f"{project.name} to be deleted")
    assert tags_of(studio.pipeline, project.name)["signoff:governed"] == "true"
    assert project.policy()["groups"] == {"create": False}
    assert "it is deleted" in studio.signoff("update", project.name, "--yes", expected=1)
