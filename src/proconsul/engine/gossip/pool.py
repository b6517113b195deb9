"""The driver of a gossip pool: one UDP and one TCP socket, the clock, and the cores between them.

Everything that decides is in `Swim` and `Serf`; here packets are read and written, streams are dialled and served, and
the effects of every step are carried out before the next one begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.codec import GossipError
from proconsul.engine.gossip.config import SwimConfig
from proconsul.engine.gossip.delegate import NodeRefused
from proconsul.engine.gossip.effects import Log, SendPacket, StartPushPull, StreamPing
from proconsul.engine.gossip.intake import Intake
from proconsul.engine.gossip.messages import Ack, Error, Kind, Ping, PushNode
from proconsul.engine.gossip.packet import COMPOUND_OVERHEAD, PACKET_BYTES_MAX, Dropped, PacketCodec
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_effects import Effect
from proconsul.engine.gossip.stream import HEAVY_BYTES, Payload, StreamCodec, StreamError, encode_push_pull
from proconsul.engine.gossip.stream import PushPull as Exchanged
from proconsul.engine.gossip.swim import Swim
from proconsul.engine.streams import listener, put
from proconsul.engine.wire.goerrors import dial_error, listening
from proconsul.engine.wire.hostport import Address

# Datagrams read before the loop may do something else: about 5 ms of work.
BATCH_MAX = 64
# The largest datagram there is.
DATAGRAM_BYTES_MAX = 65_535
# Bursts of gossip wait in the kernel; as much as memberlist asks for.
RECEIVE_BUFFER_BYTES = 2 << 20
# Full exchanges served at a time, as in the original: each may hold 20 MiB.
EXCHANGES_MAX = 128
# Connections the kernel keeps for us until we look, as Go has it keep: a pool that restarts joins all at once.
BACKLOG = 4096
# Nodes merged before the loop may do something else.
SLICE_NODES = 200
READ_BYTES = 64 << 10

Clock = Callable[[], float]


class PoolLogs(NamedTuple):
    """Where the two layers write."""

    memberlist: logging.Logger
    serf: logging.Logger


class JoinError(Exception):
    """Nobody of those asked let us in; ``errors`` says why, each in its turn."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)


class BindError(OSError):
    """We cannot listen where we should; the text is memberlist's, with Go's words for the error."""

    def __init__(self, network: str, bind: Address, error: OSError) -> None:
        super().__init__(f'Failed to start {network.upper()} listener on "{bind.host}" port {bind.port}: {error}')


