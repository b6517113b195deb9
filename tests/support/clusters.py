"""Clusters of real server processes, ours and Consul 1.8.7's, and what must hold between them at any time."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proconsul.engine.raft.messages import TimeoutNowRequest
from proconsul.engine.raft.wire import encode_request
from support.harness import Reply, Subject, eventually
from support.pools import ConsulMember, Pool

# What servers replicate and both programs show. With ?stale each answers from its own state.
STATE = (
    "/v1/kv/?recurse", "/v1/catalog/nodes", "/v1/catalog/services", "/v1/catalog/service/web", "/v1/health/state/any",
    "/v1/session/list", "/v1/coordinate/nodes",
)  # fmt: skip
# An election on a machine that is busy with other tests takes seconds; a broken one takes for ever.
ELECTION_TIMEOUT_S = 60.0
# Autopilot takes the vote of who is dead, and gives it back up to ten seconds after the return: most of these tests'
# time. So it does that only where it is asked for.
AUTOPILOT = 'autopilot { server_stabilization_time = "500ms" cleanup_dead_servers = false }'
# Long enough for one election without a time-out before it.
HANDOVER_TIMEOUT_S = 3.0
# Writers that never pause take the processor from the elections that are waited for.
WRITE_PAUSE_S = 0.005
# The first byte of a connection for Raft.
RAFT = b"\x01"


class Cluster(Pool):
    """Servers that begin a cluster together, and client agents. Everybody retries to join everybody."""

    def __init__(self, directory: Path, *servers: tuple[str, Subject], clients: Sequence[tuple[str, Subject]] = (),
                 extra: Sequence[str] = ()) -> None:  # fmt: skip
        super().__init__(directory)
        self.extra = ["-hcl", AUTOPILOT, *extra]
        expect = [f"-bootstrap-expect={len(servers)}"]
        for name, subject in servers:
            self._add(name, subject, ["-server", *expect])
        for name, subject in clients:
            self._add(name, subject, [])
        for member in self.everybody():
            self.restart(member, wait=False)

    def _add(self, name: str, subject: Subject, arguments: list[str]) -> ConsulMember:
        member = ConsulMember(name, self.directory / name, subject=subject, arguments=arguments + self.extra)
        self.members[name] = member
        return member

    def add_server(self, name: str, subject: Subject) -> ConsulMember:
        """Begin a server that joins the cluster there is."""
        member = self._add(name, subject, ["-server"])
        self.restart(member)
        return member

    def everybody(self) -> list[ConsulMember]:
        """The agents, whether they run or not."""
        return [member for member in self.members.values() if isinstance(member, ConsulMember)]

    def servers(self) -> list[ConsulMember]:
        """The running servers."""
        return [member for member in self.agents() if "-server" in member.arguments]

    def restart(self, member: ConsulMember, *, wait: bool = True) -> None:
        """Start ``member`` with the addresses that everybody has now."""
        words = iter(member.arguments)
        kept = [word for word in words if word != "-retry-join" or not next(words)]
        joins = [word for other in self.everybody() if other is not member for word in ("-retry-join", other.gossip)]
        member.arguments = [*kept, *joins]
        if "-retry-interval=1s" not in member.arguments:
            member.arguments.append("-retry-interval=1s")
        member.start()
        if wait:
            member.wait_ready()

    def leader(self, among: Sequence[ConsulMember] = ()) -> ConsulMember:
        """The server of ``among`` (everybody who runs) that all of them take for the leader, waited for."""
        members = among or self.agents()

        def agreed() -> ConsulMember | None:
            named = {member.call("GET", "/v1/status/leader").text.strip().strip('"') for member in members}
            found = [one for one in members if {f"{one.host}:{one.ports['server']}"} == named]
            return found[0] if found else None

        found = eventually(agreed, f"a leader that all know; logs: {self.directory}", ELECTION_TIMEOUT_S)
        assert found is not None
        return found

    def let_lead(self, member: ConsulMember) -> ConsulMember:
        """Have ``member`` win an election."""
        while self.leader() is not member:
            try_to_lead(member)
            with contextlib.suppress(AssertionError):  # who lacks entries is not elected, and asked again
                eventually(lambda: self.leader() is member, f"{member.name} leads", HANDOVER_TIMEOUT_S)
        return member

    def settled(self, *, nodes: int | None = None) -> ConsulMember:
        """Wait until somebody leads, every server votes and everybody is in the catalog. Returns the leader."""
        expected = len(self.agents()) if nodes is None else nodes
        leader = self.leader()

        def wrong() -> object:
            shown = leader.call("GET", "/v1/health/state/passing").json()
            alive = {one["Node"] for one in shown if one["CheckID"] == "serfHealth"}
            peers = leader.call("GET", "/v1/operator/raft/configuration").json()["Servers"]
            voters = {one["Node"] for one in peers if one["Voter"]}
            missing = {one.name for one in self.servers()} - voters
            return (alive, missing) if len(alive) != expected or missing else None

        self.until(wrong, "everybody is alive and servers vote", ELECTION_TIMEOUT_S)
        return leader

    def same_state(self) -> None:
        """Wait until all running servers show the same of everything from their own states, with the same index."""

        def wrong() -> object:
            different = {}
            for target in STATE:
                shown = {}
                for server in self.servers():
                    reply = server.call("GET", f"{target}{'&' if '?' in target else '?'}stale")
                    shown[server.name] = (reply.status, reply.header("X-Consul-Index"), _comparable(reply))
                if len({repr(value) for value in shown.values()}) != 1:
                    different[target] = shown
            return different

        self.until(wrong, "all servers have the same state", ELECTION_TIMEOUT_S)

    def power_off(self) -> None:
        """kill -9 of everybody at once."""
        running = self.agents()
        for member in running:
            assert member.process is not None
            member.process.kill()
        for member in running:
            member.kill()
            assert member.process is not None
            member.process.wait()


@contextlib.contextmanager
def paused(member: ConsulMember) -> Iterator[None]:
    """Have ``member`` stand still: its kernel goes on taking what it is sent."""
    os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(member.pid, signal.SIGCONT)


def try_to_lead(member: ConsulMember) -> None:
    """Have ``member`` begin an election, by the request with which leaders hand over (Raft: TimeoutNow)."""
    with socket.create_connection((member.host, member.ports["server"]), timeout=10) as connection:
        connection.sendall(RAFT + encode_request(TimeoutNowRequest()))
        connection.recv(1)


def _comparable(reply: Reply) -> Any:
    try:
        return reply.json()
    except ValueError:
        return reply.text


def written(member: ConsulMember, method: str, target: str, body: bytes = b"") -> Reply:
    """A write that is tried until it succeeds: between two leaders it may fail."""

    def attempt() -> Reply | None:
        reply = member.call(method, target, body)
        return reply if reply.status == 200 else None

    reply = eventually(attempt, f"{member.name}: {method} {target}", ELECTION_TIMEOUT_S)
    assert reply is not None
    return reply


class AcknowledgedWrites:
    """Writes distinct keys through every agent all the time, and remembers which were acknowledged."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster, self._prefix = cluster, prefix
        self.acknowledged: set[str] = set()
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(len(cluster.agents()))

    def __enter__(self) -> AcknowledgedWrites:
        for member in self._cluster.agents():
            self._threads.submit(self._write, member)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()

    def _write(self, member: ConsulMember) -> None:
        number = 0
        while not self._over.is_set():
            key = f"{self._prefix}/{member.name}/{number}"
            number += 1
            try:
                reply = member.call("PUT", f"/v1/kv/{key}", key.encode())
                if reply.status == 200 and reply.text.strip() == "true":
                    self.acknowledged.add(key)
                self._over.wait(WRITE_PAUSE_S)
            except (OSError, http.client.HTTPException):
                self._over.wait(0.02)  # so that a dead agent's refusals do not take the processor

    def more(self, count: int = 50) -> None:
        """Wait until ``count`` more writes were acknowledged."""
        target = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= target, f"{count} more writes", ELECTION_TIMEOUT_S)

    def missing(self, member: ConsulMember) -> set[str]:
        """What was acknowledged and is not there."""
        return self.acknowledged - set(member.ok("GET", f"/v1/kv/{self._prefix}?keys").json())
