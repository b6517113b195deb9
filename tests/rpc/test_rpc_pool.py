"""Calls by the pool: sharing, reuse, failures, cancelling, limits, TLS."""

# mypy: disable-error-code="union-attr"

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rpc_support import SERVER_NAME, Methods, Site, Text, context, make_server, site, until

from proconsul.engine.rpc import pool as pool_module
from proconsul.engine.rpc.codec import EMPTY, Empty, MessageReader, encode_reply, encode_request
from proconsul.engine.rpc.dial import FirstByte, Tls, dial_streams, dial_text
from proconsul.engine.rpc.errors import (
    ConnectionFailed,
    ConnectionLost,
    RpcError,
    RpcOverload,
    RpcTimeout,
    making_call,
)
from proconsul.engine.rpc.mux import OnProtocol, OnStreams, TlsPolicy
from proconsul.engine.rpc.pool import PoolLimits
from proconsul.engine.rpc.server import Peer
from proconsul.engine.rpc.yamux import Data, Limits, Session, StreamOpened
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import DecodeError

LONG = 30.0


async def test_replies_of_all_shapes() -> None:
    async with site() as there:
        assert await there.call("Echo", b"\x00\xff", 7) == Text(b"\x00\xff", 7)
        assert await there.pool.call(there.address, "Test.Leader", None, str, timeout_s=LONG) == "127.0.0.1:8300"
        assert await there.pool.call(there.address, "Test.Nothing", None, Empty, timeout_s=LONG) == Empty()
        with pytest.raises(DecodeError):
            await there.pool.call(there.address, "Test.Leader", None, Text, timeout_s=LONG)
        assert (await there.call("Echo", b"goes on")).Value == b"goes on"


async def test_parallel_calls_share_one_connection_and_large_ones_pass_through_the_windows() -> None:
    async with site() as there:
        values = [bytes([number]) * 400_000 for number in range(16)]
        replies = await asyncio.gather(*(there.call("Echo", value) for value in values))
        assert [reply.Value for reply in replies] == values
        assert there.listener.connections("127.0.0.1") == 1


async def test_a_reply_of_many_windows() -> None:
    async with site() as there:
        assert len((await there.call("Fill", b"0123456789abcdef", 1 << 19)).Value) == 8 << 20


async def test_streams_are_used_again_up_to_a_limit() -> None:
    async with site(limits=PoolLimits(idle_streams_max=2)) as there:
        for _ in range(20):
            await there.call("Echo")
        connection = only_connection(there)
        assert len(connection.session) == 1
        await asyncio.gather(*(there.call("Echo") for _ in range(10)))
        await until(lambda: len(connection.session) == 2)


def only_connection(there: Site) -> Any:
    (connection,) = there.pool._all
    return connection


async def test_errors_of_the_server_carry_its_text_and_leave_the_stream_usable() -> None:
    async with site() as there:
        with pytest.raises(RpcError) as caught:
            await there.call("Fail", b"No cluster leader")
        assert str(caught.value) == "No cluster leader"
        assert making_call(caught.value) == "rpc error making call: No cluster leader"
        assert len(only_connection(there).session) == 1
        await there.call("Echo")
        assert len(only_connection(there).session) == 1
        for _ in range(3):  # answered and closed: the next call takes another stream
            with pytest.raises(RpcError, match=r"^rpc: can't find method Test\.New$"):
                await there.call("New")
            assert (await there.call("Echo", b"x")).Value == b"x"


async def test_nobody_there() -> None:
    async with site() as there:
        address = there.address
        await there.listener.close()
        text = "rpc error getting client: failed to get conn: "
        text += f"dial tcp 127.0.0.1:0->{address}: connect: connection refused"
        results = await asyncio.gather(*(there.call("Echo") for _ in range(3)), return_exceptions=True)
        for result in results:
            assert isinstance(result, ConnectionFailed) and str(result) == text == making_call(result)
            assert isinstance(result, OSError)
        assert len({id(result) for result in results}) == 3
        assert not await there.pool.ping(address, timeout_s=LONG)
        with pytest.raises(ConnectionFailed, match="dial tcp"):
            await there.pool.dial_raft(address)


async def test_a_server_that_goes_away_fails_the_calls_under_way_and_is_dialled_again() -> None:
    async with site() as there:
        calls = [asyncio.create_task(there.call("Wait")) for _ in range(3)]
        await until(lambda: len(there.methods.waiting) == 3)
        there.server.close()
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, ConnectionLost)
            assert making_call(result) == "rpc error making call: EOF"
        assert (await there.call("Echo", b"again")).Value == b"again"


async def test_a_call_that_takes_too_long_ends_at_both_sides_and_its_late_answer_is_no_others() -> None:
    async with site() as there:
        await there.call("Echo")
        with pytest.raises(RpcTimeout):
            await there.call("Wait", timeout_s=0.02)
        await until(lambda: there.methods.cancelled == 1)
        assert (await there.call("Echo", b"mine")).Value == b"mine"


