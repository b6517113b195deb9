"""What an agent per test costs: ours in the test's process, and the program of the reference started for each.

    python -m benchmarks.testing [--tests N]

One test is: start, write a key, read it, end. Numbers are for reading; nothing fails because of them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from proconsul.testing import AsyncDevAgent, ConsulProcess, DevAgent
from support.reference import reference_path


def _test(agent: Any) -> None:
    assert agent.put("kv/a", "1").json() is True
    assert agent.get("kv/a", raw=True).text == "1"


def _each(make: Callable[[], Any]) -> Callable[[], float]:
    """A test with an agent of its own; gives the seconds until that was ready."""

    def run() -> float:
        began = time.perf_counter()
        with make() as agent:
            ready = time.perf_counter() - began
            _test(agent)
        return ready

    return run


async def _async_each(tests: int) -> list[float]:
    found = []
    for _ in range(tests):
        began = time.perf_counter()
        async with AsyncDevAgent() as agent:
            found.append(time.perf_counter() - began)
            assert (await agent.put("kv/a", "1")).json() is True
            assert (await agent.get("kv/a", raw=True)).text == "1"
    return found


def _row(name: str, tests: int, run: Callable[[], list[float]]) -> float:
    began = time.perf_counter()
    ready = run()
    rate = tests / (time.perf_counter() - began)
    print(f"| {name} | {statistics.median(ready) * 1000:.1f} | {rate:.1f} |", flush=True)
    return rate


def _reset(tests: int) -> list[float]:
    """The times of resets of one agent that all tests share."""
    found = []
    with DevAgent() as agent:
        for _ in range(tests):
            began = time.perf_counter()
            agent.reset()
            found.append(time.perf_counter() - began)
            _test(agent)
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.testing", description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", type=int, default=200)
    tests = parser.parse_args().tests
    _each(DevAgent)()  # what is imported and made once
    print("| an agent for each test | ready after, ms (median) | tests per second |\n|---|---:|---:|")
    ours = _row("DevAgent", tests, lambda: [_each(DevAgent)() for _ in range(tests)])
    _row("AsyncDevAgent", tests, lambda: asyncio.run(_async_each(tests)))
    _row("DevAgent, one for all, reset", tests, lambda: _reset(tests))
    reference = reference_path()
    if reference is None:
        print("no reference to compare with: see PROCONSUL_REFERENCE")
        return
    few = max(tests // 40, 3)
    make = _each(lambda: ConsulProcess(program=str(reference)))
    theirs = _row("Consul's program", few, lambda: [make() for _ in range(few)])
    print(f"DevAgent: {ours / theirs:.0f} times as many tests per second")


if __name__ == "__main__":
    main()
