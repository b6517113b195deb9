"""Three servers and dozens of client agents with thousands of services and watchers: everything is restarted, in turns.

Some agents are processes, the others share processes (`support.agents_pack`); all have addresses of their own. SCALE_*
sets other sizes than those that two cores with other work on them bear. An agent is ended as an update of its program
does it: it does not leave, and is back before anybody takes it for dead. No service is missing from an answer of DNS or
of a blocking query at any time.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pytest

from proconsul.testing.ports import free_ports
from support.harness import Client, eventually, program, require_quiet
from support.harness import Subject as Program
from support.lookouts import Lookouts, Place
from support.pools import Process, die_with_parent

AGENTS = int(os.environ.get("SCALE_AGENTS", "60"))
PROCESSES = int(os.environ.get("SCALE_PROCESSES", "12"))
SERVICES = int(os.environ.get("SCALE_SERVICES", "1200"))
WATCHERS = int(os.environ.get("SCALE_WATCHERS", "3000"))
QUESTIONS_PER_S = float(os.environ.get("SCALE_QUESTIONS", "100"))
SERVERS, PACK = 3, 40
# Of the whole catalog; every change in it is an answer of all names to each of them.
CATALOG_WATCHERS = 20
# A share of the services has a check that somebody has to renew; the rest none.
TTL_EVERY = 4
PATIENCE_S = 180.0
HCL = """
leave_on_terminate = false
skip_leave_on_interrupt = true
disable_update_check = true
performance { raft_multiplier = 1 }
"""


class Addresses:
    """One loopback address per agent, and the same ports on all of them."""

    def __init__(self) -> None:
        self.http, self.dns, self.rpc, self.lan, self.wan = free_ports(5)
        self._next = 0

    def place(self, name: str) -> Place:
        self._next += 1
        return Place(name, f"127.77.{self._next // 200}.{self._next % 200 + 1}", self.http, self.dns)


class Node(Process):
    """An agent as a process."""

    def __init__(self, directory: Path, place: Place, addresses: Addresses, *, server: bool, join: list[str]) -> None:
        super().__init__(place.name, directory / place.name, place.host)
        self.place, self._addresses, self._server, self._join = place, addresses, server, join

    def command(self) -> list[str]:
        ports = self._addresses
        words = [*program(Program.OURS), "agent", "-node", self.name, "-bind", self.host, "-client", self.host,
                 "-data-dir", str(self.directory / "data"), "-log-level=warn", "-hcl", HCL,
                 "-http-port", str(ports.http), "-dns-port", str(ports.dns), "-server-port", str(ports.rpc),
                 "-serf-lan-port", str(ports.lan), "-retry-interval=1s"]  # fmt: skip
        wan = str(ports.wan) if self._server else "-1"
        words += ["-serf-wan-port", wan, *(["-server", f"-bootstrap-expect={SERVERS}"] if self._server else [])]
        return [*words, *[word for host in self._join for word in ("-retry-join", f"{host}:{ports.lan}")]]

    def end(self) -> None:
        """As a supervisor ends it for an update."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.wait_exit()


