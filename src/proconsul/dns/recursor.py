"""Asking recursors (Consul docs: recursors): one after the other, over the protocol the client used."""

from __future__ import annotations

import asyncio
import logging
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from proconsul.dns import message as m
from proconsul.dns.message import DnsQuery, ResourceRecord
from proconsul.dns.trim import UDP_BYTES_DEFAULT
from proconsul.engine.streams import put
from proconsul.engine.wire.hostport import join_host_port

log = logging.getLogger("agent.dns")

# Of a resolved name no more records than this are taken over.
RECORDS_MAX = 64


class Recursors:
    """The configured recursors. ``ip:port`` each."""

    def __init__(
        self, addresses: Sequence[tuple[str, int]], *, timeout_s: float, shuffle: bool, rng: random.Random
    ) -> None:
        self.addresses = list(addresses)
        self.timeout_s = timeout_s
        self._shuffle = shuffle
        self._rng = rng

    def _order(self) -> list[tuple[str, int]]:
        if not self._shuffle:
            return self.addresses
        return self._rng.sample(self.addresses, len(self.addresses))

    async def forward(self, packet: bytes, limit: int, *, tcp: bool) -> bytes | None:
        """The first usable answer of up to ``limit`` bytes to ``packet``, with its id; None when no recursor has one.

        An answer is usable with the codes "no error" and "no such name" when it fits or says that it was cut; others
        make us ask the next recursor.
        """
        query_id = struct.pack("!H", self._rng.getrandbits(16))
        for address in self._order():
            try:
                answer = await self._exchange(address, query_id + packet[2:], tcp=tcp)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.error("recurse failed: recursor=%s error=%s", join_host_port(*address), error or "i/o timeout")
                continue
            rcode = answer[3] & 0x0F
            if rcode not in (m.NOERROR, m.NXDOMAIN):
                log.debug("recurse failed for question: recursor=%s rcode=%d", join_host_port(*address), rcode)
                continue
            usable = handed_on(answer, limit)
            if usable is not None:
                return packet[:2] + usable[2:]
            log.error("recurse failed: recursor=%s error=unusable answer", join_host_port(*address))
        return None

    async def resolve(self, name: bytes) -> list[ResourceRecord]:
        """The answer section for the addresses of ``name``; empty when nobody knows."""
        packet = m.encode(DnsQuery(0, m.RD, name, m.A, m.IN, None), m.DnsReply(), compress=False)
        packet = packet[:2] + struct.pack("!H", m.RD) + packet[4:]
        for address in self._order():
            query_id = struct.pack("!H", self._rng.getrandbits(16))
            try:
                answer = await self._exchange(address, query_id + packet[2:], tcp=False)
            except (OSError, TimeoutError) as error:
                log.error("cname recurse failed: recursor=%s error=%s", join_host_port(*address), error)
                continue
            if len(answer) <= UDP_BYTES_DEFAULT:
                return read_answers(answer)
        return []

    async def _exchange(self, address: tuple[str, int], packet: bytes, *, tcp: bool) -> bytes:
        async with asyncio.timeout(self.timeout_s):
            return await (_ask_tcp if tcp else _ask_udp)(address, packet)


def _answers(query: bytes, answer: bytes) -> bool:
    """Whether ``answer`` belongs to ``query``: same id, a response, the same question but for case."""
    if len(answer) < m.HEADER_BYTES or answer[:2] != query[:2] or not answer[2] & 0x80:
        return False
    end = m.HEADER_BYTES
    while end < len(query) and query[end]:
        end += 1 + query[end]
    end += 5
    return answer[m.HEADER_BYTES : end].lower() == query[m.HEADER_BYTES : end].lower()


class _OneAnswer(asyncio.DatagramProtocol):
    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        transport.sendto(self.packet)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if _answers(self.packet, data) and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask_udp(address: tuple[str, int], packet: bytes) -> bytes:
    make: Callable[[], _OneAnswer] = lambda: _OneAnswer(packet)  # noqa: E731
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(make, remote_addr=address)
    try:
        return await protocol.answer
    finally:
        transport.close()


async def _ask_tcp(address: tuple[str, int], packet: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        put(writer, struct.pack("!H", len(packet)) + packet)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        answer = await reader.readexactly(size)
        if not _answers(packet, answer):
            raise OSError("the answer belongs to another question")
        return answer
    finally:
        writer.close()


def read_answers(packet: bytes) -> list[ResourceRecord]:
    """The answer section of a recursor's message; empty when it does not parse."""
    try:
        return _sections(packet)[0][:RECORDS_MAX]
    except _UNREADABLE:
        return []


def _sections(packet: bytes) -> tuple[list[ResourceRecord], list[int], int]:
    """The answers, the number of records in each of the three sections, and where they end. A message that ends between
    records has no more of them, whatever its header says. Raises one of _UNREADABLE."""
    _, _, questions, *wanted = struct.unpack_from("!6H", packet)
    at = m.HEADER_BYTES
    for _ in range(questions):
        at = m.read_name(packet, at)[1] + 4
    if at > len(packet):
        raise m.FormError
    answers: list[ResourceRecord] = []
    counts = [0, 0, 0]
    for section in range(3):
        while counts[section] < wanted[section] and at < len(packet):
            record, _, at = m.read_record(packet, at)
            counts[section] += 1
            if section == 0:
                answers.append(record)
    return answers, counts, at


_UNREADABLE = (m.FormError, IndexError, struct.error)


def handed_on(packet: bytes, limit: int) -> bytes | None:
    """A recursor's answer for a client that takes ``limit`` bytes; None when it is of no use.

    What lies behind the records is left out, and the header counts what is there. Of an answer that is too long only
    the beginning is of use, when it says that the rest is to be had over TCP.
    """
    try:
        if len(packet) > limit:
            if not packet[2] & m.TC >> 8:
                return None
            end = m.read_name(packet, m.HEADER_BYTES)[1] + 4
            return packet[:4] + struct.pack("!4H", 1, 0, 0, 0) + packet[m.HEADER_BYTES : end]
        _, counts, end = _sections(packet)
    except _UNREADABLE:
        return None
    return packet[:6] + struct.pack("!3H", *counts) + packet[m.HEADER_BYTES : end]
