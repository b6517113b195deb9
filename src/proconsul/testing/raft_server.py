"""One server of the Raft simulator: a core, a disk that forgets, a state machine that is a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.core import RaftCore
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.log import MemoryLog
from proconsul.engine.raft.messages import AppendEntriesRequest, EntryType, InstallSnapshotRequest, LogEntry, Request
from proconsul.engine.raft.snapshots import SnapshotMeta
from proconsul.engine.raft.startup import load_state

__all__ = ["CALM", "CHURN", "STORM", "Deliver", "Faults", "SafetyError", "SimRaftServer", "State"]

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
    hang_every_s: float = 8.0


CALM = Faults(0, 0, 0.005, 0.002, 0, 0, 0.1, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9)
# Membership changing all the time, and servers crashing and losing each other all the time.
CHURN = Faults(change_every_s=0.4, partition_every_s=2.0)
STORM = Faults(loss=0.15, crash_per_effect=0.004, restart_s=1.0, partition_every_s=1.5, stall_every_s=1.5, disk_s=0.05)

State = tuple[tuple[int, bytes], ...]
Deliver = Callable[[object], None]


@dataclass(slots=True)
class SimRaftDisk:
    """What survives a crash."""

    log: MemoryLog = field(default_factory=MemoryLog)
    snapshot: tuple[SnapshotMeta, State] | None = None


class RaftWorld(Protocol):
    """What a simulated server needs of the simulation: time, chance, a network, and somebody who watches it."""

    config: RaftConfig
    rng: Random
    faults: Faults
    now: float

    def at(self, delay: float, action: Callable[[], None]) -> None: ...

    def trace(self, server: SimRaftServer, text: str) -> None: ...

    def crash(self, server: SimRaftServer) -> None: ...

    def send(
        self, sender: SimRaftServer, effect: ev.Send | ev.SendAppend | ev.SendSnapshot, to: str, request: Request,
        snapshot: tuple[SnapshotMeta, State] | None,
    ) -> None: ...  # fmt: skip

    def check_leader(self, server: SimRaftServer, term: int) -> None: ...

    def check_applied(self, server: SimRaftServer, entry: LogEntry, before: int) -> None: ...

    def acknowledge(self, index: int, data: bytes, entry: LogEntry) -> None: ...

    def check_read(self, server: SimRaftServer, needed: int) -> None: ...


class SimRaftServer:
    """One server: a core, its disk queue, and a state machine that is a list of commands."""

    def __init__(self, simulation: RaftWorld, server_id: str, address: str) -> None:
        self.simulation = simulation
        self.id = server_id
        self.address = address
        self.disk = SimRaftDisk()
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
            if self.core is not None:
                self.core.check()
        if self.core is not None and self.core.state.role is not Role.LEADER:
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
            for entry, proposal in zip(write.entries, write.proposals, strict=False):
                if isinstance(proposal.token, bytes):
                    self.waiting[entry.index] = proposal.token
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
            self.step(ev.Propose((ev.Proposal(COMMAND, data, token=data),)))

    def snapshot(self) -> None:
        """Take a snapshot of the present state, durable a while later."""
        if self.core is None:
            return
        core = self.core.state
        if self.applied <= core.snapshot_index or core.committed_configuration_index > self.applied:
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
