"""Compares `proconsul.client` with py-consul and python-consul2, all against one of our agents, on loopback.

    python -m benchmarks.client [--rows get,put,memory] [--quick] [--watchers 10000] [--markdown FILE]

``get``, ``put``: requests per second of one thread that asks all the time, and processor time of its process for each.
The clients take turns, a short burst each, several rounds; ratios are medians of the rounds'. ``memory``: resident
memory of a process with so many watches of one AsyncClient that all wait, for each of them, connection and all.

The two others come from the package index, each into a folder of its own, as both are named `consul`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.generator import raise_open_files
from benchmarks.subjects import CONFIGURATION, BenchmarkError, Subject

OURS, OURS_ASYNC = "proconsul", "proconsul (asyncio)"
OTHERS = {"py-consul": "1.8.0", "python-consul2": "0.1.5"}
ROWS = ("get", "put", "memory")
GOAL = 3.0
KEY, VALUE = "bench/client", b"x" * 64
ENOUGH_FILES = 4096


class Measured(NamedTuple):
    """Of one burst."""

    per_second: float
    cpu_us: float


def fetched(folder: Path, name: str) -> Path:
    """Where the library is; fetched when it is not there yet. Raises BenchmarkError."""
    target = folder / f"{name}-{OTHERS[name]}"
    if not (target / "consul").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target),
                   f"{name}=={OTHERS[name]}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"{name} cannot be fetched: {done.stderr[-300:]}")
    return target


def child(name: str, row: str, port: int, amount: str, paths: list[Path]) -> Any:
    """What a process of its own has measured. Raises BenchmarkError."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), *(one for one in sys.path if one)])}
    command = [sys.executable, "-m", "benchmarks.client", "--child", name, "--rows", row, str(port), amount]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise BenchmarkError(f"{name} {row}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


# ---------------------------------------------------------------------- in the child


def burst(call: Callable[[], object], seconds: float) -> Measured:
    """Ask all the time; the first questions, which connect and import, do not count."""
    for _ in range(20):
        call()
    count, begin, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < seconds:
        for _ in range(10):
            call()
        count += 10
    return Measured(count / (time.perf_counter() - begin), (time.process_time() - used) / count * 1e6)


async def burst_async(row: str, port: int, seconds: float) -> Measured:
    """As `burst`, of the asynchronous client."""
    from proconsul.client import AsyncClient

    async with AsyncClient(f"127.0.0.1:{port}") as client:

        async def call() -> object:
            return await (client.kv.get(KEY) if row == "get" else client.kv.put(KEY, VALUE))

        for _ in range(20):
            await call()
        count, begin, used = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            for _ in range(10):
                await call()
            count += 10
        return Measured(count / (time.perf_counter() - begin), (time.process_time() - used) / count * 1e6)


async def memory_of_watchers(port: int, count: int) -> dict[str, float]:
    """Kibibytes that each of so many watches takes."""
    from proconsul.client import AsyncClient

    async with AsyncClient(f"127.0.0.1:{port}", timeout=300) as client:
        first = client.watch(client.kv.get, KEY)
        await anext(first)
        before = resident_kib()
        watches = [client.watch(client.kv.get, KEY) for _ in range(count)]
        for begin in range(0, count, 200):  # not all at once: servers have a queue for connections
            await asyncio.gather(*(anext(one) for one in watches[begin : begin + 200]))
        tasks = [asyncio.ensure_future(anext(one)) for one in watches]
        await asyncio.sleep(3.0)
        waiting = sum(not one.done() for one in tasks)
        after = resident_kib()
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"kib": (after - before) / count, "waiting": waiting}


def resident_kib() -> int:
    """Resident memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def measure(name: str, row: str, port: int, amount: str) -> object:
    """What the child prints."""
    if row == "memory":
        raise_open_files(int(amount) + ENOUGH_FILES)
        return asyncio.run(memory_of_watchers(port, int(amount)))
    if name == OURS_ASYNC:
        return asyncio.run(burst_async(row, port, float(amount)))
    if name == OURS:
        from proconsul.client import Client

        with Client(f"127.0.0.1:{port}") as ours:
            return burst(lambda: ours.kv.get(KEY) if row == "get" else ours.kv.put(KEY, VALUE), float(amount))
    import consul

    other = consul.Consul("127.0.0.1", port)
    return burst(lambda: other.kv.get(KEY) if row == "get" else other.kv.put(KEY, VALUE.decode()), float(amount))


# ---------------------------------------------------------------------- the table


def compare(row: str, port: int, rounds: int, seconds: float, libraries: dict[str, Path]) -> list[str]:
    """Lines of the table."""
    names = [OURS, OURS_ASYNC, *libraries]
    results: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            paths = [libraries[name]] if name in libraries else []
            results[name].append(Measured(*child(name, row, port, str(seconds), paths)))
    lines = []
    for name in names:
        speed = statistics.median(one.per_second for one in results[name])
        cpu_us = statistics.median(one.cpu_us for one in results[name])
        pairs = list(zip(results[OURS], results[name], strict=True))
        faster = statistics.median(ours.per_second / other.per_second for ours, other in pairs)
        cheaper = statistics.median(other.cpu_us / ours.cpu_us for ours, other in pairs)
        ratios = f"{faster:.1f}x | {cheaper:.1f}x" if name in libraries else " | "
        lines.append(f"| {row} | {name} | {speed:.0f} | {cpu_us:.0f} | {ratios} |")
        print(lines[-1], flush=True)
    return lines


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--clients", type=Path, default=Path(tempfile.gettempdir()) / "proconsul-bench-clients")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("more", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child, options.rows, int(options.more[0]), options.more[1])))
        return 0
    rounds, seconds = (1, 0.5) if options.quick else (5, 2.0)
    rows = options.rows.split(",")
    raise_open_files(options.watchers + ENOUGH_FILES)
    libraries = {name: fetched(options.clients, name) for name in OTHERS} if set(rows) - {"memory"} else {}
    head = ("row", "client", "requests/s", "processor us each", "times faster", "times cheaper")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    with tempfile.TemporaryDirectory(prefix="proconsul-bench-client-") as work:
        subject = Subject("proconsul", [sys.executable, "-m", "proconsul"], Path(work) / "ours", CONFIGURATION)
        try:
            subject.start_writable()
            subject.put(f"/v1/kv/{KEY}", VALUE)
            for row in rows:
                if row != "memory":
                    lines += compare(row, subject.http_port, rounds, seconds, libraries)
                    continue
                count = options.watchers // 10 if options.quick else options.watchers
                found = child(OURS_ASYNC, row, subject.http_port, str(count), [])
                waiting, kib = found["waiting"], found["kib"]
                lines.append(f"| memory | {count} watches, {waiting} of them waiting | {kib:.1f} KiB each | | | |")
                print(lines[-1], flush=True)
        finally:
            subject.kill()
    print(f"goal: {GOAL:g}x of each")
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
