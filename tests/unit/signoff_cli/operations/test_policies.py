"""Policies in force that cannot be read."""

from __future__ import annotations

from signoff_cli.operations import policies

POLICY = '{"deployment": {"execution_role": "arn:aws:iam::123456789012:role/models"}}'


class Parameters:
    """What lies under the policies' path."""

    path = "/signoff/policies"

    def __init__(self, **texts: str) -> None:
        self._texts = texts

    def texts(self) -> dict[str, str]:
        return {f"{self.path}/{name.replace('__', '/')}": text for name, text in self._texts.items()}


def test_policies_that_can_be_read_are_no_findings() -> None:
    assert (
        list(policies.find(Parameters(default=POLICY, groups__churn=POLICY.replace("{", '{"group": "Churn", ', 1))))
        == []
    )


def test_each_policy_that_cannot_be_read_is_told_with_its_fault() -> None:
    found = list(
        policies.find(Parameters(default=POLICY, groups__churn='{"approvals": {"needed": "two"}}', groups__a="["))
    )
    assert [each.subject for each in found] == ["/signoff/policies/groups/a", "/signoff/policies/groups/churn"]
    assert "needed" in found[1].why


def test_a_policy_of_another_group_than_its_parameter_says_is_told() -> None:
    (finding,) = policies.find(Parameters(default=POLICY, groups__churn='{"group": "fraud"}'))
    assert "another group" in finding.why


def test_without_a_default_there_is_something_to_do() -> None:
    assert [each.subject for each in policies.find(Parameters())] == ["default"]
