"""What stops the reading of an artifact."""


class Refused(Exception):
    """Raised when an artifact cannot be read further; `rule` is the finding's rule, the message its reason."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        super().__init__(reason)


class Truncated(Refused):
    """Raised when content ends before its declared size."""

    def __init__(self, offset: int) -> None:
        super().__init__("truncated-content", f"Ends at byte {offset}, before the size that it declares")


class OtherFormat(Refused):
    """Raised where a scanner has proven that no loader of its format would go on: the content has another one."""

    def __init__(self, reason: str) -> None:
        super().__init__("not-what-it-is-called", reason)