class GossipPool:
    """A member of a pool on the network. ``on_effect`` gets serf's effects: changed members, events, queries."""

    def __init__(
        self, name: str, bind: Address, advertise: Address, config: SwimConfig, serf: Serf, *,
        packets: PacketCodec, streams: StreamCodec, on_effect: Callable[[Effect], None], logs: PoolLogs,
        rng: random.Random, clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self.bind = bind
        self.serf = serf
        overhead = PACKET_BYTES_MAX - packets.budget(0) - COMPOUND_OVERHEAD
        self.swim = Swim(replace(config, packet_overhead_bytes=overhead), name, advertise, serf, rng)
        serf.attach(self.swim)
        self.dropped: Counter[str] = Counter()
        self._packets, self._streams, self._on_effect, self._logs = packets, streams, on_effect, logs
        self._log = logs.memberlist
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._udp: socket.socket | None = None
        self._server: asyncio.AbstractServer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._exchanges = 0
        self._intake: Intake[asyncio.StreamWriter] = Intake()
        self.closed = False

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Bind both sockets and become a member of our own pool. Raises BindError."""
        family = socket.AF_INET6 if ":" in self.bind.host else socket.AF_INET
        try:
            # Nobody is served before there is a pool.
            with listening("tcp", self.bind):
                self._server = await listener(asyncio.start_server(
                    self._serve, self.bind.host, self.bind.port, backlog=BACKLOG, start_serving=False
                ))  # fmt: skip
        except OSError as error:
            raise BindError("tcp", self.bind, error) from None
        self._udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._udp.setblocking(False)
            with contextlib.suppress(OSError):
                self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            with listening("udp", self.bind):
                self._udp.bind(self.bind)
        except OSError as error:
            self._udp.close()
            self._server.close()
            raise BindError("udp", self.bind, error) from None
        self._loop.add_reader(self._udp.fileno(), self._readable)
        self.swim.start(self._clock())
        self.flush_effects()
        await self._server.start_serving()

    async def leave(self) -> None:
        """Go on purpose: say so, and stay long enough to be heard."""
        if self.closed or self.swim.leaving:
            return
        alone = self.swim.alive_count() <= 1
        await self._sent(partial(self.serf.leave, self._clock()))
        await self._sent(partial(self.swim.leave, self._clock()))
        if not alone:
            await asyncio.sleep(self.serf.config.leave_propagate_delay_s)

    async def _sent(self, tell: Callable[[Callable[[], None]], None]) -> None:
        """Have something told, and wait until it was told often enough or nobody can be told."""
        sent = self._loop.create_future()
        tell(lambda: None if sent.done() else sent.set_result(None))
        self.flush_effects()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.serf.config.broadcast_timeout_s):
                await sent

    async def stop(self) -> None:
        """Close the sockets. Others will find out by themselves, unless `leave` told them."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._udp is not None and self._udp.fileno() >= 0:
            self._loop.remove_reader(self._udp.fileno())
            self._udp.close()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------ steps

    def flush_effects(self) -> None:
        """Carry out what the last step asked for, and set the clock for the next one. To be called after every step."""
        swim, serf = self.swim, self.serf
        while swim.effects or serf.effects:
            effects, swim.effects = swim.effects, []
            for effect in effects:
                self._carry_out(effect)
            changes, serf.effects = serf.effects, []
            for change in changes:
                if isinstance(change, Log):
                    getattr(self._logs.serf, change.level)("%s", change.text)
                else:
                    self._on_effect(change)
        if not self.closed:
            self._arm()

    def _arm(self) -> None:
        now = self._clock()
        deadlines = [at for at in (self.swim.next_deadline(now), self.serf.next_deadline()) if at is not None]
        due = min(deadlines, default=None)
        if due is None or (self._armed_for is not None and self._armed_for <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = due
        self._timer = self._loop.call_later(max(due - now, 0.0), self._tick)

    def _tick(self) -> None:
        self._armed_for = None
        # What has arrived is older than what is due: an answer that waits unread is an answer.
        self._read()
        now = self._clock()
        self.swim.tick(now)
        self.serf.tick(now)
        self.flush_effects()

    def _readable(self) -> None:
        self._read()
        self.flush_effects()

    def _read(self) -> None:
        assert self._udp is not None
        receive, swim = self._udp.recvfrom, self.swim
        for _ in range(BATCH_MAX):
            try:
                data, source = receive(DATAGRAM_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP answer to something we sent
                self.dropped[error.__class__.__name__] += 1
                continue
            now = self._clock()
            try:
                opened = self._packets.open(data)
            except Dropped as error:
                self._drop(error, source)
                continue
            if opened.dropped is not None:
                self._drop(opened.dropped, source)
            address = Address(source[0], source[1])
            for message in opened.messages:
                swim.receive(message, address, now)

    def _drop(self, error: Dropped, source: Any) -> None:
        self.dropped[error.reason] += 1
        self._log.error("memberlist: Decrypt packet failed: %s from=%s:%s" if error.reason == "decrypt" else
                        "memberlist: dropped a packet: %s from=%s:%s", error, source[0], source[1])  # fmt: skip

    def _carry_out(self, effect: object) -> None:
        if isinstance(effect, SendPacket):
            self._send(effect)
        elif isinstance(effect, Log):
            getattr(self._log, effect.level)("%s", effect.text)
        elif isinstance(effect, StartPushPull):
            self._start(self._exchange_quietly(effect.to, effect.name))
        elif isinstance(effect, StreamPing):
            self._start(self._stream_ping(effect))

    def _send(self, packet: SendPacket) -> None:
        assert self._udp is not None
        if self._udp.fileno() < 0:
            return
        try:
            self._udp.sendto(self._packets.seal(packet.messages, crc=packet.crc), packet.to)
        except OSError as error:  # full buffer, no route: gossip repeats itself
            self.dropped["send"] += 1
            self._log.debug("memberlist: Failed to send to %s:%s: %s", *packet.to, error)

    def _start(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ streams we dial

    async def join(self, targets: Sequence[Address], *, ignore_old: bool = False) -> int:
        """Exchange states with each of ``targets``; how many let us in. Raises JoinError when none did."""
        joined, errors = 0, []
        # What the pool has seen so far is not for those who join by hand.
        self.serf.joining(ignore_old)
        try:
            for target in targets:
                try:
                    await self._exchange(target, join=True)
                except (OSError, TimeoutError, NodeRefused, GossipError) as error:
                    errors.append(f"Failed to join {target.host}: {dial_error(target, error)}")
                else:
                    joined += 1
        finally:
            self.serf.joining(False)
        if joined:
            self.serf.announce_join(self._clock())
            self.flush_effects()
        elif errors:
            raise JoinError(errors)
        return joined

    async def _exchange_quietly(self, to: Address, name: str) -> None:
        try:
            await self._exchange(to, join=False)
        except (OSError, TimeoutError, NodeRefused, GossipError) as error:
            self._log.warning("memberlist: Push/Pull with %s failed: %s", name, dial_error(to, error))

    async def _exchange(self, to: Address, *, join: bool) -> None:
        """Send our whole view and merge theirs."""
        async with asyncio.timeout(self.swim.config.tcp_timeout_s):
            reader, writer = await asyncio.open_connection(to.host, to.port)
            try:
                await self._write_state(writer, join)
                kind, answer = await self._read_message(reader)
            finally:
                writer.close()
        if isinstance(answer, Error):
            raise StreamError(f"Remote state error: {answer.Error}")
        if not isinstance(answer, Exchanged):
            raise StreamError(f"received invalid msgType ({int(kind)}), expected pushPullMsg (6)")
        await self._merge(answer, join)

    async def _stream_ping(self, effect: StreamPing) -> None:
        """The fallback probe: no more than somebody answering under the right name."""
        answered = False
        try:
            async with asyncio.timeout(max(effect.deadline - self._clock(), 0.0)):
                reader, writer = await asyncio.open_connection(effect.to.host, effect.to.port)
                try:
                    ping = codec.encode(Kind.PING, Ping(SeqNo=effect.number, Node=effect.name))
                    put(writer, self._streams.seal(ping))
                    _, answer = await self._read_message(reader)
                    answered = isinstance(answer, Ack) and answer.SeqNo == effect.number
                finally:
                    writer.close()
        except (OSError, TimeoutError, GossipError):
            return
        self.swim.prober.stream_pinged(effect.number, answered)

    # ------------------------------------------------------------------ streams we serve

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._close_for_room(self._intake.begin(writer))
        try:
            async with asyncio.timeout(self.swim.config.tcp_timeout_s):
                await self._serve_one(reader, writer)
        except (OSError, TimeoutError) as error:
            self._log.debug("memberlist: stream ended: %s", error)
        except asyncio.CancelledError:
            # By `stop`. Python 3.11's server takes a cancelled stream for an error, and says so with a traceback.
            if not self.closed:
                raise
        except (GossipError, NodeRefused) as error:
            self.dropped["stream"] += 1
            self._log.error("memberlist: Failed to read stream: %s from=%s", error, writer.get_extra_info("peername"))
            if isinstance(error, StreamError) and error.answered:
                with contextlib.suppress(OSError):
                    put(writer, self._streams.seal(codec.encode(Kind.ERROR, Error(str(error)))))
                    await writer.drain()
        finally:
            self._intake.end(writer)
            writer.close()

    def _close_for_room(self, stream: asyncio.StreamWriter | None) -> None:
        if stream is None:
            return
        self._intake.end(stream)
        stream.transport.abort()
        self.dropped["stream_room"] += 1
        self._log.warning("memberlist: Too many or too long incoming streams, closed one")

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind, message = await self._read_message(reader, served=writer)
        self._intake.serve(writer)
        if isinstance(message, Exchanged):
            if self._exchanges >= EXCHANGES_MAX:
                self._log.error("memberlist: Too many pending push/pull requests")
                return
            self._exchanges += 1
            try:
                await self._write_state(writer, message.join)
                await self._merge(message, message.join)
            finally:
                self._exchanges -= 1
        elif isinstance(message, Ping):
            if self.swim.prober.answers(message):
                put(writer, self._streams.seal(codec.encode(Kind.ACK, Ack(message.SeqNo))))
                await writer.drain()
        elif isinstance(message, bytes):
            peer = writer.get_extra_info("peername")
            self.serf.user_message(message, Address(peer[0], peer[1]), self._clock())
            self.flush_effects()
        else:
            self._log.error("memberlist: Received invalid msgType (%d)", kind)

    # ------------------------------------------------------------------ full exchange

    async def _read_message(
        self, reader: asyncio.StreamReader, *, served: asyncio.StreamWriter | None = None
    ) -> tuple[Kind, Payload]:
        """One message of a stream: of one that we have dialled, or that others have, with the writer ``served``.

        Raises StreamError, also when the stream ends before the message does.
        """
        parser = self._streams.reader()
        while not parser.is_complete:
            data = await reader.read(READ_BYTES)
            if not data:
                raise StreamError("EOF")
            parser.feed(data)
            if served is not None:
                self._close_for_room(self._intake.grow(served, len(data)))
        found = await asyncio.to_thread(parser.message) if parser.is_heavy else parser.message()
        assert found is not None
        return found

    async def _write_state(self, writer: asyncio.StreamWriter, join: bool) -> None:
        message = bytearray()
        for piece in encode_push_pull(self.swim.push_nodes(), self.serf.local_state(join), join):
            message += piece
            await asyncio.sleep(0)
        plain = bytes(message)
        heavy = len(plain) > HEAVY_BYTES
        put(writer, await asyncio.to_thread(self._streams.seal, plain) if heavy else self._streams.seal(plain))
        await writer.drain()

    async def _merge(self, message: Exchanged, join: bool) -> None:
        """Merge in slices, lest thousands hold the loop. Raises Refused or BadMessage; nothing is merged then."""
        nodes: list[PushNode] = []
        while piece := list(islice(message.nodes, SLICE_NODES)):
            nodes += piece
            await asyncio.sleep(0)
        self.swim.check_merge(nodes, join, self._clock())
        for start in range(0, len(nodes), SLICE_NODES):
            self.swim.merge(nodes[start : start + SLICE_NODES], self._clock())
            self.flush_effects()
            await asyncio.sleep(0)
        if message.user_state:
            self.serf.merge_state(message.user_state, join, self._clock())
        self.flush_effects()
