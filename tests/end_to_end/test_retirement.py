"""A model whose package is no longer signed is retired, unless an endpoint still runs it."""

import pytest

from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package


def revoke(package: Package) -> None:
    package.decide("revoke", reason="Drifts on the new cohort")


def serve(group: Group, model: str) -> str:
    """Create an endpoint that runs a model, as a team that deploys it does."""
    sagemaker, name = group.pipeline.aws("sagemaker"), f"serving-{group.name}"
    variant = {"VariantName": "all", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return name


def test_a_revocation_retires_the_model(group: Group) -> None:
    package = group.pending()
    model = package.approve()["ModelName"]

    revoke(package)

    assert package.models() == []
    assert (package.status, package.registry[0]) == ("Revoked", "Rejected")
    assert package.entries(Kind.MODEL_RETIRED) == [{"model": model}]


def test_a_model_that_an_endpoint_runs_stays_until_the_endpoint_is_gone(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    model = package.approve()
    endpoint = serve(group, model["ModelName"])

    revoke(package)
    blocked, during = package.entries(Kind.RETIREMENT_BLOCKED), package.models()
    pipeline.sweep()
    again = package.entries(Kind.RETIREMENT_BLOCKED)
    pipeline.aws("sagemaker").delete_endpoint(EndpointName=endpoint)
    pipeline.sweep()

    assert blocked == again == [{"model": model["ModelName"], "endpoints": [endpoint]}]
    assert during == [model]
    assert package.status == "Revoked"
    assert package.registry[0] == "Rejected"
    assert package.models() == []
    assert package.kinds()[-1] == "ModelRetired"


@pytest.mark.deep
def test_models_of_other_packages_of_the_group_stay(group: Group) -> None:
    first, second = group.pending(), group.pending()
    first.approve()
    model = second.approve()

    revoke(first)

    assert first.models() == []
    assert second.models() == [model]
