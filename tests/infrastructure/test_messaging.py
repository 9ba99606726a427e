"""Queues, rules and the bus: which event goes where, and where it waits when it cannot."""

import json
from datetime import timedelta
from typing import Any

import pytest

from signoff.identity.proofs import LONGEST
from signoff.runtime.batches import hidden_seconds
from tests.faults.faulty_world import HIDDEN, RECEIVES
from tests.support.iam import allowed, denied
from tests.support.patterns import matches
from tests.support.repository import ROOT
from tests.support.shared_registry import bus_policy
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

EVENTS = ROOT / "events"
DEFAULT_BUS, OWN_BUS = "default", "signoff"
# Where each sample event goes: the last parts of its targets' ARNs.
DESTINATIONS: dict[str, set[str]] = {
    "s3_model_uploaded": {"RegisterQueue"},
    "s3_model_uploaded_multipart": {"RegisterQueue"},
    "s3_upload_elsewhere": set(),
    "registry_registered": {"Validation"},
    "registry_approved": {"DecisionQueue", "DeployQueue"},
    "registry_rejected": {"DecisionQueue", "DeployQueue"},
    "registry_metadata_only": set(),
    "annotation": {"DecisionQueue"},
    "decision_approve": {"DecisionQueue"},
    "decision_reject": {"DecisionQueue"},
    "decision_unknown_package": {"DecisionQueue"},
    "decision_rolled_back": {"DeployQueue"},
    "model_superseded": {"DecisionQueue"},
    "sweep_due": set(),  # the clock sends it by its schedule, which has no pattern
}
INBOXES = {
    "RegisterQueue": "RegisterModel",
    "SignatureQueue": "KeepSignature",
    "DecisionQueue": "ApplyDecision",
    "DeployQueue": "CreateModel",
    "SweepQueue": "Sweep",
}


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_bytes())
    return document


def routed(template: SynthesizedTemplate, event: dict[str, Any], bus: str) -> list[str]:
    """The targets of the rules on `bus` that `event` matches, by the last part of their names."""
    return [
        target["Arn"].rpartition("Signoff-")[2]
        for rule in template.of_type("AWS::Events::Rule").values()
        if rule.get("EventBusName", DEFAULT_BUS) == bus and matches(rule.get("EventPattern", {"none": [0]}), event)
        for target in rule["Targets"]
    ]


def test_every_sample_event_has_its_destinations_named_here():
    assert {path.stem for path in EVENTS.glob("*.json")} == set(DESTINATIONS)


@pytest.mark.parametrize("name", DESTINATIONS)
def test_an_event_goes_where_it_belongs_and_once(template, name):
    bus = DEFAULT_BUS if sample(name)["source"].startswith("aws.") else OWN_BUS
    found = routed(template, sample(name), bus)
    assert set(found) == DESTINATIONS[name]
    assert len(found) == len(set(found))


def registry(changed: list[str] | None = None, **detail: object) -> dict[str, Any]:
    event = sample("registry_registered")
    event["detail"] |= detail | ({"UpdatedModelPackageFields": changed} if changed is not None else {})
    return event


@pytest.mark.parametrize("field", ["InferenceSpecification", "AdditionalInferenceSpecifications", "sourceUri"])
def test_a_changed_specification_is_validated_anew_and_weighed_against_the_decision(template, field):
    found = routed(template, registry([field, "CustomerMetadataProperties"]), DEFAULT_BUS)
    assert sorted(found) == ["DecisionQueue", "DeployQueue", "Validation"]


@pytest.mark.parametrize("field", ["ApprovalDescription", "CustomerMetadataProperties", "ModelCard", "ModelLifeCycle"])
def test_what_does_not_change_what_is_deployed_ends_at_the_rules(template, field):
    assert routed(template, registry([field]), DEFAULT_BUS) == []


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_package_registered_as_decided_is_validated_and_compared_with_the_ledger(template, status):
    found = routed(template, registry(ModelApprovalStatus=status), DEFAULT_BUS)
    assert sorted(found) == ["DecisionQueue", "DeployQueue", "Validation"]


def test_a_registration_that_lists_no_changed_fields_is_a_registration(template):
    assert routed(template, registry([]), DEFAULT_BUS) == ["Validation"]


def test_a_package_that_sagemaker_has_not_completed_is_not_validated_yet(template):
    assert routed(template, registry(ModelPackageStatus="InProgress"), DEFAULT_BUS) == []


def test_the_report_beside_a_submission_is_no_upload(template):
    event = sample("s3_model_uploaded")
    event["detail"]["object"]["key"] = "breast-cancer/2026-03-02-a/registration-report.json"
    assert routed(template, event, DEFAULT_BUS) == []


