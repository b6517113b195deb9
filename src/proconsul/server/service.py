"""The RPC methods of a server, put on its RPC port (RPC reference, methods)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from proconsul.engine.rpc.server import RpcServer
from proconsul.engine.store.view import View
from proconsul.engine.wire.record import Record
from proconsul.features.base import (
    JITTER_FRACTION,
    SECOND_NS,
    DCSpecificRequest,
    QueryMeta,
    QueryOptions,
    query_time_ns,
)
from proconsul.features.errors import ConsulError, NoPathToDatacenter
from proconsul.features.operator.model import KeyringRequest
from proconsul.features.server import Read, ReadMethod, WriteMethod

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


class Service:
    """Registers everything that ``server`` answers on ``rpc``."""

    def __init__(self, server: ConsulServer, rpc: RpcServer) -> None:
        self._server = server
        # Only spreads time-outs.
        self._jitter = random.Random()
        for room in server.rooms():
            for read, make in getattr(room, "reads", {}).items():
                rpc.register(read.name, read.request, self._reader(read, make))
            for write, do in room.writes.items() if hasattr(room, "writes") else ():
                rpc.register(write.name, write.request, self._writer(write, do))
        rpc.register("Status.Ping", Nothing, lambda _: None)
        rpc.register("Status.Leader", DCSpecificRequest, lambda _: server.leader_address())
        rpc.register("Status.Peers", DCSpecificRequest, lambda _: server.peers())
        rpc.register("Status.RaftStats", Nothing, lambda _: _stats_of(server))
        rpc.register("Catalog.ListDatacenters", DCSpecificRequest, lambda _: server.catalog.list_datacenters())
        server.operating.register(rpc)
        rpc.register("Internal.EventFire", EventFireRequest, self._fire)
        rpc.register("Internal.KeyringOperation", KeyringRequest, lambda args: server.operate_keys(args))

    def _fire(self, args: EventFireRequest) -> QueryMeta:
        self._require_known(args)
        self._server.fire_event(args.Name, args.Payload)
        return QueryMeta(KnownLeader=True)

    # ------------------------------------------------------------------ writes

    def _writer(self, method: WriteMethod, do: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def handle(args: Any) -> Any:
            self._require_known(args)
            result = do(args)
            if isinstance(result, asyncio.Future):
                return self._written(method, result)
            return _reply(method, result)

        return handle

    async def _written(self, method: WriteMethod, future: asyncio.Future[Any]) -> Any:
        result = await future
        if isinstance(result, BaseException):
            raise result
        return _reply(method, result)

    def _require_known(self, args: Any) -> None:
        datacenter = getattr(args, "Datacenter", "")
        if datacenter and datacenter != self._server.datacenter:
            raise NoPathToDatacenter()

    # ------------------------------------------------------------------ reads

    def _reader(self, method: ReadMethod, make: Callable[[Any], Read]) -> Callable[[Any], Any]:
        server = self._server

        def handle(args: Any) -> Any:
            self._require_known(args)
            consistency = "stale" if args.AllowStale else "consistent" if args.RequireConsistent else "leader"
            if not server.answers(consistency):
                return self._elsewhere(method, make, args, consistency)
            return self._here(method, make(args), args)

        return handle

    async def _elsewhere(
        self, method: ReadMethod, make: Callable[[Any], Read], args: Any, consistency: str
    ) -> Any:
        if not await self._server.may_answer(consistency):
            reply = await self._server.ask(method, args)
            if reply is not None:
                return reply
        found = self._here(method, make(args), args)
        return await found if isinstance(found, asyncio.Future) else found

    def _here(self, method: ReadMethod, read: Read, args: Any) -> Any:
        """The reply from our own state: at once, or a future when it has to wait for a change."""
        if not read.shared and (not args.MinQueryIndex or not read.waits):
            index, value = read.run(None)  # type: ignore[arg-type]
            return self._reply(method, index, value)
        views = self._server.views
        view = views.get(read.key, read.run)
        if not args.MinQueryIndex or view.index > args.MinQueryIndex:
            return self._reply(method, view.index, view.value)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def changed(view: View) -> None:
            if future.done():
                return
            try:
                if view.error is not None:
                    raise view.error
                future.set_result(self._reply(method, view.index, view.value))
            except Exception as error:
                future.set_exception(error)

        def expired() -> None:
            view.reread()
            changed(view)

        waiter = views.wait(view, args.MinQueryIndex, changed)
        timer = loop.call_later(self._wait_s(args.MaxQueryTime), expired)

        def over(_: asyncio.Future[Any]) -> None:
            timer.cancel()
            waiter.cancel()

        future.add_done_callback(over)
        return future

    def _wait_s(self, wait_ns: int) -> float:
        return query_time_ns(wait_ns) * (1 + self._jitter.random() / JITTER_FRACTION) / SECOND_NS

    def _reply(self, method: ReadMethod, index: int, value: Any) -> Any:
        server = self._server
        if not method.field:
            return value
        return method.reply(
            Index=max(index, 1), LastContact=server.last_contact_ms() * 1_000_000, KnownLeader=server.known_leader(),
            **{method.field: method.to_field(value)},
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
