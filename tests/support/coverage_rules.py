"""How each field is reached, and which test proves it: the first rule that is about a field counts."""

from __future__ import annotations

from dataclasses import dataclass

CALLS = (
    *("CreateModelPackage", "DescribeModelPackage", "BatchDescribeModelPackage", "UpdateModelPackage"),
    *("CreateModel", "DescribeModel"),
    *("ListProjects", "DescribeProject", "UpdateProject"),
    "PutModelPackageGroupPolicy",
)
CLASSES = ("Model", "ContainerDefinition", "ContainerImage", "ModelData")


@dataclass(frozen=True)
class Rule:
    """What is true of the fields of a `call` (or class) on one `side` whose paths fit: `|` between, `*` for any."""

    call: str
    side: str
    paths: str
    how: str
    test: str


EVERY = "tests/unit/pipeline/test_every_field.py"
READ = "tests/unit/pipeline/test_every_field_read.py"

PACKAGES = (
    Rule(
        "CreateModelPackage",
        "request",
        "ModelPackageGroupName|ModelApprovalStatus|ClientToken",
        "Signoff sets it: the group from the submission's prefix, pending approval, a token of the submission's own",
        f"{EVERY}::test_signoff_sets_it_and_refuses_a_manifest_that_does",
    ),
    Rule(
        "CreateModelPackage",
        "request",
        "ModelPackageName|CertifyForMarketplace",
        "refused in a manifest by its name: it is for unversioned packages, and a submission becomes a version",
        f"{EVERY}::test_a_manifest_that_sets_it_is_refused_by_its_name",
    ),
    Rule(
        "CreateModelPackage",
        "request",
        "Tags[].*",
        "refused in a manifest by its name: a package in a group has the group's tags",
        f"{EVERY}::test_a_manifest_that_sets_it_is_refused_by_its_name",
    ),
    Rule(
        "CreateModelPackage",
        "request",
        "*",
        "the manifest's field of that name",
        f"{EVERY}::test_what_a_manifest_says_reaches_create_model_package",
    ),
    Rule(
        "CreateModelPackage",
        "response",
        "ModelPackageArn",
        "`package` of `registration-report.json`, of the ledger and of every event",
        f"{EVERY}::test_the_package_that_was_made_is_reported_and_listed",
    ),
    Rule(
        "DescribeModelPackage",
        "request",
        "ModelPackageName",
        "the package that `signoff show` is asked for, by its ARN",
        f"{READ}::test_show_asks_for_the_package_and_the_model_by_their_names",
    ),
    Rule(
        "DescribeModelPackage",
        "request",
        "IncludedData",
        "left out: all data are wanted, SageMaker's default",
        f"{READ}::test_show_asks_for_the_package_and_the_model_by_their_names",
    ),
    Rule(
        "DescribeModelPackage",
        "response",
        "*",
        "`signoff show --json`: `registry`",
        f"{READ}::test_show_prints_all_that_describe_model_package_answers",
    ),
    Rule(
        "BatchDescribeModelPackage",
        "request",
        "ModelPackageArnList[]",
        "`signoff list` and `signoff queue`: all packages listed, 100 at once",
        f"{READ}::test_a_list_asks_for_all_its_packages_at_once",
    ),
    Rule(
        "BatchDescribeModelPackage",
        "response",
        "ModelPackageSummaries{}.*",
        "`signoff list --json`: `registry`",
        f"{READ}::test_a_list_prints_all_that_the_batch_call_answers_of_a_package",
    ),
    Rule(
        "BatchDescribeModelPackage",
        "response",
        "BatchDescribeModelPackageErrorMap{}.*",
        "`signoff list --json`: `error`",
        f"{READ}::test_a_list_prints_what_the_batch_call_could_not_describe",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "ModelPackageArn|ModelApprovalStatus|ApprovalDescription",
        "a decision: `signoff approve`, `reject`, `revoke`, or an event",
        f"{EVERY}::test_a_decision_updates_the_package",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "CustomerMetadataProperties{}|CustomerMetadataPropertiesToRemove[]",
        "`signoff annotate --set`, `--remove`, or an event",
        f"{EVERY}::test_an_annotation_updates_the_package",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "AdditionalInferenceSpecificationsToAdd[].*",
        "`signoff annotate --add-specification`, or an event",
        f"{EVERY}::test_an_annotation_adds_specifications_with_all_that_they_say",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "InferenceSpecification.*|SourceUri",
        "not Signoff's: another model is a new submission. Whoever changes it revokes the approval: it is not what was "
        "signed",
        f"{EVERY}::test_whoever_changes_what_runs_revokes_the_approval",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "ModelCard.*|ModelLifeCycle.*|ModelPackageRegistrationType",
        "not Signoff's: in Studio or by API. It is no part of what was signed; `signoff show` prints it",
        f"{EVERY}::test_what_others_may_change_leaves_the_approval_alone_and_is_shown",
    ),
    Rule(
        "UpdateModelPackage",
        "request",
        "ClientToken",
        "left out: an update is repeated until the package says what the ledger does",
        f"{EVERY}::test_an_update_that_is_repeated_changes_nothing",
    ),
    Rule(
        "UpdateModelPackage",
        "response",
        "ModelPackageArn",
        "the package that the update was for, known already",
        f"{EVERY}::test_an_update_that_is_repeated_changes_nothing",
    ),
)

