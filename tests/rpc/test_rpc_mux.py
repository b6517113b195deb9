"""The listener: first bytes, TLS policy, ALPN, time and connection limits."""

from __future__ import annotations

import asyncio
import logging

import pytest
from rpc_support import SERVER_NAME, RawClient, Text, context, echo_stream, site, until

from proconsul.engine.rpc.codec import encode_request
from proconsul.engine.rpc.dial import FirstByte, Tls
from proconsul.engine.rpc.mux import OnStreams, RpcListener, TlsPolicy
from proconsul.engine.rpc.server import Peer
from proconsul.engine.wire.hostport import Address


async def ended(client: RawClient) -> bool:
    """True when the server closed without a word."""
    try:
        return await client.reader.read(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("first", [2, 3, 6, 7, 8, 9, 22, 255])
async def test_bytes_nobody_serves_close_the_connection(first: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "agent.server.rpc")
    async with site() as there, RawClient(there.address, bytes((first,))) as client:
        assert await ended(client)
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
    if first in (FirstByte.TLS, FirstByte.INSECURE_TLS):
        assert "TLS connection attempted, server not configured for TLS: conn=from=127.0.0.1:" in caplog.text
    else:
        assert f"unrecognized RPC byte: byte={first} conn=from=127.0.0.1:" in caplog.text


@pytest.mark.parametrize("first", [0, 1, 2, 4, 5, 22])
async def test_with_verify_incoming_nothing_goes_in_the_clear(first: int) -> None:
    policy = TlsPolicy(incoming=context(True), verify_incoming=True)
    async with site(tls=policy) as there, RawClient(there.address, bytes((first,))) as client:
        client.send("Test.Leader", Text())
        assert await ended(client)


@pytest.mark.parametrize("begun", [b"", b"\x03", b"\x03\x16\x03\x01"])
async def test_who_does_not_come_to_the_point_is_closed(begun: bytes, caplog: pytest.LogCaptureFixture) -> None:
    policy = TlsPolicy(incoming=context(True))
    async with site(tls=policy, listener={"handshake_timeout_s": 0.02}) as there:
        async with RawClient(there.address, begun) as client:
            assert await ended(client)
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
    assert "failed to read byte: conn=from=127.0.0.1:" in caplog.text


async def test_silence_inside_tls_is_closed_too() -> None:
    policy = TlsPolicy(native=context(True))
    async with site(tls=policy, listener={"handshake_timeout_s": 1.0}) as there:
        reader, writer = await asyncio.open_connection(*there.address, ssl=context(False), server_hostname=SERVER_NAME)
        assert await reader.read() == b""
        writer.close()


async def test_who_leaves_before_the_first_byte_is_no_event(caplog: pytest.LogCaptureFixture) -> None:
    async with site() as there:
        async with RawClient(there.address, b""):
            pass
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
    assert caplog.text == ""


@pytest.mark.parametrize("inner", [b"\x03", b"\x07", b"\x02", b"\x09"])
async def test_inside_tls_there_is_no_second_tls(inner: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with site(tls=TlsPolicy(native=context(True), insecure=context(True))) as there:
        reader, writer = await asyncio.open_connection(*there.address, ssl=context(False), server_hostname=SERVER_NAME)
        writer.write(inner)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
    if inner[0] == FirstByte.TLS:
        assert "TLS connection attempting to establish inner TLS connection: conn=from=127.0.0.1:" in caplog.text
    else:
        assert f"unrecognized RPC byte: byte={inner[0]}" in caplog.text


@pytest.mark.parametrize(("name", "reply"), [("consul/raft", b"True client.dc1.consul\n"), ("consul/rpc-single", b"")])
async def test_connections_that_begin_with_tls_name_what_they_are_for(name: str, reply: bytes) -> None:
    policy = TlsPolicy(native=context(True, alpn=("consul/rpc-single", "consul/raft")), verify_incoming=True)
    async with site(tls=policy) as there:
        reader, writer = await asyncio.open_connection(
            *there.address, ssl=context(False, alpn=(name,)), server_hostname=SERVER_NAME
        )
        if reply:
            assert await reader.readexactly(len(reply)) == reply
        else:
            writer.write(encode_request(1, "Test.Leader", b"\x80"))
            assert (await reader.readuntil(b"8300")).endswith(b"127.0.0.1:8300")
        writer.close()


async def test_bytes_that_come_together_with_the_first_are_not_lost() -> None:
    request = encode_request(5, "Test.Leader", b"\x80")
    async with site() as there, RawClient(there.address, b"\0" + request) as client:
        answer = await client.answer()
        assert answer is not None and answer.seq == 5
    async with site() as there, RawClient(there.address, b"\x01raft") as client:
        assert await client.reader.readexactly(11) == b"False \nraft"


async def test_connections_of_one_client_are_limited(caplog: pytest.LogCaptureFixture) -> None:
    async with site(listener={"per_client_max": 2}) as there:
        async with RawClient(there.address) as first, RawClient(there.address, b"\x01") as second:
            first.send("Test.Leader", Text())
            assert await first.answer() is not None
            assert await second.reader.readexactly(7) == b"False \n"
            async with RawClient(there.address) as third:
                assert await ended(third)
            assert "rpc_max_conns_per_client exceeded: conn=127.0.0.1" in caplog.text
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
        there.listener.per_client_max = 0
        assert (await there.call("Echo", b"x")).Value == b"x"


async def test_a_handler_that_fails_takes_nothing_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        raise KeyError("bug")

    async with site(extra={FirstByte.RAFT: OnStreams(fail)}) as there:
        async with RawClient(there.address, b"\x01") as client:
            assert await ended(client)
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
        assert (await there.call("Echo", b"x")).Value == b"x"
    assert "internal error: conn=from=127.0.0.1:" in caplog.text


async def test_a_reload_of_certificates_counts_from_the_next_connection() -> None:
    policies = [TlsPolicy(), TlsPolicy(incoming=context(True), verify_incoming=True)]
    async with site() as there:
        there.listener._tls = lambda: policies[0]
        assert (await there.call("Echo", b"x")).Value == b"x"
        policies.pop(0)
        assert (await there.call("Echo", b"x")).Value == b"x"
        async with RawClient(there.address) as client:
            assert await ended(client)
        assert (await there.call("Echo", b"y", tls=Tls(context(False), SERVER_NAME))).Value == b"y"


async def test_ipv6_and_closing() -> None:
    listener = RpcListener({FirstByte.RAFT: OnStreams(echo_stream)})
    try:
        port = await listener.start("::1", 0)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    async with RawClient(Address("::1", port), b"\x01") as client:
        assert await client.reader.readexactly(7) == b"False \n"
        await listener.close()
        assert await ended(client)
    with pytest.raises(OSError):
        await asyncio.open_connection("::1", port)


async def test_a_port_that_is_taken_is_an_os_error() -> None:
    async with site() as there:
        with pytest.raises(OSError):
            await RpcListener({}).start(*there.address)
