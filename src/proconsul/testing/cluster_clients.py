"""Clients of a simulated cluster: what they ask of the server they are connected to, and what it answered.

They go the way the HTTP routes go: endpoints for writes, `Read`s with the three consistencies. What they did is a
history for `linearizability`: writes, consistent and default reads are in it, stale reads are told to the watch.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from random import Random
from typing import Any, Protocol

import msgspec

from proconsul.engine.raft.errors import (
    LeadershipTransferInProgressError,
    NotLeaderError,
    RaftError,
)
from proconsul.engine.rpc.errors import GETTING_CLIENT
from proconsul.engine.wire.record import replace
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError, NoLeader
from proconsul.features.kv.endpoint import APPLY as KV_APPLY
from proconsul.features.kv.endpoint import KVS
from proconsul.features.kv.model import DirEntry, KeyRequest
from proconsul.features.options import PLAIN
from proconsul.features.server import Read, WriteMethod
from proconsul.features.session.endpoint import APPLY as SESSION_APPLY
from proconsul.features.session.endpoint import RENEW as SESSION_RENEW
from proconsul.features.session.model import (
    BEHAVIOR_DELETE,
    BEHAVIOR_RELEASE,
    CREATE,
    DESTROY,
    Session,
    SessionRequest,
    SessionSpecificRequest,
)
from proconsul.features.txn.endpoint import APPLY as TXN_APPLY
from proconsul.features.txn.endpoint import Txn
from proconsul.features.txn.model import TxnReadRequest
from proconsul.testing.cluster_watch import LOCK_PREFIX, ClusterWatch, WatchedProcess
from proconsul.testing.history import Operation
from proconsul.testing.kv_calls import kv_request, txn_request, with_rows, with_txn_answer
from proconsul.testing.virtual_loop import VirtualTime

__all__ = ["LOCK_DELAY_S", "NODE", "SimClient", "client"]

# A node without an agent: sessions on it end only by their TTL or by request.
NODE = "external"
LOCK_DELAY_S = 1.0
# Keys that transactions write together are judged together: the fewer, the sooner an order is found.
REGISTERS, TREE = ("r0", "r1", "r2"), ("t/a", "t/b", "u/a")
LOCKS, DELETED_LOCKS = (f"{LOCK_PREFIX}0", f"{LOCK_PREFIX}1"), ("dlock/0",)
# Written in transactions that hold a lock.
GUARDED = ("guarded",)
# Of these other servers answer false, and the HTTP routes true.
_UNCONDITIONAL = ("set", "delete", "delete-tree")
# Errors after which the request has certainly not been carried out.
_NOT_DONE = (str(NotLeaderError()), str(LeadershipTransferInProgressError()), str(NoLeader()), GETTING_CLIENT)
# How long a read waits for a change.
WAIT_NS = SECOND_NS // 2


def not_done(error: BaseException) -> bool:
    """Whether ``error`` says that nothing was or will be done."""
    return any(text in str(error) for text in _NOT_DONE)


class AskedCluster(Protocol):
    """The cluster as its clients see it."""

    rng: Random
    time: VirtualTime
    datacenter: str
    watch: ClusterWatch
    history: list[Operation | None]
    busy: bool
    pace_s: float
    rewinds: bool

    def next_name(self, prefix: str) -> str: ...

    def trace(self, who: str, text: str) -> None: ...


class AskedProcess(WatchedProcess, Protocol):
    """A process as its clients see it."""

    @property
    def alive(self) -> bool: ...

    @property
    def cluster(self) -> AskedCluster: ...


async def client(process: AskedProcess) -> None:
    """Ask one thing after the other until the end."""
    one = SimClient(process)
    while process.cluster.busy:
        await asyncio.sleep(process.cluster.rng.expovariate(1 / process.cluster.pace_s))
        await one.act()


class SimClient:
    """One connection to one server."""

    def __init__(self, process: AskedProcess, asked: AskedCluster | None = None) -> None:
        """``asked``: the cluster whose state it is about, that of another datacenter or the server's own."""
        assert process.server is not None
        self.cluster, self.process, self.server = asked or process.cluster, process, process.server
        self.abroad = self.cluster is not process.cluster
        self.rng = self.cluster.rng
        self.name = self.cluster.next_name("c")
        self.sessions: dict[str, Session] = {}
        # The newest index seen of each key, for conditional writes.
        self.seen: dict[str, int] = {}

    # ------------------------------------------------------------------ one operation

    async def act(self) -> None:
        """Something random."""
        choice = self.rng.random()
        if choice < 0.20:
            await self.read(self.rng.choice((*REGISTERS, *TREE, *LOCKS, *DELETED_LOCKS, *GUARDED)))
        elif choice < 0.28:
            await self.read_txn()
        elif choice < 0.55:
            await self.write(self.register_write())
        elif choice < 0.65:
            await self.txn()
        elif not self.sessions or choice < 0.70:
            await self.create_session()
        elif choice < 0.80:
            await self.renew(self.rng.choice(list(self.sessions)))
        elif choice < 0.83:
            await self.destroy(self.rng.choice(list(self.sessions)))
        else:
            await self.write(self.lock_write())

    def value(self) -> str:
        """Mostly one that nobody else writes."""
        return "same" if self.rng.random() < 0.1 else self.cluster.next_name("v")

    def register_write(self, keys: tuple[str, ...] = (), *, in_txn: bool = False) -> Operation:
        """A write to one of ``keys``, or to a tree."""
        rng = self.rng
        keys = keys or rng.choice((REGISTERS, REGISTERS, TREE))
        kind = rng.choice(("set", "set", "cas", "cas", "delete", "delete-cas"))
        if keys is TREE and rng.random() < 0.15:
            return Operation("" if in_txn else self.name, "delete-tree", key=rng.choice(("t/", "u/")))
        key = rng.choice(keys)
        index = self.seen.get(key, 0) if "cas" in kind and rng.random() < 0.9 else 0
        value = self.value() if kind in ("set", "cas") else ""
        return Operation("" if in_txn else self.name, kind, key=key, value=value, index=index)

    def lock_write(self, *, in_txn: bool = False) -> Operation:
        session = self.rng.choice(list(self.sessions))
        deletes = self.sessions[session].Behavior == BEHAVIOR_DELETE
        key = self.rng.choice(DELETED_LOCKS if deletes else LOCKS)
        kind = self.rng.choice(("lock", "lock", "unlock"))
        return Operation("" if in_txn else self.name, kind, key=key, value=self.value(), session=session)

    # ------------------------------------------------------------------ asking

    async def ask(self, operation: Operation, work: Any, finish: Any) -> None:
        """Have it done; the history knows of it from its begin."""
        cluster = self.cluster
        at = len(cluster.history)
        operation = msgspec.structs.replace(operation, invoked=cluster.time.now)
        cluster.history.append(operation)
        try:
            result = work()
            result = await result if isinstance(result, asyncio.Future) else result
        except (ConsulError, RaftError) as error:
            cluster.trace(self.name, f"{operation} -> {error!r}")
            if "invalid session" in str(error):
                cluster.history[at] = msgspec.structs.replace(operation, done=False, returned=cluster.time.now)
            elif not_done(error):
                cluster.history[at] = None
            return
        if self.process.alive:
            answered = finish(operation, result)
            cluster.history[at] = answered = msgspec.structs.replace(answered, returned=cluster.time.now)
            cluster.trace(self.process.name, str(answered))

    async def write(self, operation: Operation) -> None:
        """A single write."""
        await self.ask(
            operation, lambda: self.written(KV_APPLY, kv_request(operation)),
            lambda asked, result: msgspec.structs.replace(
                asked, done=result is not False or asked.kind in _UNCONDITIONAL
            ),
        )  # fmt: skip

    async def txn(self) -> None:
        """Several at once."""
        keys = self.rng.choice((REGISTERS, TREE))
        steps = [self.register_write(keys, in_txn=True) for _ in range(self.rng.randint(1, 3))]
        if self.sessions and self.rng.random() < 0.4:
            lock = self.lock_write(in_txn=True)
            # What a sequencer is for: to do something only while the lock is held.
            check = msgspec.structs.replace(lock, kind="check-session", value="")
            steps = [self.rng.choice((lock, check)), self.register_write(GUARDED, in_txn=True)]
        elif self.rng.random() < 0.3:
            steps.append(Operation("", "get", key=self.rng.choice(keys)))
        operation = Operation(self.name, "txn", steps=tuple(steps))
        await self.ask(operation, lambda: self.written(TXN_APPLY, txn_request(operation)), with_txn_answer)

    # ------------------------------------------------------------------ reads

    async def read(self, key: str, consistency: str = "") -> None:
        """One key, or a tree, with any consistency."""
        rng = self.rng
        consistency = consistency or rng.choice(("consistent", "consistent", "leader", "stale"))
        tree = key in TREE and rng.random() < 0.5
        name = key[:2] if tree else key
        kvs = self.server.endpoint(KVS)
        read = kvs.list(KeyRequest(Key=name)) if tree else kvs.get(KeyRequest(Key=name))
        if consistency != "stale":
            operation = Operation(self.name, "get-tree" if tree else "get", key=name)
            finish = self.remember
            # One of eight waits for what is newer than what it has seen; it is a read of the moment of its answer.
            min_index = self.seen.get(key, 0) if rng.random() < 0.125 else 0
            work = partial(self.value_of, read, consistency, min_index)
            await self.ask(operation, lambda: asyncio.ensure_future(work()), finish)
            return
        try:
            here, value = await self.value_of(read, consistency)
        except (ConsulError, RaftError):
            return
        if self.process.alive and not tree and not self.cluster.rewinds and not self.abroad:
            self.cluster.watch.read(self.process, key, value, here=here)

    async def read_txn(self) -> None:
        """A transaction that only reads, with any consistency."""
        rng = self.rng
        consistency = rng.choice(("consistent", "leader", "leader", "stale"))
        keys = rng.choice((REGISTERS, TREE))
        steps = [Operation("", rng.choice(("get", "check-not-exists")), key=key) for key in rng.sample(keys, 2)]
        operation = Operation(self.name, "txn", steps=tuple(steps))
        read = self.server.endpoint(Txn).read(TxnReadRequest(Ops=txn_request(operation).Ops))
        if consistency == "stale":
            with contextlib.suppress(ConsulError, RaftError):
                await self.value_of(read, consistency)
            return

        def answered(asked: Operation, found: tuple[bool, Any]) -> Operation:
            return with_txn_answer(asked, found[1])

        await self.ask(operation, lambda: asyncio.ensure_future(self.value_of(read, consistency)), answered)

    def visit(self) -> None:
        """Ask from outside: the question lies at the server, which may stand still, and is the first that it reads."""
        key = self.rng.choice((*REGISTERS, *TREE))
        kind = self.rng.choice(("get", "txn"))
        asked = Operation(self.name, "get", key=key)
        if kind == "txn":
            asked = Operation(self.name, "txn", steps=(Operation("", "get", key=key),))
            read = self.server.endpoint(Txn).read(TxnReadRequest(Ops=txn_request(asked).Ops))
        else:
            read = self.server.endpoint(KVS).get(KeyRequest(Key=key))
        at = len(self.cluster.history)
        asked = msgspec.structs.replace(asked, invoked=self.cluster.time.now)
        self.cluster.history.append(asked)
        self.process.loop.call_soon(self._visited, at, asked, read)

    def _visited(self, at: int, asked: Operation, read: Read) -> None:
        found = self.server.gate.now(read, PLAIN)
        if found is not None:
            self._told(at, asked, found.value)
        else:
            self.process.loop.create_task(self._forwarded(at, asked, read))

    async def _forwarded(self, at: int, asked: Operation, read: Read) -> None:
        with contextlib.suppress(ConsulError, RaftError):
            self._told(at, asked, (await self.value_of(read, "leader"))[1])

    def _told(self, at: int, asked: Operation, value: Any) -> None:
        if not self.process.alive:
            return
        if asked.kind == "txn":
            asked = with_txn_answer(asked, value)
        else:
            asked = with_rows(asked, [value] if value is not None else [])
        self.cluster.history[at] = asked = msgspec.structs.replace(asked, returned=self.cluster.time.now)
        self.cluster.trace(self.process.name, str(asked))

    def remember(self, operation: Operation, found: tuple[bool, Any]) -> Operation:
        """The answer to a read of what is newest."""
        value: Any = found[1]
        entries: list[DirEntry] = value if operation.kind == "get-tree" else [value] if value is not None else []
        for entry in entries:
            self.seen[entry.Key] = entry.ModifyIndex
        return with_rows(operation, entries)

    async def value_of(self, read: Read, consistency: str, min_index: int = 0) -> tuple[bool, Any]:
        """Whether our server answered itself, and the value, newer than ``min_index`` if that comes to pass in time.

        Raises ConsulError or RaftError.
        """
        options = PLAIN._replace(consistency=consistency, min_index=min_index, wait_ns=WAIT_NS)
        found = await self.server.gate.found(read, options, datacenter=self.cluster.datacenter)
        return found.reply is None, found.value

    def written(self, method: WriteMethod, request: Any) -> asyncio.Future[Any]:
        request = replace(request, Datacenter=self.cluster.datacenter)
        return asyncio.ensure_future(self.server.gate.written(method, request))

    # ------------------------------------------------------------------ sessions

    async def create_session(self) -> None:
        """A session with any behavior, most of them with a TTL."""
        rng = self.rng
        session = Session(
            Node=NODE, TTL=rng.choice(("", "1s", "2s", "2s")), LockDelay=rng.choice((0, int(LOCK_DELAY_S * SECOND_NS))),
            Behavior=rng.choice((BEHAVIOR_RELEASE, BEHAVIOR_RELEASE, BEHAVIOR_DELETE)),
        )  # fmt: skip
        operation = Operation(
            self.name, "session-create", deletes=session.Behavior == BEHAVIOR_DELETE, delays=session.LockDelay > 0
        )

        def created(asked: Operation, session_id: str) -> Operation:
            self.sessions[session_id] = session
            return msgspec.structs.replace(asked, done=True, session=session_id)

        request = SessionRequest(Datacenter=self.cluster.datacenter, Op=CREATE, Session=session, Token="client")
        await self.ask(operation, lambda: self.written(SESSION_APPLY, request), created)

    async def renew(self, session_id: str) -> None:
        """Keep a session; of one that is gone nothing is known any more."""
        request = SessionSpecificRequest(Datacenter=self.cluster.datacenter, SessionID=session_id, Session=session_id)
        try:
            found = await self.server.gate.written(SESSION_RENEW, request)
        except (ConsulError, RaftError):
            return
        if isinstance(found, list) and not found:
            self.sessions.pop(session_id, None)

    async def destroy(self, session_id: str) -> None:
        """End a session."""
        self.sessions.pop(session_id, None)
        request = SessionRequest(
            Datacenter=self.cluster.datacenter, Op=DESTROY, Session=Session(ID=session_id), Token="client"
        )
        await self.ask(
            Operation(self.name, "session-destroy", session=session_id),
            lambda: self.written(SESSION_APPLY, request),
            lambda asked, _: msgspec.structs.replace(asked, done=True),
        )  # fmt: skip
