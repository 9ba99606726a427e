"""Policies: what they say, whom they list, which groups they govern; and who an ARN stands for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.requirements import Requirements, Trusted
from signoff.artifact.streams.limits import Limits
from signoff.aws.ssm import GOVERNED_TAG, OWN_POLICY_TAG, Policies
from signoff.errors import PolicyFault
from signoff.identity.principals import is_known, person, same_person
from signoff.policy.approvals import Approvals
from signoff.policy.policy import Policy, of_document, parse
from tests.support.clock import Clock
from tests.support.fakes import FakeParameters

ROLE = "arn:aws:iam::123456789012:role/model"
ALICE, BOB = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/bob"
SESSION = "arn:aws:sts::123456789012:assumed-role/risk-approvers/whatever"
SSO = "arn:aws:sts::{}:assumed-role/AWSReservedSSO_{}_0123456789abcdef/alice@example.com"


def policy(**fields: Any) -> Policy:
    return parse(json.dumps({"deployment": {"execution_role": ROLE}, **fields}))


def listing(*approvers: str) -> Policy:
    return policy(approvals={"approvers": approvers})


# Reading


def test_everything_but_the_execution_role_has_a_default():
    found = policy()
    assert found.deployment.network_isolation is True
    assert (found.approvals.needed, found.approvals.submitter_may_approve, found.groups.create) == (1, False, False)
    assert (found.metrics, found.artifact.required_files, found.registration_defaults) == ((), (), None)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "not JSON"),
        ("{}", "deployment"),
        ({"deploymnet": {}}, "deploymnet"),
        ({"approvals": {"needed": 0}}, r"Expected `int` >= 1 - at `\$\.approvals\.needed`"),
        ({"artifact": {"limits": {"ratio": 0}}}, r">= 1 - at `\$\.artifact\.limits\.ratio`"),
        ({"artifact": {"limits": {"expanded_gib": 1025}}}, r"<= 1024 - at `.*\.expanded_gib`"),
        ({"artifact": {"limits": {"members": 200_001}}}, r"<= 200000 - at `.*\.members`"),
        ({"artifact": {"limits": {"nested": -1}}}, r">= 0 - at `.*\.nested`"),
        ({"artifact": {"formats": ["onnx", "h5"]}}, r"`h5` is not a known format; did you mean hdf5\?"),
        ({"artifact": {"code": {"perl": ["*"]}}}, "perl"),
        ({"artifact": {"required_files": ["a.pkl"], "forbidden_files": ["*.pkl"]}}, r"`\*.pkl` forbids `a.pkl`"),
        (
            {"artifact": {"required_files": ["x/*.py"], "forbidden_files": ["x/*.py"]}},
            "which `required_files` requires",
        ),
        ({"artifact": {"tensorflow": {"operators": ["Read*"]}}}, r"operators"),
        ({"artifact": {"pickles": {"trusted": ["Encoder"]}}}, r"trusted"),
        ({"artifact": {"pickles": {"trusted": ["acme.*.Encoder"]}}}, r"trusted"),
        ({"artifact": {"pickles": {"trusted": ["*"]}}}, r"trusted"),
        ({"artifact": {"pickles": {"trusted": ["builtins.eval"]}}}, "standard library"),
        ({"artifact": {"pickles": {"trusted": ["os.*"]}}}, "standard library"),
        ({"artifact": {"pickles": {"trusted": ["posix.system"]}}}, "standard library"),
        ({"artifact": {"pickles": {"trusted": ["__builtin__.eval"]}}}, "standard library"),
        ({"artifact": {"pickles": {"trusted": ["joblib.load"]}}}, "known to run code"),
        ({"artifact": {"pickles": {"trusted": ["torch.hub.*"]}}}, "known to run code"),
        ({"artifact": {"pickles": {"trusted": ["acme.features.__builtins__"]}}}, "from there anywhere"),
        ({"artifact": {"pickles": {"trusted": ["__main__.*"]}}}, "name each class"),
        ({"metrics": [{"name": "a", "path": "b"}]}, "needs `at_least`, `at_most`, `against_champion` or `suspicious`"),
        (
            {"metrics": [{"name": "a", "path": "b", "against_champion": {"at_least": 0}}]},
            "metric `a` needs `higher_is_better`",
        ),
        ({"metrics": [{"name": "auc", "path": "b", "suspicious": 0}]}, "must be more than 0"),
        ({"metrics": [{"name": "auc", "path": "b", "at_least": 0, "digits": 16}]}, "<= 15"),
        ({"bias": [{"facet": "gender", "metric": "DPL"}]}, "bias `gender`, `DPL` needs `at_least`, `at_most` or both"),
        ({"comparison": {"confidence": 1}}, r"<= 0.999 - at `\$\.comparison\.confidence`"),
        ({"comparison": {"data_sets": ["AB" * 32]}}, r"\$\.comparison\.data_sets\[0\]"),
        ({"metrics": [{"name": "a", "path": "b[", "at_least": 1}]}, "not a valid JMESPath expression"),
        ({"metrics": [{"name": "a", "path": "b", "at_least": "high"}]}, r"\$\.metrics\[0\]\.at_least"),
        ({"deployment": {"execution_role": ROLE, "vpc": {"subnets": ["subnet-1"]}}}, "security_groups"),
        ({"deployment": {"execution_role": "models"}}, r"execution_role"),
        ({"artifact": {"forbidden_files": ["../x"]}}, "matches no file"),
        ({"metrics": [{"name": "a", "path": path, "at_least": 1} for path in "bc"]}, "is called `a` too"),
    ],
)
def test_a_faulty_policy_says_what_is_wrong_and_where(document: Any, said: str):
    with pytest.raises(PolicyFault, match=said):
        parse(document) if isinstance(document, str) else policy(**document)


def test_a_policy_reads_back_from_its_own_document_with_the_same_digest():
    found = policy(metrics=[{"name": "a", "path": "b", "at_least": 1}], registration_defaults={"Domain": "MACHINE"})
    again = of_document(json.loads(json.dumps(found.document)))
    assert (again, again.digest) == (found, found.digest)


def test_the_limits_of_an_archive_are_those_of_an_inspection_without_a_policy():
    assert policy().artifact.limits.reading == Limits()
    said = policy(artifact={"limits": {"expanded_gib": 2, "ratio": 3, "members": 4, "nested": 0}})
    assert said.artifact.limits.reading == Limits(expanded_size=2 * 1024**3, ratio=3, members=4, nested=0)


def test_what_is_demanded_of_an_artifact_is_what_an_inspection_without_a_policy_demands():
    assert policy().artifact.requirements == Requirements()
    said = policy(
        artifact={"formats": ["onnx"], "licence": True, "code": {"compiled": ["lib/*.so"]}}
    ).artifact.requirements
    assert (said.formats, said.licence, said.model_card, said.code.compiled) == (("onnx",), True, False, ("lib/*.so",))
    assert said.code.python == Requirements().code.python


def test_operators_that_a_policy_admits_are_those_of_an_inspection():
    said = policy(artifact={"tensorflow": {"operators": ["ReadFile", "Mine>Op"]}}).artifact.requirements
    assert said.trusted == Trusted(operators=frozenset({"ReadFile", "Mine>Op"}))


def test_names_that_a_policy_trusts_are_those_of_an_inspection():
    names = ["acme.features.Encoder", "acme.models.*", "__main__.Encoder"]
    said = policy(artifact={"pickles": {"trusted": names}}).artifact.requirements
    assert said.trusted == Trusted(names=frozenset(names))


def test_a_document_that_is_no_policy_is_a_fault():
    with pytest.raises(PolicyFault, match="deployment"):
        of_document({"description": "?"})


def test_a_default_written_out_is_the_same_policy():
    assert policy(approvals={"needed": 1}).digest == policy().digest
    assert policy(description="other").digest != policy().digest


# Approvers


def test_without_a_list_anyone_may_decide():
    assert policy().lists(BOB)


def test_a_pattern_lists_those_it_matches():
    found = listing("arn:*:iam::*:user/al?ce")
    assert (found.lists(ALICE), found.lists(BOB)) == (True, False)


def test_a_role_is_listed_by_its_own_arn_whatever_its_sessions_are_called():
    found = listing("arn:aws:iam::123456789012:role/risk-*")
    assert found.lists(SESSION)
    assert not found.lists("arn:aws:sts::123456789012:assumed-role/developers/risk-me")


def test_a_permission_set_is_listed_by_its_sessions():
    found = listing("arn:*:iam::*:role/AWSReservedSSO_Approver_*")
    assert (found.lists(SSO.format("123456789012", "Approver")), found.lists(SSO.format("1" * 12, "Reader"))) == (
        True,
        False,
    )


def test_no_wildcard_reaches_across_the_parts_of_an_arn():
    found = listing("arn:aws:iam::*:role/approver")
    assert not found.lists("arn:aws:iam::123456789012:user/x:role/approver")


def test_arns_are_compared_by_letter_case():
    assert not listing(ALICE).lists(ALICE.upper())


def test_members_of_roles_are_listed_and_with_roles_nobody_else_is():
    found = policy(approvals={"roles": {"risk": {"members": [ALICE]}}})
    assert (found.lists(ALICE), found.lists(BOB)) == (True, False)


def test_a_user_of_identity_center_is_listed_by_name_whatever_the_permission_set():
    found = listing("arn:aws:identitycenter:::user/alice@*")
    assert found.lists(SSO.format("123456789012", "Anything"))
    assert not found.lists(SSO.format("123456789012", "Anything").replace("alice", "bob"))


def test_who_breaks_the_glass_is_listed_apart():
    found = policy(approvals={"approvers": [ALICE], "break_glass": [BOB]}).approvals
    assert [(found.lists(who), found.breaks_glass(who)) for who in (ALICE, BOB)] == [(True, False), (False, True)]
    assert not Approvals().breaks_glass(ALICE)


def test_submitters_are_listed_as_persons_and_an_unknown_one_is_nobody_listed():
    found = policy(submissions={"submitters": ["arn:aws:iam::123456789012:role/risk-approvers"]})
    assert [found.takes_from(who) for who in (SESSION, ALICE, None)] == [True, False, False]
    assert policy().takes_from(ALICE)


# Governing


def policies(**parameters: Any) -> Policies:
    ssm = FakeParameters(Clock())
    for name, document in parameters.items():
        document = document if isinstance(document, str) else {"deployment": {"execution_role": ROLE}, **document}
        ssm.values[f"/p/{name.replace('__', '/')}"] = document if isinstance(document, str) else json.dumps(document)
    return Policies(ssm, "/p")


def test_a_group_with_its_own_policy_is_governed_by_it():
    found = policies(default={}, groups__churn={"description": "own"}).governing("churn", {})
    assert found.policy.description == "own"


def test_a_group_that_signoff_created_falls_back_to_the_default():
    found = policies(default={"description": "default"}).governing("churn", {GOVERNED_TAG: "true"})
    assert found.policy.description == "default"


def test_any_other_group_is_not_governed():
    assert policies(default={}).governing("churn", {"team": "growth"}) is None


def test_a_group_that_had_its_own_policy_never_falls_back():
    with pytest.raises(PolicyFault, match="restore /p/groups/churn"):
        policies(default={}).governing("churn", {GOVERNED_TAG: "true", OWN_POLICY_TAG: "own"})


def test_a_policy_that_cannot_be_read_is_an_error_and_names_its_parameter():
    with pytest.raises(PolicyFault, match="/p/groups/churn: not JSON"):
        policies(default={}, groups__churn="{").governing("churn", {GOVERNED_TAG: "true"})


def test_a_default_that_is_not_there_is_an_error():
    with pytest.raises(PolicyFault, match="no default policy"):
        policies().for_new_group("churn")


def test_a_new_group_is_created_under_its_own_policy_or_the_default():
    found = policies(default={"description": "default"}, groups__own={"description": "own"})
    assert [found.for_new_group(group).policy.description for group in ("own", "other")] == ["own", "default"]


# Persons


def test_all_sessions_of_a_role_are_one_person():
    other = SESSION.replace("whatever", "somebody.else")
    assert same_person(SESSION, other)
    assert person(SESSION) == "arn:aws:iam::123456789012:role/risk-approvers"
    assert same_person(SESSION, "arn:aws:iam::123456789012:role/risk-approvers")


def test_a_user_of_identity_center_is_one_person_in_every_account_and_with_every_permission_set():
    assert same_person(SSO.format("1" * 12, "Developer"), SSO.format("2" * 12, "Approver"))
    assert not same_person(SSO.format("1" * 12, "Approver"), SSO.format("1" * 12, "Approver").replace("alice", "bob"))


def test_federated_users_choose_their_names_and_count_as_one():
    federated = "arn:aws:sts::123456789012:federated-user/"
    assert same_person(f"{federated}alice", f"{federated}bob")


def test_users_are_themselves_and_nobody_else():
    assert same_person(ALICE, ALICE)
    assert not same_person(ALICE, BOB)


def test_an_unknown_person_is_nobodys_other_self():
    assert not same_person(None, None)
    assert not same_person(ALICE, None)


@pytest.mark.parametrize(
    ("arn", "known"),
    [
        (ALICE, True),
        ("arn:aws:iam::123456789012:root", False),
        (SSO.format("1" * 12, "Approver"), True),
        (SESSION, False),
        ("arn:aws:iam::123456789012:role/training", False),
        ("arn:aws:sts::123456789012:federated-user/alice", False),
        ("arn:aws:sagemaker:eu-west-1:123456789012:user-profile/d-1/alice", False),
        (None, False),
    ],
)
def test_an_arn_is_known_if_it_says_which_human_being_it_is(arn, known):
    assert is_known(arn) is known
    assert Approvals().knows(arn) is known


def test_a_trusted_session_says_which_human_being_it_is():
    trusted = ("arn:aws:iam::*:role/risk-*",)
    assert is_known(SESSION, trusted)
    assert person(SESSION, trusted) == SESSION
    assert not same_person(SESSION, SESSION.replace("whatever", "somebody.else"), trusted)
    assert not is_known(SESSION.replace("risk", "owner"), trusted)


@given(st.one_of(st.text(), st.sampled_from([ALICE, SESSION, SSO.format("1" * 12, "A")])))
def test_a_persons_arn_stands_for_that_person(arn: str):
    assert person(person(arn)) == person(arn)


# Other accounts

LONDON, DUBLIN = {"region": "eu-west-2", "execution_role": ROLE}, {"region": "eu-west-1", "execution_role": ROLE}


def test_a_group_is_open_to_the_accounts_that_its_policy_names_and_to_no_others():
    found = policy(
        accounts={"submit": ["222222222222"], "deploy": ["333333333333"]},
        deployment={"execution_role": ROLE, "targets": [{**DUBLIN, "account": "444444444444"}]},
    )
    assert [found.opens_to(str(digit) * 12) for digit in (1, 2, 3, 4, 5)] == [False, True, True, True, False]
    assert not policy().opens_to("222222222222")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"accounts": {"submit": ["2222"]}}, "$.accounts.submit"),
        ({"accounts": {"submits": []}}, "submits"),
        ({"deployment": {"execution_role": ROLE, "targets": [{**DUBLIN, "region": "Ireland"}]}}, "region"),
        ({"deployment": {"execution_role": ROLE, "targets": [{"region": "eu-west-1"}]}}, "execution_role"),
        ({"deployment": {"execution_role": ROLE, "targets": [DUBLIN, LONDON, DUBLIN]}}, "twice"),
    ],
)
def test_an_account_or_a_target_that_is_none_is_a_fault(fields, path):
    with pytest.raises(PolicyFault, match=path.replace("$", r"\$")):
        policy(**fields)
