"""No reply of a server leaves a request unanswered: nil and missing fields are zero values, the rest is an error.

Consul's servers are written in Go, where any list, map or pointer of a reply may be nil. A client agent is asked
everything it forwards, with every field of every reply taken away in turn.
"""

# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import asyncio
import copy
import dataclasses
import gzip
import io
import struct
import types
import typing
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from proconsul.agent.agent import Agent
from proconsul.agent.config import load
from proconsul.agent.doors.dns_service import DnsService
from proconsul.engine.completion import Completion, tell
from proconsul.engine.http.request import Request
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.hostport import Address
from proconsul.features.catalog import endpoint as catalog
from proconsul.features.coordinate import endpoint as coordinate
from proconsul.features.coordinate.model import DatacenterMap
from proconsul.features.errors import ConsulError
from proconsul.features.event.model import FIRE
from proconsul.features.health import endpoint as health
from proconsul.features.keyring.model import OPERATE
from proconsul.features.kv import endpoint as kv
from proconsul.features.operator import routes as operator
from proconsul.features.session import endpoint as session
from proconsul.features.snapshot.model import SnapshotOp, SnapshotRequest
from proconsul.features.status.model import LEADER, PEERS
from proconsul.features.txn import endpoint as txn
from support.patience import PATIENCE_S

ADDRESS = Address("127.0.0.1", 1)
TXN = b'[{"KV":{"Verb":"get","Key":"a"}}]'
WRITING_TXN = b'[{"KV":{"Verb":"set","Key":"a"}}]'
# What is asked of the agent, and the method that it asks a server for it.
QUESTIONS: list[tuple[str, str, bytes, Any]] = [
    ("GET", "/v1/catalog/nodes", b"", catalog.LIST_NODES),
    ("GET", "/v1/catalog/services", b"", catalog.LIST_SERVICES),
    ("GET", "/v1/catalog/service/web", b"", catalog.SERVICE_NODES),
    ("GET", "/v1/catalog/node/n1", b"", catalog.NODE_SERVICES),
    ("GET", "/v1/catalog/node-services/n1", b"", catalog.NODE_SERVICE_LIST),
    ("GET", "/v1/health/service/web", b"", health.SERVICE_NODES),
    ("GET", "/v1/health/service/web?passing", b"", health.SERVICE_NODES),
    ("GET", "/v1/health/connect/web?index=1", b"", health.SERVICE_NODES),
    ("GET", "/v1/health/node/n1", b"", health.NODE_CHECKS),
    ("GET", "/v1/health/checks/web", b"", health.SERVICE_CHECKS),
    ("GET", "/v1/health/state/any", b"", health.CHECKS_IN_STATE),
    ("GET", "/v1/coordinate/nodes", b"", coordinate.LIST_NODES),
    ("GET", "/v1/coordinate/node/n1", b"", coordinate.NODE),
    ("GET", "/v1/coordinate/datacenters", b"", coordinate.LIST_DATACENTERS),
    ("GET", "/v1/kv/a", b"", kv.GET),
    ("GET", "/v1/kv/a?raw", b"", kv.GET),
    ("GET", "/v1/kv/a?recurse&index=1&stale", b"", kv.LIST),
    ("GET", "/v1/kv/a?keys", b"", kv.LIST_KEYS),
    ("PUT", "/v1/kv/a?cas=1", b"", kv.APPLY),
    ("GET", "/v1/session/info/11111111-1111-1111-1111-111111111111", b"", session.GET),
    ("GET", "/v1/session/list", b"", session.LIST),
    ("GET", "/v1/session/node/n1", b"", session.NODE_SESSIONS),
    ("PUT", "/v1/session/renew/11111111-1111-1111-1111-111111111111", b"", session.RENEW),
    ("PUT", "/v1/session/create", b"", session.APPLY),
    ("PUT", "/v1/txn", TXN, txn.READ),
    ("PUT", "/v1/txn?consistent", TXN, txn.READ),
    ("PUT", "/v1/txn", WRITING_TXN, txn.APPLY),
    ("GET", "/v1/operator/autopilot/configuration", b"", operator.GET_CONFIG),
    ("GET", "/v1/operator/autopilot/health", b"", operator.HEALTH),
    ("GET", "/v1/operator/autopilot/state", b"", operator.STATE),
    ("GET", "/v1/operator/raft/configuration", b"", operator.RAFT_CONFIGURATION),
    ("PUT", "/v1/operator/autopilot/configuration?cas=1", b"{}", operator.SET_CONFIG),
    ("PUT", "/v1/event/fire/x", b"p", FIRE),
    ("GET", "/v1/status/leader", b"", LEADER),
    ("GET", "/v1/status/peers", b"", PEERS),
]
REPLIES = {coordinate.LIST_DATACENTERS.name: list[DatacenterMap]}