async def test_cancelling_ends_the_call_at_the_server() -> None:
    async with site() as there:
        task = asyncio.create_task(there.call("Wait"))
        await until(lambda: there.methods.waiting)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: there.methods.cancelled == 1)
        await until(lambda: len(only_connection(there).session) == 0)
        assert (await there.call("Echo", b"mine")).Value == b"mine"


async def test_callers_that_are_cancelled_while_dialling_do_not_disturb_the_others() -> None:
    async with site() as there:
        tasks = [asyncio.create_task(there.call("Echo", b"x")) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [Text(b"x"), Text(b"x")]


async def test_dialling_counts_against_the_time_of_the_call() -> None:
    async with site() as there:
        with pytest.raises(RpcTimeout):
            await there.call("Echo", timeout_s=0.0)


async def test_closing_the_pool_ends_everything() -> None:
    async with site() as there:
        task = asyncio.create_task(there.call("Wait"))
        await until(lambda: there.methods.waiting)
        dialling = asyncio.create_task(there.pool.call(Address("127.0.0.1", 9), "A.B", None, Empty, timeout_s=LONG))
        await there.pool.close()
        with pytest.raises(ConnectionLost):
            await task
        with pytest.raises(ConnectionFailed):
            await dialling
        with pytest.raises(ConnectionFailed, match="shut down"):
            await there.call("Echo")
        await until(lambda: there.listener.connections("127.0.0.1") == 0)


async def test_connections_nobody_uses_are_closed() -> None:
    async with site() as there:
        task = asyncio.create_task(there.call("Wait"))
        await until(lambda: there.methods.waiting)
        connection = only_connection(there)
        connection._last_used -= 1000.0
        connection._tick()
        assert connection.is_open
        there.methods.waiting[0].set_result(Text())
        await task
        connection._tick()
        assert connection.is_open
        connection._last_used -= 127.0
        connection._tick()
        await until(lambda: not there.pool._all)
        assert (await there.call("Echo", b"x")).Value == b"x"


async def test_a_server_that_says_farewell_keeps_its_calls_and_gets_no_more() -> None:
    async with site() as there:
        task = asyncio.create_task(there.call("Wait"))
        await until(lambda: there.methods.waiting)
        (served,) = there.server._open
        served.session.go_away()
        served.flush()
        await until(lambda: only_connection(there).session.gone_away)
        assert (await there.call("Echo", b"elsewhere")).Value == b"elsewhere"
        assert len(there.pool._all) == 2
        there.methods.waiting[0].set_result(Text(b"done"))
        assert (await task).Value == b"done"

    async with site() as there:
        await there.call("Echo")
        (served,) = there.server._open
        served.session.go_away()
        served.flush()
        await until(lambda: not there.pool._all)


async def test_whoever_stands_still_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel goes on taking what it is sent. Who answers pings is waited for, however long its answers take."""
    monkeypatch.setattr(pool_module, "EXAMINE_S", 0.05)
    still = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        await still.wait()

    async with site() as healthy, site(extra={FirstByte.MULTIPLEX: OnStreams(serve)}) as stopped:
        waits = asyncio.create_task(healthy.call("Wait"))
        await until(lambda: healthy.methods.waiting)
        calls = [asyncio.create_task(stopped.call("Echo")) for _ in range(3)]
        await until(lambda: stopped.pool._all and all(one.is_busy for one in stopped.pool._all))
        for _ in range(2):
            healthy.pool.examine()
            stopped.pool.examine()
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, ConnectionLost)
        healthy.methods.waiting[0].set_result(Text(b"late"))
        assert await waits == Text(b"late")
        still.set()


async def test_beyond_the_backlog_calls_wait_for_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "CALLS_WAITING_MAX", 10)
    async with site() as there:
        await there.call("Echo")
        calls = [asyncio.create_task(there.call("Wait")) for _ in range(268)]
        results = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        (failed,) = results[0]
        assert isinstance(failed.exception(), RpcOverload)
        await until(lambda: len(there.methods.waiting) == 267)
        for future in there.methods.waiting:
            future.set_result(Text())
        assert await asyncio.gather(*(call for call in calls if call is not failed)) == [Text()] * 267


# ------------------------------------------------------------------ servers that misbehave


class Rogue(asyncio.Protocol):
    """Answers requests as ``answer`` says, on real yamux."""

    def __init__(self, answer: bytes, done: Any) -> None:
        self.session, self.answer, self.done = Session(False, 0.0, Limits()), answer, done

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for event in self.session.feed(data, 0.0):
            if isinstance(event, StreamOpened):
                self.session.accept(event.stream)
            elif isinstance(event, Data):
                self.session.send(event.stream, self.answer)
        self.transport.write(self.session.outgoing())

    def connection_lost(self, exc: Exception | None) -> None:
        self.done()


@pytest.mark.parametrize(
    "answer", [b"\xc1", b"\x05\x05", encode_reply(9, "Test.Echo"), encode_reply(0, "Test.Echo") + b"\x00"]
)
async def test_answers_that_are_none_fail_the_call_not_the_connection(answer: bytes) -> None:
    rogue = OnProtocol(lambda peer, done: Rogue(answer, done))
    async with site(extra={FirstByte.MULTIPLEX: rogue}) as there:
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                await there.call("Echo")
        assert there.listener.connections("127.0.0.1") == 1


async def test_an_answer_nobody_asked_for_ends_its_stream() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        session = Session(False, 0.0)
        while data := await reader.read(65536):
            for event in session.feed(data, 0.0):
                if isinstance(event, StreamOpened):
                    session.accept(event.stream)
                elif isinstance(event, Data):
                    session.send(event.stream, encode_reply(0, "Test.Echo"))
                    writer.write(session.outgoing())
                    session.send(event.stream, encode_reply(0, "Test.Echo"))
            await asyncio.sleep(0)
            writer.write(session.outgoing())

    async with site(extra={FirstByte.MULTIPLEX: OnStreams(serve)}) as there:
        assert await there.pool.call(there.address, "Test.Echo", None, Empty, timeout_s=LONG) == Empty()
        await until(lambda: len(only_connection(there).session) == 0)
        assert await there.pool.call(there.address, "Test.Echo", None, Empty, timeout_s=LONG) == Empty()


async def test_replies_beyond_the_limit_fail_the_call() -> None:
    async with site(limits=PoolLimits(reply_bytes_max=500_000)) as there:
        with pytest.raises(ConnectionLost, match="too large"):
            await there.call("Fill", b"x", 500_000)
        assert len((await there.call("Fill", b"x", 400_000)).Value) == 400_000


# ------------------------------------------------------------------ streams and TLS


async def test_snapshot_and_raft_connections() -> None:
    async with site() as there:
        for dial in (there.pool.open_snapshot, there.pool.dial_raft):
            reader, writer = await dial(there.address)
            writer.write(b"bytes")
            writer.write_eof()
            assert await reader.read() == b"False \nbytes"
            writer.close()
        await until(lambda: there.listener.connections("127.0.0.1") == 0)


async def test_tls_for_calls_and_streams() -> None:
    policy = TlsPolicy(incoming=context(True), verify_incoming=True)
    tls = Tls(context(False), SERVER_NAME)
    async with site(tls=policy) as there:
        values = [bytes([number]) * 400_000 for number in range(4)]
        replies = await asyncio.gather(*(there.call("Echo", value, tls=tls) for value in values))
        assert [reply.Value for reply in replies] == values
        reader, writer = await there.pool.dial_raft(there.address, tls=tls)
        assert await reader.readline() == b"True client.dc1.consul\n"
        writer.write(b"raft")
        assert await reader.readexactly(4) == b"raft"
        writer.close()

        with pytest.raises(ConnectionLost):  # in the clear
            await there.call("Echo")
        with pytest.raises(ConnectionFailed, match="x509: Hostname mismatch"):
            await there.call("Echo", tls=Tls(context(False), "server.dc2.consul"))
        with pytest.raises((ConnectionLost, ConnectionFailed)):  # no certificate of ours
            await there.call("Echo", tls=Tls(context(False, certified=False), SERVER_NAME))


async def test_byte_7_is_answered_inside_tls_without_a_certificate() -> None:
    policy = TlsPolicy(insecure=context(True, verify=False), verify_incoming=True)
    insecure = make_server(Methods())
    async with site(tls=policy, extra={FirstByte.INSECURE_TLS: OnProtocol(insecure.single)}) as there:
        tls = Tls(context(False, certified=False, verify=False), "")
        reader, writer = await dial_streams(there.address, FirstByte.INSECURE_TLS, tls=tls)
        writer.write(encode_request(4, "Test.Leader", EMPTY))
        messages = MessageReader()
        while (message := messages.next()) is None:
            messages.feed(await reader.read(1000))
        assert message.seq == 4 and message.body == b"\xae127.0.0.1:8300"
        writer.close()


@pytest.mark.parametrize(
    ("error", "source", "text"),
    [
        (ConnectionRefusedError(111, "x"), "", "dial tcp 10.0.0.1:8300: connect: connection refused"),
        (
            ConnectionRefusedError(111, "x"),
            "10.0.0.2",
            "dial tcp 10.0.0.2:0->10.0.0.1:8300: connect: connection refused",
        ),
        (TimeoutError(), "", "dial tcp 10.0.0.1:8300: i/o timeout"),
        (OSError(113, "No route to host"), "", "dial tcp 10.0.0.1:8300: connect: no route to host"),
        (OSError("odd"), "", "dial tcp 10.0.0.1:8300: connect: odd"),
    ],
)
def test_dial_errors_are_in_the_words_of_go(error: Exception, source: str, text: str) -> None:
    assert dial_text(Address("10.0.0.1", 8300), error, source) == text
    assert dial_text(Address("::1", 8300), TimeoutError()) == "dial tcp [::1]:8300: i/o timeout"


def test_on_uvloop_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def scenario() -> None:
        await test_tls_for_calls_and_streams()
        await test_snapshot_and_raft_connections()
        await test_parallel_calls_share_one_connection_and_large_ones_pass_through_the_windows()
        await test_nobody_there()
        await test_byte_7_is_answered_inside_tls_without_a_certificate()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
