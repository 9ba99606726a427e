"""What stops the reading of an artifact."""


class Refused(Exception):
    """Raised when an artifact cannot be read further; `rule` names why, the message says it in words."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        super().__init__(reason)
