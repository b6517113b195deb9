"""Compares client agents, ours with the original's: one server and two clients of each, on loopback.

    python -m benchmarks.agents [--rows visible,idle,asked] [--quick] [--markdown FILE]

``visible``: from the registration at one client to the first answer of DNS at the other. ``idle``: memory, and
processor time with nothing to do. ``asked``: processor time of a client that is asked a thousand things a second, and
of the server behind it. Both kinds run all the time and are measured in turns; they idle together, as neither costs the
other much.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.dns_load import TYPES, question
from benchmarks.generator import READ_BYTES, Call, connect, missing
from benchmarks.subjects import CONFIGURATION, START_TIMEOUT_S, BenchmarkError, Subject
from support.reference import reference_path

# A question of DNS this long after the last one was answered: closer ones would be the load that is measured.
ASK_PAUSE_S = 0.002
ANSWER_TIMEOUT_S = 10.0
SETTLE_S = 15.0
CONNECTIONS = 16
INSTANCES = 10
CHILDREN = "import asyncio, ssl, json, logging, sqlite3, uvloop, msgspec"
PROGRAM = CHILDREN + ", proconsul.agent.main, proconsul.agent.agent"
# A program that has imported something says how much memory it has.
SAY = "; print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmRSS')][0])"


class Member(Subject):
    """A server, or a client that joins it."""

    def __init__(self, name: str, command: list[str], work: Path, server: Member | None) -> None:
        super().__init__(name, command, work, CONFIGURATION)
        self.rpc, self.lan, self.wan = self._other_ports
        self.server = server

    def arguments(self) -> list[str]:
        role = ["-server", "-bootstrap-expect=1", "-serf-wan-port", str(self.wan)]
        if self.server is not None:
            role = ["-retry-join", f"127.0.0.1:{self.server.lan}", "-serf-wan-port", "-1"]
        return [
            "agent", "-node", self.name, "-bind", "127.0.0.1", "-data-dir", str(self.data_dir), "-config-file",
            str(self.work / "agent.hcl"), "-log-level", "warn", "-http-port", str(self.http_port), "-dns-port",
            str(self.dns_port), "-server-port", str(self.rpc), "-serf-lan-port", str(self.lan), *role,
        ]  # fmt: skip

    def processor_s(self) -> float:
        """User and system time of the process so far, threads that have ended among it."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def proportional_mib(self) -> float:
        """Memory with pages that several processes share counted in parts (PSS)."""
        return self.told_mib("smaps_rollup", "Pss:", "proportional")


class Datacenter:
    """One server and two clients of one kind."""

    def __init__(self, kind: str, command: list[str], work: Path) -> None:
        self.kind = kind
        self.server = Member(f"{kind}-server", command, work / f"{kind}-server", None)
        self.clients = [Member(f"{kind}-{n}", command, work / f"{kind}-{n}", self.server) for n in range(2)]
        self._registered = 0

    def start(self) -> None:
        self.server.start_writable()
        for client in self.clients:
            client.start()
        for client in self.clients:
            self._until_known(client)

    def _until_known(self, client: Member) -> None:
        """Wait until the client is in the catalog, as it sees that itself."""
        path = f"/v1/catalog/node/{client.name}"
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            try:
                status, body = client.request("GET", path)
            except OSError:
                status, body = 0, b""
            if status == 200 and client.name.encode() in body:
                return
            time.sleep(0.05)
        raise BenchmarkError(f"{client.name} has not joined: {client.log()}")

    def kill(self) -> None:
        for member in (*self.clients, self.server):
            member.kill()

    def visible_ms(self) -> float:
        """Milliseconds from the registration at one client to its address from the DNS of the other."""
        self._registered += 1
        name = f"visible-{self._registered}"
        first, second = self.clients if self._registered % 2 else reversed(self.clients)
        body = json.dumps({"Name": name, "Port": 80, "Address": "192.0.2.1"}).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(("127.0.0.1", second.dns_port))
            asking.settimeout(ANSWER_TIMEOUT_S)
            packet = b"\0\1" + question(f"{name}.service.consul", TYPES["A"], 0)
            sending = connect(first.http_port)
            sending.setblocking(True)
            began = time.perf_counter()
            sending.sendall(Call("PUT", "/v1/agent/service/register", body.decode()).encoded())
            took_s = self._asked_until_there(asking, packet, began)
            data = b""
            while missing(data):
                data += sending.recv(READ_BYTES)
            sending.close()
        first.put(f"/v1/agent/service/deregister/{name}", b"")
        return took_s * 1000

    def _asked_until_there(self, asking: socket.socket, packet: bytes, began: float) -> float:
        while (took_s := time.perf_counter() - began) < ANSWER_TIMEOUT_S:
            asking.send(packet)
            answer = asking.recv(READ_BYTES)
            if answer[6:8] != b"\0\0":
                return time.perf_counter() - began
            time.sleep(ASK_PAUSE_S)
        raise BenchmarkError(f"{self.kind}: not visible in {took_s:.0f} s")


