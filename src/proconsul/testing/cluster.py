"""A cluster of real servers in one thread, without time, where everything that can go wrong does.

`ConsulServer` with its Raft driver, state machine, leader loop, timers, forwarding, autopilot and membership runs
unchanged, three to seven of them, each in a process of its own (`virtual_loop`) with its own clock. Below it are a
simulated disk and network; gossip is reduced to what it tells. Clients on every server read and write. Everything
follows from one seed; what must hold is in `cluster_watch`, and the clients' history must be linearizable.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from random import Random
from typing import Any, BinaryIO

from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.raft.events import Role
from proconsul.engine.wire.record import replace
from proconsul.features.acl.settings import NO_ACLS, AclSettings
from proconsul.features.base import SECOND_NS
from proconsul.features.catalog.endpoint import REGISTER
from proconsul.features.catalog.model import RegisterRequest
from proconsul.features.errors import ConsulError
from proconsul.features.operator.model import AutopilotConfig
from proconsul.features.snapshot.model import SnapshotRequest
from proconsul.testing.cluster_clients import LOCK_DELAY_S, NODE, REGISTERS, TREE, SimClient, client
from proconsul.testing.cluster_disk import DiskFaults, ServerDisk
from proconsul.testing.cluster_gossip import Gossip
from proconsul.testing.cluster_network import Links
from proconsul.testing.cluster_server import Machine, Process, SimServer
from proconsul.testing.cluster_watch import ClusterWatch
from proconsul.testing.history import Operation
from proconsul.testing.linearizability import UndecidedError, check
from proconsul.testing.lock_delays import early_acquisition
from proconsul.testing.raft_server import CALM, CHURN, STORM, Faults, SafetyError
from proconsul.testing.virtual_loop import VirtualLoop, VirtualTime

__all__ = ["Cluster", "Machine", "SafetyError"]

PROFILES = (Faults(), CHURN, STORM)
# Clocks differ by up to this: a leader's lease of half its followers' patience bears it.
CLOCK_RATES = (0.9, 1.1)
AUTOPILOT = AutopilotConfig(
    CleanupDeadServers=True, LastContactThreshold=SECOND_NS, MaxTrailingLogs=250, ServerStabilizationTime=SECOND_NS
)
VISIT_EVERY_S = 0.3
# Steps of one search for an order; a history that needs more is not judged.
STEPS_MAX = 200_000


class Cluster:
    """``Cluster(seed).run()`` raises SafetyError, or gives back the history of the clients."""

    def __init__(self, seed: int, *, tracing: bool = False) -> None:
        self.seed, self.tracing = seed, tracing
        self.rng = rng = Random(seed)
        self.faults = PROFILES[seed % 3]
        self.lines: list[str] = []
        self.history: list[Operation | None] = []
        self.undecided = False
        self.clock_rate_max = CLOCK_RATES[1]
        # Whether users restore old snapshots, so that what was acknowledged may be undone.
        self.rewinds = seed % 8 == 7
        # With the shorter one servers campaign more often, and often at the same time.
        patience_s = rng.choice((1.0, 0.3))
        self.raft = RaftConfig(
            heartbeat_timeout_s=patience_s, election_timeout_s=patience_s, leader_lease_timeout_s=patience_s / 2,
            snapshot_threshold=rng.choice((20, 60, 10_000)), snapshot_interval_s=2.0, trailing_logs=rng.choice((4, 30)),
            pre_vote=seed % 4 != 0, inflight_max=8, append_entries_max=8, cache_entries=rng.choice((4, 64)),
            storage_stall_s=2 * patience_s,
        )  # fmt: skip
        self.autopilot = replace(AUTOPILOT, CleanupDeadServers=rng.random() < 0.7)
        self.expect = 3
        self.acl: AclSettings = NO_ACLS
        self.pace_s = 0.15
        self.busy = True
        self.clients: list[Callable[[Process], Any]] = [_register, client, client]
        self.time: VirtualTime = VirtualTime(rng)
        self.processes: dict[str, Process] = {}
        self.links = Links(self.time, rng, CALM, in_order=seed % 2 == 0)
        self.watch: ClusterWatch = ClusterWatch(self)
        self.gossip = Gossip(self)
        self.hosts: dict[str, Machine] = {}
        self._striking = 0.0
        self._names = 0
        self._archive: BinaryIO | None = None
        self._dead: list[VirtualLoop] = []
        liars = rng.randint(0, 1) if seed % 5 == 0 else 0
        for number in range(3 + rng.choice((0, 0, 0, 1, 2, 2, 4))):
            disk = ServerDisk(rng, DiskFaults(lies=number < liars))
            rate = rng.uniform(*CLOCK_RATES)
            host_id = f"{number:08d}-0000-0000-0000-000000000000"
            self.hosts[host_id] = Machine(f"s{number}", host_id, f"10.0.0.{number + 1}", number < 3, disk, rate)
        self.time.after_turn = self._after_turn

    # ------------------------------------------------------------------ machinery

    def trace(self, who: str, text: str) -> None:
        """A line for a human who replays the seed."""
        if self.tracing:
            self.lines.append(f"{self.time.now:9.4f} {who:6.6} {text}")

    def fail(self, text: str) -> SafetyError:
        """The error to raise; names the seed."""
        return SafetyError(f"{text} at {self.time.now:.4f} (replay: CLUSTER_SEED={self.seed})")

    def next_name(self, prefix: str) -> str:
        """A name nobody has."""
        self._names += 1
        return f"{prefix}{self._names}"

    def strikes(self, weight: float) -> bool:
        """Whether a process is killed here."""
        return self._striking > 0 and self.rng.random() < self._striking * weight

    def _after_turn(self, loop: VirtualLoop) -> None:
        process = self._process_of(loop)
        if process is not None and process.alive:
            self.watch.look(process)

    def _process_of(self, loop: VirtualLoop) -> Process | None:
        for one in self.processes.values():
            if one.loop is loop:
                return one
        return None

    def start(self, host: Machine) -> None:
        """Have a server run on ``host``."""
        running = self.processes.get(host.id)
        if running is not None and running.alive:
            return
        host.starts += 1
        process = Process(self, host, host.starts)
        self.trace(process.name, f"starts, clock rate {host.rate:.3f}")
        self.gossip.left.discard(host.id)
        self.processes[host.id] = self.links.processes[host.id] = process
        self.time.loops.append(process.loop)
        process.start()

    def kill(self, process: Process, *, power: bool = True) -> None:
        """End a process at once; it comes back later. ``power``: what was not durable is gone."""
        disk = process.host.disk
        lose = power and disk.owes and self._can_lose(process)
        self.trace(process.name, f"ends{' and forgets' if lose else ''}")
        process.loop.kill()
        disk.crash(lose=lose)
        self._dead.append(process.loop)
        # Some are back before the others have noticed.
        away_s = self.faults.restart_s if self.rng.random() < 0.6 else 0.05
        self.time.at(self.rng.expovariate(1 / away_s), lambda: self.start(process.host))

    def _can_lose(self, process: Process) -> bool:
        """Whether Raft survives that this server forgets what it acknowledged: a majority has it without this one."""
        believed, server = process.host.disk.believed, process.server
        if server is None or not server.started or not believed.last_index:
            return False
        voters = server.raft.members.voters
        last = believed.read(believed.last_index, believed.last_index, 1)[0]
        holders = 0
        for voter in voters:
            log = self.hosts[voter].disk.durable
            if voter != process.id and log.first_index <= last.index <= log.last_index:
                holders += log.read(last.index, last.index, 1)[0].term == last.term
        return holders > len(voters) // 2

    def servers(self) -> list[SimServer]:
        """Those that run."""
        running = [process.server for process in self.processes.values() if process.alive]
        return [one for one in running if one is not None and one.started and hasattr(one.raft, "core")]

    def leader(self) -> SimServer | None:
        """The newest leader, if there is one."""
        leaders = [server for server in self.servers() if server.raft.state is Role.LEADER]
        return max(leaders, key=lambda server: server.raft.term, default=None)

    # ------------------------------------------------------------------ what goes wrong

    def _every(self, mean_s: float, action: Callable[[], None]) -> None:
        def again() -> None:
            if self.busy:
                action()
                self.time.at(self.rng.expovariate(1 / mean_s), again)

        self.time.at(self.rng.expovariate(1 / mean_s), again)

    def _in(self, server: SimServer, work: Callable[[], Any]) -> None:
        """Have an operator do something on a server; what it answers does not matter."""

        async def run() -> None:
            try:
                await work()
            except (ConsulError, RaftError) as error:
                self.trace(server.process.name, f"refused: {error}")

        loop = server.process.loop
        loop.call_soon(lambda: loop.create_task(run()))

    def _partition(self) -> None:
        """Groups, a bridge, one link, one way, one server; or peace."""
        rng, cut = self.rng, self.links.cut
        cut.clear()
        ids = list(self.hosts)
        rng.shuffle(ids)
        kind = rng.choice(("none", "none", "groups", "bridge", "link", "one-way", "alone"))
        side = set(ids[: rng.randint(1, len(ids) - 1)]) if kind in ("groups", "bridge") else {ids[0]}
        if kind in ("groups", "bridge", "alone"):
            bridge = ids[-1] if kind == "bridge" else ""
            cut |= {(a, b) for a in ids for b in ids if (a in side) != (b in side) and bridge not in (a, b)}
        elif kind == "link":
            cut |= {(ids[0], ids[1]), (ids[1], ids[0])}
        elif kind == "one-way":
            cut |= {(ids[0], other) if rng.random() < 0.5 else (other, ids[0]) for other in ids[1:]}
        self.trace("net", f"{kind}: {sorted((self.hosts[a].name, self.hosts[b].name) for a, b in cut)}")

    def _regicide(self) -> None:
        leader = self.leader()
        if leader is not None:
            self.kill(leader.process)

    def _visit(self) -> None:
        """Somebody from outside asks a server, one that stands still if there is one."""
        running = list(self.processes.values())
        process = self.rng.choice([one for one in running if one.loop.stalled_until > self.time.now] or running)
        server = process.server
        core = getattr(server.raft, "core", None) if server is not None and server.started else None
        if process.alive and core is not None:
            SimClient(process).visit()

    def _stall(self) -> None:
        leader = self.leader() if self.rng.random() < 0.5 else None
        process = leader.process if leader is not None else self.rng.choice(list(self.processes.values()))
        pause = self.rng.expovariate(1 / 1.5)
        self.trace(process.name, f"stands still for {pause:.3f}")
        process.loop.stall_until(self.time.now + pause)

    def hang(self, host: Machine, seconds: float) -> None:
        """The disk of ``host`` answers nothing for so long, and no error either."""
        self.trace(host.name, f"has a disk that hangs for {seconds:.3f}")
        host.disk.hangs = True
        self.time.at(seconds, host.disk.go_on)

    def _hang(self) -> None:
        leader = self.leader() if self.rng.random() < 0.7 else None
        host = leader.process.host if leader is not None else self.rng.choice(list(self.hosts.values()))
        self.hang(host, self.rng.expovariate(1 / 3.0))

    def _change(self) -> None:
        """An operator or an agent changes who is in Raft."""
        rng, leader = self.rng, self.leader()
        if leader is None:
            return
        host = rng.choice(list(self.hosts.values()))
        running = self.processes.get(host.id)
        kind = rng.choice((Change.ADD_NONVOTER, Change.REMOVE, Change.DEMOTE, None))
        raft = leader.raft
        few = len(raft.members.voters) <= 2
        if few and kind is not Change.ADD_NONVOTER:
            return
        self.trace("user", f"{kind.name if kind else 'LEAVE'} {host.name}, asking {leader.process.name}")
        if kind is Change.ADD_NONVOTER:
            self._in(leader, lambda: raft.add_nonvoter(host.id, host.address))
        elif kind is Change.DEMOTE:
            self._in(leader, lambda: raft.demote(host.id))
        elif kind is Change.REMOVE:
            self._in(leader, lambda: raft.remove_server(host.id))
        elif running is not None and running.alive and running.server is not None and running.server.started:
            process = running
            self._in(running.server, lambda: process.leave(lambda: self.gossip.left.add(host.id)))

    def _transfer(self) -> None:
        leader = self.leader()
        if leader is not None:
            self.trace("user", f"hands leadership of {leader.process.name} over")
            self._in(leader, leader.raft.transfer_leadership)

    def _snapshot(self) -> None:
        servers = self.servers()
        if servers:
            server = self.rng.choice(servers)
            self._in(server, server.raft.snapshot)

    def _save(self) -> None:
        """A user keeps the state there is."""
        leader = self.leader()
        if leader is None or not leader.leading:
            return
        server = leader

        async def save() -> None:
            saved = await server.archives.save(SnapshotRequest(Datacenter="dc1", AllowStale=True))
            if self._archive is not None:
                self._archive.close()
            self._archive = saved.archive

        self._in(server, save)

    def _rewind(self) -> None:
        """And goes back to it, in peace: a leader that is deposed while it restores has a state that nobody shares."""
        leader, archive = self.leader(), self._archive
        if leader is not None and archive is not None:
            server, source = leader, archive
            self._in(server, lambda: server.archives.restore(SnapshotRequest(Datacenter="dc1", Op=1), source))

    # ------------------------------------------------------------------ a run

    def run(self, seconds: float = 12.0, calm_s: float = 9.0) -> list[Operation]:
        """Faults for ``seconds``, then peace, then the last checks."""
        gc_was_on = gc.isenabled()
        gc.disable()  # what is collected when must not depend on what ran before
        try:
            self._play(seconds, calm_s)
            self._judge()
        finally:
            self.end()
            if gc_was_on:
                gc.enable()
        return [one for one in self.history if one is not None]

    def end(self) -> None:
        """Nothing runs any more."""
        for loop in [*self._dead, *(process.loop for process in self.processes.values())]:
            loop.kill()
            loop.bury()
        if self._archive is not None:
            self._archive.close()

    def _play(self, seconds: float, calm_s: float) -> None:
        for host in self.hosts.values():
            self.time.at(0.0 if host.founder else self.rng.uniform(0, seconds / 2), lambda host=host: self.start(host))  # type: ignore[misc]
        self.gossip.look()
        self.time.run_for(4.0)
        faults = self.faults
        self.links.faults = faults
        self._striking = faults.crash_per_effect / 2
        for host in self.hosts.values():
            host.disk.faults.write_s, host.disk.faults.failure = faults.disk_s / 2, faults.disk_failure
        self._every(faults.partition_every_s / 2, self._partition)
        self._every(faults.change_every_s, self._change)
        self._every(faults.snapshot_every_s, self._snapshot)
        self._every(faults.transfer_every_s / 2, self._transfer)
        self._every(faults.stall_every_s, self._stall)
        self._every(faults.hang_every_s, self._hang)
        self._every(faults.restart_s * 3, self._regicide)
        self._every(VISIT_EVERY_S, self._visit)
        if self.rewinds:
            self._every(3.0, self._save)
            self.time.at(seconds + 4.0, self._rewind)
        self.time.run_for(seconds)
        self.trace("net", "peace")
        self.busy = False
        self._striking = 0.0
        self.links.faults = CALM
        self.links.cut.clear()
        for process in self.processes.values():
            process.loop.awake_from(self.time.now)
        for host in self.hosts.values():
            host.disk.faults.write_s, host.disk.faults.failure, host.disk.faults.lies = 0.001, 0.0, False
            host.disk.go_on()
            self.start(host)
        self.time.run_for(calm_s)

    # ------------------------------------------------------------------ judgement

    def _judge(self) -> None:
        leader = self.leader()
        if leader is None or not leader.on_duty:
            raise self.fail("nobody leads after the faults have ended")
        members = leader.raft.members.servers
        final = SimClient(leader.process)
        for key in (*REGISTERS, *TREE):
            leader.process.loop.call_soon(
                lambda key=key: leader.process.loop.create_task(final.read(key, "consistent"))  # type: ignore[misc]
            )
        leader.process.loop.call_soon(lambda: leader.process.loop.create_task(final.write(final.register_write(TREE))))
        before = len(self.history)
        self.time.run_for(2.0)
        if any(one is None or one.done is None for one in self.history[before:]):
            raise self.fail("the cluster does not answer after the faults have ended")
        self.watch.check_sessions(leader)
        running = {server.node_id: server for server in self.servers()}
        self.watch.check_equal([running[member.id] for member in members if member.id in running])
        if not self.rewinds:
            self._linearizable()

    def _linearizable(self) -> None:
        history = [one for one in self.history if one is not None]
        for session, at in self.watch.expired.items():
            history.append(Operation("ttl", "session-destroy", invoked=at, session=session))
        early = early_acquisition(history, LOCK_DELAY_S / self.clock_rate_max)
        if early is not None:
            raise self.fail(str(early))
        try:
            violation = check(history, steps_max=STEPS_MAX)
        except UndecidedError:
            self.undecided = True
            return
        if violation is not None:
            raise self.fail(str(violation))


async def _register(process: Process) -> None:
    """Have the node of the sessions registered."""
    server = process.server
    assert server is not None
    while server.state.tables.nodes.get(NODE) is None:
        try:
            await server.gate.written(REGISTER, RegisterRequest(Datacenter="dc1", Node=NODE, Address="10.1.0.1"))
        except (ConsulError, RaftError) as error:
            process.cluster.trace(process.name, f"not registered: {error}")
        await asyncio.sleep(0.5)
