"""What is wrong with a document, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One thing wrong with a document.

    `path` leads to it, in the form `InferenceSpecification.Containers[0].ModelDataUrl` (empty for the document
    itself); `message` says what is wrong and what is allowed, as a sentence without the path.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message
