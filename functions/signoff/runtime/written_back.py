"""What is shown where SageMaker's own tools show it, beside the work itself: if that fails, nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signoff.runtime.observability import count, logger


@contextmanager
def written_back(what: str) -> Iterator[None]:
    """Log and count (`NotWrittenBack`) whatever goes wrong in the block, and go on after it.

    No model waits for a card, and a decision is none the less one: what people see there is only shown.
    """
    try:
        yield
    except Exception as error:
        logger().warning("not written back to SageMaker", extra={"what": what, "because": str(error)}, exc_info=True)
        count("NotWrittenBack")
