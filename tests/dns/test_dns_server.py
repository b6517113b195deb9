"""The server on real sockets, over a catalog in memory."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from dns_agents import FakeRecursor
from hypothesis import HealthCheck as Health
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.dns import cache
from proconsul.dns import message as m
from proconsul.dns.cache import PacketCache
from proconsul.dns.reads import Execution
from proconsul.dns.recursor import Recursors, read_answers
from proconsul.dns.responder import Responder
from proconsul.dns.server import TcpListener, UdpListener
from proconsul.dns.settings import Settings
from proconsul.engine.store.table import Transaction
from proconsul.engine.store.watch import WatchRegistry, WatchSet
from proconsul.features.catalog.model import HealthCheck, NodeService, RegisterRequest
from proconsul.features.errors import QUERY_NOT_FOUND, NotFound
from proconsul.features.query.model import (
    PreparedQueryExecuteRequest,
    PreparedQueryExecuteResponse,
    QueryDNSOptions,
)
from proconsul.features.state import State
from support.dns_packets import Parsed, query


class World:
    """A catalog, a clock that stands still, and a responder."""

    def __init__(self) -> None:
        self.state = State()
        self.index = 1
        self.now = 1000.0
        self.responder = self.make(Settings())
        for number in range(5):
            self.register(f"n{number}", f"10.0.0.{number + 1}", "web", "passing")
        self.register("solo", "10.0.0.9", "solo", "passing")

    def make(self, config: Settings, recursors: Recursors | None = None) -> Responder:
        return Responder(
            config, self.state.reads, self.state.store.watches, rng=random.Random(1), clock=lambda: self.now,
            recursors=recursors,
        )  # fmt: skip

    def register(self, node: str, address: str, service: str, status: str) -> None:
        self.index += 1
        request = RegisterRequest(
            Node=node, Address=address, Datacenter="dc1", Service=NodeService(ID=service, Service=service, Port=80),
            Check=HealthCheck(Node=node, CheckID="c", Name="c", Status=status, ServiceID=service),
        )  # fmt: skip
        transaction = Transaction(self.state.store, self.index)
        self.state.catalog.register(transaction, request)
        transaction.commit()

    def ask(self, packet: bytes, *, tcp: bool = False) -> bytes | None:
        answers: list[bytes] = []
        self.responder.handle(packet, answers.append, tcp=tcp)
        assert len(answers) <= 1
        return answers[0] if answers else None

    def parsed(self, name: str, kind: int = 1, *, edns: int = 0) -> Parsed:
        answer = self.ask(query(name, kind, edns=edns))
        assert answer is not None
        return Parsed(answer)


@pytest.fixture
def world() -> World:
    return World()


def test_answers_are_kept_until_the_catalog_changes(world: World) -> None:
    packet = query("solo.service.consul", 1)
    first = world.ask(packet)
    assert packet[2:] in world.responder.udp_cache.entries
    assert world.ask(b"\x12\x34" + packet[2:]) == b"\x12\x34" + first[2:] if first else False
    world.register("solo", "10.0.0.10", "solo", "passing")
    assert not world.responder.udp_cache.entries
    assert world.parsed("solo.service.consul").sections[0][0][4] == bytes([10, 0, 0, 10])
    world.register("solo", "10.0.0.10", "solo", "critical")
    assert world.parsed("solo.service.consul").rcode == m.NXDOMAIN


def test_a_kept_denial_ends_when_the_name_appears(world: World) -> None:
    assert world.parsed("late.service.consul").rcode == m.NXDOMAIN
    assert world.parsed("late.node.consul").rcode == m.NXDOMAIN
    world.register("late", "10.0.0.20", "late", "passing")
    assert world.parsed("late.service.consul").rcode == m.NOERROR
    assert world.parsed("late.node.consul").rcode == m.NOERROR


def test_reverse_answers_follow_the_catalog(world: World) -> None:
    assert world.parsed("30.0.0.10.in-addr.arpa", m.PTR).rcode == m.SERVFAIL
    world.register("rev", "10.0.0.30", "rev", "passing")
    assert world.parsed("30.0.0.10.in-addr.arpa", m.PTR).sections[0][0][4] == m.pack_name("rev.node.dc1.consul")


@pytest.mark.parametrize(
    ("name", "kind"), [("SoLo.Service.CONSUL", 1), ("sOlo.serviCe.consuL", 33), ("SOLO.node.Consul", 1)]
)
def test_random_letter_case_is_answered_from_one_entry(world: World, name: str, kind: int) -> None:
    fresh = [world.ask(query(text, kind)) for text in (name, name.lower())]
    assert len(world.responder.udp_cache.entries) == 1
    assert world.ask(query(name, kind)) == fresh[0]
    swapped = world.ask(query(name.swapcase(), kind))
    assert swapped is not None
    assert Parsed(swapped).question[:-4] == m.pack_name(name.swapcase())
    assert len(world.responder.udp_cache.entries) == 1


def test_shuffled_answers_go_on_rotating(world: World) -> None:
    firsts = {world.parsed("web.service.consul").sections[0][0][4] for _ in range(100)}
    assert len(firsts) == 5
    entry = world.responder.udp_cache.entries[query("web.service.consul", 1)[2:]]
    assert entry.count == entry.wanted == cache.VARIANTS_MAX


def test_the_serial_is_the_time_of_the_answer(world: World) -> None:
    packet = query("nope.service.consul", 1)
    first = world.ask(packet)
    assert world.ask(packet) == first
    world.now += 1
    assert world.ask(packet) != first


def test_new_settings_hold_for_the_next_answer(world: World) -> None:
    assert world.parsed("solo.service.consul").sections[0][0][3] == 0
    world.responder.configure(Settings(service_ttl_s={"solo": 7}), None)
    assert world.parsed("solo.service.consul").sections[0][0][3] == 7


def test_without_a_readable_catalog_nothing_is_told(world: World) -> None:
    readable = True
    world.responder.configure(Settings(), None, lambda: readable)
    assert world.parsed("solo.service.consul").rcode == m.NOERROR
    readable = False
    for name in ("solo.service.consul", "solo.node.consul", "q.query.consul", "solo.service.dc9.consul"):
        failure = world.parsed(name)
        assert failure.flags & (m.AA | m.RA | 0x0F) == m.AA | m.SERVFAIL
    assert world.parsed("0a000001.addr.consul").rcode == m.NOERROR
    assert world.parsed("x.consul").rcode == m.NXDOMAIN
    assert world.parsed("consul", m.NS).sections[0] == []
    assert world.parsed("1.0.0.10.in-addr.arpa", m.PTR).flags & (m.AA | m.RA | 0x0F) == m.RA | m.SERVFAIL


def test_the_cache_is_bounded() -> None:
    watches = WatchRegistry()
    packets = PacketCache(watches)
    for number in range(cache.ENTRIES_MAX + 10):
        packets.put(b"%d" % number, b"body", {("service", number)}, turns=False, second=0)
    assert len(packets.entries) == cache.ENTRIES_MAX == len(watches)
    packets.clear()
    assert (packets.bytes, len(watches)) == (0, 0)


def test_only_passing_leaves_out_warnings(world: World) -> None:
    world.register("n0", "10.0.0.1", "web", "warning")
    assert len(world.parsed("web.service.consul", edns=4096).sections[0]) == 5
    world.responder.configure(replace(Settings(), only_passing=True), None)
    assert len(world.parsed("web.service.consul", edns=4096).sections[0]) == 4


@given(st.binary(max_size=120))
@settings(max_examples=300, deadline=None, suppress_health_check=[Health.function_scoped_fixture])
def test_noise_never_raises(world: World, packet: bytes) -> None:
    for tcp in (False, True):
        answer = world.ask(packet, tcp=tcp)
        assert answer is None or (answer[:2] == packet[:2] and answer[2] & 0x80)


@given(st.text(alphabet="abdersvicnoqu_.0123456789\\", max_size=60), st.sampled_from([1, 6, 12, 16, 28, 33, 255, 999]))
@settings(max_examples=300, deadline=None, suppress_health_check=[Health.function_scoped_fixture])
def test_odd_names_are_answered(world: World, text: str, kind: int) -> None:
    name = ".".join(label for label in text.split(".") if label)
    for suffix in ("consul", "service.consul", "addr.consul", "in-addr.arpa", "ip6.arpa"):
        assert Parsed(world.ask(query(f"{name}.{suffix}", kind)) or b"").rcode in (0, 2, 3)


class Ports:
    def __init__(self, udp: int, tcp: int) -> None:
        self.udp = udp
        self.tcp = tcp


@pytest.fixture
async def ports(world: World) -> AsyncIterator[Ports]:
    udp, tcp = UdpListener(world.responder, lambda: world.now), TcpListener(world.responder, lambda: world.now)
    yield Ports(await udp.start("127.0.0.1", 0), await tcp.start("127.0.0.1", 0))
    udp.close()
    tcp.close()
    world.responder.close()


async def _udp(port: int, packets: list[bytes], wanted: int) -> list[bytes]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", port))
        for packet in packets:
            await loop.sock_sendall(sock, packet)
        return [await asyncio.wait_for(loop.sock_recv(sock, 65535), 5) for _ in range(wanted)]


async def test_udp_answers_each_query_with_its_id(ports: Ports) -> None:
    packets = [query("web.service.consul", 1, query_id=number) for number in range(200)]
    answers = await _udp(ports.udp, [b"", b"noise", *packets], 200)
    assert {struct.unpack("!H", answer[:2])[0] for answer in answers} == set(range(200))
    assert all(Parsed(answer).rcode == 0 for answer in answers)


async def test_tcp_takes_queries_in_any_pieces(ports: Ports) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ports.tcp)
    packet = query("solo.service.consul", 1)
    framed = struct.pack("!H", len(packet)) + packet
    for at in range(len(framed)):
        writer.write(framed[at : at + 1])
        await writer.drain()
    writer.write(framed * 3)
    for _ in range(4):
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        assert Parsed(await reader.readexactly(size)).rcode == 0
    writer.close()


async def test_idle_tcp_connections_end(world: World) -> None:
    listener = TcpListener(world.responder, lambda: world.now)
    port = await listener.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\xff\xff")
    packet = query("solo.service.consul", 1)
    other_reader, other = await asyncio.open_connection("127.0.0.1", port)
    other.write(struct.pack("!H", len(packet)) + packet)
    await other_reader.readexactly(2)
    world.now += 100
    listener._sweep()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    writer.close()
    other.close()
    listener.close()


async def test_recursors_are_asked_in_turn(world: World) -> None:
    down = FakeRecursor({"a.example": -1, "b.example": 2})
    up = FakeRecursor({"a.example": [(1, b"\1\2\3\4")], "b.example": 5})
    recursors = Recursors(
        [("127.0.0.1", down.port), ("127.0.0.1", up.port)], timeout_s=0.2, shuffle=False, rng=random.Random(3)
    )
    world.responder.configure(replace(Settings(), recursors=("x",)), recursors)
    try:
        for name, rcode in (("a.example", 0), ("b.example", 2), ("c.example", 3)):
            answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            world.responder.handle(query(name, 1, query_id=77), answered.set_result, tcp=False)
            answer = Parsed(await asyncio.wait_for(answered, 5))
            assert (answer.rcode, answer.packet[:2]) == (rcode, b"\0\x4d")
        assert down.asked == ["a.example", "b.example", "c.example"]
        assert up.asked == ["a.example", "b.example"]
    finally:
        down.close()
        up.close()


def test_a_recursors_noise_is_no_answer() -> None:
    assert read_answers(b"noise") == []
    assert read_answers(b"") == []


class OneQuery:
    """A room with one prepared query, ``solo``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.addresses: list[str] = []

    def execute(self, watch: WatchSet, args: PreparedQueryExecuteRequest) -> Execution:
        self.addresses.append(args.Source.Ip)
        if args.QueryIDOrName != "pq":
            raise NotFound(QUERY_NOT_FOUND)
        rows = self.world.state.reads.check_service_nodes(watch, "solo")[1]
        reply = PreparedQueryExecuteResponse(Nodes=rows, DNS=QueryDNSOptions(TTL="9s"), Datacenter="dc1")
        return Execution(reply, True)


