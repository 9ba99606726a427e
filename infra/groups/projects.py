"""SageMaker projects: a template to create governed groups in self-service, without writing a policy.

Each file in infra/project/ is one version of the template, named v1, v2 and so on, and never changes once it is
released: projects name the version that they were made from. It is offered twice, as a Service Catalog product, whose
launch role makes the project's resources, and as a template in S3 for CfnTemplateProvider.
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-projects-templates-custom.html
"""

import re
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from infra import names
from infra.access.compliance import acknowledge_wildcards
from infra.access.roles import Grant
from infra.groups.policies import make_parameters
from infra.policy_files import PolicyFile
from infra.settings import ROOT, DeploymentSettings

TEMPLATES = ROOT / "infra" / "project"
# The template imports it under this name.
ARTIFACTS_EXPORT = "Signoff-ArtifactsBucket"
_VERSION = re.compile(r"v([1-9][0-9]*)")
_OWNER = "The platform that runs Signoff"


class ProjectFault(ValueError):
    """Raised when the project template or its policies are missing or misnamed."""


def versions(folder: Path = TEMPLATES) -> list[Path]:
    """The versions of the project template in `folder`, the oldest first. Raises ProjectFault."""
    files = sorted(folder.glob("*.json"), key=lambda path: _number(path))
    if not files:
        raise ProjectFault(f"{folder} contains no version of the project template")
    return files


def _number(path: Path) -> int:
    number = _VERSION.fullmatch(path.stem)
    if not number:
        raise ProjectFault(f"{path} is not a version of the project template: name it v1.json, v2.json, ...")
    return int(number[1])


class ProjectPortfolio(Construct):
    """The product and the template, the policies that a project may choose from, and the role that makes projects."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: DeploymentSettings,
        chosen: list[PolicyFile],
        artifacts: s3.Bucket,
        execution_role: str,
    ) -> None:
        super().__init__(scope, construct_id)
        if not chosen:
            raise ProjectFault(f"{settings.policies / 'projects'} contains no policy for projects to choose from")
        make_parameters(self, chosen, settings.unapproved_days, execution_role=execution_role)
        cdk.Stack.of(self).export_value(artifacts.bucket_name, name=ARTIFACTS_EXPORT)
        self.launch_role = self._launch_role()
        self.product = self._product()
        self._offer(settings.project_principals)
        self._add_outputs()

    def _product(self) -> servicecatalog.CloudFormationProduct:
        product = servicecatalog.CloudFormationProduct(
            self,
            "Product",
            product_name="Signoff project",
            owner=_OWNER,
            description="A model package group under Signoff, with its policy and the right to submit to it",
            product_versions=[
                servicecatalog.CloudFormationProductVersion(
                    product_version_name=path.stem,
                    cloud_formation_template=servicecatalog.CloudFormationTemplate.from_asset(str(path)),
                )
                for path in versions()
            ],
        )
        # Studio lists products with this tag under "Organization templates".
        cdk.Tags.of(product).add("sagemaker:studio-visibility", "true")
        return product

    def _offer(self, principals: Sequence[str]) -> None:
        portfolio = servicecatalog.Portfolio(
            self, "Portfolio", display_name="Signoff projects", provider_name=_OWNER, description="SageMaker projects"
        )
        portfolio.add_product(self.product)
        portfolio.set_launch_role(self.product, self.launch_role)
        # Without it, UpdateProject takes no tags.
        portfolio.constrain_tag_updates(self.product)
        for number, principal in enumerate(principals, start=1):
            servicecatalog.CfnPortfolioPrincipalAssociation(
                self,
                f"Principal{number}",
                portfolio_id=portfolio.portfolio_id,
                principal_arn=principal,
                principal_type="IAM_PATTERN" if principal.split(":")[4:5] == [""] else "IAM",
            )

    def _add_outputs(self) -> None:
        stack = cdk.Stack.of(self)
        newest = assets.Asset(self, "Template", path=str(versions()[-1]))
        outputs = {
            "ProjectProductId": self.product.product_id,
            "ProjectTemplateUrl": newest.http_url,
            "ProjectLaunchRoleArn": self.launch_role.role_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(stack, name, value=value)

    def _launch_role(self) -> iam.Role:
        grants = self._grants()
        role = iam.Role(
            self,
            "LaunchRole",
            path=names.PROJECT_ROLES,
            # CloudFormation, for those who may pass it this role: RoleARN of a CfnTemplateProvider.
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("servicecatalog.amazonaws.com"),
                iam.ServicePrincipal("cloudformation.amazonaws.com"),
            ),
            description="Makes what the template of a SageMaker project names, and nothing else",
            inline_policies={"Allowed": iam.PolicyDocument(statements=[grant.statement() for grant in grants])},
        )
        for grant in grants:
            acknowledge_wildcards(role, grant.resources, grant.reason)
        return role

    def _grants(self) -> list[Grant]:
        """Permissions of the template's resource types' handlers, and of Service Catalog for the stack.

        https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html
        """
        stack = cdk.Stack.of(self)
        group = stack.format_arn(service="sagemaker", resource="model-package-group/*")
        policy = stack.format_arn(service="iam", region="", resource="policy/signoff/projects/*")
        written_by, platform = names.PLATFORMS_POLICY
        groups, chosen = (
            stack.format_arn(service="ssm", resource=f"parameter{names.POLICIES}/{kind}/*")
            for kind in ("groups", "projects")
        )
        return [
            *_stacks(stack),
            Grant(
                (
                    *("sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup"),
                    *("sagemaker:DeleteModelPackageGroup", "sagemaker:GetModelPackageGroupPolicy"),
                    *("sagemaker:DeleteModelPackageGroupPolicy", "sagemaker:ListTags"),
                    *("sagemaker:AddTags", "sagemaker:DeleteTags"),
                ),
                (group,),
                "Whoever makes a project names its group",
            ),
            Grant(
                (
                    *("ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:ListTagsForResource"),
                    *("ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"),
                ),
                (groups,),
                "Whoever makes a project names its group",
                {"StringNotEquals": {f"aws:ResourceTag/{written_by}": platform}},
            ),
            Grant(("ssm:GetParameters",), (chosen,), "Whoever makes a project chooses its policy among these"),
            Grant(
                (
                    *("iam:CreatePolicy", "iam:DeletePolicy", "iam:GetPolicy", "iam:GetPolicyVersion"),
                    *("iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"),
                    "iam:ListEntitiesForPolicy",
                ),
                (policy,),
                "CloudFormation names each project's policy, under this path",
            ),
        ]


def _stacks(stack: cdk.Stack) -> list[Grant]:
    mine = stack.format_arn(service="cloudformation", resource="stack/SC-*")
    return [
        Grant(
            (
                *("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"),
                *("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"),
                *("cloudformation:SetStackPolicy", "cloudformation:CreateChangeSet"),
                *("cloudformation:DescribeChangeSet", "cloudformation:DeleteChangeSet"),
            ),
            (mine,),
            "Service Catalog names its stacks when they are made",
        ),
        Grant(
            ("cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"),
            ("*",),
            "They are asked about a template before there is a stack",
        ),
        Grant(
            ("s3:GetObject",),
            ("*",),
            "Service Catalog keeps templates in a bucket of its own, under this tag",
            {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}},
        ),
    ]