class Pool:
    """Connections to a server that gives one reply to everything."""

    def __init__(self) -> None:
        self.reply = b""
        self.asked: list[str] = []
        # What the loop's exception handler would hear otherwise.
        self.sent = True

    def begin(self, waiter: Completion, address: Address, method: str, request: Any, **how: Any) -> Pool:
        self.asked.append(method)
        assert getattr(request, "Datacenter", "dc1") == "dc1", "Consul's servers refuse a request for no datacenter"
        asyncio.get_running_loop().call_soon(tell, waiter, self.reply)
        return self

    async def call(self, address: Address, method: str, request: Any, reply_type: Any, **how: Any) -> Any:
        self.asked.append(method)
        assert getattr(request, "Datacenter", "dc1") == "dc1", "Consul's servers refuse a request for no datacenter"
        return msgpack.decode(reply_type, self.reply)

    def cancel(self) -> None:
        """Nobody waits any more."""


class Client:
    """A client agent whose servers are a `Pool`."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.pool = agent, Pool()
        forwarding: Any = agent.node.forwarding
        forwarding._pool = self.pool
        forwarding.home = forwarding.home._replace(choose=lambda: ADDRESS)
        agent.node.whom_to_ask = lambda: ADDRESS  # type: ignore[method-assign]

    async def ask(self, method: str, target: str, body: bytes) -> tuple[int, str]:
        path, _, query = target.partition("?")
        request = Request(method, path, path, query, {})
        request.body = body
        async with asyncio.timeout(PATIENCE_S):
            response = await self.agent.front.answer(request)
        return response.status, response.body.decode("utf-8", "replace")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    config, _ = load({
        "data_dir": str(tmp_path), "bind_addr": "127.0.0.1", "node_name": "c1", "ports": {"http": -1, "dns": -1},
        "node_id": "11111111-1111-1111-1111-111111111111", "dev": True, "server": False,
    })  # fmt: skip
    agent = Agent(config, solo=True)
    await agent.start()
    yield Client(agent)
    await agent.stop()


def sample(kind: Any) -> Any:
    """A value of a type in which everything is there, in plain form."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return sample(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)))
    if origin in (list, tuple):
        return [sample(arguments[0])]
    if origin is dict:
        return {"k": sample(arguments[1])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.encode_name: sample(field.type) for field in msgspec.structs.fields(kind)}
    return {str: "text", int: 7, bool: True, float: 1.5, bytes: b"v"}.get(kind, {"a": 1})


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


def changed(value: Any, at: tuple[Any, ...], new: Any, *, gone: bool = False) -> Any:
    """``value`` with another part."""
    if not at:
        return new
    value = copy.deepcopy(value)
    holder = value
    for key in at[:-1]:
        holder = holder[key]
    if gone:
        del holder[at[-1]]
    else:
        holder[at[-1]] = new
    return value


def reply_type(method: Any) -> Any:
    return REPLIES.get(method.name, method.reply)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question[0]} {question[1]}")
async def test_any_field_may_be_nil_or_missing(client: Client, question: tuple[str, str, bytes, Any]) -> None:
    method, target, body, rpc = question
    whole = sample(reply_type(rpc))
    replies = [whole]
    for at in places(whole):
        replies.append(changed(whole, at, None))
        if at:
            replies.append(changed(whole, at, None, gone=True))
    for reply in replies:
        client.pool.reply = msgpack.encode(reply)
        status, text = await client.ask(method, target, body)
        assert status in (200, 404, 409, 429), (reply, status, text)
        assert client.pool.asked.pop() == rpc.name


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question[0]} {question[1]}")
async def test_what_has_another_type_is_an_error(client: Client, question: tuple[str, str, bytes, Any]) -> None:
    method, target, body, rpc = question
    whole = sample(reply_type(rpc))
    for at in places(whole):
        for wrong in ([[[]]], {"x": {"y": 1}}, "\udcff"):
            client.pool.reply = msgpack.encode(changed(whole, at, wrong))
            status, text = await client.ask(method, target, body)
            refused = text.startswith("rpc error making call: ")
            assert refused or status in (200, 404, 409, 429), (at, wrong, status, text)


