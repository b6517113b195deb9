"""The network between simulated servers: Raft's messages and calls, lost, late, twice, out of order, or cut off.

One-way links between server ids may be cut. A call that is not answered ends as it does on TCP: no connection, a lost
connection or a time-out; each carries its request and its answer as encoded bytes through the real method table.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from random import Random
from typing import Any, Protocol, TypeVar

from proconsul.engine.gossip.member import Member
from proconsul.engine.raft.configuration import Server
from proconsul.engine.raft.errors import RaftError, TransportError
from proconsul.engine.raft.messages import Request, Response
from proconsul.engine.raft.transport import Body, Done, Handler
from proconsul.engine.rpc.codec import EMPTY, Message
from proconsul.engine.rpc.dial import Streams, Tls
from proconsul.engine.rpc.errors import GETTING_CLIENT, ConnectionFailed, ConnectionLost, RpcError, RpcTimeout
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.rpc.server import RpcServer, encode_body
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import decode, encode
from proconsul.features.errors import ConsulError
from proconsul.server.network import Served, ServerNetwork
from proconsul.server.service import register
from proconsul.testing.raft_server import Faults
from proconsul.testing.virtual_loop import VirtualLoop, VirtualTime

__all__ = ["Links", "SimNetwork", "SimPool"]

T = TypeVar("T")

# How long a sender of Raft's waits for an answer that will not come, and a dialler for a connection.
RAFT_TIMEOUT_S = 2.0
DIAL_TIMEOUT_S = 1.0
# Up to this much later a caller is told that the process it called has ended.
LOOK_S = 0.3


class LinkedProcess(Protocol):
    """A process of a simulated cluster as the network and gossip see it."""

    id: str
    address: str
    name: str
    loop: VirtualLoop
    members: dict[str, Member]
    leaving: bool
    network: SimNetwork | None

    @property
    def alive(self) -> bool: ...

    @property
    def transport(self) -> SimTransport | None: ...

    def may_die(self, weight: float = 1.0) -> None: ...

    def set_member(self, member: Member) -> None: ...


class Links:
    """Who reaches whom, and how."""

    def __init__(self, time: VirtualTime, rng: Random, faults: Faults, *, in_order: bool) -> None:
        self.time, self.rng, self.faults, self.in_order = time, rng, faults, in_order
        self.cut: set[tuple[str, str]] = set()
        self.processes: dict[str, LinkedProcess] = {}
        self._last: dict[tuple[str, str], float] = {}

    def process_at(self, address: str) -> LinkedProcess | None:
        """Who listens there."""
        for process in self.processes.values():
            if process.alive and process.address == address:
                return process
        return None

    def carry(self, source: str, target: str, action: Callable[[], None], *, copies: bool = False) -> bool:
        """Have ``action`` happen when a message from ``source`` has come to ``target``. False when it is lost."""
        rng, faults = self.rng, self.faults
        arrived = False
        for _ in range(2 if copies and rng.random() < faults.duplicate else 1):
            if (source, target) not in self.cut and rng.random() >= faults.loss:
                arrived = True
                self.time.at(self._delay(source, target), action)
        return arrived

    def _delay(self, source: str, target: str) -> float:
        slow = 30 if self.faults.loss and self.rng.random() < 0.01 else 1
        delay = self.rng.expovariate(1 / self.faults.delay_s) * slow
        if not self.in_order:
            return delay
        arrival = max(self.time.now + delay, self._last.get((source, target), 0.0))
        self._last[source, target] = arrival
        return arrival - self.time.now

    def reaches(self, source: str, target: str) -> bool:
        """Whether gossip would get from one to the other."""
        process = self.processes.get(target)
        return process is not None and process.alive and (source, target) not in self.cut


class SimTransport:
    """Raft's `Transport` of one process."""

    def __init__(self, links: Links, process: LinkedProcess) -> None:
        self._links, self._process = links, process
        self._handler: Handler | None = None

    def set_handler(self, handler: Handler) -> None:
        self._handler = handler

    async def close(self) -> None:
        self._handler = None

    def send(self, target: Server, request: Request, body: Body | None, done: Done) -> None:
        process = self._process
        process.may_die()
        ended = [False]
        reading: list[asyncio.Task[None]] = []

        def end(result: Response | TransportError) -> None:
            if process.alive and not ended[0]:
                ended[0] = True
                for task in reading:
                    task.cancel()  # who is told the end closes what is read here
                process.loop.call_soon(done, result)

        process.loop.call_later(RAFT_TIMEOUT_S, end, TransportError("i/o timeout"))
        if body is None:
            self._transmit(target.id, request, None, end)
        else:
            reading.append(process.loop.create_task(self._read(target.id, request, body, end)))
        process.may_die()

    async def _read(self, target: str, request: Request, body: Body, end: Done) -> None:
        self._transmit(target, request, [piece async for piece in body], end)

    def _transmit(self, target: str, request: Request, body: list[bytes] | None, end: Done) -> None:
        source = self._process.id

        def arrive() -> None:
            peer = self._links.processes.get(target)
            transport = peer.transport if peer is not None and peer.alive else None
            if peer is None or transport is None or transport._handler is None:
                self._links.carry(target, source, lambda: end(TransportError("connection refused")))
                return
            peer.loop.call_soon(transport._handle, source, request, body, end)

        self._links.carry(source, target, arrive, copies=body is None)

    def _handle(self, source: str, request: Request, body: list[bytes] | None, end: Done) -> None:
        process = self._process

        def respond(response: Response, error: str) -> None:
            process.may_die()
            if process.alive:
                result = TransportError(error) if error else response
                self._links.carry(process.id, source, lambda: end(result))
            process.may_die()

        if self._handler is not None:
            self._handler(request, None if body is None else _pieces(body), respond)


