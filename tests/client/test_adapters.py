"""What other libraries make of a resolver, and the client over httpx."""

from __future__ import annotations

import asyncio
import io
import socket

import aiohttp
import grpc
import httpx
import pytest
from both import client_of
from hostile import answer, hostile, in_turn

from proconsul.client import (
    AsyncClient,
    AsyncHttpxTransport,
    BadAnswer,
    CallTimeout,
    HttpxTransport,
    Instance,
    NotFound,
    RetryPolicy,
    Unavailable,
)
from proconsul.client.adapters import aiohttp_resolver, async_httpx_transport, grpc_target, httpx_transport
from proconsul.testing import AgentInThread


class Known:
    """A resolver that knows what it is told."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.instances = tuple(Instance(host, port, 1, "n", str(port)) for host, port in addresses)

    def pick(self) -> Instance:
        if not self.instances:
            raise NotFound("no instance", 404)
        return self.instances[0]


async def test_httpx_reaches_an_instance() -> None:
    async with hostile(in_turn(answer(b"hello"))) as server:
        host, port = server.address.split(":")
        web = Known((host, int(port)))
        async with httpx.AsyncClient(transport=async_httpx_transport({"web": web})) as session:
            assert (await session.get("http://web/path?q=1")).text == "hello"

        def ask() -> str:
            with httpx.Client(transport=httpx_transport({"web": web})) as blocking:
                return blocking.get("http://web:1/path").text

        assert await asyncio.to_thread(ask) == "hello"
        assert server.requests[0].startswith(b"GET /path?q=1 HTTP/1.1\r\n")
        assert b"host: web\r\n" in server.requests[0].lower()
        with pytest.raises(NotFound):
            async with httpx.AsyncClient(transport=async_httpx_transport({"web": Known()})) as session:
                await session.get("http://web/")


async def test_aiohttp_reaches_an_instance() -> None:
    async with hostile(in_turn(answer(b"hello"))) as server:
        host, port = server.address.split(":")
        resolver = aiohttp_resolver({"web": Known((host, int(port)))})
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://web/") as found:
            assert await found.text() == "hello"
        assert [one["port"] for one in await resolver.resolve("127.0.0.1", 7, socket.AF_INET)] == [7]
        await resolver.close()


def test_grpc_reaches_all_instances() -> None:
    target = grpc_target(Known(("127.0.0.1", 1), ("127.0.0.2", 2)))
    assert target == "ipv4:127.0.0.1:1,127.0.0.2:2"
    grpc.insecure_channel(target).close()
    assert grpc_target(Known(("::1", 1))) == "ipv6:[::1]:1"
    with pytest.raises(ValueError, match="one family"):
        grpc_target(Known(("::1", 1), ("127.0.0.1", 1)))
    with pytest.raises(NotFound):
        grpc_target(Known())


async def test_the_client_over_httpx(kind: str) -> None:
    with AgentInThread() as agent:
        quick = RetryPolicy(attempts=1)
        transport = AsyncHttpxTransport if kind == "async" else HttpxTransport
        client = client_of(kind, agent.http_address, transport=transport, retry=quick)
        assert await client.kv.put("a//b", b"1", flags=3)
        result = await client.with_meta(client.kv.get, "a//b")
        assert result.value == b"1"
        assert result.meta.index > 0
        archive = b"".join([piece async for piece in client.snapshot.save()])
        await client.snapshot.restore(io.BytesIO(archive))
        with pytest.raises(CallTimeout):
            await client.kv.get("a//b", timeout=0)
        async with client.lock("l", ttl=10) as held:
            assert held.held
        await client.aclose()
        with pytest.raises(Unavailable):
            await client.kv.get("a")


@pytest.mark.parametrize(("data", "wanted"), [
    (None, Unavailable), (answer(b"[", length=9) + b"\0END", Unavailable), (b"nonsense\r\n\r\n", BadAnswer),
])  # fmt: skip
async def test_the_errors_of_httpx_are_ours(data: bytes | None, wanted: type[Exception]) -> None:
    async with hostile(in_turn(data)) as server:
        quick = RetryPolicy(attempts=1)
        async with AsyncClient(server.address, transport=AsyncHttpxTransport, retry=quick) as client:
            with pytest.raises(wanted):
                await client.kv.get("a")
    async with AsyncClient("127.0.0.1:1", transport=AsyncHttpxTransport, retry=quick) as client:
        with pytest.raises(Unavailable) as failure:
            await client.kv.get("a")
        assert not failure.value.sent