def test_prepared_queries_can_be_plugged_in(world: World) -> None:
    room = OneQuery(world)
    world.responder = Responder(
        Settings(), world.state.reads, world.state.store.watches, rng=random.Random(1), clock=lambda: world.now,
        queries=room,
    )  # fmt: skip
    option = struct.pack("!HHHBB3s", 8, 7, 1, 24, 0, b"\x0a\0\1")
    answer = world.ask(query("pq.query.consul", 1, edns=1232, options=option))
    assert answer is not None
    assert answer.endswith(bytes.fromhex("00080007000118180a0001"))
    assert Parsed(answer).sections[0][0][3:] == (9, bytes([10, 0, 0, 9]))
    denial = world.ask(query("other.query.consul", 1, edns=1232, options=option))
    assert denial is not None
    assert denial.endswith(bytes.fromhex("00080007000118000a0001"))
    assert room.addresses == ["10.0.1.0", "10.0.1.0"]


async def test_every_answered_question_is_measured(world: World) -> None:
    seen: dict[str, int] = {}

    def measure(name: str, milliseconds: float, count: int) -> None:
        assert milliseconds >= 0
        seen[name] = seen.get(name, 0) + count

    world.responder.measure = measure
    udp = UdpListener(world.responder, lambda: world.now)
    port = await udp.start("127.0.0.1", 0)
    asked = [query("solo.service.consul", 1), query("9.0.0.10.in-addr.arpa", 12), query("www.example.com", 1)]
    for _ in range(3):
        await _udp(port, asked, 3)
    udp.close()
    assert seen == {"dns.domain_query": 3, "dns.ptr_query": 3}


def test_texts_on_addresses_of_recursors() -> None:
    from proconsul.agent.doors.dns_service import recursor_address

    assert recursor_address("10.0.0.1") == ("10.0.0.1", 53)
    assert recursor_address("10.0.0.1:5353") == ("10.0.0.1", 5353)
    assert recursor_address("[fd00::1]:54") == ("fd00::1", 54)
    assert recursor_address("[fd00::1]") == ("fd00::1", 53)
    assert recursor_address("fd00::1") == ("fd00::1", 53)
