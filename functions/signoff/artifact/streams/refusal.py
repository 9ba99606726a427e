"""What stops the reading of an artifact."""


class Refused(Exception):
    """Raised when an artifact cannot be read further; `rule` names why, the message says it in words."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        super().__init__(reason)


class Truncated(Refused):
    """Raised when content ends where more was announced."""

    def __init__(self, offset: int) -> None:
        super().__init__("truncated-content", f"Ends at byte {offset}, in the middle of what it announced")
