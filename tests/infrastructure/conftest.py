"""The app, synthesised as few times as the tests allow: each synthesis takes seconds."""

import json
from pathlib import Path

import pytest

from infra.app import STACK, build
from tests.support.template import Template


def synthesise(folder: Path, **context: object) -> Template:
    """The stack's template with these choices, checked by cdk-nag, written below `folder`.

    The dependencies are left out of the bundle: fetching them is the deployment's business.
    """
    build({"bundle": "source", **context}, folder).synth()
    return Template(json.loads((folder / f"{STACK}.template.json").read_bytes()))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


@pytest.fixture(scope="session")
def template(assembly: Path) -> Template:
    """The stack as it is deployed when nothing is chosen."""
    return synthesise(assembly)


@pytest.fixture(scope="session")
def chosen_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chosen")


@pytest.fixture(scope="session")
def chosen(chosen_assembly: Path) -> Template:
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
        alarmTopicArn="arn:aws:sns:us-east-1:123456789012:alarms",
        artifactsBucketName="acme-submissions",
        vaultBucketName="acme-vault",
        inspectConcurrency="0",
    )


@pytest.fixture(scope="session")
def ephemeral(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The stack for the local engine and for trying things out."""
    return synthesise(tmp_path_factory.mktemp("ephemeral"), ephemeral="true", nag="false")
