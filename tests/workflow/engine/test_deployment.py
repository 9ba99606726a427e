"""The product's own template, deployed by the CDK's command line."""

from tests.support.deployed import Deployed


def test_the_stack_names_what_the_command_needs(stack: Deployed) -> None:
    wanted = {"ArtifactsBucket", "VaultBucket", "LedgerTable", "PackagesTable", "BusName", "ValidationArn"}

    assert wanted <= stack.outputs.keys()


def test_the_vault_is_versioned_and_locked_as_the_template_says(stack: Deployed) -> None:
    s3, vault = stack.client("s3"), stack.outputs["VaultBucket"]

    locked = s3.get_object_lock_configuration(Bucket=vault)["ObjectLockConfiguration"]

    assert s3.get_bucket_versioning(Bucket=vault)["Status"] == "Enabled"
    assert locked["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 1}
    assert s3.get_bucket_lifecycle_configuration(Bucket=vault)["Rules"][0]["ID"] == "AbortUnfinishedUploads"
    assert "NobodyDeletesOrBypasses" in s3.get_bucket_policy(Bucket=vault)["Policy"]


def test_tables_can_be_restored_to_a_point_in_time(stack: Deployed) -> None:
    described = stack.client("dynamodb").describe_continuous_backups(TableName=stack.outputs["LedgerTable"])

    recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def test_every_function_answers_from_its_bundle(stack: Deployed) -> None:
    functions = stack.client("lambda")
    names = [each["FunctionName"] for each in functions.list_functions()["Functions"]]

    answers = {name: functions.invoke(FunctionName=name, Payload=b"{}")["Payload"].read() for name in names}

    assert len(answers) >= 8
    assert not [name for name, answer in answers.items() if b"Worker init failed" in answer]