MODELS = (
    Rule(
        "CreateModel",
        "request",
        "ModelName",
        "Signoff sets it, of group, version and what was signed; refused in a manifest by its name",
        f"{EVERY}::test_signoff_names_the_model",
    ),
    Rule(
        "CreateModel",
        "request",
        "PrimaryContainer.ModelPackageName",
        "Signoff sets it where SageMaker takes everything from the package; refused in a manifest by its name",
        f"{EVERY}::test_a_model_is_made_from_the_package_where_that_says_everything",
    ),
    Rule(
        "CreateModel",
        "request",
        "PrimaryContainer.InferenceSpecificationName",
        "the manifest's `Deployment.PrimaryContainer`, or `Deployment.Containers`",
        f"{EVERY}::test_create_model_is_asked_for_what_the_manifest_says",
    ),
    Rule(
        "CreateModel",
        "request",
        "Containers[].ModelPackageName|Containers[].InferenceSpecificationName",
        "never asked for: one package is all containers of a model, or they are written out; which specification's, "
        "`Deployment.Containers` says",
        f"{EVERY}::test_several_containers_are_written_out_instead",
    ),
    Rule(
        "CreateModel",
        "request",
        "*S3DataSource.ETag|*S3DataSource.ManifestEtag",
        "the package's, which is that of the object in the vault; left out beside what was registered elsewhere",
        f"{EVERY}::test_create_model_is_asked_for_what_the_manifest_says",
    ),
    Rule(
        "CreateModel",
        "request",
        "*.Image|*.ModelDataUrl|*ModelDataSource.*|*AdditionalModelDataSources[].*",
        "the package's container, its image by digest and its model data in the vault",
        f"{EVERY}::test_create_model_is_asked_for_what_the_manifest_says",
    ),
    Rule(
        "CreateModel",
        "request",
        "ExecutionRoleArn|VpcConfig.*|EnableNetworkIsolation|Tags[].*",
        "the policy's, or the manifest's `Deployment` where the policy offers the choice",
        f"{EVERY}::test_create_model_is_asked_for_what_the_manifest_says",
    ),
    Rule(
        "CreateModel",
        "request",
        "*",
        "the manifest's `Deployment`",
        f"{EVERY}::test_create_model_is_asked_for_what_the_manifest_says",
    ),
    Rule(
        "CreateModel",
        "response",
        "ModelArn",
        "`signoff show`: `model.arn`, from the ledger",
        f"{EVERY}::test_the_model_that_was_made_is_in_the_ledger",
    ),
    Rule(
        "DescribeModel",
        "request",
        "ModelName",
        "the model of the package that `signoff show` is asked for",
        f"{READ}::test_show_asks_for_the_package_and_the_model_by_their_names",
    ),
    Rule(
        "DescribeModel",
        "response",
        "*",
        "`signoff show --json`: `model.described`",
        f"{READ}::test_show_prints_all_that_describe_model_answers",
    ),
)

PROJECTS_FILE = "tests/unit/pipeline/test_every_field_of_projects.py"