class PackProcess:
    """Agents that share a process; see `support.agents_pack`."""

    def __init__(self, directory: Path, places: list[Place], addresses: Addresses, join: list[str]) -> None:
        self.places = places
        settings = [{
            "dev": False, "server": False, "node_name": place.name, "bind_addr": place.host, "client_addr": place.host,
            "data_dir": str(directory / place.name), "log_level": "warn", "retry_join": join, "retry_interval": "1s",
            "ports": {"http": place.http, "dns": place.dns, "server": addresses.rpc, "serf_lan": addresses.lan,
                      "serf_wan": -1},
        } for place in places]  # fmt: skip
        self.log_path = directory / f"pack-{places[0].name}.log"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parents[1] / "support" / "agents_pack.py")], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        self._tell(json.dumps(settings))

    def _tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def until(self, what: str) -> dict[str, Any]:
        """Read what it says until it says that."""
        out: IO[bytes] | None = self.process.stdout
        assert out is not None
        for line in out:
            said: dict[str, Any] = json.loads(line)
            if said["what"] == what:
                return said
        raise AssertionError(f"a pack of agents has ended: {self.log_path.read_text()[-3000:]}")

    def restart(self) -> dict[str, Any]:
        self._tell("restart")
        return self.until("restarted")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Site:
    """All of it."""

    def __init__(self, directory: Path) -> None:
        addresses = Addresses()
        places = [addresses.place(f"server-{n}") for n in range(SERVERS)]
        join = [place.host for place in places]
        self.servers = [Node(directory, place, addresses, server=True, join=join) for place in places]
        self.clients = [addresses.place(f"client-{n}") for n in range(AGENTS)]
        self.nodes = [Node(directory, place, addresses, server=False, join=join) for place in self.clients[:PROCESSES]]
        for node in self.servers:
            node.start()
        self.until_settled(nodes=SERVERS)
        for node in self.nodes:
            node.start()
        others = self.clients[PROCESSES:]
        self.packs = [
            PackProcess(directory, others[at : at + PACK], addresses, join) for at in range(0, len(others), PACK)
        ]
        self.lateness_s = [pack.until("ready")["late_s"] for pack in self.packs]
        self.until_settled()

    def kill(self) -> None:
        for pack in self.packs:
            pack.kill()
        for node in (*self.nodes, *self.servers):
            node.kill()

    def until_settled(self, nodes: int = SERVERS + AGENTS) -> None:
        """Wait until every server takes the same one for the leader, and everybody is alive in the catalog."""

        def settled() -> bool:
            leaders = {ask(server.place, "GET", "/v1/status/leader") for server in self.servers}
            if len(leaders) != 1 or not json.loads(leaders.pop()):
                return False
            shown = json.loads(ask(self.servers[0].place, "GET", "/v1/health/state/passing"))
            return len({one["Node"] for one in shown if one["CheckID"] == "serfHealth"}) == nodes

        eventually(settled, f"{nodes} agents are alive", PATIENCE_S)

    def until_ready(self, place: Place) -> None:
        """Wait until an agent has somebody to ask."""
        eventually(lambda: json.loads(ask(place, "GET", "/v1/status/leader")) != "", f"{place.name} is ready")

    def memory_mib(self) -> dict[str, float]:
        """What a server, a client process, and one of the agents that share a process take, on average."""
        groups = {"server": self.servers, "client": self.nodes}
        found = {name: sum(_resident_mib(one.pid) for one in group) / max(len(group), 1)
                 for name, group in groups.items()}  # fmt: skip
        shared = sum(_resident_mib(pack.process.pid) for pack in self.packs)
        return found | {"agent in a pack": shared / max(AGENTS - PROCESSES, 1)}