async def _pieces(body: list[bytes]) -> AsyncIterator[bytes]:
    for piece in body:
        yield piece


class SimPool(ConnectionPool):
    """Calls of one process to others."""

    def __init__(self, links: Links, process: LinkedProcess) -> None:
        super().__init__()
        self._links, self._process = links, process

    async def call(
        self, address: Address, method: str, request: Any, reply_type: type[T], *, timeout_s: float,
        tls: Tls | None = None,
    ) -> T:  # fmt: skip
        process, loop = self._process, asyncio.get_running_loop()
        process.may_die()
        outcome: asyncio.Future[bytes] = loop.create_future()

        def end(reply: bytes | Exception) -> None:
            if process.alive:
                process.loop.call_soon(_complete, outcome, reply)

        expiry = loop.call_later(timeout_s, _complete, outcome, RpcTimeout("i/o deadline reached"))
        body = EMPTY if request is None else encode(request)
        self._send(f"{address.host}:{address.port}", Message(method, 0, "", body), end, outcome.done)
        try:
            return decode(reply_type, await outcome)
        finally:
            expiry.cancel()

    async def _streams(self, address: Address, first: object, tls: Tls | None) -> Streams:
        raise ConnectionFailed(GETTING_CLIENT + "simulated servers have no streams")

    def _send(
        self, address: str, message: Message, end: Callable[[bytes | Exception], None], over: Callable[[], bool]
    ) -> None:  # fmt: skip
        """``over``: whether nobody waits for the answer any more."""
        links, source = self._links, self._process.id
        peer = links.process_at(address)
        broken = links.rng.random() * 3
        if peer is None or (source, peer.id) in links.cut or (peer.id, source) in links.cut:
            failure = ConnectionFailed(GETTING_CLIENT + "connection refused")
            links.time.at(broken / 3 * DIAL_TIMEOUT_S, lambda: end(failure))
            return
        network = peer.network

        def arrive() -> None:
            if peer.alive and network is not None:
                peer.loop.call_soon(network.handle, source, message, end)
            else:
                end(ConnectionLost("EOF"))

        def look() -> None:
            """The kernel of a machine whose process has ended says so."""
            if not peer.alive:
                end(ConnectionLost("EOF"))
            elif not over():
                links.time.at(LOOK_S, look)

        if links.carry(source, peer.id, arrive):
            links.time.at(LOOK_S, look)
        else:
            links.time.at(broken, lambda: end(ConnectionLost("EOF")))


def _complete(future: asyncio.Future[bytes], outcome: bytes | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


class SimNetwork(ServerNetwork):
    """A server's network: its transport, its calls, and the methods it serves."""

    def __init__(self, server: Served, pool: ConnectionPool, links: Links, process: LinkedProcess) -> None:
        self._links, self._process, self.pool = links, process, pool
        self.transport = SimTransport(links, process)  # type: ignore[assignment]
        self.rpc = RpcServer((ConsulError, RaftError))
        self._server = server

    async def listen(self, address: Address) -> None:
        register(self._server, self.rpc)
        self._process.network = self

    async def close(self) -> None:
        self._process.network = None

    def handle(self, source: str, message: Message, end: Callable[[bytes | Exception], None]) -> None:
        """A call has arrived."""
        process = self._process
        process.may_die()

        def answer(reply: bytes | Exception) -> None:
            process.may_die()
            if process.alive and not self._links.carry(process.id, source, lambda: end(reply)):
                self._links.time.at(self._links.rng.random() * 3, lambda: end(ConnectionLost("EOF")))

        try:
            found = self.rpc.begin(message)
        except Exception as error:
            answer(RpcError(self.rpc.error_text(message.method, error)))
            return
        if isinstance(found, bytes):
            answer(found)
        else:
            asyncio.ensure_future(found).add_done_callback(partial(self._finish, message.method, answer))

    def _finish(self, method: str, answer: Callable[[bytes | Exception], None], done: asyncio.Future[Any]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        answer(encode_body(done.result()) if error is None else RpcError(self.rpc.error_text(method, error)))
