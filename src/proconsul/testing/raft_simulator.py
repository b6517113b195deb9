"""A whole Raft cluster in one thread with virtual time, where everything that can go wrong does.

Messages are lost, delayed, doubled and reordered, links and groups are cut, disks are slow, fail, and forget what was
not yet acknowledged when a server crashes, which it may do between any two effects. Everything follows from one seed.
Checked all the time: one leader per term, leader completeness, state machine safety, reads never stale. Checked at the
end: equal logs, every acknowledged write present on every member.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change, Configuration, Server, Suffrage
from proconsul.engine.raft.core import RaftCore
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.log import MemoryLog
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteResponse,
    Request,
    RequestVoteResponse,
    Response,
    TimeoutNowResponse,
)
from proconsul.engine.raft.snapshots import SnapshotMeta
from proconsul.engine.raft.startup import load_state

__all__ = ["CHURN", "STORM", "Faults", "RaftSimulation", "SafetyError"]

# How long a sender waits for an answer that will not come.
RPC_TIMEOUT_S = 2.0
COMMAND = int(EntryType.COMMAND)
NOOP = int(EntryType.NOOP)


class SafetyError(AssertionError):
    """A promise of Raft was broken. The message names the seed to replay."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities per occasion, and mean times in seconds."""

    loss: float = 0.05
    duplicate: float = 0.03
    delay_s: float = 0.02
    disk_s: float = 0.02
    disk_failure: float = 0.002
    crash_per_effect: float = 0.0008
    restart_s: float = 2.0
    partition_every_s: float = 6.0
    change_every_s: float = 8.0
    snapshot_every_s: float = 3.0
    transfer_every_s: float = 15.0
    stall_every_s: float = 5.0


CALM = Faults(0, 0, 0.005, 0.002, 0, 0, 0.1, 1e9, 1e9, 1e9, 1e9, 1e9)
# Membership changing all the time, and servers crashing and losing each other all the time.
CHURN = Faults(change_every_s=0.4, partition_every_s=2.0)
STORM = Faults(loss=0.15, crash_per_effect=0.004, restart_s=1.0, partition_every_s=1.5, stall_every_s=1.5, disk_s=0.05)

State = tuple[tuple[int, bytes], ...]
Deliver = Callable[[object], None]


@dataclass(slots=True)
class Disk:
    """What survives a crash."""

    log: MemoryLog = field(default_factory=MemoryLog)
    snapshot: tuple[SnapshotMeta, State] | None = None


