"""SageMaker and the vault of further places: under whose credentials, in which region, from which bucket."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.aws import clients
from signoff.aws.s3 import Bucket
from signoff.aws.target_accounts import TargetAccounts
from signoff.aws.vault import Vault
from signoff.errors import TargetFault
from tests.support.clock import Clock

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"
THEIRS, OVERSEAS, OURS_OVERSEAS = "222222222222/us-east-1", "222222222222/eu-west-1", "123456789012/eu-west-1"


class Sts:
    """AssumeRole for those who may; each session is another."""

    def __init__(self, clock: Clock, refuses: str | None = None) -> None:
        self._clock, self._refuses = clock, refuses
        self.taken: list[str] = []

    def assume_role(self, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:  # noqa: N803 - boto3's own names
        if self._refuses:
            raise ClientError({"Error": {"Code": self._refuses, "Message": "no"}}, "AssumeRole")
        self.taken.append(RoleArn)
        keys = {"AccessKeyId": f"ASIA{len(self.taken)}", "SecretAccessKey": "s", "SessionToken": RoleSessionName}
        return {"Credentials": {**keys, "Expiration": self._clock() + timedelta(hours=1)}}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The function's own credentials and region."""
    for name, value in {"AWS_ACCESS_KEY_ID": "OWN", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    clients.client.cache_clear()
    yield
    clients.client.cache_clear()


def target_accounts(clock: Clock | None = None, refuses: str | None = None) -> tuple[TargetAccounts, Sts]:
    clock = clock or Clock()
    sts = Sts(clock, refuses)
    home = Vault(Bucket(clients.client("s3"), "vault"))
    return TargetAccounts(home, {"eu-west-1": "vault-eu-west-1"}, sts, clock), sts


def whose(found: Any) -> tuple[str, str]:
    """The access key and the region that a registry calls SageMaker with."""
    sagemaker = found._sagemaker
    return sagemaker._request_signer._credentials.access_key, sagemaker.meta.region_name


def test_another_account_is_called_in_its_region_under_the_role_that_it_has_for_signoff():
    found, sts = target_accounts()
    assert whose(found.registry(OVERSEAS, PACKAGE)) == ("ASIA1", "eu-west-1")
    assert sts.taken == ["arn:aws:iam::222222222222:role/signoff/SignoffDeployer"]


def test_the_own_account_is_called_in_another_region_under_the_functions_own_role():
    found, sts = target_accounts()
    assert whose(found.registry(OURS_OVERSEAS, PACKAGE)) == ("OWN", "eu-west-1")
    assert sts.taken == []


def test_a_places_parameters_are_those_of_its_account_and_region():
    found, _ = target_accounts()
    clients_of = [found.parameters(place, PACKAGE) for place in (OVERSEAS, OURS_OVERSEAS)]
    keys = [each._request_signer._credentials.access_key for each in clients_of]
    assert [(key, each.meta.region_name) for key, each in zip(keys, clients_of, strict=True)] == [
        ("ASIA1", "eu-west-1"),
        ("OWN", "eu-west-1"),
    ]
    assert {each.meta.service_model.service_name for each in clients_of} == {"ssm"}


def test_a_role_is_taken_on_once_for_all_regions_and_again_before_its_session_ends():
    clock = Clock()
    found, _ = target_accounts(clock)
    keys = [whose(found.registry(place, PACKAGE))[0] for place in (THEIRS, OVERSEAS)]
    clock.forward(minutes=56)
    assert (keys, whose(found.registry(THEIRS, PACKAGE))[0]) == (["ASIA1", "ASIA1"], "ASIA2")


def test_an_account_that_does_not_let_signoff_in_is_named_with_what_to_do():
    found, _ = target_accounts(refuses="AccessDenied")
    with pytest.raises(TargetFault, match=r"222222222222:role/signoff/SignoffDeployer.*deploy SignoffWorkload"):
        found.registry(THEIRS, PACKAGE)


def test_what_else_sts_answers_is_passed_on():
    found, _ = target_accounts(refuses="ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        found.registry(THEIRS, PACKAGE)


def test_each_region_has_its_own_vault():
    found, _ = target_accounts()
    assert [found.vault(place, PACKAGE).name for place in (THEIRS, OVERSEAS)] == ["vault", "vault-eu-west-1"]
    with pytest.raises(TargetFault, match="-c regions=ap-south-1"):
        found.vault("222222222222/ap-south-1", PACKAGE)
