"""The app, synthesised as few times as the tests allow: each synthesis takes seconds."""

import json
from pathlib import Path

import pytest

from infra.app import STACK, WORKLOAD
from infra.app import synthesise as synthesise_app
from tests.support.shared_registry import CENTRAL, GROUP, SOURCE_KEY, THERE
from tests.support.template import ACCOUNT, SynthesizedTemplate


def synthesise(folder: Path, **context: object) -> SynthesizedTemplate:
    """The stack's template with these choices, checked by cdk-nag, written below `folder`.

    The dependencies are left out of the bundle: fetching them is the deployment's business.
    """
    synthesise_app({"bundle": "source", **context}, folder)
    return read_template(folder, STACK)


def read_template(folder: Path, stack: str) -> SynthesizedTemplate:
    """One stack's template in an assembly."""
    return SynthesizedTemplate(json.loads((folder / f"{stack}.template.json").read_bytes()))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


@pytest.fixture(scope="session")
def template(assembly: Path) -> SynthesizedTemplate:
    """The stack as it is deployed when nothing is chosen."""
    return synthesise(assembly)


@pytest.fixture(scope="session")
def chosen_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chosen")


@pytest.fixture(scope="session")
def chosen(chosen_assembly: Path) -> SynthesizedTemplate:
    """The stack with everything chosen that can be."""
    return synthesise(
        chosen_assembly,
        architecture="x86_64",
        customerManagedKey="true",
        lockMode="COMPLIANCE",
        lockDays="30",
        logRetentionDays="365",
        sourceBuckets="training-output,sagemaker-us-east-1-123456789012",
        executionRoles="arn:aws:iam::123456789012:role/models/*",
        packageKeys="arn:aws:kms:us-east-1:123456789012:key/of-the-registry",
        alarmTopicArn="arn:aws:sns:us-east-1:123456789012:alarms",
        artifactsBucketName="acme-submissions",
        vaultBucketName="acme-vault",
        inspectConcurrency="0",
        vpc="true",
        projects="true",
        notify="approvals:mailto:risk@example.com,deployments:https://hooks.example.com/models",
        projectPrincipals="arn:aws:iam::123456789012:role/DataScientist,arn:aws:iam:::role/Team*",
    )


@pytest.fixture(scope="session")
def ephemeral(tmp_path_factory: pytest.TempPathFactory) -> SynthesizedTemplate:
    """The stack for the local engine and for trying things out."""
    return synthesise(tmp_path_factory.mktemp("ephemeral"), ephemeral="true", nag="false")


@pytest.fixture(scope="session")
def central_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry's account with one group that is shared and one in a folder, under a key of the customer's own."""
    base = tmp_path_factory.mktemp("central")
    for name, document in {"default": {}, "groups/Churn": GROUP, "groups/closed/private": {}}.items():
        path = base / "policies" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    choices = {
        "policies": str(base / "policies"),
        "regions": THERE,
        "customerManagedKey": "true",
        "sourceKeys": SOURCE_KEY,
    }
    synthesise_app({"bundle": "source", **choices}, base / "out")
    return base / "out"


@pytest.fixture(scope="session")
def central(central_assembly: Path) -> SynthesizedTemplate:
    return read_template(central_assembly, STACK)


@pytest.fixture(scope="session")
def region(central_assembly: Path) -> SynthesizedTemplate:
    return read_template(central_assembly, f"{STACK}Region-{THERE}")


@pytest.fixture(scope="session")
def workload_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workload")
    synthesise_app({**CENTRAL, "regions": THERE, "executionRoles": f"arn:aws:iam::{ACCOUNT}:role/own/*"}, folder)
    return folder


@pytest.fixture(scope="session")
def workload(workload_assembly: Path) -> SynthesizedTemplate:
    return read_template(workload_assembly, WORKLOAD)
