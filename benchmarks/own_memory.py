"""A process's peak memory; this module imports nothing else, so as not to add to it."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak() -> int:
    """Return it in bytes."""
    if STATUS.exists():  # Linux's resource usage counts what the process had before it became this program, too
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