def test_an_upload_of_which_s3_gives_only_bucket_and_key_is_an_upload(template):
    event = sample("s3_model_uploaded")
    detail = event["detail"]
    event["detail"] = {"bucket": detail["bucket"], "object": {"key": detail["object"]["key"]}}
    assert routed(template, event, DEFAULT_BUS) == ["RegisterQueue"]


def test_a_signature_is_confirmed_apart_from_its_registration(template):
    event = sample("s3_model_uploaded")
    event["detail"]["object"]["key"] = "breast-cancer/2026-03-02-a/submission.json"
    assert routed(template, event, DEFAULT_BUS) == ["RegisterQueue", "SignatureQueue"]


def test_a_decision_in_signoffs_own_name_is_no_decision(template):
    assert routed(template, sample("decision_approve") | {"source": "signoff"}, OWN_BUS) == []
    assert routed(template, sample("decision_approve") | {"source": "acme.tickets"}, OWN_BUS) == ["DecisionQueue"]


def announced(detail_type: str = "Decision Recorded", **detail: object) -> dict[str, Any]:
    event = sample("decision_rolled_back") | {"detail-type": detail_type}
    event["detail"] |= detail
    return event


@pytest.mark.parametrize("decision", ["approve", "reject", "revoke", "reopen"])
def test_what_signoff_announces_of_a_decision_is_followed_by_the_registrys_own_event(template, decision):
    assert routed(template, announced(decision=decision), OWN_BUS) == []


@pytest.mark.parametrize("kind", ["Model Created", "Approval Expired", "Model Reinstated", "Approval Requested"])
def test_other_events_of_signoffs_own_reach_nothing_of_its_own(template, kind):
    assert routed(template, announced(kind), OWN_BUS) == []


def test_a_policy_is_asked_about_a_version_that_another_champion_followed(template):
    assert routed(template, announced("Model Superseded"), OWN_BUS) == ["DecisionQueue"]


@pytest.mark.parametrize("detail_type", ["Decision Recorded", "Model Superseded"])
def test_only_signoff_itself_announces(template, detail_type):
    foreign = announced(detail_type) | {"source": "acme.tickets"}
    another = announced(detail_type) | {"account": "999999999999"}
    assert routed(template, foreign, OWN_BUS) == routed(template, another, OWN_BUS) == []


def test_the_sweep_is_due_every_quarter_of_an_hour(template):
    rule = template.one("AWS::Events::Rule", "Rules/SweepDue")
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert [target["Arn"].rpartition("-")[2] for target in rule["Targets"]] == ["SweepQueue"]


def test_between_a_rule_and_a_function_there_is_a_queue(template):
    targets = [target for rule in template.of_type("AWS::Events::Rule").values() for target in rule["Targets"]]
    assert {target["Arn"].split(":")[2] for target in targets} == {"sqs", "states"}


def test_what_a_rule_cannot_deliver_waits_in_a_dead_letter_queue_that_takes_it(template):
    rules = template.of_type("AWS::Events::Rule")
    policies = {
        queue: policy["PolicyDocument"]
        for policy in template.of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
    }
    for name, rule in rules.items():
        bus = f"{rule['EventBusName']}/" if "EventBusName" in rule else ""
        source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{bus}Signoff-{name.replace('/', '-')}"
        for target in rule["Targets"]:
            dead_letters = target["DeadLetterConfig"]["Arn"]
            policy = policies[dead_letters.rpartition(":")[2]]
            context = {"aws:SourceArn": source.replace(f"{OWN_BUS}/", ""), "aws:SecureTransport": "true"}
            assert dead_letters.endswith("DeadLetters")
            assert allowed(policy, "sqs:SendMessage", dead_letters, context), name


@pytest.mark.parametrize("inbox", INBOXES)
def test_an_inbox_sets_aside_what_fails_for_hours(template, inbox):
    policy = template.one("AWS::SQS::Queue", inbox)["RedrivePolicy"]
    assert policy["maxReceiveCount"] == RECEIVES
    failing = timedelta(seconds=sum(hidden_seconds(receives, "id") for receives in range(1, RECEIVES)))
    assert timedelta(hours=2) < failing < timedelta(hours=4)
    assert policy["deadLetterTargetArn"].endswith(inbox.replace("Queue", "DeadLetters"))


@pytest.mark.parametrize(("inbox", "function"), INBOXES.items())
def test_a_message_stays_hidden_twice_as_long_as_its_function_may_run(template, inbox, function):
    timeout = template.one("AWS::Lambda::Function", function)["Timeout"]
    assert template.one("AWS::SQS::Queue", inbox)["VisibilityTimeout"] == 2 * timeout


