"""Raft nodes on real connections: elections, replication, large commands, snapshots, and peers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from raft_support import FAST, LinesFSM, make_node

from proconsul.engine.raft import messages as m
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.errors import TransportError, UnsupportedRpcError
from proconsul.engine.raft.log import MemoryLog
from proconsul.engine.raft.network import NetworkTransport, Streams
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import MemorySnapshots
from proconsul.engine.raft.transport import Body, Respond
from proconsul.engine.raft.wire import decode_request, encode_request, encode_response
from support.patience import PATIENCE_S

# Elections take a moment, so that a busy machine does not start one.
CALM = replace(FAST, heartbeat_timeout_s=1.5, election_timeout_s=1.5, leader_lease_timeout_s=1.5, trailing_logs=0)


async def dial(server: Server) -> Streams:
    host, _, port = server.address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


@dataclass
class Cluster:
    nodes: dict[str, RaftNode] = field(default_factory=dict)
    fsms: dict[str, LinesFSM] = field(default_factory=dict)
    listeners: list[asyncio.Server] = field(default_factory=list)

    async def leader(self) -> RaftNode:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for node in self.nodes.values():
                    if node.core.accepts_proposals:
                        return node
                await asyncio.sleep(0.01)

    async def same(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while any(len(fsm.lines) < count for fsm in self.fsms.values()):
                await asyncio.sleep(0.01)
        assert len({tuple(fsm.lines) for fsm in self.fsms.values()}) == 1


@asynccontextmanager
async def cluster(size: int, voters: int = 0) -> AsyncIterator[Cluster]:
    made = Cluster()
    members: list[Server] = []
    transports: list[NetworkTransport] = []
    for number in range(size):
        transport = NetworkTransport(dial)
        listener = await asyncio.start_server(transport.serve, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        made.listeners.append(listener)
        transports.append(transport)
        members.append(Server(Suffrage.VOTER, f"n{number}", f"127.0.0.1:{port}"))
    for server, transport in zip(members, transports, strict=True):
        fsm = made.fsms[server.id] = LinesFSM()
        made.nodes[server.id] = make_node(
            fsm=fsm, log=MemoryLog(), snapshots=MemorySnapshots(), server_id=server.id, address=server.address,
            transport=transport, config=CALM,
        )  # fmt: skip
    for server in members[: voters or size]:
        made.nodes[server.id].bootstrap(Configuration.of(members[: voters or size]))
    try:
        for node in made.nodes.values():
            await node.start()
        yield made
    finally:
        for node in made.nodes.values():
            await node.stop()
        for listener in made.listeners:
            listener.close()


async def test_three_servers_elect_and_replicate() -> None:
    async with cluster(3) as three:
        leader = await three.leader()
        sent = [leader.propose(b"command %d" % number) for number in range(500)]
        await asyncio.gather(*sent)
        await three.same(500)


async def test_large_commands_cross_in_pieces() -> None:
    async with cluster(3) as three:
        leader = await three.leader()
        big = [bytes((number,)) * 900_000 for number in range(20)]
        await asyncio.gather(*(leader.propose(value, chunked=True) for value in big))
        await three.same(20)
        assert three.fsms["n0"].lines == big


async def test_the_leader_stops_and_another_takes_over() -> None:
    async with cluster(3) as three:
        leader = await three.leader()
        await leader.propose(b"before")
        await leader.stop()
        del three.nodes[leader.id], three.fsms[leader.id]
        successor = await three.leader()
        assert successor is not leader
        await successor.propose(b"after")
        await three.same(2)
        assert next(iter(three.fsms.values())).lines == [b"before", b"after"]


async def test_a_new_server_is_sent_a_snapshot() -> None:
    async with cluster(2, voters=1) as two:
        leader = await two.leader()
        value = b"x" * 100_000
        await asyncio.gather(*(leader.propose(value + b"%d" % number) for number in range(50)))
        await leader.snapshot()
        newcomer = two.nodes["n1"]
        await leader.add_nonvoter(newcomer.id, newcomer.address)
        await leader.propose(b"last")
        await two.same(51)
        assert newcomer.last_snapshot[0] >= 50


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


async def listening(serve: Serve) -> tuple[asyncio.Server, Server]:
    listener = await asyncio.start_server(serve, "127.0.0.1", 0)  # type: ignore[arg-type]
    port = listener.sockets[0].getsockname()[1]
    return listener, Server(Suffrage.VOTER, "peer", f"127.0.0.1:{port}")


async def ask(transport: NetworkTransport, target: Server, request: m.Request) -> object:
    answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    transport.send(target, request, None, answer.set_result)
    return await asyncio.wait_for(answer, PATIENCE_S)


async def test_answers_come_in_the_order_of_requests_however_late_they_are_known() -> None:
    responds: list[tuple[m.Request, Respond]] = []
    server = NetworkTransport(dial)
    server.set_handler(lambda request, body, respond: responds.append((request, respond)))
    listener, target = await listening(server.serve)
    client = NetworkTransport(dial)
    answers: list[object] = []
    for term in (5, 6, 7):
        client.send(target, m.AppendEntriesRequest(term, b"a", 1, 1, None, 0), None, answers.append)
    async with asyncio.timeout(PATIENCE_S):
        while len(responds) < 3:
            await asyncio.sleep(0.005)
        for request, respond in reversed(responds):
            assert isinstance(request, m.AppendEntriesRequest)
            assert answers == []
            respond(m.AppendEntriesResponse(request.term, 0, True), "")
        while len(answers) < 3:
            await asyncio.sleep(0.005)
    assert [answer.term for answer in answers if isinstance(answer, m.AppendEntriesResponse)] == [5, 6, 7]
    await client.close()
    await server.close()
    listener.close()


async def test_an_older_server_closes_at_a_pre_vote() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    listener, target = await listening(old)
    client = NetworkTransport(dial)
    assert isinstance(await ask(client, target, m.PreVoteRequest(2, 1, 1)), UnsupportedRpcError)
    vote = await ask(client, target, m.RequestVoteRequest(2, b"a", 1, 1))
    assert isinstance(vote, TransportError) and not isinstance(vote, UnsupportedRpcError)
    await client.close()
    listener.close()


async def test_error_strings_and_noise_fail_the_request_only() -> None:
    answers = [
        encode_response(m.RequestVoteResponse(1, False), "refused"),
        encode_response(m.RequestVoteResponse(1, False), "unexpected command"),
        b"\xc1\xc1",
        encode_response(m.RequestVoteResponse(9, True)),
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            assert decode_request(data) is not None
            writer.write(answers.pop(0))

    listener, target = await listening(serve)
    client = NetworkTransport(dial)
    vote = m.RequestVoteRequest(2, b"a", 1, 1)
    got = [await ask(client, target, vote) for _ in range(4)]
    assert str(got[0]) == "refused" and not isinstance(got[0], UnsupportedRpcError)
    assert isinstance(got[1], UnsupportedRpcError)
    assert isinstance(got[2], TransportError)
    assert got[3] == m.RequestVoteResponse(9, True)
    await client.close()
    listener.close()


async def test_nobody_listens() -> None:
    client = NetworkTransport(dial)
    listener, target = await listening(lambda reader, writer: None)
    listener.close()
    await listener.wait_closed()
    assert isinstance(await ask(client, target, m.TimeoutNowRequest()), TransportError)
    await client.close()


@pytest.mark.parametrize(
    "noise",
    [
        b"\x09", b"\x00\xc1", b"\x00" + b"\x91" * 5000, b"\x02" + encode_request(m.TimeoutNowRequest())[1:] + b"x",
        b"\x00\x81",
    ],
)  # fmt: skip
async def test_noise_ends_the_connection_not_the_server(noise: bytes) -> None:
    seen: list[m.Request] = []

    def handle(request: m.Request, body: Body | None, respond: Respond) -> None:
        seen.append(request)
        respond(m.TimeoutNowResponse(), "")

    server = NetworkTransport(dial)
    server.set_handler(handle)
    listener, target = await listening(server.serve)
    reader, writer = await dial(target)
    writer.write(noise)
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        await reader.read()
    assert await ask(NetworkTransport(dial), target, m.TimeoutNowRequest()) == m.TimeoutNowResponse()
    await server.close()
    listener.close()
