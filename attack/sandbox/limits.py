"""What a process that loads hostile files may not do: reach the network, take all memory or time, write large files."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

MEMORY = 3 << 30  # bytes more than the process has when it begins
FILE = 64 << 20  # bytes
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # Linux's unshare(2)
STATM = Path("/proc/self/statm")  # in pages, the first number all that the process has
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")


def leave_network() -> bool:
    """Give this process and its children a network with nothing in it, where the system can; return whether it did."""
    sys.addaudithook(_refuse_network)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        alone = os.geteuid() == 0 and library.unshare(NEW_NETWORK) == 0
        return alone or bool(library.unshare(NEW_USER | NEW_NETWORK) == 0)
    except (AttributeError, OSError):
        return False  # no Linux: what Python itself would connect is refused all the same


def _refuse_network(event: str, _arguments: object) -> None:
    if event in NETWORK:
        raise PermissionError("the network is not there")


def bound(seconds: int) -> None:
    """Bound the processor time (seconds), memory and files of this process and its children."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if STATM.exists():
        most = int(STATM.read_text().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
