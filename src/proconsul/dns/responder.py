"""From a query's bytes to an answer's bytes: cache, catalog, recursors."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from proconsul.dns import message as m
from proconsul.dns.answers import Answer, Answerer
from proconsul.dns.cache import PacketCache
from proconsul.dns.message import DnsQuery, DnsReply, FormError, ResourceRecord
from proconsul.dns.reads import PreparedQueries, Reads
from proconsul.dns.recursor import Recursors
from proconsul.dns.remote import STEPS_MAX, Missing, RemoteReads
from proconsul.dns.settings import Settings
from proconsul.dns.trim import fit, udp_limit
from proconsul.engine.store.watch import WatchRegistry
from proconsul.features.errors import NO_PATH, ConsulError, NoPathToDatacenter, NotFound, status_of
from proconsul.features.server import CallMethod, ReadMethod

log = logging.getLogger("agent.dns")

# Questions being asked of recursors at the same time; each holds a socket. More are not answered over UDP, which
# clients take as loss, and refused over TCP.
RECURSIONS_MAX = 512

Send = Callable[[bytes], None]
# Makes the coroutine when its task begins: one that is given up before has nothing left that nobody awaits.
Work = Callable[[], Coroutine[Any, Any, None]]
# The value of a read, or the reply to a call, by the method, its arguments, and the datacenter that is asked, "" being
# ours.
Fetch = Callable[[ReadMethod | CallMethod, Any, str], Awaitable[Any]]
# Takes a metric's name, milliseconds, and how many questions took so long.
Measure = Callable[[str, float, int], None]

DOMAIN_QUERY = "dns.domain_query"
REVERSE_QUERY = "dns.ptr_query"


def _unmeasured(name: str, milliseconds: float, count: int) -> None:
    """Nobody counts."""


def _recasable(query: DnsQuery, answer: Answer, *, compress: bool) -> bool:
    """Whether no name in the answer but the question's own would be compressed otherwise in another letter case.

    Targets of SRV are not compressed, and what follows them points to them. Without compression the question's name is
    repeated as written.
    """
    reply = answer.reply
    if not compress or answer.timed or answer.reverse or reply.rcode != m.NOERROR or not reply.answer:
        return False
    return all(
        record.owner == query.name and (not record.names or record.kind == m.SRV) for record in reply.answer
    ) and all(record.kind in (m.A, m.AAAA, m.TXT) for record in reply.additional)


def _nothing(error: ConsulError) -> ConsulError | None:
    """An error that says that what was asked for is not there; None for others."""
    if NO_PATH in str(error):
        return NoPathToDatacenter()
    return NotFound(str(error)) if status_of(error) == NotFound.status else None


class Responder:
    """Answers packets. One for all listeners of an agent."""

    def __init__(
        self,
        settings: Settings,
        reads: Reads,
        watches: WatchRegistry,
        *,
        rng: random.Random,
        clock: Callable[[], float],
        readable: Callable[[], bool] | None = None,
        recursors: Recursors | None = None,
        queries: PreparedQueries | None = None,
        fetch: Fetch | None = None,
        keeps: Callable[[], bool] | None = None,
        measure: Measure = _unmeasured,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``readable``: whether our own catalog may answer, now; None when it always may, as far as settings go.

        ``fetch``: asks a server when it may not, and other datacenters'. It raises ConsulError. Without it such
        questions fail. ``keeps``:
        whether answers may be kept until what they were read from changes; None when they always may.
        """
        self.measure = measure
        self._fetch = fetch
        self.stopwatch = stopwatch
        self._reads = reads
        self._rng = rng
        self._clock = clock
        self._readable: Callable[[], bool] | None = readable
        self._keeps = keeps
        self._queries = queries
        self.udp_cache = PacketCache(watches)
        self.tcp_cache = PacketCache(watches)
        self._tasks: set[asyncio.Task[None]] = set()
        self.configure(settings, recursors, readable)

    @property
    def always_readable(self) -> bool:
        return self._readable is None

    def configure(
        self, settings: Settings, recursors: Recursors | None, readable: Callable[[], bool] | None = None
    ) -> None:
        """Use new settings from the next question on."""
        self._readable = readable
        self.settings = settings
        self.recursors = recursors
        self._answerer = self._answerer_of(self._reads, RemoteReads(), readable)
        self.forget()

    def forget(self) -> None:
        """Make every answer anew: who asks may be shown something else from now on."""
        self.udp_cache.clear()
        self.tcp_cache.clear()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.forget()

    def cached(self, packet: bytes, *, tcp: bool) -> bytes | None:
        """The answer to ``packet`` if it is known already."""
        cache = self.tcp_cache if tcp else self.udp_cache
        entry = cache.entries.get(packet[2:])
        if entry is None or entry.count < entry.wanted or (entry.second and entry.second != int(self._clock())):
            return None
        self.measure(REVERSE_QUERY if entry.reverse else DOMAIN_QUERY, 0.0, 1)
        return packet[:2] + entry.next()

    def handle(self, packet: bytes, send: Send, *, tcp: bool, client: str = "") -> None:
        """Answer ``packet``, which came from the address ``client``, through ``send``, now or later.

        Noise is not answered.
        """
        known = self.cached(packet, tcp=tcp) or self._recased(packet, tcp)
        if known is not None:
            send(known)
            return
        try:
            query = m.parse_query(packet)
        except FormError as error:
            assert error.query is not None
            send(m.refusal(error.query, m.FORMERR, question=bool(error.query.name)))
            return
        if query is None:
            return
        if not query.name:
            understood = query.flags & m.OPCODE in (0, m.OPCODE_NOTIFY)
            send(m.refusal(query, m.REFUSED if understood else m.NOTIMP, question=False))
        else:
            self._answer(packet, query._replace(client=client), send, tcp)

    def _answer(self, packet: bytes, query: DnsQuery, send: Send, tcp: bool) -> None:
        began = self.stopwatch()
        if self._fetch is not None and self._readable is not None and not self._readable():
            self._later(partial(self._ask, packet, query, send, tcp, began, self._fetch, None), query, send, tcp)
            return
        try:
            self._answered_here(packet, query, send, tcp, began)
        except Missing:
            if self._fetch is None:
                send(self._failure(query))
            else:
                work = partial(self._ask, packet, query, send, tcp, began, self._fetch, self._reads)
                self._later(work, query, send, tcp)
        except Exception:
            self._failed(query, send)

    def _answered_here(self, packet: bytes, query: DnsQuery, send: Send, tcp: bool, began: float) -> None:
        try:
            self._answered(packet, query, send, tcp, began, self._answerer)
        except ConsulError as error:
            self._answered(packet, query, send, tcp, began, self._refused(self._reads, RemoteReads(), error))

    def _refused(self, reads: Reads, elsewhere: RemoteReads, error: ConsulError) -> Answerer:
        """Answers as where no catalog can be read."""
        log.error("rpc error: error=%s", error)
        return self._answerer_of(reads, elsewhere, lambda: False)

    def _failed(self, query: DnsQuery, send: Send) -> None:
        """Nobody foresaw what happened, and whoever asked is answered all the same."""
        log.exception("failed to answer: name=%r", query.name)
        send(self._failure(query))

    async def _ask(
        self, packet: bytes, query: DnsQuery, send: Send, tcp: bool, began: float, fetch: Fetch, own: Reads | None
    ) -> None:  # fmt: skip
        """Answer from what servers say: about other datacenters, and without ``own`` reads about ours."""
        fetched = RemoteReads()
        reads = own if own is not None else fetched
        answerer = self._answerer_of(reads, fetched, None)
        for _ in range(STEPS_MAX):
            try:
                self._answered(packet, query, send, tcp, began, answerer)
                return
            except Missing as missing:
                try:
                    fetched.put(missing, await fetch(missing.method, missing.request, missing.datacenter))
                except ConsulError as error:
                    nothing = _nothing(error)
                    if nothing is None:
                        answerer = self._refused(reads, fetched, error)
                    fetched.put(missing, nothing or NoPathToDatacenter())
            except ConsulError as error:
                answerer = self._refused(reads, fetched, error)
        send(self._failure(query))

    def _answerer_of(
        self, reads: Reads, elsewhere: RemoteReads, readable: Callable[[], bool] | None
    ) -> Answerer:  # fmt: skip
        queries = self._queries if reads is self._reads else None
        return Answerer(self.settings, reads, self._rng, self._clock, queries, readable, elsewhere.towards)

    def _answered(
        self, packet: bytes, query: DnsQuery, send: Send, tcp: bool, began: float, answerer: Answerer
    ) -> None:
        answer = answerer.answer(query, tcp=tcp)
        if answer.in_domain:
            name = REVERSE_QUERY if answer.reverse else DOMAIN_QUERY
            self.measure(name, (self.stopwatch() - began) * 1000.0, 1)
        if answer.recurse and self.recursors is not None:
            self._later(partial(self._forward, packet, query, send, self.recursors, tcp), query, send, tcp)
        elif not answer.in_domain:
            send(m.refusal(query, m.REFUSED, question=True))
        elif answer.recurse:
            send(self._failure(query))
        elif answer.wanted and self.recursors is not None:
            with_outside = partial(self._with_outside, query, answer, send, self.recursors, tcp, answerer)
            self._later(with_outside, query, send, tcp)
        else:
            body = self._encode(query, answer.reply, tcp=tcp)
            send(body)
            if answerer is not self._answerer or (query.edns and query.edns.subnet):
                return
            low = query.name.lower()
            if low != query.name and _recasable(query, answer, compress=self.settings.compress):
                # Resolvers that mix the case at random never ask twice alike: keep the answer in lower case.
                packet = packet[: m.HEADER_BYTES] + low + packet[m.HEADER_BYTES + len(low) :]
                query = query._replace(name=low)
                answer = self._answerer.answer(query, tcp=tcp)
                body = self._encode(query, answer.reply, tcp=tcp)
            self._keep(packet, query, answer, body, tcp)

    def _encode(self, query: DnsQuery, reply: DnsReply, *, tcp: bool) -> bytes:
        compress = self.settings.compress
        body = m.encode(query, reply, compress=compress)
        if not tcp and len(body) > udp_limit(query):
            fit(query, reply, compress=compress)
            body = m.encode(query, reply, compress=compress)
        return body if len(body) <= m.MESSAGE_BYTES_MAX else self._failure(query)

    def _failure(self, query: DnsQuery) -> bytes:
        reply = DnsReply()
        reply.authoritative, reply.recursion_available, reply.rcode = False, True, m.SERVFAIL
        return m.encode(query, reply, compress=True)

    def _keep(self, packet: bytes, query: DnsQuery, answer: Answer, body: bytes, tcp: bool) -> None:
        cache = self.tcp_cache if tcp else self.udp_cache
        doubtful = answer.reply.rcode != m.NOERROR or query.name != query.name.lower()
        lasting = answer.lasting and (self._keeps is None or self._keeps())
        if self.always_readable and lasting and cache.room_for(doubtful):
            second = int(self._clock()) if answer.timed else 0
            entry = cache.put(packet[2:], body[2:], answer.watch.keys, turns=answer.turns, second=second)
            entry.reverse = answer.reverse
            entry.recasable = _recasable(query, answer, compress=self.settings.compress)

    def _recased(self, packet: bytes, tcp: bool) -> bytes | None:
        """The known answer to the same question in lower case, with the case as asked."""
        end = packet.find(b"\0", m.HEADER_BYTES)
        name = packet[m.HEADER_BYTES : end]
        low = name.lower()
        if end < 0 or low == name:
            return None
        lowered = packet[: m.HEADER_BYTES] + low + packet[end:]
        entry = (self.tcp_cache if tcp else self.udp_cache).entries.get(lowered[2:])
        if entry is None or not entry.recasable:
            return None
        known = self.cached(lowered, tcp=tcp)
        return known and known[: m.HEADER_BYTES] + name + known[end:]

    # ------------------------------------------------------------------ recursors

    def _later(self, work: Work, query: DnsQuery, send: Send, tcp: bool) -> None:
        if len(self._tasks) >= RECURSIONS_MAX:
            if tcp:
                send(self._failure(query))
            return
        task = asyncio.get_running_loop().create_task(self._guarded(work, query, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Work, query: DnsQuery, send: Send) -> None:
        try:
            await work()
        except Exception:
            self._failed(query, send)

    async def _forward(self, packet: bytes, query: DnsQuery, send: Send, recursors: Recursors, tcp: bool) -> None:
        answer = await recursors.forward(packet, m.MESSAGE_BYTES_MAX if tcp else udp_limit(query), tcp=tcp)
        send(answer if answer is not None else self._failure(query))

    async def _with_outside(
        self, query: DnsQuery, answer: Answer, send: Send, recursors: Recursors, tcp: bool, answerer: Answerer
    ) -> None:
        """Resolve the names the answer leads to and answer again; a name that leads to further ones ends there."""
        names = sorted(answer.wanted)
        found: list[list[ResourceRecord]] = await asyncio.gather(*(recursors.resolve(name) for name in names))
        outside = dict(zip(names, found, strict=True))
        again = answerer.answer(query, tcp=tcp, outside=outside)
        send(self._encode(query, again.reply, tcp=tcp))