class SimServer:
    """One server: a core, its disk queue, and a state machine that is a list of commands."""

    def __init__(self, simulation: RaftSimulation, server_id: str, address: str) -> None:
        self.simulation = simulation
        self.id = server_id
        self.address = address
        self.disk = Disk()
        self.core: RaftCore | None = None
        self.incarnation = 0
        self.state: list[tuple[int, bytes]] = []
        self.applied = 0
        self.mirror: dict[int, LogEntry] = {}
        self.writes: deque[ev.Write] = deque()
        self.writing = False
        self.timer = 0
        self.stalled_until = 0.0
        self.requests: dict[int, Deliver] = {}
        self.waiting: dict[int, bytes] = {}
        self.verifies: dict[int, int] = {}
        self.arrived: dict[int, tuple[SnapshotMeta, State]] = {}

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Come up with what the disk holds."""
        self.incarnation += 1
        snapshot = self.disk.snapshot
        initial = load_state(self.disk.log, snapshot[0] if snapshot else None)
        self.state = list(snapshot[1]) if snapshot else []
        self.applied = initial.snapshot_index
        log = self.disk.log
        entries = log.read(log.first_index, log.last_index, 1 << 60) if log.last_index else []
        self.mirror = {entry.index: entry for entry in entries}
        simulation = self.simulation
        rng = Random(simulation.rng.random())
        self.core = RaftCore(simulation.config, self.id, self.address, rng, initial, simulation.now)
        self.step(ev.Start())

    def crash(self) -> None:
        """Stop at once. Writes under way may or may not have reached the disk, but only in order."""
        rng = self.simulation.rng
        while self.writes and rng.random() < 0.3:
            self.disk.log.write((self.writes.popleft(),))
        self.core = None
        self.incarnation += 1
        self.writes.clear()
        self.writing = False
        self.requests.clear()
        self.waiting.clear()
        self.verifies.clear()
        self.arrived.clear()

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Run after ``delay`` if this incarnation still lives."""
        incarnation = self.incarnation

        def run() -> None:
            if self.incarnation != incarnation or self.core is None:
                return
            if self.simulation.now < self.stalled_until:
                self.simulation.at(self.stalled_until - self.simulation.now, run)
            else:
                action()

        self.simulation.at(delay, run)

    def step(self, event: ev.Event) -> None:
        """Feed the core and perform its effects, perhaps crashing between two of them."""
        inbox = deque([event])
        simulation = self.simulation
        crash_rate = simulation.faults.crash_per_effect
        while inbox and self.core is not None:
            for effect in self.core.step(inbox.popleft(), simulation.now):
                if crash_rate and simulation.rng.random() < crash_rate:
                    simulation.crash(self)
                    return
                self.perform(effect)
        if self.core is not None and self.core.role is not Role.LEADER:
            self.waiting.clear()

    # -- effects -----------------------------------------------------------------------------------------------------

    def perform(self, effect: ev.Effect) -> None:
        """One effect."""
        if isinstance(effect, ev.Append | ev.PersistState | ev.ResetLog):
            self._write(effect)
        elif isinstance(effect, ev.SendAppend):
            self._send_append(effect)
        elif isinstance(effect, ev.Send):
            self.simulation.send(self, effect, effect.to, effect.message, None)
        elif isinstance(effect, ev.SendSnapshot):
            self._send_snapshot(effect)
        elif isinstance(effect, ev.Reply):
            deliver = self.requests.pop(effect.request_id, None)
            if deliver is not None:
                deliver(None if effect.error else effect.response)
        elif isinstance(effect, ev.Apply):
            self._apply(effect)
        elif isinstance(effect, ev.ArmTimer):
            self._arm(effect)
        elif isinstance(effect, ev.LeadershipChanged):
            if effect.is_leader:
                self.simulation.check_leader(self, effect.term)
            self.simulation.trace(self, f"leader {effect.is_leader} term {effect.term}")
        elif isinstance(effect, ev.Resolved):
            self._resolved(effect)
        elif isinstance(effect, ev.ReceiveSnapshot):
            self._receive_snapshot(effect)
        elif isinstance(effect, ev.RestoreSnapshot):
            assert self.disk.snapshot is not None and self.disk.snapshot[0].index >= effect.index
            self.state = list(self.disk.snapshot[1])
            self.applied = self.disk.snapshot[0].index
        elif isinstance(effect, ev.Compact):
            self.disk.log.compact(effect.up_to)
        elif isinstance(effect, ev.Note):
            self.simulation.trace(self, effect.text)

    def _arm(self, effect: ev.ArmTimer) -> None:
        self.timer += 1
        timer = self.timer

        def fire() -> None:
            if timer == self.timer:
                self.step(ev.Tick())

        self.later(max(0.0, effect.at - self.simulation.now), fire)

    def _write(self, write: ev.Write) -> None:
        if isinstance(write, ev.Append):
            first = write.entries[0].index
            for index in [i for i in self.mirror if i >= first]:
                del self.mirror[index]
            for entry in write.entries:
                self.mirror[entry.index] = entry
        elif isinstance(write, ev.ResetLog):
            self.mirror.clear()
        self.writes.append(write)
        if not self.writing:
            self._next_write()

    def _next_write(self) -> None:
        self.writing = bool(self.writes)
        if self.writes:
            rng, faults = self.simulation.rng, self.simulation.faults
            slow = 20 if rng.random() < 0.02 else 1
            self.later(rng.expovariate(1 / faults.disk_s) * slow, self._written)

    def _written(self) -> None:
        rng, faults = self.simulation.rng, self.simulation.faults
        if rng.random() < faults.disk_failure:
            self.writes.clear()
            self.writing = False
            self.step(ev.DiskFailed(self.disk.log.last_index, "simulated"))
            return
        count = rng.randint(1, len(self.writes))
        batch = [self.writes.popleft() for _ in range(count)]
        self.disk.log.write(batch)
        self._next_write()
        self.step(ev.DiskDone(batch[-1].seq))

    def _send_append(self, effect: ev.SendAppend) -> None:
        entries = tuple(self.mirror[i] for i in range(effect.prev_index + 1, effect.last_index + 1))
        request = AppendEntriesRequest(
            effect.term,
            self.address.encode(),
            effect.prev_index,
            effect.prev_term,
            None if effect.heartbeat else entries,
            effect.commit,
            id=self.id.encode(),
            addr=self.address.encode(),
        )
        self.simulation.send(self, effect, effect.to, request, None)

    def _send_snapshot(self, effect: ev.SendSnapshot) -> None:
        snapshot = self.disk.snapshot
        if snapshot is None:
            self.later(0.01, lambda: self.step(ev.SendFailed(effect)))
            return
        meta = snapshot[0]
        request = InstallSnapshotRequest(
            effect.term,
            self.address.encode(),
            meta.index,
            meta.term,
            None,
            meta.configuration.encode(),
            meta.configuration_index,
            1,
            id=self.id.encode(),
            addr=self.address.encode(),
        )
        self.simulation.send(self, effect, effect.to, request, snapshot)

    def _receive_snapshot(self, effect: ev.ReceiveSnapshot) -> None:
        snapshot = self.arrived.pop(effect.request_id)

        def stored() -> None:
            if self.disk.snapshot is None or self.disk.snapshot[0].index < snapshot[0].index:
                self.disk.snapshot = snapshot
            self.step(ev.SnapshotStored(effect.request_id, effect.request, snapshot[0].configuration))

        self.later(self.simulation.rng.expovariate(1 / 0.05), stored)

    def _apply(self, effect: ev.Apply) -> None:
        for index in range(effect.first, effect.last + 1):
            if index <= self.applied:
                continue
            entry = self.mirror[index]
            self.simulation.check_applied(self, entry, self.applied)
            self.applied = index
            if entry.type == COMMAND:
                self.state.append((index, entry.data))
            if index in self.waiting:
                self.simulation.acknowledge(index, self.waiting.pop(index), entry)

    def _resolved(self, effect: ev.Resolved) -> None:
        needed = self.verifies.pop(effect.token, None)
        if needed is not None and effect.error is None:
            self.simulation.check_read(self, needed)

    # -- orders from the simulation ----------------------------------------------------------------------------------

    def propose(self, data: bytes) -> None:
        """A client's write."""
        core = self.core
        if core is not None and core.accepts_proposals:
            self.waiting[core.last_index + 1] = data
            self.step(ev.Propose(((COMMAND, data, b""),)))

    def snapshot(self) -> None:
        """Take a snapshot of the present state, durable a while later."""
        core = self.core
        if core is None or self.applied <= core.snapshot_index or core.committed_configuration_index > self.applied:
            return
        term = core.terms.term_at(self.applied)
        assert term is not None
        configuration, configuration_index = core.committed_configuration, core.committed_configuration_index
        meta = SnapshotMeta(f"{term}-{self.applied}", self.applied, term, configuration, configuration_index)
        captured = (meta, tuple(self.state))

        def durable() -> None:
            if self.disk.snapshot is None or self.disk.snapshot[0].index < meta.index:
                self.disk.snapshot = captured
                self.step(ev.SnapshotTaken(meta.index, meta.term, meta.index - self.simulation.rng.randint(0, 20)))

        self.later(self.simulation.rng.expovariate(1 / 0.1), durable)


