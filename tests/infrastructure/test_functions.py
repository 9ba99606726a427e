"""Functions, workflow, alarms and outputs."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import MISSING, fields
from importlib import import_module

import pytest

from signoff.bootstrap import BuildSettings
from tests.support.repository import ROOT

FUNCTIONS = {
    "RegisterModel": "register_model",
    "KeepSignature": "keep_signature",
    "OpenValidation": "open_validation",
    "KeepArtifact": "keep_artifact",
    "InspectArtifact": "inspect_artifact",
    "EvaluateModel": "evaluate_model",
    "RecordEvidence": "record_evidence",
    "ApplyDecision": "apply_decision",
    "CreateModel": "create_model",
    "Sweep": "sweep",
    "Announce": "announce",
    "RecordBaseline": "record_baseline",
}
AT_LENGTH = {"KeepAtLength": "signoff.keep_in_build", "InspectAtLength": "signoff.inspect_in_build"}


def settings_of(module: str) -> set[str]:
    """The environment variables that a handler says it needs: those of settings without a default."""
    settings = fields(import_module(module).Settings)
    return {f"SIGNOFF_{field.name.upper()}" for field in settings if field.default is MISSING}


def test_the_stack_has_these_functions_and_no_others(template):
    functions = template.of_type("AWS::Lambda::Function")
    assert {name: properties["Handler"] for name, properties in functions.items()} == {
        name: f"{module}.handler" for name, module in FUNCTIONS.items()
    }


def test_every_handler_has_a_function(template):
    assert {path.stem for path in (ROOT / "functions").glob("*.py")} == set(FUNCTIONS.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_given_the_settings_that_it_reads(template, name):
    given = template.one("AWS::Lambda::Function", name)["Environment"]["Variables"]
    assert settings_of(FUNCTIONS[name]) <= set(given)
    assert all(given.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_and_a_log_of_its_own_and_is_traced(template, name):
    function = template.one("AWS::Lambda::Function", name)
    assert function["Role"] == template.role(f"{name}Role")
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": f"Signoff-{name}Logs"}
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_all_functions_share_one_piece_of_code(template):
    codes = [json.dumps(function["Code"]) for function in template.of_type("AWS::Lambda::Function").values()]
    assert len(set(codes)) == 1


def test_the_functions_that_move_gigabytes_have_time_and_power_for_it(template):
    names = ("RegisterModel", "InspectArtifact", "CreateModel", "KeepArtifact")
    moving = [template.one("AWS::Lambda::Function", name) for name in names]
    assert [function["Timeout"] for function in moving] == [900] * 4
    assert moving[1]["MemorySize"] > 1769


def test_logs_are_kept_for_three_months_unless_chosen_otherwise(template, chosen):
    assert {group["RetentionInDays"] for group in template.of_type("AWS::Logs::LogGroup").values()} == {90}
    assert {group["RetentionInDays"] for group in chosen.of_type("AWS::Logs::LogGroup").values()} == {365}


def test_the_workflow_is_standard_traced_and_logged_without_what_it_carries(template):
    machine = template.one("AWS::StepFunctions::StateMachine", "Validation")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)


def test_the_workflow_runs_functions_builds_and_transform_jobs_by_the_names_in_its_definition(template):
    machine = template.one("AWS::StepFunctions::StateMachine", "Validation")
    substitutions = machine["DefinitionSubstitutions"]
    steps = ("OpenValidation", "KeepArtifact", "InspectArtifact", "EvaluateModel", "RecordEvidence")
    functions = {f"{name}Arn" for name in steps} | {"CreateTransformJobAndWaitArn"}
    build = {"StartBuildAndWaitArn", *(f"{task}{what}" for task in AT_LENGTH for what in ("Name", "Logs"))}
    assert set(substitutions) == functions | build
    assert substitutions["CreateTransformJobAndWaitArn"] == "arn:aws:states:::sagemaker:createTransformJob.sync"
    assert substitutions["StartBuildAndWaitArn"] == "arn:aws:states:::codebuild:startBuild.sync"
    assert all(f"${{{name}}}" in machine["DefinitionString"] for name in substitutions)


@pytest.mark.parametrize("task", AT_LENGTH)
def test_builds_run_only_the_code_whose_digest_their_project_holds(template, assembly, task):
    source = template.one("AWS::CodeBuild::Project", task)["Source"]
    fetch, check, *unpack, run = json.loads(source["BuildSpec"])["phases"]["build"]["commands"]
    key, sha256 = re.search(r"--key (\S+) code\.zip$", fetch)[1], re.match(r"echo '(\w{64})  code\.zip' \|", check)[1]
    data = (assembly / f"asset.{key}").read_bytes()
    assert hashlib.sha256(data).hexdigest() == sha256
    assert (source["Type"], "Location" in source) == ("NO_SOURCE", False)
    assert unpack == ["python -I -m zipfile -e code.zip code", "cd code"]
    assert run == f"SIGNOFF_BUILD=$CODEBUILD_BUILD_ID python -m {AT_LENGTH[task]}"
    assert f"{AT_LENGTH[task].replace('.', '/')}.py" in zipfile.ZipFile(io.BytesIO(data)).namelist()


@pytest.mark.parametrize("task", AT_LENGTH)
def test_builds_run_the_functions_own_code_on_their_python_and_processor(template, chosen, assembly, task):
    project = template.one("AWS::CodeBuild::Project", task)
    (code,) = {function["Code"]["S3Key"] for function in template.of_type("AWS::Lambda::Function").values()}
    told = json.loads(project["Source"]["BuildSpec"])["phases"]
    functions = assembly / f"asset.{code.removesuffix('.zip')}"
    build = assembly / f"asset.{re.search(r'--key (.*) code', told['build']['commands'][0])[1]}"
    with zipfile.ZipFile(build) as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == {
            path.relative_to(functions).as_posix(): path.read_bytes()
            for path in functions.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
    assert told["install"]["runtime-versions"] == {"python": "3.13"}
    environments = [each.one("AWS::CodeBuild::Project", task)["Environment"] for each in (template, chosen)]
    assert [(each["Type"], each["Image"]) for each in environments] == [
        ("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:4.0"),
        ("LINUX_CONTAINER", "aws/codebuild/amazonlinux-x86_64-standard:6.0"),
    ]


@pytest.mark.parametrize("task", AT_LENGTH)
def test_builds_have_a_role_a_log_and_the_settings_that_they_read(template, task):
    project = template.one("AWS::CodeBuild::Project", task)
    given = {variable["Name"] for variable in project["Environment"]["EnvironmentVariables"]}
    assert project["ServiceRole"] == template.role(f"{task}Role")
    assert project["LogsConfig"]["CloudWatchLogs"]["GroupName"] == f"Signoff-{task}Logs"
    needed = {f"SIGNOFF_{field.name.upper()}" for field in fields(BuildSettings)}
    assert needed == given - {"POWERTOOLS_SERVICE_NAME"} | {"SIGNOFF_REQUEST", "SIGNOFF_BUILD"}


@pytest.mark.parametrize("task", AT_LENGTH)
def test_builds_have_all_the_time_that_there_is(template, task):
    project = template.one("AWS::CodeBuild::Project", task)
    assert (project["TimeoutInMinutes"], project["QueuedTimeoutInMinutes"]) == (36 * 60, 8 * 60)
    assert "ConcurrentBuildLimit" not in project  # which would refuse builds instead of having them wait


def test_everything_that_can_go_wrong_has_its_alarm(template):
    alarms = {name.removeprefix("Alarms/") for name in template.of_type("AWS::CloudWatch::Alarm")}
    expected = {f"{name}{what}" for name in FUNCTIONS for what in ("Errors", "Throttles")}
    expected |= {f"{name}QueueOld" for name in ("Register", "Decision", "Deploy", "Sweep")}
    expected |= {"ValidationFailed", "ValidationTimedOut", "ValidationAborted"}
    assert expected | {"OldestValidating", "RetirementBlocked", "RoundLate"} <= alarms


def test_the_functions_own_metrics_are_watched_under_the_names_they_publish(template):
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    own = {alarm["MetricName"]: alarm for alarm in alarms if alarm["Namespace"] == "Signoff"}
    ages = {"OldestValidatingSeconds", "RoundSeconds"}
    assert set(own) == ages | {"RetirementBlocked", "DeploymentFailed", "BreakGlass"}
    assert all(alarm["Dimensions"] == [{"Name": "service", "Value": "signoff"}] for alarm in own.values())
    published = "".join(path.read_text() for path in (ROOT / "functions").glob("*.py"))
    assert all(f'count("{name}"' in published for name in own)


def test_alarms_notify_the_topic_that_was_chosen(template, chosen):
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    assert not any(alarm.get("AlarmActions") for alarm in template.of_type("AWS::CloudWatch::Alarm").values())
    assert all(alarm["AlarmActions"] == [topic] for alarm in chosen.of_type("AWS::CloudWatch::Alarm").values())


def test_the_outputs_are_those_that_the_command_reads(template):
    outputs = template.outputs()
    assert set(outputs) == {
        *("ArtifactsBucket", "VaultBucket", "LedgerTable", "PackagesTable", "SubmissionsTable", "BusName"),
        *("ValidationArn", "PolicyPath", "RegisterQueueUrl", "DecisionQueueUrl", "DeployQueueUrl"),
        *("RegisterFunction", "SweepFunction", "ModelExecutionRoleArn", "ChampionPath"),
        *("AuditorPolicyArn", "OperatorPolicyArn"),
        *("RegistrationsTopicArn", "ApprovalsTopicArn", "DecisionsTopicArn", "DeploymentsTopicArn", "BusArn"),
    }
    assert (outputs["BusName"], outputs["PolicyPath"]) == ("signoff", "/signoff/policies")
    assert outputs["ModelExecutionRoleArn"] == template.role("ModelExecutionRole")


def test_the_workflow_logs_where_no_resource_policy_grows_and_under_another_name_in_each_stack(template):
    name = template.one("AWS::Logs::LogGroup", "ValidationLogs")["LogGroupName"]
    assert name == "/aws/vendedlogs/states/Signoff-Validation-9f0c3a80-5d3e-11ef-8d3a-0e5a3f5b1c2d"


def test_no_function_reserves_concurrency_that_a_new_account_does_not_have(template):
    reserving = [
        each for each in template.of_type("AWS::Lambda::Function").values() if "ReservedConcurrentExecutions" in each
    ]
    assert reserving == []