@pytest.mark.parametrize("reply", [b"", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\x91" * 2000, b"\x80\x80"])
async def test_what_is_no_msgpack_is_an_error(client: Client, reply: bytes) -> None:
    client.pool.reply = reply
    for method, target, body, _ in QUESTIONS:
        status, text = await client.ask(method, target, body)
        assert (status, text.startswith("rpc error making call: ")) == (500, True), (target, status, text)


def _question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize(
    ("name", "rpc"),
    [
        ("web.service.consul", health.SERVICE_NODES), ("_web._tcp.service.consul", health.SERVICE_NODES),
        ("web.connect.consul", health.SERVICE_NODES), ("n1.node.consul", catalog.NODE_SERVICES),
        ("1.0.0.10.in-addr.arpa", catalog.LIST_NODES), ("consul", health.SERVICE_NODES),
    ],
)  # fmt: skip
async def test_dns_is_answered_whatever_a_reply_holds(client: Client, name: str, rpc: Any) -> None:
    agent = client.agent
    service = DnsService(
        agent.config.fixed, agent.config.reloadable, agent.node, agent.tokens,
        sample=agent.metrics.sample, rng=agent.rng,
    )  # fmt: skip
    whole = sample(rpc.reply)
    replies = [whole, b"", b"\xc1", None, {}]
    for at in places(whole):
        replies += [changed(whole, at, new) for new in (None, {"x": 1})]
    for kind in (1, 33, 255):
        for reply in replies:
            client.pool.reply = reply if isinstance(reply, bytes) else msgpack.encode(reply)
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            service._responder.handle(_question(name, kind), answer.set_result, tcp=True)
            async with asyncio.timeout(PATIENCE_S):
                packet = await answer
            assert packet[:2] == b"\0\x07" and packet[3] & 0x0F in (0, 2, 3), (kind, reply, packet)


KEYRING = [
    ("GET", "/v1/operator/keyring", b""), ("PUT", "/v1/operator/keyring", b'{"Key":"a"}'),
    ("POST", "/v1/operator/keyring", b'{"Key":"a"}'), ("DELETE", "/v1/operator/keyring", b'{"Key":"a"}'),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body"), KEYRING, ids=[one[0] for one in KEYRING])
async def test_what_members_say_of_keys_may_be_anything(client: Client, method: str, target: str, body: bytes) -> None:
    """Refusals are part of these replies, so 500 is an answer like others; it is to be in our own words."""
    whole = sample(OPERATE.reply)
    whole["Responses"][0]["Error"] = ""
    for at in places(whole):
        for reply in (
            changed(whole, at, None), changed(whole, at, None, gone=True) if at else whole,
            changed(whole, at, "\udcff"), changed(whole, at, [[[]]]), changed(whole, at, {"x": {"y": 1}}),
        ):  # fmt: skip
            client.pool.reply = msgpack.encode(reply)
            status, text = await client.ask(method, target, body)
            assert status in (200, 500) and "internal error" not in text, (reply, status, text)


ARCHIVE_REPLIES = {
    "nothing": b"", "no msgpack": b"\xc1", "another type": b"\x05", "a list for a key": b"\x81\x90\x01",
    "deep": b"\x91" * 5000, "cut": b"\x85\xa5Error\xa1", "odd fields": msgpack.encode({"Index": "x", "Error": 5}),
    "an error": msgpack.encode({"Error": "\udcff"}), "no archive": b"\x80" + b"x" * 50,
    "the begin of one": b"\x80" + gzip.compress(bytes(5000))[:-9], "too long": b"\xdb\x00\xff\xff\xff" + b"x" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("reply", ARCHIVE_REPLIES.values(), ids=ARCHIVE_REPLIES)
async def test_what_is_no_archive_is_an_error(client: Client, reply: bytes) -> None:
    """Also for who has sent one, however early the answer comes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)
        writer.write_eof()
        await reader.read()
        writer.close()

    server, pool = client.agent.node, ConnectionPool()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        address = Address(*listener.sockets[0].getsockname()[:2])
        server.pool, server.whom_to_ask = pool, lambda: address  # type: ignore[method-assign]
        server.config = dataclasses.replace(server.config, rpc_hold_timeout_s=0.0)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ConsulError):
                await server.archives.save(SnapshotRequest(Datacenter="dc1"))
            if not reply.startswith(b"\x80"):  # which is all that a restore is told
                with pytest.raises(ConsulError):
                    args = SnapshotRequest(Datacenter="dc1", Op=SnapshotOp.RESTORE)
                    await server.archives.restore(args, io.BytesIO(b"x" * 9000))
    await pool.close()
