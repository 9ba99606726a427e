"""Another team's CDK app: it deploys a baseline, and serves the group's champion as approved in Signoff.

`cdk deploy --all --app "python -m examples.cdk.app" -c model=build/examples/good/model.tar.gz`; deployed again, its
endpoint configuration has the champion of that day. Its choices: `-c group=... -c model=... -c image=repository:tag`,
and `-c team=...` for the first part of the names of its two stacks.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import aws_cdk.aws_sagemaker_alpha as sagemaker
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from signoff_cdk.approved_model import ApprovedModel
from signoff_cdk.baseline_model import BaselineModel


class BaselineStack(cdk.Stack):
    """The group's baseline: a model that existed before Signoff, reviewed with this code."""

    def __init__(self, scope: Construct, construct_id: str, *, group: str, model: str, image: str) -> None:
        super().__init__(scope, construct_id)
        repository, _, tag = image.partition(":")
        container = sagemaker.ContainerDefinition(
            image=sagemaker.ContainerImage.from_ecr_repository(
                ecr.Repository.from_repository_name(self, "Images", repository), tag
            ),
            model_data=sagemaker.ModelData.from_asset(model),
        )
        self.baseline = BaselineModel(
            self, "Baseline", group=group, containers=[container], network_isolation=True, review="pull request 1"
        )
        cdk.CfnOutput(self, "BaselineArn", value=self.baseline.model_arn)


class EndpointStack(cdk.Stack):
    """The endpoint configuration that serves the group's champion."""

    def __init__(self, scope: Construct, construct_id: str, *, group: str, baseline: BaselineModel) -> None:
        super().__init__(scope, construct_id)
        model = ApprovedModel(self, "Champion", group=group, baseline=baseline)
        variant = sagemaker.InstanceProductionVariantProps(model=model, variant_name="champion")
        config = sagemaker.EndpointConfig(self, "Config", instance_production_variants=[variant])
        cdk.CfnOutput(self, "ChampionArn", value=model.model_arn)
        cdk.CfnOutput(self, "ConfigName", value=config.endpoint_config_name)


def main() -> None:
    """Synthesise the app with the choices of its context."""
    app = cdk.App()

    def chosen(name: str, otherwise: str) -> str:
        value: Any = app.node.try_get_context(name)
        return str(value or otherwise)

    team, group = chosen("team", "Team"), chosen("group", "breast-cancer")
    model = chosen("model", "build/examples/good/model.tar.gz")
    models = BaselineStack(
        app, f"{team}Models", group=group, model=model, image=chosen("image", "sklearn-inference:1.7")
    )
    EndpointStack(app, f"{team}Serving", group=group, baseline=models.baseline)
    app.synth()


if __name__ == "__main__":
    main()
