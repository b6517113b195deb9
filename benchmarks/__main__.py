"""Compares proconsul with the reference on this machine and prints a table.

    python -m benchmarks [--quick] [--rows kv-get,kv-put-32,...] [--markdown FILE]

Both subjects run as durable single servers on loopback, at the same time; each row is measured in short bursts, one
subject right after the other, several times in turns, and the ratio is the median of the rounds' ratios: whatever else
the machine does then hits both. Numbers are for reading; nothing fails because of them.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.acl_rows import ACL_GROUPS
from benchmarks.generator import raise_open_files
from benchmarks.rows import GROUPS as OPEN_GROUPS
from benchmarks.rows import Row, Scale
from benchmarks.subjects import BenchmarkError, Pair
from support.reference import reference_path

GROUPS = [*OPEN_GROUPS, *ACL_GROUPS]
ROWS = {row.name: row for group in GROUPS for row in group.rows}
FULL = Scale(seconds=3.0, rounds=3)
QUICK = Scale(seconds=1.0, rounds=1)
# The subjects inherit the limit; the reference wants a little more than limits.http_max_conns_per_client.
OPEN_FILES = 16000


class Table:
    """Results as they come in."""

    HEAD = ("row", "proconsul", "reference", "ratio", "target", "met")

    def __init__(self) -> None:
        self.lines: list[tuple[str, ...]] = []
        self.failed: list[str] = []

    def add(self, row: Row, results: list[tuple[float, float]]) -> None:
        ratios = [row.ratio(ours, reference) for ours, reference in results]
        ratio = statistics.median(ratios)
        ours = statistics.median(ours for ours, _ in results)
        reference = statistics.median(reference for _, reference in results)
        bound = "<=" if row.is_share else ">="
        line = (
            f"{row.title} ({row.name})", _number(ours, row.unit), _number(reference, row.unit), f"{ratio:.2f}x",
            f"{bound} {row.target:g}x", "yes" if row.met(ratio) else "no",
        )  # fmt: skip
        self.lines.append(line)
        each = ", ".join(f"{value:.2f}" for value in ratios)
        print(f"{row.name}: {line[1]} against {line[2]}: {line[3]} (rounds: {each}), target {line[4]}", flush=True)

    def text(self) -> str:
        widths = [max(len(line[n]) for line in (self.HEAD, *self.lines)) for n in range(len(self.HEAD))]
        rows = [self.HEAD, tuple("-" * width for width in widths), *self.lines]
        return "\n".join(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
        )


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:,.1f} {unit}"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short round per row, to see that everything runs")
    parser.add_argument("--rows", default="", help=f"only these, separated by commas: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=0, help="rounds per row instead of the usual number")
    parser.add_argument("--markdown", metavar="FILE", help="write the table there, too")
    options = parser.parse_args()
    wanted = [name for name in options.rows.split(",") if name] or list(ROWS)
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        parser.error(f"unknown rows: {', '.join(unknown)}")
    binary = reference_path()
    if binary is None:
        print("No reference binary: set PROCONSUL_REFERENCE or run scripts/fetch_reference.py.", file=sys.stderr)
        return 1
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = scale._replace(rounds=options.rounds)
    table = _measure(binary, wanted, scale)
    generator = "wrk" if shutil.which("wrk") else "the loop in benchmarks/generator.py"
    heading = f"{datetime.date.today()}, {os.cpu_count()} cores shared with the load from {generator}"
    print(f"\n{heading}\n\n{table.text()}")
    if options.markdown:
        Path(options.markdown).write_text(f"{heading}\n\n{table.text()}\n")
    for failure in table.failed:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if table.failed else 0


def _measure(binary: Path, wanted: list[str], scale: Scale) -> Table:
    table = Table()
    raise_open_files(OPEN_FILES)
    for group in GROUPS:
        rows = [row for row in group.rows if row.name in wanted]
        if not rows:
            continue
        try:
            with Pair(binary, group.name, group.configuration) as pair:
                group.run(pair, rows, scale, table.add)
        except BenchmarkError as error:
            table.failed.append(f"{group.name}: {error}")
    return table


if __name__ == "__main__":
    sys.exit(main())
