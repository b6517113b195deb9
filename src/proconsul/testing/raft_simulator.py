"""A whole Raft cluster in one thread with virtual time, where everything that can go wrong does.

Messages are lost, delayed, doubled and reordered, links and groups are cut, disks are slow, fail, and forget what was
not yet acknowledged when a server crashes, which it may do between any two effects. Everything follows from one seed.
Checked all the time: one leader per term, leader completeness, state machine safety, reads never stale. Checked at the
end: equal logs, every acknowledged write present on every member.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change, Configuration, Server, Suffrage
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.messages import (
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteResponse,
    Request,
    RequestVoteResponse,
    Response,
    TimeoutNowResponse,
)
from proconsul.engine.raft.snapshots import SnapshotMeta
from proconsul.testing.raft_server import CALM, CHURN, STORM, Deliver, Faults, SafetyError, SimRaftServer, State

__all__ = ["CHURN", "STORM", "Faults", "RaftSimulation", "SafetyError"]

# How long a sender waits for an answer that will not come.
RPC_TIMEOUT_S = 2.0


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
        self.servers = {i: SimRaftServer(self, i, f"10.0.0.{n + 1}:8300") for n, i in enumerate(ids)}
        first = Configuration.of(Server(Suffrage.VOTER, i, self.servers[i].address) for i in ids[:servers])
        boot = LogEntry(1, 1, int(EntryType.CONFIGURATION), first.encode())
        for server_id in ids[:servers]:
            log = self.servers[server_id].disk.log
            log.write((ev.PersistState(0, 1, 0, b""), ev.Append(0, (boot,))))
        self.committed[1] = (1, boot.type, boot.data)

    # -- machinery ---------------------------------------------------------------------------------------------------

    def trace(self, server: SimRaftServer, text: str) -> None:
        """A line for a human replaying a seed."""
        if self._tracing:
            core = server.core.state if server.core is not None else None
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

    def crash(self, server: SimRaftServer) -> None:
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
        sender: SimRaftServer,
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

    def _deliver(self, to: str, request: Request, snapshot: tuple[SnapshotMeta, State] | None, answer: Deliver) -> None:
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

    def check_leader(self, server: SimRaftServer, term: int) -> None:
        """One leader per term, and it has every entry committed in an earlier term (paper 5.4.3)."""
        known = self.leaders.setdefault(term, (server.id, server.incarnation))
        if known != (server.id, server.incarnation):
            raise self.fail(f"two leaders in term {term}: {known} and {server.id}")
        core = server.core
        assert core is not None
        for index, (entry_term, _, _) in self.committed.items():
            if self.committed_in[index] >= term:
                continue
            if index > core.state.last_index or core.state.terms.term_at(index) not in (None, entry_term):
                raise self.fail(f"leader {server.id} of term {term} lacks committed entry {index}")

    def check_applied(self, server: SimRaftServer, entry: LogEntry, before: int) -> None:
        """Every server applies the same entry at an index, and leaves none out."""
        value = (entry.term, entry.type, entry.data)
        assert server.core is not None
        self.committed_in.setdefault(entry.index, server.core.state.term)
        if self.committed.setdefault(entry.index, value) != value:
            raise self.fail(f"{server.id} applied another entry at {entry.index}")
        if entry.index != before + 1:
            raise self.fail(f"{server.id} applied {entry.index} after {before}")

    def acknowledge(self, index: int, data: bytes, entry: LogEntry) -> None:
        """A client hears that its write took effect."""
        if entry.data == data:
            self.acked[index] = data

    def check_read(self, server: SimRaftServer, needed: int) -> None:
        """A verified leader that committed in its term has all that was acknowledged before the read began."""
        core = server.core
        assert core is not None
        if core.state.terms.term_at(core.state.commit_index) == core.state.term:
            self.reads += 1
            if core.state.commit_index < needed:
                raise self.fail(f"stale read at {server.id}: committed {core.state.commit_index}, needed {needed}")

    # -- a run -------------------------------------------------------------------------------------------------------

    def _every(self, mean_s: float, action: Callable[[], None], until: float) -> None:
        def again() -> None:
            if self.now < until:
                action()
                self.at(self.rng.expovariate(1 / mean_s), again)

        self.at(self.rng.expovariate(1 / mean_s), again)

    def _leaders(self) -> list[SimRaftServer]:
        return [s for s in self.servers.values() if s.core is not None and s.core.state.role is Role.LEADER]

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

    def _read(self, server: SimRaftServer) -> None:
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
            voters = server.core.state.configuration.voters
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
        for member in leader.core.state.configuration.servers:
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
