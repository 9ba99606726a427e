"""Pages in a real browser: Debian's Chromium, without a display. Without one these tests are skipped, and say so."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


# An event loop runs in the process for as long as the browser is driven, which tests of other modules would meet.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, once per module."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(BROWSERS)}): pages were not looked at")
    with sync_playwright() as playwright:
        # Within a container, or as root, Chromium's own sandbox cannot start; the pages are ours.
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
    # What the driver leaves open is let go here, and told in no later test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