def ask(place: Place, method: str, target: str, body: object = None) -> str:
    """One request that has to go well. Raises OSError."""
    client = Client(place.host, place.http, PATIENCE_S)
    try:
        data = b"" if body is None else json.dumps(body).encode()
        reply = client.call(method, target, None if method == "GET" else data)
    finally:
        client.close()
    if reply.status != 200:
        raise OSError(f"{place.name}: {target}: {reply.status} {reply.text}")
    return reply.text


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def register(site: Site) -> list[str]:
    """Have every agent its share of the services. Returns their names."""
    names = [f"service-{number}" for number in range(SERVICES)]

    def at(number: int) -> None:
        place = site.clients[number % AGENTS]
        body: dict[str, object] = {"Name": names[number], "Port": 1000 + number, "Address": "192.0.2.1"}
        if number % TTL_EVERY == 0:
            body["Check"] = {"TTL": "1h", "CheckID": f"ttl-{number}"}
        ask(place, "PUT", "/v1/agent/service/register", body)
        if number % TTL_EVERY == 0:
            ask(place, "PUT", f"/v1/agent/check/pass/ttl-{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(at, range(SERVICES)))
    path = "/v1/health/state/passing"
    passing = SERVERS + AGENTS + (SERVICES + TTL_EVERY - 1) // TTL_EVERY
    eventually(lambda: len(json.loads(ask(site.clients[0], "GET", path))) == passing, "all checks pass", PATIENCE_S)
    return names


def restart_all(site: Site, timing: dict[str, float]) -> None:
    """Servers, one when the last is settled; then clients one after the other, those of every pack at the same time."""
    began = time.monotonic()
    for server in site.servers:
        server.end()
        server.start()
        site.until_ready(server.place)
        site.until_settled()
    timing["restart of servers"] = time.monotonic() - began
    began = time.monotonic()
    with ThreadPoolExecutor(len(site.packs) or 1) as threads:
        restarting = [threads.submit(pack.restart) for pack in site.packs]
        for node in site.nodes:
            node.end()
            node.start()
            site.until_ready(node.place)
        site.lateness_s += [one.result()["late_s"] for one in restarting]
    timing["restart of clients"] = time.monotonic() - began


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 2 * WATCHERS + 4000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"OPEN FILES: {wanted} are needed, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.kill()
    for node in (*made.servers, *made.nodes):
        require_quiet(node.name, node.log())
    for pack in made.packs:
        require_quiet("a pack", pack.log_path.read_text())


def _path(names: list[str]) -> Any:
    """What the watchers wait for: names in turns; half of them answered by any server."""
    kinds = ("/v1/health/service/{}?passing", "/v1/health/service/{}?passing&stale", "/v1/catalog/service/{}",
             "/v1/catalog/service/{}?stale")  # fmt: skip
    return lambda n: kinds[(n // len(names) + n) % len(kinds)].format(names[n % len(names)])


@pytest.mark.long
def test_everything_is_restarted_and_no_service_is_missing(site: Site) -> None:
    timing: dict[str, float] = {}
    began = time.monotonic()
    names = register(site)
    timing["registration"] = time.monotonic() - began
    with Lookouts(random.Random(7)) as lookouts:
        began = time.monotonic()
        # Agents in another order than the one in which they have services: hardly anybody watches its own.
        places = random.Random(8).sample(site.clients, len(site.clients))
        lookouts.watch(WATCHERS, places, _path(names))
        lookouts.watch(CATALOG_WATCHERS, places, lambda _: "/v1/catalog/services")
        everybody = WATCHERS + CATALOG_WATCHERS
        eventually(lambda: lookouts.waiting == everybody, "everybody waits", PATIENCE_S)
        timing["watchers"] = time.monotonic() - began
        lookouts.resolve(site.clients, names, QUESTIONS_PER_S)
        memory = site.memory_mib()
        restart_all(site, timing)
        site.until_settled()
        eventually(lambda: lookouts.waiting == everybody, "everybody waits again", PATIENCE_S)
        woken(site, names, lookouts)
        seen = lookouts.seen
    report(timing, memory, site, seen.answers, seen.slowest_dns_s)
    assert not seen.misses, f"{len(seen.misses)} misses: {seen.misses[:20]}"
    assert seen.answers["dns: answered"] > 0
    assert threading.active_count() < 100


def woken(site: Site, names: list[str], lookouts: Lookouts) -> None:
    """A change after all that is an answer to everybody who waits for it: nobody waits in vain."""
    at = random.Random(9).randrange(SERVICES)
    body = {"Name": names[at], "Port": 999, "Address": "192.0.2.1"}
    before = lookouts.seen.answers["watch: answered"]
    ask(site.clients[at % AGENTS], "PUT", "/v1/agent/service/register", body)
    expected = len([n for n in range(WATCHERS) if n % SERVICES == at])
    eventually(lambda: lookouts.seen.answers["watch: answered"] >= before + expected, "watchers hear of it", PATIENCE_S)


def report(timing: dict[str, float], memory: dict[str, float], site: Site, answers: Any, slowest_s: float) -> None:
    """What was run, for who reads the output (``pytest -s``)."""
    print(f"\n{SERVERS} servers, {PROCESSES} clients as processes and {AGENTS - PROCESSES} in {len(site.packs)} packs, "
          f"{SERVICES} services, {WATCHERS + CATALOG_WATCHERS} watchers")  # fmt: skip
    for what, took_s in timing.items():
        print(f"  {what}: {took_s:.1f} s")
    for what, size_mib in memory.items():
        print(f"  memory of a {what}: {size_mib:.1f} MiB")
    print(f"  slowest answer of DNS {slowest_s:.2f} s; packs' event loops stood still for {max(site.lateness_s)} s")
    for what, count in sorted(answers.items()):
        print(f"  {what}: {count}")
