"""`make bench`: measures and prints latencies, import times and the bundle's size."""

import argparse
import json
import os
import platform
import statistics
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import imports, latency
from infra.bundling import bundle, sizes


def main() -> None:
    """Measure what the command line asks for and print it as tables or as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="how often each chain is timed (15)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    figures = {
        "machine": machine(),
        "latency": summary(latency.measure(options.runs, _say)),
        "imports": [asdict(each) for each in imports.measure(max(5, options.runs // 3))],
        "tracer": imports.tracer(max(5, options.runs // 3)),
        "bundle": weights(),
    }
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures, Console(width=max(100, Console().width)))


def machine() -> dict[str, Any]:
    """What the figures were taken on; memory in GiB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory": round(memory, 1),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def summary(times: latency.Times) -> dict[str, dict[str, float]]:
    """Of each chain's seconds the median, the least, and the medians' ratios to the bare chains'."""
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    return {
        name: {
            "median": median[name],
            "least": min(seconds),
            "ratio": median[name] / median[latency.BARE],
            "ratio_queued": median[name] / median[latency.QUEUED],
        }
        for name, seconds in times.items()
    }


def weights() -> dict[str, dict[str, int]]:
    """The bundle's bytes for each of Lambda's processors."""
    found = {}
    for architecture in ("arm64", "x86_64"):
        unzipped, zipped = sizes(bundle(architecture, "wheels")[0])
        found[architecture] = {"unzipped": unzipped, "zipped": zipped}
    return found


def show(figures: dict[str, Any], console: Console) -> None:
    """Print all figures as tables."""
    on = figures["machine"]
    console.print(
        f"\n{on['cores']} cores ({on['processor']}), {on['memory']} GiB, Python {on['python']}, load {on['load']}\n"
    )
    console.print(_latencies(figures["latency"]), _imports(figures["imports"]))
    console.print(f"The tracer adds {_ms(figures['tracer'])} ms to each at its first invocation.\n")
    console.print(_bundles(figures["bundle"]))


def _latencies(rows: dict[str, dict[str, float]]) -> Table:
    table = _table("Warm, ms", "median", "least", "x bare", "x bare with queue")
    for name, row in rows.items():
        ratios = (f"{row[ratio]:.1f}" for ratio in ("ratio", "ratio_queued"))
        table.add_row(name, _ms(row["median"]), _ms(row["least"]), *ratios)
    return table


def _imports(rows: list[dict[str, Any]]) -> Table:
    table = _table("Cold, CPU ms", "import", "of boto3", "ratio", "with clients", "of boto3", "ratio")
    for row in rows:
        imported, bare = row["imported"], row["boto3_imported"]
        ready, bare_ready = row["ready"], row["boto3_ready"]
        shown = (_ms(imported), _ms(bare), f"{imported / bare:.2f}", _ms(ready), _ms(bare_ready))
        table.add_row(row["function"], *shown, f"{ready / bare_ready:.2f}")
    return table


def _bundles(rows: dict[str, dict[str, int]]) -> Table:
    table = _table("Bundle, MB", "zipped", "unzipped")
    for name, row in rows.items():
        table.add_row(name, f"{row['zipped'] / 1e6:.1f}", f"{row['unzipped'] / 1e6:.1f}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first)
    for title in others:
        table.add_column(title, justify="right")
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
