"""The RPC methods of a server, put on its RPC port (RPC reference, methods)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from proconsul.engine.completion import Mapped
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.rpc.server import RpcServer
from proconsul.engine.wire.record import Record, replace
from proconsul.features.gate import Found
from proconsul.features.options import Options
from proconsul.features.server import CallMethod, ReadMethod, WriteMethod
from proconsul.server.gate import Gate
from proconsul.server.stats import ServerStats

# An idle leader is heard at least once in this time.
LOOK_S = 0.1


class Nothing(Record, frozen=True):
    """No arguments."""


class RpcHost(Protocol):
    """The server behind the port."""

    gate: Gate
    clock: Callable[[], float]

    @property
    def raft(self) -> RaftNode: ...

    def raft_stats(self) -> ServerStats: ...


def register(server: RpcHost, rpc: RpcServer) -> None:
    """Answer on ``rpc`` what the gate of ``server`` knows, and what is of this port alone."""
    gate, doors = server.gate, _Doors(server.gate)
    for method in gate.methods:
        rpc.register(method.name, method.request, doors.of(method))
    rpc.register("Status.Ping", Nothing, lambda _: None)
    rpc.register("Status.RaftStats", Nothing, lambda _: _stats_of(server))


class _Doors:
    """How the methods of the gate look on this port."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def of(self, method: ReadMethod | WriteMethod | CallMethod) -> Callable[[Any], Any]:
        if isinstance(method, ReadMethod):
            return partial(self._read, method)
        if isinstance(method, WriteMethod):
            return partial(self._write, method)
        return partial(self._gate.call, method)

    def _write(self, method: WriteMethod, args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._gate.write(Mapped(future, partial(_reply, method)), method, args)
        return future

    def _read(self, method: ReadMethod, args: Any) -> Any:
        gate = self._gate
        level = "stale" if args.AllowStale else "consistent" if args.RequireConsistent else "leader"
        options = Options(args.MinQueryIndex, args.MaxQueryTime, level, False, "")
        read = gate.reading(method, args)
        found = gate.now(read, options, args.Token, args.Datacenter)
        if found is not None:
            return _shown(method, found)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        pending = gate.begin(Mapped(future, partial(_shown, method)), read, options, args.Token, args.Datacenter)
        future.add_done_callback(lambda future: pending.cancel() if future.cancelled() else None)
        return future


def _shown(method: ReadMethod, found: Found) -> Any:
    """The reply to a read; another server's is passed on."""
    if found.reply is not None:
        return found.reply
    if not method.field and not method.indexed:
        return found.value
    meta: dict[str, Any] = {
        "Index": found.last_index, "LastContact": found.last_contact_ns, "KnownLeader": found.known_leader,
        "ResultsFilteredByACLs": found.filtered,
    }  # fmt: skip
    if method.indexed:
        return replace(found.value, **meta)
    return method.reply(**meta, **{method.field: method.to_field(found.value)})


def _reply(method: WriteMethod, result: Any) -> Any:
    return None if method.reply is None else method.to_reply(result)


async def _stats_of(server: RpcHost) -> ServerStats:
    """As ``raft_stats``, for a leader that asks.

    A process that had no turn for a moment may read the question before what its leader sent earlier, on another
    connection. Unhealthy is who hears nothing, not who has not looked: so it looks first.
    """
    until = server.clock() + LOOK_S
    while (server.raft.last_contact or 0.0) > LOOK_S and server.clock() < until:
        await asyncio.sleep(LOOK_S / 10)
    return server.raft_stats()