class Asked(NamedTuple):
    """Processor time per request, microseconds."""

    client_us: float
    server_us: float


def asked(datacenter: Datacenter, path: str, per_second: int, seconds: float) -> Asked:
    """Ask a client at a fixed rate, over several connections in turns, or as fast as it can where that is less."""
    client, server = datacenter.clients[0], datacenter.server
    data = Call("GET", path).encoded()
    socks = [connect(client.http_port) for _ in range(CONNECTIONS)]
    for sock in socks:
        sock.setblocking(True)
    before = client.processor_s(), server.processor_s()
    began, count = time.perf_counter(), round(per_second * seconds)
    for number in range(count):
        pause_s = began + number / per_second - time.perf_counter()
        if pause_s > 0:
            time.sleep(pause_s)
        sock = socks[number % CONNECTIONS]
        if number >= CONNECTIONS:
            _read(sock)
        sock.sendall(data)
    for sock in socks:
        _read(sock)
        sock.close()
    took_s = time.perf_counter() - began
    if took_s > seconds * 1.05:
        print(f"{datacenter.kind} could not keep up: {count / took_s:,.0f} requests per second of {path}", flush=True)
    used = client.processor_s() - before[0], server.processor_s() - before[1]
    return Asked(used[0] / count * 1e6, used[1] / count * 1e6)


def _read(sock: socket.socket) -> None:
    data = b""
    while missing(data):
        data += sock.recv(READ_BYTES)


PATHS = {
    "KV get": "/v1/kv/bench/agents",
    f"health of a service of {INSTANCES} instances": "/v1/health/service/asked?passing",
}


class Report:
    """The lines of the table."""

    def __init__(self) -> None:
        self.lines = ["| Row | proconsul | reference | ratio | target | met |", "|---|---|---|---|---|---|"]

    def add(self, title: str, ours: float, theirs: float, ratio: float, unit: str) -> None:
        """Less is better, and no more than the reference is asked."""
        met = "yes" if ratio <= 1 else "**no**"
        self.lines.append(f"| {title} | {ours:.4g} {unit} | {theirs:.4g} {unit} | {ratio:.2f}x | <= 1x | {met} |")
        print(self.lines[-1], flush=True)

    def paired(self, title: str, pairs: Sequence[tuple[float, float]], unit: str) -> None:
        """Medians of rounds, and the median of their ratios."""
        ours, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
        self.add(title, ours, theirs, statistics.median(a / b for a, b in pairs), unit)


def measure_visible(both: Sequence[Datacenter], report: Report, count: int) -> None:
    found: list[list[float]] = [[], []]
    for number in range(count):
        for which in (0, 1) if number % 2 else (1, 0):
            found[which].append(both[which].visible_ms())
    for kind, times in zip(("ours", "reference"), found, strict=True):
        print(f"the slowest of {kind}: {', '.join(f'{took:.0f}' for took in sorted(times)[-10:])} ms", flush=True)
    for title, share in (("median", 0.5), ("99th percentile", 0.99)):
        ours, theirs = (sorted(times)[min(int(share * count), count - 1)] for times in found)
        report.add(f"Registered at a client to seen in the DNS of another, {title} of {count}", ours, theirs,
                   ours / theirs, "ms")  # fmt: skip


