"""Keeps samples of what `make corpus` wrote: `python -m tests.corpus.layouts.samples`, each layout as an archive."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.environments import ENVIRONMENTS, ESTIMATORS, FOLDER
from tests.corpus.layouts.judged import SAMPLES, files_of, names_of, packed

MOST = 32 * 1024  # bytes; larger ones are written anew by whoever wants to look at them


def main() -> None:
    """Write an archive of each layout that is small enough, and say which are not."""
    SAMPLES.mkdir(exist_ok=True)
    for environment in (name for name, (*_, script) in ENVIRONMENTS.items() if script != ESTIMATORS):
        written: Path = FOLDER / environment
        for layout in names_of(written) if written.exists() else ():
            data = packed(files_of(written / layout))
            if len(data) > MOST:
                print(f"too large: {environment}-{layout}, {len(data):,} bytes")
            else:
                (SAMPLES / f"{environment}-{layout}.tar.gz").write_bytes(data)


if __name__ == "__main__":
    main()
