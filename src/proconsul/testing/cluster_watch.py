"""What must hold in a simulated cluster at every moment, told by the servers as they act.

Raft's promises: one leader per term; every server applies the same commands at the same indexes, none left out, with
the same results and the same state after each, all tables and indexes. The leader's: its duties begin once per
leadership and end with it; sessions have their whole time, from whoever grants it; keys rest for their lock-delay;
LockIndex, the fencing token, grows with every acquisition. The readers': what is shown is a state that was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from proconsul.engine.raft.events import Role
from proconsul.engine.raft.node import RaftNode
from proconsul.features.base import SECOND_NS
from proconsul.features.kv.model import DirEntry, KVOp
from proconsul.features.messages import MessageType
from proconsul.features.session.model import DESTROY, Session
from proconsul.features.state import State
from proconsul.server.leadership import TICK_S
from proconsul.server.server import ConsulServer
from proconsul.server.session_timers import ttl_s
from proconsul.testing.raft_server import SafetyError
from proconsul.testing.virtual_loop import VirtualLoop, VirtualTime

__all__ = ["LOCK_PREFIX", "ClusterWatch", "digest"]

# Below it keys are only locked and unlocked, by sessions that release: there LockIndex never begins anew.
LOCK_PREFIX = "lock/"
_EPSILON_S = 1e-6


def digest(state: State) -> bytes:
    """All tables and indexes of a state, as a few bytes."""
    tables = {name: list(table.rows.values()) for name, table in sorted(state.store.tables.items())}
    return blake2b(msgspec.msgpack.encode((tables, sorted(state.store.indexes.items()))), digest_size=12).digest()


class WatchedProcess(Protocol):
    """A process of a simulated cluster as its watch sees it."""

    name: str
    loop: VirtualLoop

    @property
    def server(self) -> ConsulServer | None: ...


class WatchedServer(Protocol):
    """A server, and the process it runs in."""

    state: State
    clock: Callable[[], float]

    @property
    def process(self) -> WatchedProcess: ...

    @property
    def raft(self) -> RaftNode: ...

    @property
    def on_duty(self) -> bool: ...


class WatchedCluster(Protocol):
    """The cluster as its watch sees it."""

    time: VirtualTime
    tracing: bool
    rewinds: bool
    clock_rate_max: float

    def fail(self, text: str) -> SafetyError: ...

    def trace(self, who: str, text: str) -> None: ...


class ClusterWatch:
    """One per cluster. Raises SafetyError."""

    def __init__(self, cluster: WatchedCluster) -> None:
        self._cluster = cluster
        self.leaders: dict[int, str] = {}
        self._established_term = 0
        # What the first server that got there did at each index: command and result, state after it.
        self._indexes: list[int] = [0]
        self._commands: dict[int, tuple[int, bytes, str]] = {}
        self._states: dict[int, bytes] = {0: digest(State())}
        # The life of each key: from which index on it was what.
        self._lives: dict[str, tuple[list[int], list[DirEntry | None]]] = {}
        self._lock_indexes: dict[str, int] = {}
        # The lock-delay of each session there was, and until when at the least keys rest after its end.
        self._lock_delay_s: dict[str, float] = {}
        self._rests: dict[str, float] = {}
        self._positions: dict[WatchedProcess, int] = {}
        self._restored: set[WatchedProcess] = set()
        self._on_duty: set[WatchedProcess] = set()
        self._delays: dict[WatchedProcess, dict[str, float]] = {}
        self._granted: dict[tuple[WatchedProcess, str], float] = {}
        self._latest_grant: dict[str, float] = {}
        self._expired: set[tuple[WatchedProcess, str]] = set()
        # When a leader first wanted a session to end.
        self.expired: dict[str, float] = {}
        self.installs = self.acquisitions = 0

    def fail(self, text: str) -> SafetyError:
        return self._cluster.fail(text)

    # ------------------------------------------------------------------ after every turn of a server

    def look(self, process: WatchedProcess) -> None:
        """One leader per term; duties end with leadership; nothing goes wrong that nobody catches."""
        if process.loop.failures:
            context = process.loop.failures[0]
            if isinstance(context.get("exception"), SafetyError):
                raise context["exception"]
            raise self.fail(f"{process.name}: {context.get('message')}") from context.get("exception")
        server = process.server
        raft = server.raft if server is not None and server.started else None
        core = getattr(raft, "core", None)
        if server is None or raft is None or core is None:
            return
        if raft.failure is not None:
            raise self.fail(f"{process.name} stopped itself") from raft.failure
        if core.state.is_leader:
            known = self.leaders.setdefault(core.state.term, process.name)
            if known != process.name:
                raise self.fail(f"two leaders in term {core.state.term}: {known} and {process.name}")
        elif process.loop.idle and (server.on_duty or process in self._on_duty):
            raise self.fail(f"{process.name} goes on with a leader's duties in term {core.state.term}")

    # ------------------------------------------------------------------ the state machine

    def applied(self, server: WatchedServer, index: int, term: int, data: bytes, result: object) -> None:
        """A server applied a command."""
        process = server.process
        before = self._positions.get(process, 0)
        self._positions[process] = index
        at = bisect_right(self._indexes, before)
        # A user's snapshot has an older state under a newer index than any command.
        rewound = self._cluster.rewinds and process in self._restored
        self._restored.discard(process)
        if at < len(self._indexes) and self._indexes[at] < index and not rewound:
            raise self.fail(f"{process.name} left out the command at {self._indexes[at]}: {before} -> {index}")
        what = (term, data, repr(result))
        known = self._commands.get(index)
        if known is None:
            if index < self._indexes[-1]:
                raise self.fail(f"{process.name} applied a command at {index} that others do not have")
            self._indexes.append(index)
            self._commands[index] = what
            self._states[index] = digest(server.state)
            self._live(server.state, index)
            if self._cluster.tracing:
                self._cluster.trace(process.name, f"first to apply {index} of term {term}: {data[:90]!r} -> {result!r}")
        elif known != what:
            raise self.fail(f"{process.name} applied another command at {index}: {what}, not {known}")
        elif self._states[index] != digest(server.state):
            raise self.fail(f"{process.name} has another state than the first after {index}")

    def installed(self, server: WatchedServer, index: int) -> None:
        """A server took its state from a snapshot, whose last command was at ``index``."""
        self.installs += 1
        if self._states.get(index) != digest(server.state):
            raise self.fail(f"{server.process.name} restored another state than there was after {index}")
        self._positions[server.process] = index
        self._restored.add(server.process)
        self._cluster.trace(server.process.name, f"takes its state from a snapshot at {index}")

    def _live(self, state: State, index: int) -> None:
        entries = state.kv.entries
        for session in state.sessions.sessions.all():
            self._lock_delay_s[session.ID] = session.LockDelay / SECOND_NS
        for key in {*self._lives, *entries.rows}:
            row = entries.get(key)
            indexes, rows = self._lives.setdefault(key, ([0], [None]))
            if rows[-1] != row:
                if not self._cluster.rewinds:
                    self._rested(state, key, rows[-1], row)
                if key.startswith(LOCK_PREFIX) and not self._cluster.rewinds:
                    self._held(key, rows[-1], row)
                indexes.append(index)
                rows.append(row)

    def _rested(self, state: State, key: str, before: DirEntry | None, row: DirEntry | None) -> None:
        """Whoever acquires a key does so when its lock-delay is over, whoever leads by then."""
        now = self._cluster.time.now
        was, held = before.Session if before is not None else "", row.Session if row is not None else ""
        if was and not held and state.kv.session(was) is None:
            # By a clock that may be fast.
            self._rests[key] = now + self._lock_delay_s[was] / self._cluster.clock_rate_max - _EPSILON_S
        if held and held != was and now < self._rests.get(key, 0.0):
            raise self.fail(f"{key} was acquired {self._rests[key] - now:.3f} s before its lock-delay was over")

    def _held(self, key: str, before: DirEntry | None, row: DirEntry | None) -> None:
        if row is None:
            raise self.fail(f"{key} was deleted, and nobody does that")
        if row.Session and (before is None or before.Session != row.Session):
            if before is not None and before.Session:
                raise self.fail(f"{key} passed from {before.Session} to {row.Session} without being let go of")
            if row.LockIndex <= self._lock_indexes.get(key, 0):
                raise self.fail(f"{key} was acquired again under LockIndex {row.LockIndex}")
            self._lock_indexes[key] = row.LockIndex
            self.acquisitions += 1

    # ------------------------------------------------------------------ reads

    def read(self, process: WatchedProcess, key: str, row: DirEntry | None, *, here: bool) -> None:
        """A read of ``key`` that need not be the newest: what it showed was once true; here it is what we have."""
        indexes, rows = self._lives.get(key, ([0], [None]))
        if here:
            expected = rows[bisect_right(indexes, self._positions.get(process, 0)) - 1]
            if row != expected:
                raise self.fail(f"{process.name} showed {row} for {key}, and has {expected}")
        elif row not in rows:
            raise self.fail(f"{process.name} was shown {row} for {key}, which never was")

    # ------------------------------------------------------------------ the leader's duties

    def establishing(self, server: WatchedServer) -> None:
        """A leader begins its duties."""
        if server.process in self._on_duty:
            raise self.fail(f"{server.process.name} begins a leader's duties twice")
        self._on_duty.add(server.process)

    def established(self, server: WatchedServer) -> None:
        """And is done with that: sessions have their whole time again."""
        term = server.raft.term
        self._established_term = max(self._established_term, term)
        self._delays[server.process] = {}
        self._cluster.trace(server.process.name, f"leads in term {term}")
        for session in server.state.sessions.sessions.all():
            self.granted(server, session)

    def revoked(self, server: WatchedServer) -> None:
        """A leader's duties have ended."""
        self._on_duty.discard(server.process)
        self._delays.pop(server.process, None)

    def granted(self, server: WatchedServer, session: Session) -> None:
        """A leader gives a session its time, anew."""
        now = self._cluster.time.now
        self._granted[server.process, session.ID] = now
        if self._is_newest(server):
            self._latest_grant[session.ID] = now

    def _is_newest(self, server: WatchedServer) -> bool:
        """Whether what it proposes may come to pass. Who was deposed and does not know it yet may still try, and tell
        clients that their sessions are renewed, as in Consul."""
        return server.raft.state is Role.LEADER and server.raft.term >= self._established_term

    def lock_delayed(self, server: WatchedServer, key: str, delay_s: float) -> None:
        """A session with a lock-delay let go of a key."""
        delays = self._delays.get(server.process)
        if delays is not None:
            delays[key] = server.clock() + delay_s

    def proposed(self, server: WatchedServer, kind: MessageType, request: Any) -> None:
        """A leader is about to replicate a command."""
        if kind is MessageType.SESSION and request.Op == DESTROY and not request.Token:
            self._expiry(server, request.Session.ID)
        elif kind is MessageType.KVS and request.Op == KVOp.LOCK:
            self._lock(server, request.DirEnt.Key)
        elif kind is MessageType.TXN:
            for op in request.Ops:
                if op.KV is not None and op.KV.Verb == KVOp.LOCK:
                    self._lock(server, op.KV.DirEnt.Key)

    def _lock(self, server: WatchedServer, key: str) -> None:
        until = self._delays.get(server.process, {}).get(key, 0.0)
        if until > server.clock() + _EPSILON_S:
            raise self.fail(f"{server.process.name} lets {key} be locked {until - server.clock():.3f} s too early")

    def _expiry(self, server: WatchedServer, session_id: str) -> None:
        process, now = server.process, self._cluster.time.now
        self.expired.setdefault(session_id, now)
        self._cluster.trace(process.name, f"session {session_id} has expired")
        session = server.state.kv.session(session_id)
        again = (process, session_id) in self._expired
        self._expired.add((process, session_id))
        if not server.on_duty or process not in self._on_duty:
            raise self.fail(f"{process.name} expires sessions and does not lead")
        if session is None or again or not self._is_newest(server):
            return
        own = now - self._granted.get((process, session_id), -1e9)
        if own < 2 * ttl_s(session) / process.loop.rate - _EPSILON_S:
            raise self.fail(f"{process.name} expires session {session_id} {own:.3f} s after it granted its time")
        latest = now - self._latest_grant.get(session_id, -1e9)
        if latest < ttl_s(session):
            raise self.fail(f"{process.name} expires session {session_id} {latest:.3f} s after a leader granted it")

    # ------------------------------------------------------------------ the end

    def check_sessions(self, server: WatchedServer) -> None:
        """Under a leader that has led for long, no session outlives its time by more than a look at the deadlines."""
        now = self._cluster.time.now
        for session in server.state.sessions.sessions.all():
            key = (server.process, session.ID)
            if not session.TTL or key in self._expired:
                continue  # expired: the attempt is repeated later when leadership was just being handed over
            lived = now - self._granted.get(key, now)
            if lived > (2 * ttl_s(session) + TICK_S) / server.process.loop.rate + _EPSILON_S:
                raise self.fail(f"{session.ID} outlives its time: {lived:.3f} s")

    def check_equal(self, servers: list[WatchedServer]) -> None:
        """Everybody has everything."""
        last = self._indexes[-1]
        behind = {
            server.process.name: self._positions.get(server.process, 0) for server in servers
            if self._positions.get(server.process, 0) != last or digest(server.state) != self._states[last]
        }  # fmt: skip
        if behind:
            raise self.fail(f"these differ from what was applied up to {last}: {behind}")
