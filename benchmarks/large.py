"""Two things that must not disturb a cluster: a follower that has much to catch up on, and a large snapshot.

    python -m benchmarks.large [--gigabytes 1] [--keys 500000] [--rows catch-up,snapshot] [--markdown FILE]

Catching up: a follower is killed, the others write, it comes back; the leader's rate of small writes meanwhile is
compared with its rate before. The original does the same afterwards. Snapshot: how long the event loop of our server
stands still at most while a snapshot of many keys is written; what the original does not have cannot be compared.
"""

# mypy: disable-error-code="arg-type,attr-defined,var-annotated"

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cluster import Cluster, Member
from benchmarks.generator import Call, Workload, raise_open_files, rate, send_all
from benchmarks.subjects import BenchmarkError
from proconsul.agent.main import prepare_process
from proconsul.testing import AgentInLoop
from support.reference import reference_path

# Below the default limit of a value, and few keys: the log is large, the state is not.
VALUE_BYTES = 400_000
VALUE_KEYS = 16
SMALL = Workload([Call("PUT", f"/v1/kv/small/{n}", "x" * 64) for n in range(500)], 32)
WINDOW_S = 1.0
# Or the follower would get a snapshot instead of the log.
NO_SNAPSHOTS = "raft_snapshot_threshold = 100000000 raft_trailing_logs = 100000000\n"
CATCH_UP_TIMEOUT_S = 300.0
# What one transaction may hold.
TXN_KEYS = 64
TICK_S = 0.001


class Disturbed:
    """The leader's rate of writes before and while a follower catches up."""

    def __init__(self, before: float, during: list[float], seconds: float) -> None:
        self.before, self.during, self.seconds = before, during, seconds

    @property
    def kept(self) -> float:
        return statistics.mean(self.during) / self.before


def catch_up(cluster: Cluster, log_bytes: int) -> Disturbed:
    for member in cluster.members:
        with (member.work / "agent.hcl").open("a") as file:
            file.write(NO_SNAPSHOTS)
    cluster.start()
    try:
        leader = cluster.leader()
        behind = cluster.follower()
        behind.kill()
        value = "v" * VALUE_BYTES
        count = log_bytes // VALUE_BYTES
        send_all(leader.http_port, (Call("PUT", f"/v1/kv/large/{n % VALUE_KEYS}", value) for n in range(count)), 4)
        rate(leader.http_port, SMALL, WINDOW_S)
        before = statistics.median(rate(leader.http_port, SMALL, WINDOW_S) for _ in range(5))
        began = time.perf_counter()
        behind.start()
        during = []
        while not during or not caught_up(behind, leader):
            if time.perf_counter() - began > CATCH_UP_TIMEOUT_S:
                raise BenchmarkError("the follower does not catch up")
            during.append(rate(leader.http_port, SMALL, WINDOW_S))
        return Disturbed(before, during, time.perf_counter() - began)
    finally:
        cluster.kill()


def caught_up(behind: Member, leader: Member) -> bool:
    """Whether what is written now reaches the follower's state at once."""
    mark = f"{time.time()}"
    leader.request("PUT", "/v1/kv/mark", mark)
    end = time.perf_counter() + 0.1
    while time.perf_counter() < end:
        try:
            if behind.request("GET", "/v1/kv/mark?stale&raw")[1] == mark.encode():
                return True
        except OSError:
            return False
        time.sleep(0.01)
    return False


class Held:
    """The longest time for which the event loop did nothing else, in milliseconds."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self.longest_ms = max(self.longest_ms, (now - self._last - TICK_S) * 1000)
        self._last = now
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def stop(self) -> None:
        self._timer.cancel()


async def snapshot_hold(keys: int, directory: str) -> tuple[float, float]:
    """Milliseconds held, and seconds that the snapshot took."""
    settings = {"dev": False, "server": True, "bootstrap": True, "data_dir": directory, "bind_addr": "127.0.0.1"}
    async with AgentInLoop(settings) as server:
        value = base64.b64encode(b"x" * 100).decode()
        for first in range(0, keys, TXN_KEYS * 16):
            parts = range(first, min(keys, first + TXN_KEYS * 16), TXN_KEYS)
            await asyncio.gather(*(
                server.request("PUT", "/v1/txn", json.dumps([
                    {"KV": {"Verb": "set", "Key": f"bench/{key:08d}", "Value": value}}
                    for key in range(part, min(keys, part + TXN_KEYS))
                ]).encode())
                for part in parts
            ))  # fmt: skip
        await asyncio.sleep(1.0)
        held = Held()
        began = time.perf_counter()
        await server.server.raft.snapshot()
        took_s = time.perf_counter() - began
        held.stop()
        return held.longest_ms, took_s


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--keys", type=int, default=500_000)
    parser.add_argument("--rows", default="catch-up,snapshot")
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    binary = reference_path()
    if binary is None:
        print("no reference: run scripts/fetch_reference.py", file=sys.stderr)
        return 1
    raise_open_files(4096)
    work = Path(tempfile.mkdtemp(prefix="proconsul-bench-large-"))
    lines = ["| row | proconsul | reference | target | met |", "|---|---|---|---|---|"]
    try:
        if "catch-up" in options.rows:
            found = [
                catch_up(Cluster(kind, command, work), int(options.gigabytes * 1e9))
                for kind, command in (("ours", [sys.executable, "-m", "proconsul"]), ("reference", [str(binary)]))
            ]
            cells = [f"{one.kept:.0%} of {one.before:,.0f} writes/s, {one.seconds:.0f} s" for one in found]
            lines.append(
                f"| writes at the leader while a follower {options.gigabytes:g} GB behind catches up | {cells[0]} | "
                f"{cells[1]} | >= 80% | {'yes' if found[0].kept >= 0.8 else '**no**'} |"
            )
        if "snapshot" in options.rows:
            prepare_process()
            held_ms, took_s = asyncio.run(snapshot_hold(options.keys, str(work / "snapshot")))
            lines.append(
                f"| event loop held by a snapshot of {options.keys:,} keys | {held_ms:.0f} ms, {took_s:.1f} s in all | "
                f"- | <= 50 ms | {'yes' if held_ms <= 50 else '**no**'} |"
            )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = "\n".join(lines)
    print(text)
    if options.markdown:
        Path(options.markdown).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
