"""The RPC methods of a server, put on its RPC port (RPC reference, methods)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from proconsul.engine.rpc.server import RpcServer
from proconsul.engine.wire.record import Record
from proconsul.features.base import DCSpecificRequest, QueryMeta, QueryOptions
from proconsul.features.errors import ConsulError
from proconsul.features.gate import Found
from proconsul.features.operator.model import KeyringRequest
from proconsul.features.options import Options
from proconsul.features.server import CallMethod, ReadMethod, WriteMethod
from proconsul.server.gate import Gate

if TYPE_CHECKING:
    from proconsul.server.server import ConsulServer

# An idle leader is heard at least once in this time.
LOOK_S = 0.1


class Nothing(Record, frozen=True):
    """No arguments."""


class EventFireRequest(QueryOptions, frozen=True, kw_only=True):
    """``Payload``: the event as it travels in the pool."""

    Datacenter: str = ""
    Name: str = ""
    Payload: bytes = b""


class ServerStats(Record, frozen=True):
    """What autopilot asks a server; ``LastContact`` is a duration, ``never`` or ``0``."""

    LastContact: str = ""
    LastTerm: int = 0
    LastIndex: int = 0


def register(server: ConsulServer, rpc: RpcServer) -> None:
    """Answer on ``rpc`` what the gate of ``server`` knows, and what is of this port alone."""
    gate, doors = server.gate, _Doors(server.gate)
    for method in gate.methods:
        rpc.register(method.name, method.request, doors.of(method))
    rpc.register("Status.Ping", Nothing, lambda _: None)
    rpc.register("Status.Leader", DCSpecificRequest, lambda _: server.leader_address())
    rpc.register("Status.Peers", DCSpecificRequest, lambda _: server.peers())
    rpc.register("Status.RaftStats", Nothing, lambda _: _stats_of(server))
    rpc.register("Catalog.ListDatacenters", DCSpecificRequest, lambda _: server.catalog.list_datacenters())
    rpc.register("Internal.KeyringOperation", KeyringRequest, server.operate_keys_for)

    def fire(args: EventFireRequest) -> QueryMeta:
        gate.route(args.Datacenter)
        server.fire_event_for(args.Token, args.Name, args.Payload)
        return QueryMeta(KnownLeader=True)

    rpc.register("Internal.EventFire", EventFireRequest, fire)


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
        answer = _Answer(lambda result: _reply(method, result))
        self._gate.write(answer, method, args)
        return answer.future

    def _read(self, method: ReadMethod, args: Any) -> Any:
        gate = self._gate
        level = "stale" if args.AllowStale else "consistent" if args.RequireConsistent else "leader"
        options = Options(args.MinQueryIndex, args.MaxQueryTime, level, False, "")
        read = gate.reading(method, args)
        found = gate.now(read, options, args.Token, args.Datacenter)
        if found is not None:
            return _shown(method, found)
        answer = _Answer(lambda found: _shown(method, found))
        pending = gate.begin(answer, read, options, args.Token, args.Datacenter)
        answer.future.add_done_callback(lambda future: pending.cancel() if future.cancelled() else None)
        return answer.future


class _Answer:
    """A future told what ``make`` makes of a result; refusals of the state machine are results, too."""

    __slots__ = ("_make", "future")

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(self) -> bool:
        return self.future.done()

    def set_result(self, result: Any) -> None:
        try:
            made = self._make(result)
        except Exception as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(made)

    def set_exception(self, error: Exception) -> None:
        self.future.set_exception(error)


def _shown(method: ReadMethod, found: Found) -> Any:
    """The reply to a read; another server's is passed on."""
    if found.reply is not None:
        return found.reply
    if not method.field:
        return found.value
    return method.reply(
        Index=found.last_index, LastContact=found.last_contact_ns, KnownLeader=found.known_leader,
        **{method.field: method.to_field(found.value)},
    )  # fmt: skip


def _reply(method: WriteMethod, result: Any) -> Any:
    if isinstance(result, ConsulError):
        raise result
    return None if method.reply is None else method.to_reply(result)


async def _stats_of(server: ConsulServer) -> ServerStats:
    """As `ConsulServer.raft_stats`, for a leader that asks.

    A process that had no turn for a moment may read the question before what its leader sent earlier, on another
    connection. Unhealthy is who hears nothing, not who has not looked: so it looks first.
    """
    until = server.clock() + LOOK_S
    while (server.raft.last_contact or 0.0) > LOOK_S and server.clock() < until:
        await asyncio.sleep(LOOK_S / 10)
    return server.raft_stats()