PROJECTS = (
    Rule(
        "ListProjects",
        "request",
        "CreationTimeAfter|CreationTimeBefore|NameContains|SortBy|SortOrder",
        "`signoff projects list`: the option of that name",
        f"{PROJECTS_FILE}::test_a_list_asks_for_the_projects_that_it_is_asked_for",
    ),
    Rule(
        "ListProjects",
        "request",
        "MaxResults|NextToken",
        "`signoff projects list`: page by page, as many as `--limit` says",
        f"{PROJECTS_FILE}::test_a_list_asks_for_the_projects_that_it_is_asked_for",
    ),
    Rule(
        "ListProjects",
        "response",
        "*",
        "`signoff projects list --json`",
        f"{PROJECTS_FILE}::test_a_list_shows_every_project_of_every_page",
    ),
    Rule(
        "DescribeProject",
        "request",
        "ProjectName",
        "`signoff projects show PROJECT`",
        f"{PROJECTS_FILE}::test_a_project_is_asked_for_by_its_name",
    ),
    Rule(
        "DescribeProject",
        "response",
        "*",
        "`signoff projects show --json`",
        f"{PROJECTS_FILE}::test_show_prints_all_that_describe_project_answers",
    ),
    Rule(
        "UpdateProject",
        "request",
        "*",
        "`signoff projects update`: its options, and of the project what they leave as it is",
        f"{PROJECTS_FILE}::test_an_update_says_what_it_is_told",
    ),
    Rule(
        "UpdateProject",
        "response",
        "ProjectArn",
        "`signoff projects update --json`: the project, as it is shown",
        f"{PROJECTS_FILE}::test_the_project_that_was_updated_is_shown",
    ),
    Rule(
        "PutModelPackageGroupPolicy",
        "request",
        "*",
        "the CDK app: the group of a policy that opens it to other accounts, with the group policy that says how far",
        "tests/infrastructure/test_accounts.py::test_an_account_may_do_with_packages_what_the_policy_opens_to_it",
    ),
    Rule(
        "PutModelPackageGroupPolicy",
        "response",
        "ModelPackageGroupArn",
        "the CDK app: CloudFormation has the ARN of the group that it made",
        "tests/infrastructure/test_accounts.py::test_a_group_with_accounts_is_made_governed_and_outlives_the_stack",
    ),
)

MODEL = "tests/infrastructure/test_every_model_parameter.py"
IMAGE = "tests/infrastructure/test_every_image_and_data_parameter.py"

CONSTRUCTS = (
    Rule(
        "Model",
        "parameters",
        "Model(*",
        "`BaselineModel`, which is a `Model`: the parameter of that name",
        f"{MODEL}::test_a_baseline_is_as_its_parameters_say",
    ),
    Rule(
        "Model",
        "parameters",
        "add_container(*",
        "`BaselineModel.add_container`",
        f"{MODEL}::test_a_container_is_added_to_a_baseline",
    ),
    Rule(
        "Model",
        "parameters",
        "add_to_role_policy(*",
        "`BaselineModel.add_to_role_policy`, and that of `ApprovedModel` where it has a role",
        f"{MODEL}::test_a_statement_is_added_to_the_role_of_a_model",
    ),
    Rule(
        "Model",
        "parameters",
        "from_model_*",
        "as the library has it; `ApprovedModel` is found so, by its ARN, role and security groups",
        f"{MODEL}::test_a_model_that_is_there_is_found_as_the_champion_is",
    ),
    Rule(
        "Model",
        "attributes",
        "*",
        "the attribute of `BaselineModel` and of `ApprovedModel`",
        f"{MODEL}::test_baseline_and_champion_have_what_a_model_has",
    ),
    Rule(
        "ContainerDefinition",
        "parameters",
        "*",
        "`BaselineModel(containers=...)`",
        f"{MODEL}::test_a_container_is_as_its_definition_says",
    ),
    Rule(
        "ContainerDefinition",
        "attributes",
        "*",
        "`BaselineModel(containers=...)`",
        f"{MODEL}::test_a_container_is_as_its_definition_says",
    ),
    Rule(
        "ContainerImage",
        "parameters",
        "from_asset(*",
        "`ContainerDefinition(image=...)` of a `BaselineModel`",
        f"{IMAGE}::test_an_image_that_is_built_is_as_its_parameters_say",
    ),
    Rule(
        "ContainerImage",
        "parameters",
        "*",
        "`ContainerDefinition(image=...)` of a `BaselineModel`, which binds it",
        f"{IMAGE}::test_an_image_that_is_there_is_found_by_its_parameters",
    ),
    Rule(
        "ModelData",
        "parameters",
        "from_asset(deploy_time)|from_asset(source_kms_key)",
        "`ContainerDefinition(model_data=...)` of a `BaselineModel`; of a model's data the library makes nothing of it",
        f"{IMAGE}::test_what_says_nothing_of_model_data_is_taken_and_changes_nothing",
    ),
    Rule(
        "ModelData",
        "parameters",
        "from_asset(*",
        "`ContainerDefinition(model_data=...)` of a `BaselineModel`",
        f"{IMAGE}::test_model_data_that_are_uploaded_are_as_their_parameters_say",
    ),
    Rule(
        "ModelData",
        "parameters",
        "*",
        "`ContainerDefinition(model_data=...)` of a `BaselineModel`, which binds it",
        f"{IMAGE}::test_model_data_that_are_there_are_found_and_may_be_read",
    ),
)

RULES = (*PACKAGES, *MODELS, *PROJECTS, *CONSTRUCTS)
