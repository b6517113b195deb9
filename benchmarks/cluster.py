"""Compares clusters of three servers, ours with the original's, on loopback: in turns, so other work hits both.

    python -m benchmarks.cluster [--seconds 3] [--rounds 3] [--kills 20] [--markdown FILE]

Writes go to the leader or to a follower, reads with default consistency to a follower, which has to ask the leader. A
failover is the time from kill -9 of the leader to the next acknowledged write through another server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generator import Call, Workload, raise_open_files, rate
from benchmarks.subjects import CONFIGURATION, BenchmarkError, Subject
from proconsul.testing.ports import free_ports
from support.reference import reference_path

SIZE = 3
READY_TIMEOUT_S = 60.0
FAILOVER_TIMEOUT_S = 60.0
KEYS = 2000
_PUTS = [Call("PUT", f"/v1/kv/bench/put/{n}", f"{n:064d}") for n in range(KEYS)]
_GET = Call("GET", "/v1/kv/bench/put/7")
_GETS = [Call("GET", f"/v1/kv/bench/put/{n}") for n in range(KEYS)]


class Member(Subject):
    """One server of a cluster."""

    def __init__(self, name: str, command: list[str], work: Path, ports: list[int]) -> None:
        super().__init__(name, command, work, CONFIGURATION)
        self.http_port, self.rpc, self.lan, self.wan = ports
        self.others: list[int] = []

    def arguments(self) -> list[str]:
        joins = [part for port in self.others for part in ("-retry-join", f"127.0.0.1:{port}")]
        return [
            "agent", "-server", f"-bootstrap-expect={SIZE}", "-node", self.name, "-bind", "127.0.0.1", "-data-dir",
            str(self.data_dir), "-config-file", str(self.work / "agent.hcl"), "-log-level", "warn",
            "-http-port", str(self.http_port), "-dns-port", "-1", "-server-port", str(self.rpc),
            "-serf-lan-port", str(self.lan), "-serf-wan-port", str(self.wan), *joins,
        ]  # fmt: skip


class Cluster:
    """Three servers of one kind."""

    def __init__(self, kind: str, command: list[str], work: Path) -> None:
        ports = free_ports(4 * SIZE)
        self.members = [
            Member(f"{kind}-{n}", command, work / f"{kind}-{n}", ports[4 * n : 4 * n + 4]) for n in range(SIZE)
        ]
        for member in self.members:
            (member.work / "agent.hcl").write_text(CONFIGURATION + 'retry_interval = "1s"\n')
            member.others = [other.lan for other in self.members if other is not member]

    def start(self) -> None:
        for member in self.members:
            member.start()
        self.leader()

    def kill(self) -> None:
        for member in self.members:
            member.kill()

    def leader(self) -> Member:
        """Who leads, once all servers that run say the same."""
        end = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < end:
            running = [member for member in self.members if member.process is not None]
            try:
                said = {json.loads(member.request("GET", "/v1/status/leader")[1]) for member in running}
            except (OSError, ValueError, TypeError):
                said = set()
            for member in running:
                if said == {f"127.0.0.1:{member.rpc}"} and write(member):
                    return member
            time.sleep(0.05)
        raise BenchmarkError(f"no leader: {self.members[0].log()}")

    def follower(self) -> Member:
        leader = self.leader()
        return next(member for member in self.members if member is not leader and member.process is not None)

    def failover_s(self) -> float:
        """Kill the leader, and start it again when another one has taken a write."""
        leader = self.leader()
        through = [member for member in self.members if member is not leader]
        began = time.perf_counter()
        leader.kill()
        while not any(write(member) for member in through):
            if time.perf_counter() - began > FAILOVER_TIMEOUT_S:
                raise BenchmarkError("nobody took over")
            time.sleep(0.005)
        took_s = time.perf_counter() - began
        leader.start()
        self.leader()
        return took_s


def write(member: Member) -> bool:
    """One small write, which the server may hold for a moment while nobody leads."""
    connection = http.client.HTTPConnection("127.0.0.1", member.http_port, timeout=2)
    try:
        connection.request("PUT", "/v1/kv/bench/failover", b"1")
        response = connection.getresponse()
        return response.status == 200 and response.read().strip() == b"true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


ROWS = {
    "put-leader": ("KV put at the leader, 32 clients", True, _PUTS),
    "put-follower": ("KV put through a follower, 32 clients", False, _PUTS),
    "get-follower": ("KV get of one key through a follower, default consistency, 32 clients", False, [_GET]),
    "get-follower-many": (f"KV get of {KEYS:,} keys through a follower, default consistency, 32 clients", False, _GETS),
    "get-leader": ("KV get at the leader, 32 clients", True, [_GET]),
}
TARGET = 1.5


def measure(clusters: Sequence[Cluster], seconds: float, rounds: int) -> dict[str, list[list[float]]]:
    """Rates of each row by cluster: one right after the other, in turns."""
    for cluster in clusters:
        cluster.start()
        rate(cluster.leader().http_port, Workload(_PUTS, 32), 1.0)
    found: dict[str, list[list[float]]] = {}
    for name, (_, at_leader, calls) in ROWS.items():
        found[name] = [[] for _ in clusters]
        for _ in range(rounds):
            for number, cluster in enumerate(clusters):
                member = cluster.leader() if at_leader else cluster.follower()
                found[name][number].append(rate(member.http_port, Workload(calls, 32), seconds))
    return found


def table(rates: dict[str, list[list[float]]], failovers: Sequence[list[float]]) -> str:
    lines = ["| row | proconsul | reference | ratio | target | met |", "|---|---|---|---|---|---|"]
    for name, (ours, theirs) in rates.items():
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        met = "yes" if ratio >= TARGET else "**no**"
        lines.append(
            f"| {ROWS[name][0]} | {statistics.median(ours):,.0f} req/s | {statistics.median(theirs):,.0f} req/s | "
            f"{ratio:.2f}x | >= {TARGET}x | {met} |"
        )
    if all(failovers):
        a, b = (statistics.median(times) for times in failovers)
        lines.append(
            f"| failover, median of {len(failovers[0])} (least to most) | {a:.2f} s ({spread(failovers[0])}) | "
            f"{b:.2f} s ({spread(failovers[1])}) | {b / a:.2f}x | >= 1x | {'yes' if b >= a else '**no**'} |"
        )
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    binary = reference_path()
    if binary is None:
        print("no reference: run scripts/fetch_reference.py", file=sys.stderr)
        return 1
    raise_open_files(4096)
    work = Path(tempfile.mkdtemp(prefix="proconsul-bench-cluster-"))
    try:
        clusters = [
            Cluster(kind, command, work)
            for kind, command in (("ours", [sys.executable, "-m", "proconsul"]), ("reference", [str(binary)]))
        ]
        try:
            rates = measure(clusters, options.seconds, options.rounds)
            failovers = [[cluster.failover_s() for _ in range(options.kills)] for cluster in clusters]
        finally:
            for cluster in clusters:
                cluster.kill()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = table(rates, failovers)
    for name, times in zip(("ours", "reference"), failovers, strict=True):
        print(f"failovers of {name}: {', '.join(f'{took:.2f}' for took in sorted(times))}")
    print(text)
    if options.markdown:
        Path(options.markdown).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
