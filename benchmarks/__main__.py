"""`make bench`: measures and prints inspections, comparisons, reading, latencies, import times, bundle sizes."""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import evidence, imports, inspection, latency, reading
from benchmarks.machine import machine
from infra.functions.code_bundle import bundle, sizes

PARTS = ("inspection", "evidence", "reading", "latency", "imports", "bundle")


def main() -> None:
    """Measure what the command line asks for and print it as tables or as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only; may be repeated")
    parser.add_argument("--runs", type=int, default=15, help="how often each chain is timed (15)")
    parser.add_argument("--largest", type=float, default=4, help="GB of the largest artifact that is inspected (4)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    for part in options.only or PARTS:
        figures |= _MEASURES[part](options)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures, Console(width=max(100, Console().width)))


def _inspection(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        sizes = [size for size in inspection.GROWTH if size < options.largest * 1e9]
        return {
            "inspection": inspection.measure(Path(folder), max(3, options.runs // 5), _say),
            "growth": inspection.growth(Path(folder), [*sizes, int(options.largest * 1e9)], _say),
        }


def _latency(options: argparse.Namespace) -> dict[str, Any]:
    return {"latency": summary(latency.measure(options.runs, _say))}


def _imported(options: argparse.Namespace) -> dict[str, Any]:
    runs = max(5, options.runs // 3)
    return {"imports": [asdict(each) for each in imports.measure(runs)], "tracer": imports.tracer(runs)}


_MEASURES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "inspection": _inspection,
    "evidence": lambda options: {"evidence": evidence.measure(options.runs)},
    "reading": lambda options: {"reading": reading.measure(options.runs)},
    "latency": _latency,
    "imports": _imported,
    "bundle": lambda _options: {"bundle": weights()},
}


def summary(times: latency.Times) -> dict[str, dict[str, float]]:
    """Each chain's median and minimum seconds, and the ratios of its median to the bare chains'."""
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
    """The bundle's size in bytes for each of Lambda's architectures."""
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
    for part, tables in _TABLES.items():
        if part in figures:
            console.print(tables(figures[part]))
    if "tracer" in figures:
        console.print(f"The tracer adds {_ms(figures['tracer'])} ms to each function at its first invocation.\n")


def _inspections(rows: list[dict[str, Any]]) -> Table:
    table = _table("Inspection", "MB", "expanded", "s", "MB/s", "x inflate or hash", "by zlib-ng", "x usual way")
    for row in rows:
        seconds = row["seconds"]["inspect"]
        sizes = (f"{row['size'] / 1e6:,.0f}", f"{row['expanded'] / 1e6:,.0f}")
        speed = (f"{seconds:.2f}", f"{row['expanded'] / seconds / 1e6:,.0f}")
        table.add_row(row["set"], *sizes, *speed, *(f"{row[ratio]:.2f}" for ratio in ("limit", "fast_limit", "usual")))
    return table


def _growth(rows: list[dict[str, Any]]) -> Table:
    table = _table("Growth, MB", "s", "MB/s", "MiB of memory above the interpreter's")
    for row in rows:
        size, seconds = row["size"] / 1e6, row["seconds"]
        table.add_row(f"{size:,.0f}", f"{seconds:.1f}", f"{size / seconds:,.0f}", f"{row['memory'] / 2**20:.0f}")
    return table


def _evidence(rows: list[dict[str, Any]]) -> Table:
    table = _table("Comparison, metrics", "kB of documents", "ms", "ms to parse them", "ratio")
    for row in rows:
        milliseconds = (f"{row[way] * 1000:.2f}" for way in ("seconds", "json"))
        table.add_row(str(row["metrics"]), f"{row['bytes'] / 1000:.1f}", *milliseconds, f"{row['ratio']:.0f}")
    return table


def _reading(rows: list[dict[str, Any]]) -> Table:
    titles = [title for name in reading.LARGE for title in (f"x {name}", "calls")]
    table = _table("Reading, CPU ms of a small registry", "ms", "calls", *titles)
    for row in rows:
        larger = [(f"{each['seconds'] / row['seconds']:.1f}", str(each["calls"])) for each in row["larger"].values()]
        table.add_row(
            row["command"], _ms(row["seconds"]), str(row["calls"]), *(cell for pair in larger for cell in pair)
        )
    return table


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


_TABLES: dict[str, Callable[[Any], Table]] = {
    "inspection": _inspections,
    "growth": _growth,
    "evidence": _evidence,
    "reading": _reading,
    "latency": _latencies,
    "imports": _imports,
    "bundle": _bundles,
}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
