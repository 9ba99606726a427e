"""What a policy asks a package to say of where it comes from, in SageMaker's MetadataProperties."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from msgspec import Struct

from signoff.policy.values import Name, meaning

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetadataProperties.html
Property = Literal["CommitId", "Repository", "GeneratedBy"]


class Provenance(Struct, frozen=True, forbid_unknown_fields=True):
    """What a package has to say of where it comes from. Nobody proves it: it is what its submitter signed."""

    required: Annotated[
        tuple[Property, ...],
        meaning(
            "Fields of MetadataProperties that a package has to have: the commit (`CommitId`), the repository, and "
            "what made the model, such as a training job's ARN (`GeneratedBy`).",
            examples=[["CommitId", "Repository"]],
        ),
    ] = ()
    repositories: Annotated[
        tuple[Name, ...],
        meaning(
            "Patterns (`*`, `?`) of the `Repository` that models may come from; none means any.",
            examples=[["https://git.example.com/ml/*"]],
        ),
    ] = ()

    def allows(self, repository: str) -> bool:
        """Return whether models may come from that repository."""
        return not self.repositories or any(fnmatchcase(repository, pattern) for pattern in self.repositories)
