"""Repeats the Lifeguard paper's experiments on the gossip core, in virtual time, with and without Lifeguard.

    python -m benchmarks.lifeguard [--quick] [--processes 2] [--plots docs/]

Prints the tables of docs/gossip.md and writes its plots. The numbers depend on the seed only, not on the machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.plots import Series, line_plot
from proconsul.testing.lifeguard_experiment import FalsePositives, Latency, false_positives, latencies

SEED = 1
MEMBERS = 128
ANOMALOUS = (1, 4, 8, 16, 32)
BLOCKED_S = (2.048, 8.192, 16.384, 32.768)
RUNNING_S = (0.064, 1.024, 16.384)
# Pools of these sizes, and failures per run; runs are repeated until there are enough failures for a 99th percentile.
SIZES = (16, 32, 64, 128, 256, 512, 1024)
FAILURES = 128
NAMES = {False: "SWIM", True: "Lifeguard"}
WHAT = ("first detection", "known to all")


class Interval(NamedTuple):
    """One run of the interval experiment."""

    anomalous: int
    blocked_s: float
    running_s: float
    lifeguard: bool


def run_interval(case: Interval) -> FalsePositives:
    return false_positives(MEMBERS, case.anomalous, case.blocked_s, case.running_s, lifeguard=case.lifeguard, seed=SEED)


class Failures(NamedTuple):
    """One run of the latency experiment."""

    members: int
    lifeguard: bool
    seed: int

    @property
    def failing(self) -> int:
        """A sixteenth of the pool at most, and no more than four: failures together look like a cut to the rest."""
        return min(4, self.members // 16)


def run_failures(case: Failures) -> list[Latency]:
    return list(latencies(case.members, case.failing, lifeguard=case.lifeguard, seed=case.seed))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def measure_false_positives(pool: ProcessPoolExecutor, quick: bool, plots: Path | None) -> None:
    anomalous = (4, 16) if quick else ANOMALOUS
    blocked = (16.384,) if quick else BLOCKED_S
    running = (1.024,) if quick else RUNNING_S
    cases = [Interval(*case) for case in itertools.product(anomalous, blocked, running, (False, True))]
    by_group: dict[tuple[float, bool], list[FalsePositives]] = defaultdict(list)
    by_blocked: dict[tuple[float, bool], list[FalsePositives]] = defaultdict(list)
    for case, result in zip(cases, pool.map(run_interval, cases), strict=True):
        by_group[case.anomalous, case.lifeguard].append(result)
        by_blocked[case.blocked_s, case.lifeguard].append(result)
    print(f"\nFalse positives, {MEMBERS} members, by how many are anomalous\n\n{_positives(anomalous, by_group)}")
    print(f"\nThe same by how long they block, seconds\n\n{_positives(blocked, by_blocked)}", flush=True)
    if plots is not None:
        series = [
            Series(f"{NAMES[lifeguard]}, {seen}", [
                (float(count), float(sum(result[at] for result in by_group[count, lifeguard]))) for count in anomalous
            ])
            for lifeguard in (False, True) for at, seen in ((0, "seen anywhere"), (1, "seen at healthy members"))
        ]  # fmt: skip
        line_plot(
            plots / "false-positives.svg", f"False positives in a pool of {MEMBERS}", "anomalous members",
            "false positives (0 is drawn at 0.5)", series, floor=0.5,
        )  # fmt: skip


def _positives(keys: Sequence[float], groups: dict[tuple[float, bool], list[FalsePositives]]) -> str:
    rows: list[list[object]] = []
    sums = {key: [sum(each) for each in zip(*results, strict=True)] for key, results in groups.items()}
    for key in keys:
        rows.append([f"{key:g}", *_compared(sums[key, False], sums[key, True])])
    total = [[sum(sums[key, lifeguard][at] for key in keys) for at in range(2)] for lifeguard in (False, True)]
    rows.append(["all", *_compared(*total)])
    return table(["", "FP SWIM", "FP Lifeguard", "ratio", "FP- SWIM", "FP- Lifeguard", "ratio"], rows)


def _compared(swim: list[int], lifeguard: list[int]) -> list[str]:
    return [
        text
        for at in range(2)
        for text in (
            f"{swim[at]:,}", f"{lifeguard[at]:,}",
            f"{swim[at] / lifeguard[at]:,.0f}x" if lifeguard[at] else ("-" if not swim[at] else "all gone"),
        )
    ]  # fmt: skip


def measure_latencies(pool: ProcessPoolExecutor, quick: bool, plots: Path | None) -> None:
    sizes = (16, 64) if quick else SIZES
    wanted = 8 if quick else FAILURES
    cases = [
        Failures(members, lifeguard, seed)
        for members in sizes for lifeguard in (False, True)
        for seed in range(-(-wanted // Failures(members, lifeguard, 0).failing))
    ]  # fmt: skip
    found: dict[tuple[int, bool], list[Latency]] = defaultdict(list)
    for case, result in zip(cases, pool.map(run_failures, cases), strict=True):
        found[case.members, case.lifeguard] += result
    lines = [(lifeguard, at) for lifeguard in (False, True) for at in range(2)]
    rows: list[list[object]] = []
    series = [Series(f"{NAMES[lifeguard]}, {WHAT[at]}", []) for lifeguard, at in lines]
    for members in sizes:
        row: list[object] = [members]
        for line, (lifeguard, at) in zip(series, lines, strict=True):
            times = [latency[at] for latency in found[members, lifeguard]]
            median, worst = statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[98]
            row.append(f"{median:.1f} / {worst:.1f}")
            line.points.append((float(members), median))
        rows.append(row)
    print(f"\nSeconds from a failure, {wanted} failures for each size, median / 99th percentile\n")
    print(table(["members", *(line.title for line in series)], rows), flush=True)
    if plots is not None:
        line_plot(
            plots / "detection-times.svg", "Time from a failure, median", "members", "seconds", series, log_y=False
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lifeguard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few runs, to see that everything works")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--plots", type=Path, metavar="DIRECTORY", help="write the plots there, as SVG")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        measure_false_positives(pool, options.quick, options.plots)
        measure_latencies(pool, options.quick, options.plots)


if __name__ == "__main__":
    main()
