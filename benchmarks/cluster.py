"""Compares clusters of three servers, ours with the original's, one after the other on loopback.

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
from benchmarks.subjects import CONFIGURATION, BenchmarkError, Subject, free_ports, reference_binary

SIZE = 3
READY_TIMEOUT_S = 60.0
FAILOVER_TIMEOUT_S = 60.0
KEYS = 2000
_PUTS = [Call("PUT", f"/v1/kv/bench/put/{n}", f"{n:064d}") for n in range(KEYS)]
_GET = Call("GET", "/v1/kv/bench/put/7")


class Member(Subject):
    """One server of a cluster."""

    def __init__(self, name: str, command: list[str], work: Path, ports: list[int]) -> None:
        super().__init__(name, command, work)
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


def measure(cluster: Cluster, seconds: float, rounds: int, kills: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    cluster.start()
    try:
        leader, follower = cluster.leader(), cluster.follower()
        rate(leader.http_port, Workload(_PUTS, 32), 1.0)
        for name, member, workload in (
            ("put-leader", leader, Workload(_PUTS, 32)),
            ("put-follower", follower, Workload(_PUTS, 32)),
            ("get-follower", follower, Workload([_GET], 32)),
            ("get-leader", leader, Workload([_GET], 32)),
        ):
            found[name] = [rate(member.http_port, workload, seconds) for _ in range(rounds)]
        found["failover"] = [cluster.failover_s() for _ in range(kills)]
    finally:
        cluster.kill()
    return found


TITLES = {
    "put-leader": ("KV put at the leader, 32 clients", 1.5),
    "put-follower": ("KV put through a follower, 32 clients", 1.5),
    "get-follower": ("KV get through a follower, default consistency, 32 clients", 1.5),
    "get-leader": ("KV get at the leader, 32 clients", 1.5),
}


def table(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> str:
    lines = ["| row | proconsul | reference | ratio | target | met |", "|---|---|---|---|---|---|"]
    for name, (title, target) in TITLES.items():
        a, b = statistics.median(ours[name]), statistics.median(theirs[name])
        met = "yes" if a / b >= target else "**no**"
        lines.append(f"| {title} | {a:,.0f} req/s | {b:,.0f} req/s | {a / b:.2f}x | >= {target}x | {met} |")
    if ours["failover"]:
        a, b = statistics.median(ours["failover"]), statistics.median(theirs["failover"])
        lines.append(
            f"| failover, median of {len(ours['failover'])} (least to most) | {a:.2f} s ({spread(ours['failover'])}) | "
            f"{b:.2f} s ({spread(theirs['failover'])}) | {b / a:.2f}x | >= 1x | {'yes' if b >= a else '**no**'} |"
        )
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    binary = reference_binary()
    if binary is None:
        print("no reference: run scripts/fetch_reference.py", file=sys.stderr)
        return 1
    raise_open_files(4096)
    work = Path(tempfile.mkdtemp(prefix="proconsul-bench-cluster-"))
    try:
        results = [
            measure(Cluster(kind, command, work), options.seconds, options.rounds, options.kills)
            for kind, command in (("ours", [sys.executable, "-m", "proconsul"]), ("reference", [str(binary)]))
        ]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = table(*results)
    print(text)
    if options.markdown:
        Path(options.markdown).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
