"""SageMaker's lineage: actions, artifacts and what associates them.

https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-manual-creation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.clients import ignoring

_ABSENT = {"ResourceNotFound"}


class Lineage:
    """The lineage of one account and region, through one SageMaker client."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def update_action(self, name: str, changed: Mapping[str, Any]) -> str | None:
        """Change an action (Status, Description, Properties) and return its ARN, or None when there is none."""
        with ignoring(_ABSENT):
            return str(self._sagemaker.update_action(ActionName=name, **changed)["ActionArn"])
        return None

    def create_action(self, name: str, request: Mapping[str, Any]) -> str:
        """Create an action and return its ARN."""
        return str(self._sagemaker.create_action(ActionName=name, **request)["ActionArn"])

    def artifact(self, uri: str, kind: str) -> str:
        """Return the ARN of the artifact of that SourceUri, of which there is one at most; make it of that type if not.

        https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html
        """
        found = self._sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
        made = found[0] if found else self._sagemaker.create_artifact(Source={"SourceUri": uri}, ArtifactType=kind)
        return str(made["ArtifactArn"])

    def associate(self, source: str, destination: str, kind: str) -> None:
        """Associate two entities, by their ARNs, unless they are."""
        if not self._sagemaker.list_associations(**_ends(source, destination))["AssociationSummaries"]:
            self.associate_new(source, destination, kind)

    def associate_new(self, source: str, destination: str, kind: str) -> None:
        """Associate two entities, by their ARNs, of which the source has just been created."""
        self._sagemaker.add_association(**_ends(source, destination), AssociationType=kind)


def _ends(source: str, destination: str) -> dict[str, str]:
    return {"SourceArn": source, "DestinationArn": destination}
