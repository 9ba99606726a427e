"""How long processors worked for an engine and all that it started: other work on the machine does not change that."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(session: int, processes: Path = Path("/proc")) -> float | None:
    """The seconds of all processes of a session, and of their children that have ended; None where no /proc tells.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    told = [_of(path, session) for path in processes.glob("[0-9]*/stat")]
    return sum(told) if told else None


def _of(stat: Path, session: int) -> float:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it has ended meanwhile
    return sum(map(int, fields[11:15])) / _TICKS if int(fields[3]) == session else 0.0