class RaftSimulation:
    """``RaftSimulation(seed).run()`` raises SafetyError or returns the number of acknowledged writes."""

    def __init__(
        self, seed: int, *, servers: int = 3, spares: int = 1, faults: Faults | None = None, trace: bool = False
    ) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.faults = faults or Faults()
        self.config = RaftConfig(inflight_max=8, append_entries_max=4, pre_vote=seed % 4 != 0)
        self.now = 0.0
        self.lines: list[str] = []
        self._tracing = trace
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._next_request = 0
        self._next_command = 0
        self._next_token = 0
        self.cut: set[tuple[str, str]] = set()
        self.leaders: dict[int, tuple[str, int]] = {}
        self.committed: dict[int, tuple[int, int, bytes]] = {}
        self.committed_in: dict[int, int] = {1: 1}
        self.acked: dict[int, bytes] = {}
        self.reads = 0
        ids = [f"s{n}" for n in range(servers + spares)]
        self.servers = {i: SimServer(self, i, f"10.0.0.{n + 1}:8300") for n, i in enumerate(ids)}
        first = Configuration.of(
            Server(Suffrage.VOTER, i, self.servers[i].address) for i in ids[:servers]
        )
        boot = LogEntry(1, 1, int(EntryType.CONFIGURATION), first.encode())
        for server_id in ids[:servers]:
            log = self.servers[server_id].disk.log
            log.write((ev.PersistState(0, 1, 0, b""), ev.Append(0, (boot,))))
        self.committed[1] = (1, boot.type, boot.data)

    # -- machinery ---------------------------------------------------------------------------------------------------

    def trace(self, server: SimServer, text: str) -> None:
        """A line for a human replaying a seed."""
        if self._tracing:
            core = server.core
            shape = f"t{core.term} c{core.commit_index} d{core.durable_index} l{core.last_index}" if core else "down"
            self.lines.append(f"{self.now:9.4f} {server.id} {shape:24} {text}")

    def fail(self, text: str) -> SafetyError:
        """The error to raise; names the seed."""
        return SafetyError(f"{text} at {self.now:.4f} (replay: RaftSimulation({self.seed}))")

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Run an action later."""
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay, self._order, action))

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, action = heapq.heappop(self._queue)
            action()
        self.now = end

    def crash(self, server: SimServer) -> None:
        """Crash and come back some time later."""
        self.trace(server, "crash")
        server.crash()
        incarnation = server.incarnation

        def restart() -> None:
            if server.core is None and server.incarnation == incarnation:
                server.start()

        self.at(self.rng.expovariate(1 / self.faults.restart_s), restart)

    def send(
        self,
        sender: SimServer,
        effect: ev.Send | ev.SendAppend | ev.SendSnapshot,
        to: str,
        request: Request,
        snapshot: tuple[SnapshotMeta, State] | None,
    ) -> None:
        """Carry a request, perhaps twice, perhaps never, and its answer likewise."""
        answered = [False]

        def answer(response: object) -> None:
            if (to, sender.id) in self.cut or self.rng.random() < self.faults.loss:
                return
            sender.later(self._delay(), lambda: arrive(response))

        def arrive(response: object) -> None:
            first, answered[0] = not answered[0], True
            # A doubled request may be answered twice: the second answer is as good as any delayed one.
            if first or isinstance(response, AppendEntriesResponse):
                sender.step(_answer(effect, to, response, snapshot))

        def give_up() -> None:
            if not answered[0]:
                answered[0] = True
                sender.step(ev.SendFailed(effect))

        sender.later(RPC_TIMEOUT_S, give_up)
        copies = 2 if self.rng.random() < self.faults.duplicate else 1
        for _ in range(copies):
            if (sender.id, to) not in self.cut and self.rng.random() >= self.faults.loss:
                self.at(self._delay(), lambda: self._deliver(to, request, snapshot, answer))

    def _delay(self) -> float:
        slow = 30 if self.faults.loss and self.rng.random() < 0.01 else 1
        return self.rng.expovariate(1 / self.faults.delay_s) * slow

    def _deliver(
        self, to: str, request: Request, snapshot: tuple[SnapshotMeta, State] | None, answer: Deliver
    ) -> None:
        server = self.servers[to]
        if server.core is None:
            return
        if self.now < server.stalled_until:
            self.at(server.stalled_until - self.now, lambda: self._deliver(to, request, snapshot, answer))
            return
        self._next_request += 1
        server.requests[self._next_request] = answer
        if snapshot is not None:
            server.arrived[self._next_request] = snapshot
        server.step(ev.Received(self._next_request, request))

    # -- checks ------------------------------------------------------------------------------------------------------

    def check_leader(self, server: SimServer, term: int) -> None:
        """One leader per term, and it has every entry committed in an earlier term (paper 5.4.3)."""
        known = self.leaders.setdefault(term, (server.id, server.incarnation))
        if known != (server.id, server.incarnation):
            raise self.fail(f"two leaders in term {term}: {known} and {server.id}")
        core = server.core
        assert core is not None
        for index, (entry_term, _, _) in self.committed.items():
            if self.committed_in[index] >= term:
                continue
            if index > core.last_index or core.terms.term_at(index) not in (None, entry_term):
                raise self.fail(f"leader {server.id} of term {term} lacks committed entry {index}")

    def check_applied(self, server: SimServer, entry: LogEntry, before: int) -> None:
        """Every server applies the same entry at an index, and leaves none out."""
        value = (entry.term, entry.type, entry.data)
        assert server.core is not None
        self.committed_in.setdefault(entry.index, server.core.term)
        if self.committed.setdefault(entry.index, value) != value:
            raise self.fail(f"{server.id} applied another entry at {entry.index}")
        if entry.index != before + 1:
            raise self.fail(f"{server.id} applied {entry.index} after {before}")

    def acknowledge(self, index: int, data: bytes, entry: LogEntry) -> None:
        """A client hears that its write took effect."""
        if entry.data == data:
            self.acked[index] = data

    def check_read(self, server: SimServer, needed: int) -> None:
        """A verified leader that committed in its term has all that was acknowledged before the read began."""
        core = server.core
        assert core is not None
        if core.terms.term_at(core.commit_index) == core.term:
            self.reads += 1
            if core.commit_index < needed:
                raise self.fail(f"stale read at {server.id}: committed {core.commit_index}, needed {needed}")

    # -- a run -------------------------------------------------------------------------------------------------------

    def _every(self, mean_s: float, action: Callable[[], None], until: float) -> None:
        def again() -> None:
            if self.now < until:
                action()
                self.at(self.rng.expovariate(1 / mean_s), again)

        self.at(self.rng.expovariate(1 / mean_s), again)

    def _leaders(self) -> list[SimServer]:
        return [s for s in self.servers.values() if s.core is not None and s.core.role is Role.LEADER]

    def _client(self) -> None:
        for server in self._leaders():
            if self.now < server.stalled_until:
                # What comes in during a stall is found first when it ends, before any timer.
                self.at(server.stalled_until - self.now, lambda s=server: self._read(s))  # type: ignore[misc]
                continue
            self._next_command += 1
            server.propose(b"w%d" % self._next_command)
            if self.rng.random() < 0.3:
                self._read(server)

    def _read(self, server: SimServer) -> None:
        if server.core is not None:
            self._next_token += 1
            server.verifies[self._next_token] = max(self.acked, default=0)
            server.step(ev.Verify(self._next_token))

    def _stall(self) -> None:
        """The event loop of one server stands still, perhaps long enough for the others to go on without it."""
        server = self.rng.choice(list(self.servers.values()))
        server.stalled_until = self.now + self.rng.expovariate(1 / 1.5)

    def _partition(self) -> None:
        self.cut.clear()
        if self.rng.random() < 0.4:
            return
        ids = list(self.servers)
        self.rng.shuffle(ids)
        side = set(ids[: self.rng.randint(1, len(ids) - 1)])
        for one in ids:
            for other in ids:
                if (one in side) != (other in side) and self.rng.random() < 0.9:
                    self.cut.add((one, other))

    def _change(self) -> None:
        target = self.rng.choice(list(self.servers.values()))
        change = self.rng.choice(list(Change))
        for server in self._leaders():
            assert server.core is not None
            voters = server.core.configuration.voters
            if change in (Change.REMOVE, Change.DEMOTE) and len(voters) <= 2:
                continue
            self._next_token += 1
            address = target.address if change in (Change.ADD_VOTER, Change.ADD_NONVOTER) else ""
            server.step(ev.ChangeMembership(self._next_token, change, target.id, address))

    def _transfer(self) -> None:
        for server in self._leaders():
            self._next_token += 1
            server.step(ev.Transfer(self._next_token))

    def run(self, seconds: float = 40.0, calm_seconds: float = 15.0) -> int:
        """Faults for ``seconds``, then peace, then the last checks."""
        for server in self.servers.values():
            server.start()
        faults = self.faults
        self._every(0.1, self._client, seconds)
        self._every(faults.partition_every_s, self._partition, seconds)
        self._every(faults.change_every_s, self._change, seconds)
        self._every(faults.snapshot_every_s, lambda: self.rng.choice(list(self.servers.values())).snapshot(), seconds)
        self._every(faults.transfer_every_s, self._transfer, seconds)
        self._every(faults.stall_every_s, self._stall, seconds)
        self.run_for(seconds)
        self.faults = CALM
        self.cut.clear()
        for server in self.servers.values():
            if server.core is None:
                server.start()
        self.run_for(calm_seconds)
        for server in self._leaders():
            server.propose(b"last")
        self.run_for(2.0)
        self._check_end()
        return len(self.acked)

    def _check_end(self) -> None:
        leaders = self._leaders()
        if len(leaders) != 1 or leaders[0].core is None:
            raise self.fail(f"{len(leaders)} leaders after the faults ended")
        leader = leaders[0]
        assert leader.core is not None
        if not leader.state or leader.state[-1][1] != b"last":
            raise self.fail("the last write did not commit")
        applied = dict(leader.state)
        for index, data in self.acked.items():
            if applied.get(index) != data:
                raise self.fail(f"acknowledged write {data!r} at {index} is lost")
        for member in leader.core.configuration.servers:
            server = self.servers[member.id]
            if server.state != leader.state:
                raise self.fail(f"{server.id} differs from leader {leader.id}")
        self._check_log_matching()

    def _check_log_matching(self) -> None:
        seen: dict[tuple[int, int], tuple[int, bytes]] = {}
        for server in self.servers.values():
            for entry in server.mirror.values():
                value = (entry.type, entry.data)
                if seen.setdefault((entry.index, entry.term), value) != value:
                    raise self.fail(f"logs differ at index {entry.index} term {entry.term}")


def _answer(
    effect: ev.Send | ev.SendAppend | ev.SendSnapshot,
    peer: str,
    response: object,
    snapshot: tuple[SnapshotMeta, State] | None,
) -> ev.Event:
    if isinstance(effect, ev.SendAppend) and isinstance(response, AppendEntriesResponse):
        return ev.AppendResponded(effect, response)
    if isinstance(effect, ev.SendSnapshot) and isinstance(response, InstallSnapshotResponse):
        assert snapshot is not None
        return ev.SnapshotResponded(effect, snapshot[0].index, response)
    if isinstance(effect, ev.Send) and isinstance(response, RequestVoteResponse | PreVoteResponse | TimeoutNowResponse):
        return ev.VoteResponded(peer, effect.message, response)
    assert response is None or not isinstance(response, Response), "answer of the wrong kind"
    return ev.SendFailed(effect)
