"""The descriptions of AWS's services, read once per process: each new session of boto3 would read them anew."""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_READER = JSONFileLoader()
_read_file = JSONFileLoader.load_file


@cache
def _read(path: str) -> Any:
    return _read_file(_READER, path)


def read_once() -> None:
    """Have every session of this process share what was read, from now on."""
    JSONFileLoader.load_file = lambda _, path: _read(path)
