"""Shows the evidence in a package's model card, where SageMaker Studio does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.sagemaker import Registry
from signoff.errors import UnknownPackage
from signoff.ledger.history import package_key
from signoff.model_package.model_card import ARCHIVED, CardLeftAlone, with_evaluation
from signoff.validation.evidence_card import said

_NEW = "Draft"


@dataclass(frozen=True)
class CardWriter:
    """Puts an evaluation into the cards of packages, among what people write there."""

    registry: Registry

    def write(self, arn: str, evidence: Mapping[str, Any], uri: str, sha256: str) -> None:
        """Show `evidence`, a document with that URI and digest, in its package's card, unless it is shown already.

        SageMaker has no conditional write, and takes the whole card: what a person writes in the same moment may be
        lost. Raises `CardLeftAlone`, `RegistryRefused`, and `UnknownPackage` when
        there is no such package any more.
        """
        described = self.registry.describe(arn)
        if package_key(described["ModelPackageArn"], described["CreationTime"]) != evidence["package"]:
            raise UnknownPackage(f"{arn} is another package than the evidence is about")
        fields = card_fields(described, evidence, uri, sha256)
        if fields:
            self.registry.update_package(arn, **fields)


def card_fields(
    described: Mapping[str, Any], evidence: Mapping[str, Any], uri: str, sha256: str
) -> dict[str, dict[str, str]]:
    """Return what to change of a package as `described`, so that its card shows `evidence`: nothing, or `ModelCard`.

    Raises `CardLeftAlone`.
    """
    card = described.get("ModelCard") or {}
    if card.get("ModelCardStatus") == ARCHIVED:
        raise CardLeftAlone("the card is archived: SageMaker takes no more content")
    content = with_evaluation(card.get("ModelCardContent", ""), said(evidence, uri, sha256).within)
    if content is None:
        return {}
    # With the status: nothing says that SageMaker keeps the one that it is not given.
    return {"ModelCard": {"ModelCardContent": content, "ModelCardStatus": card.get("ModelCardStatus", _NEW)}}