@pytest.mark.parametrize(("inbox", "function"), INBOXES.items())
def test_the_sweep_of_faults_hides_messages_as_long_as_the_queue(template, inbox, function):
    assert HIDDEN[function] == timedelta(seconds=template.one("AWS::SQS::Queue", inbox)["VisibilityTimeout"])


@pytest.mark.parametrize("queue", ["DecisionQueue", "SignatureQueue"])
def test_what_carries_a_proof_is_tried_again_three_times_while_the_proof_is_good(template, queue):
    """Even where its function was throttled or died each time: one that fails says itself when to try again."""
    hidden = timedelta(seconds=template.one("AWS::SQS::Queue", queue)["VisibilityTimeout"])
    assert 3 * hidden < LONGEST


@pytest.mark.parametrize(("inbox", "function"), INBOXES.items())
def test_a_function_reads_its_inbox_with_partial_responses_and_a_limit(template, inbox, function):
    mapping = template.one("AWS::Lambda::EventSourceMapping", f"{function}/Inbox")
    assert mapping["EventSourceArn"].endswith(f"-{inbox}")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5 if function == "RegisterModel" else 10}


def test_what_waits_for_another_function_leaves_it_executions_even_in_a_new_account(template):
    """Such an account has ten at once in all."""
    roles = template.of_type("AWS::IAM::Role")
    asking = [name for name in INBOXES.values() if "lambda:InvokeFunction" in str(roles[f"{name}Role"])]
    limits = [template.one("AWS::Lambda::EventSourceMapping", f"{name}/Inbox")["ScalingConfig"] for name in asking]
    assert limits == [{"MaximumConcurrency": 5}]


def test_an_entry_that_cannot_be_announced_does_not_hold_up_the_ledger_for_ever(template):
    mapping = template.one("AWS::Lambda::EventSourceMapping", "Announce/Entries")
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith("AnnounceDeadLetters")


def test_every_queue_is_encrypted_and_answers_only_over_tls(template):
    queues = template.of_type("AWS::SQS::Queue")
    policies = template.of_type("AWS::SQS::QueuePolicy").values()
    guarded = {
        name
        for policy in policies
        for name in policy["Queues"]
        if denied(
            policy["PolicyDocument"],
            "sqs:SendMessage",
            f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            {"aws:SecureTransport": "false"},
        )
    }
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    assert guarded == {f"Signoff-{name}" for name in queues}


def test_every_dead_letter_queue_has_its_alarm(template):
    watched = {
        alarm["Dimensions"][0]["Value"]
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" and alarm["Threshold"] == 0
    }
    dead_letters = {name for name in template.of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    assert watched == {f"Signoff-{name}" for name in dead_letters}
    assert len(dead_letters) == 7


def bus_refuses(template: SynthesizedTemplate, source: str, principal: str, account: str = ACCOUNT) -> bool:
    context = {"events:source": source, "aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
    return denied(
        bus_policy(template), "events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/signoff", context
    )


def test_only_announce_speaks_as_signoff(template):
    person = f"arn:aws:iam::{ACCOUNT}:user/approver"
    assert bus_refuses(template, "signoff", person)
    assert bus_refuses(template, "signoff", template.role("ApplyDecisionRole"))
    assert not bus_refuses(template, "signoff", template.role("AnnounceRole"))
    assert not bus_refuses(template, "signoff.cli", person)


def test_the_bus_takes_no_events_from_other_accounts(template):
    assert bus_refuses(template, "acme.tickets", "arn:aws:iam::999999999999:user/approver", "999999999999")


def test_a_resources_policy_is_one_document_that_nothing_else_writes(template):
    """EventBridge loses statements that are added to one bus at the same time."""
    assert not template.of_type("AWS::Events::EventBusPolicy")
    queues = [queue for policy in template.of_type("AWS::SQS::QueuePolicy").values() for queue in policy["Queues"]]
    topics = [topic for policy in template.of_type("AWS::SNS::TopicPolicy").values() for topic in policy["Topics"]]
    buckets = [policy["Bucket"] for policy in template.of_type("AWS::S3::BucketPolicy").values()]
    for written in (queues, topics, buckets):
        assert len(written) == len(set(written))


def test_the_buss_policy_keeps_no_statement_id_that_a_deletion_of_earlier_resources_would_remove(central):
    before = {"OnlyThisAccount", "OnlyKnownAccounts", "OthersSendDecisions", "OnlyAnnounceSpeaksAsSignoff"}
    sids = [statement["Sid"] for statement in bus_policy(central)["Statement"]]
    assert len(sids) == len(set(sids)) == 3
    assert not before & set(sids)
