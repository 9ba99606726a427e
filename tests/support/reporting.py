"""What a test process of xdist tells the one that started it: ten thousand tests have thirty thousand reports."""

from typing import Any

import pytest


def report_briefly(config: pytest.Config) -> None:
    """Have this test process, if it is one of several, keep the reports of setups and teardowns that passed to itself.

    Nobody reads them, unless durations or a file of all reports are asked for. Like xdist's own for what was collected.
    """
    if not hasattr(config, "workerinput") or config.getoption("durations") or config.getoption("xmlpath"):
        return
    telling: Any = next(each for each in config.pluginmanager.get_plugins() if hasattr(each, "sendevent"))
    send = telling.sendevent

    def sendevent(name: str, **said: Any) -> None:
        data = said.get("data") or {}
        if name != "testreport" or data["when"] == "call" or data["outcome"] != "passed":
            send(name, **said)

    telling.sendevent = sendevent
