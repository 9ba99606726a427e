"""What roles do when something is large, or old, or died at the wrong moment: no test on the engine waits for that.

Each names the test that shows the code which asks for it.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.support.service_uses import Use, granted
from tests.support.template import SynthesizedTemplate


class Rare(NamedTuple):
    """Some actions of roles on resources (patterns), when they happen, and the test (file::name) that shows it."""

    roles: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    when: str
    test: str


LOOKING = (
    *("ApplyDecisionRole", "CreateModelRole", "EvaluateModelRole", "InspectArtifactRole", "InspectAtLengthRole"),
    *("KeepArtifactRole", "KeepAtLengthRole", "KeepSignatureRole", "OpenValidationRole", "RecordEvidenceRole"),
)
READING = ("RegisterModelRole", "KeepSignatureRole", "ApplyDecisionRole", "CreateModelRole", "SweepRole")
RARE = (
    Rare(
        ("InspectArtifactRole", "InspectAtLengthRole", "RecordEvidenceRole", "EvaluateModelRole"),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/policies/*",),
        "an execution is redriven after its policy was changed: otherwise the workflow hands it on",
        "unit/validation/test_claimed_policy.py::"
        "test_an_execution_that_is_redriven_after_its_policy_changed_is_judged_by_the_one_that_it_claimed",
    ),
    Rare(
        ("ApplyDecisionRole",),
        ("s3:GetObjectVersionTagging",),
        ("arn:aws:s3:::signoff-vault/models/*",),
        "S3 refuses a tag, as it does once the life cycle may not see it any more",
        "unit/aws/test_other_adapters.py::test_what_is_approved_is_tagged_so_with_one_call_and_stays_so",
    ),
    Rare(
        ("RecordEvidenceRole",),
        ("sagemaker:DescribeModelPackageGroup", "sagemaker:ListTags", "ssm:GetParameters"),
        ("*:model-package-group/*", "*:parameter/signoff/policies/*"),
        "a validation could not even be opened",
        "unit/validation/test_validation.py::test_a_package_whose_policy_cannot_be_read_is_not_stuck_in_validating",
    ),
    Rare(
        READING,
        ("sqs:ChangeMessageVisibility",),
        ("arn:aws:sqs:*",),
        "a message could not be handled, and is to come back in a moment",
        "unit/runtime/test_batches.py::test_a_message_that_failed_comes_back_long_before_its_queue_would_bring_it",
    ),
    Rare(
        LOOKING,
        ("s3:ListBucket",),
        ("arn:aws:s3:::signoff-*", "arn:aws:s3:::training-*"),
        "an object that is named is not there, or no more",
        "unit/aws/test_s3.py::test_what_is_not_there_is_none_or_missing",
    ),
    Rare(
        ("KeepAtLengthRole",),
        ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucketVersions"),
        ("arn:aws:s3:::signoff-artifacts", "arn:aws:s3:::signoff-artifacts/*", "arn:aws:s3:::training-*"),
        "a function has no time to copy what a package names",
        "unit/validation/test_long_tasks.py::test_objects_elsewhere_are_copied_as_long_as_there_is_time",
    ),
    Rare(
        ("KeepAtLengthRole",),
        ("s3:PutObject", "s3:PutObjectTagging"),
        ("arn:aws:s3:::signoff-vault/models/*",),
        "a function has no time to copy what a package names",
        "unit/validation/test_long_tasks.py::test_objects_elsewhere_are_copied_as_long_as_there_is_time",
    ),
    Rare(
        ("ApplyDecisionRole",),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/registrations/*",),
        "a person is quicker than the workflow: the package has no ledger yet",
        "unit/approval/test_apply_annotation.py::"
        "test_a_package_that_nobody_has_seen_yet_is_annotated_behind_its_first_entry",
    ),
    Rare(
        ("KeepAtLengthRole",),
        ("s3:GetObjectVersion",),
        ("arn:aws:s3:::signoff-vault/models/*",),
        "a function has no time for all objects under a prefix",
        "workflow/test_long_inspections.py::test_a_prefix_is_handed_over_as_a_whole",
    ),
    Rare(
        ("SweepRole",),
        ("dynamodb:Query",),
        ("*:table/Signoff-Packages/index/by-arn",),
        "the event of a registration got lost",
        "unit/sweep/test_sweep.py::test_a_package_that_no_ledger_knows_is_validated",
    ),
    Rare(
        ("SweepRole",),
        ("dynamodb:Query", "s3:GetObject"),
        ("*:table/Signoff-Packages/index/by-group", "arn:aws:s3:::signoff-vault/evidence/*"),
        "the image of a champion is looked at anew, once a day",
        "unit/sweep/test_image_watch.py::test_what_a_later_scan_finds_is_told_by_name_and_revokes_nothing_by_itself",
    ),
    Rare(
        ("ApplyDecisionRole",),
        ("s3:GetObjectRetention",),
        ("arn:aws:s3:::signoff-vault/*",),
        "S3 refuses to change a lock, because it is longer or stricter than what is asked for",
        "unit/aws/test_other_adapters.py::test_retention_is_extended_with_one_call_and_never_weakened",
    ),
    Rare(
        ("CreateModelRole", "Deployer"),
        ("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
        ("*:endpoint/*", "*:endpoint-config/*"),
        "an endpoint in another account or region runs a model that is taken back",
        "unit/deployment/test_target_champions.py::"
        "test_a_revoked_model_that_an_endpoint_there_keeps_alive_is_champion_no_more",
    ),
    Rare(
        ("CreateModelRole", "KeepArtifactRole"),
        ("s3:ListBucketVersions",),
        ("arn:aws:s3:::signoff-vault*", "arn:aws:s3:::training-*"),
        "a model of several objects under a prefix is copied from another account, or to another region",
        "unit/deployment/test_target_models.py::"
        "test_a_model_elsewhere_is_written_out_on_the_vaults_copies_and_images_by_digest",
    ),
    Rare(
        ("KeepAtLengthRole", "InspectAtLengthRole"),
        ("s3:ListBucketVersions",),
        ("arn:aws:s3:::signoff-vault",),
        "a function has no time for all objects under a prefix",
        "workflow/test_long_inspections.py::test_a_prefix_is_handed_over_as_a_whole",
    ),
    Rare(
        ("KeepAtLengthRole", "InspectAtLengthRole"),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/kept/*", "arn:aws:s3:::signoff-vault/inspected/*"),
        "a build has left its result and does so again",
        "unit/validation/test_long_tasks.py::"
        "test_a_build_that_was_taken_over_leaves_no_result_for_another_ones_request",
    ),
    Rare(
        ("RegisterModelRole",),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/models/*", "arn:aws:s3:::signoff-vault/registrations/*"),
        "the function died after it had copied an object or written the registration, and is called again",
        "unit/pipeline/test_interruptions.py::"
        "test_a_function_that_dies_before_any_call_and_is_tried_again_comes_to_the_same",
    ),
    Rare(
        ("OpenValidationRole",),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/registrations/*",),
        "RegisterModel died after it had created the package",
        "unit/pipeline/test_interruptions.py::"
        "test_a_function_that_dies_before_any_call_and_is_tried_again_comes_to_the_same",
    ),
    Rare(
        ("EvaluateModelRole",),
        ("s3:GetObject",),
        ("arn:aws:s3:::signoff-vault/evidence/*",),
        "the champion was never asked about these rows",
        "unit/pipeline/test_measurements.py::test_a_champion_that_was_never_measured_is_asked_beside_the_candidate",
    ),
    Rare(
        ("RecordEvidenceRole",),
        ("ecr:DescribeImageSigningStatus",),
        ("*:repository/*",),
        "a policy asks who signed its images",
        "unit/aws/test_image_scans.py::test_ecr_says_with_which_profiles_it_signed_an_image",
    ),
    Rare(
        ("RegisterModelRole", "KeepArtifactRole", "KeepAtLengthRole", "CreateModelRole"),
        ("s3:AbortMultipartUpload",),
        ("arn:aws:s3:::*/models/*",),
        "a large copy, which is made in parts, is given up",
        "unit/aws/test_part_copies.py::test_a_copy_whose_time_is_up_ends_within_the_parts_under_way_and_leaves_nothing",
    ),
    Rare(
        ("EvaluateModelRole",),
        ("sagemaker:StopTransformJob",),
        ("*:transform-job/signoff-eval-*",),
        "a model takes longer to answer than the policy allows",
        "unit/pipeline/test_measurements.py::test_a_job_that_takes_too_long_is_stopped_and_fails",
    ),
    Rare(
        ("EvaluateModelRole", "SweepRole"),
        ("sagemaker:DescribeModel",),
        ("*:model/signoff-eval-*",),
        "a function died after it had made, or deleted, a temporary model, and is called again",
        "unit/aws/test_other_adapters.py::test_a_model_that_exists_is_not_created_again",
    ),
    Rare(
        ("SweepRole",),
        ("sagemaker:StopTransformJob", "sagemaker:DeleteModel"),
        ("*/signoff-eval-*",),
        "a validation died days ago, or half a day ago, and left a job or a model",
        "unit/pipeline/test_measurements.py::test_the_sweep_stops_and_deletes_what_dead_validations_leave",
    ),
    Rare(
        ("SweepRole",),
        ("ssm:PutParameter", "ssm:DeleteParameter"),
        ("*:parameter/signoff/champions/*",),
        "CreateModel died before it published a champion, or somebody wrote another one",
        "unit/deployment/test_champions.py::test_the_sweep_publishes_what_a_function_that_died_did_not",
    ),
    Rare(
        ("SweepRole",),
        ("states:DescribeExecution",),
        ("*:execution:*",),
        "an execution died and left its claim",
        "end_to_end/test_lost_events.py::"
        "test_a_claim_whose_execution_died_is_released_and_the_package_can_be_validated_again",
    ),
    Rare(
        ("SweepRole",),
        ("ecr:BatchGetImage", "ecr:DescribeImageScanFindings"),
        ("*:repository/*",),
        "a champion's image is scanned anew, a day after it was looked at",
        "unit/sweep/test_image_watch.py::test_what_a_later_scan_finds_is_told_by_name_and_revokes_nothing_by_itself",
    ),
)


def rare_uses(template: SynthesizedTemplate) -> Iterator[Use]:
    """Yield the grants of a template that are there for what is rare."""
    for use in granted(template):
        if any(matches(rare, use) for rare in RARE):
            yield use


def matches(rare: Rare, use: Use) -> bool:
    """Return whether a grant is there for something rare."""
    named = any(fnmatchcase(use.resource, pattern) for pattern in rare.resources)
    return named and use.role in rare.roles and use.action in rare.actions