def measure_idle(both: Sequence[Datacenter], report: Report, seconds: float) -> None:
    time.sleep(SETTLE_S)
    before = [[client.processor_s() for client in datacenter.clients] for datacenter in both]
    time.sleep(seconds)
    used = [
        [(client.processor_s() - earlier) / seconds * 1000 for client, earlier in zip(one.clients, was, strict=True)]
        for one, was in zip(both, before, strict=True)
    ]
    memory = [[client.memory_mib() for client in one.clients] for one in both]
    proportional = [[client.proportional_mib() for client in one.clients] for one in both]
    report.paired(f"Processor time of an idle client per second, over {seconds:.0f} s",
                  list(zip(*used, strict=True)), "ms")  # fmt: skip
    report.paired("Memory of an idle client (RSS)", list(zip(*memory, strict=True)), "MiB")
    report.paired("Memory of an idle client, shared pages in parts (PSS)", list(zip(*proportional, strict=True)), "MiB")
    for title, code in (("Python", "pass"), ("with the libraries", CHILDREN), ("with the agent's code", PROGRAM)):
        done = subprocess.run([sys.executable, "-c", code + SAY], capture_output=True, text=True, check=True)
        print(f"memory of a process that does nothing, {title}: {int(done.stdout) / 1024:.1f} MiB", flush=True)


def measure_asked(both: Sequence[Datacenter], report: Report, rounds: int, seconds: float, per_second: int) -> None:
    for datacenter in both:
        client = datacenter.clients[0]
        client.put(PATHS["KV get"], b"v" * 100)
        for number in range(INSTANCES):
            body = {"Name": "asked", "ID": f"asked-{number}", "Port": number + 1, "Check": {"TTL": "10m", "Status":
                    "passing"}}  # fmt: skip
            client.put("/v1/agent/service/register", json.dumps(body).encode())
        _until_asked(datacenter)
    for title, path in PATHS.items():
        found: list[list[Asked]] = [[], []]
        for number in range(rounds):
            for which in (0, 1) if number % 2 else (1, 0):
                found[which].append(asked(both[which], path, per_second, seconds))
        pairs = list(zip(*found, strict=True))
        head = f"{title}, {per_second:,} a second through a client: processor time of the"
        report.paired(f"{head} client per request", [(a.client_us, b.client_us) for a, b in pairs], "us")
        report.paired(f"{head} server", [(a.server_us, b.server_us) for a, b in pairs], "us")


def _until_asked(datacenter: Datacenter) -> None:
    """Wait until all instances are in the catalog."""
    end = time.monotonic() + START_TIMEOUT_S
    path = "/v1/health/service/asked?passing"
    while len(json.loads(datacenter.clients[0].request("GET", path)[1])) < INSTANCES:
        if time.monotonic() > end:
            raise BenchmarkError(f"{datacenter.kind}: instances are missing")
        time.sleep(0.05)


ROWS = ("idle", "visible", "asked")


def measure(both: Sequence[Datacenter], rows: Sequence[str], quick: bool) -> Report:
    report = Report()
    for datacenter in both:
        datacenter.start()
    if "idle" in rows:
        measure_idle(both, report, 5.0 if quick else 60.0)
    if "visible" in rows:
        measure_visible(both, report, 10 if quick else 200)
    if "asked" in rows:
        measure_asked(both, report, 1 if quick else 3, 2.0 if quick else 10.0, 1000)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--rows", default=",".join(ROWS), help=f"only these, separated by commas: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="short, to see that everything runs")
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    rows = options.rows.split(",")
    if unknown := set(rows) - set(ROWS):
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    binary = reference_path()
    if binary is None:
        print("no reference: run scripts/fetch_reference.py", file=sys.stderr)
        return 1
    work = Path(tempfile.mkdtemp(prefix="proconsul-bench-agents-"))
    both = [
        Datacenter(kind, command, work)
        for kind, command in (("ours", [sys.executable, "-m", "proconsul"]), ("reference", [str(binary)]))
    ]
    try:
        report = measure(both, rows, options.quick)
    finally:
        for datacenter in both:
            datacenter.kill()
        shutil.rmtree(work, ignore_errors=True)
    text = "\n".join(report.lines)
    print(f"\n{text}")
    if options.markdown:
        Path(options.markdown).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
