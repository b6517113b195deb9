"""The server's side of msgpack-rpc: dispatch, order, errors, clients that leave, overload."""

from __future__ import annotations

import asyncio
import logging
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rpc_support import Methods, RawClient, Text, make_server, site, until
from rpc_vectors import names, wire

from proconsul.engine.rpc.codec import EMPTY, Message, MessageReader, encode_request
from proconsul.engine.rpc.server import COLLECTED_BYTES_MAX, Peer
from proconsul.engine.rpc.yamux import WINDOW_BYTES, Data, Limits, Reset, Session
from proconsul.engine.wire.msgpack import decode, encode
from proconsul.features.base import SECOND_NS, query_time_ns


class Pipe(asyncio.Transport):
    """What a connection wrote, and whether it still lives."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.written = bytearray()
        self.reading = True
        self.closed = False
        self.protocol = protocol
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def take(self) -> bytes:
        taken = bytes(self.written)
        self.written.clear()
        return taken

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.protocol.connection_lost(None)

    abort = close

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high


class Caller:
    """A client of a multiplexed connection inside the test: yamux by the session, the rest by hand."""

    def __init__(self, methods: Methods, **options: int | Limits) -> None:
        self.ended: list[str] = []
        self.protocol = make_server(methods, **options).multiplexed(Peer("10.0.0.1", 5), lambda: self.ended.append("x"))
        self.pipe = Pipe(self.protocol)
        self.session = Session(True, 0.0)
        self.readers: dict[int, MessageReader] = {}
        self.messages: list[tuple[int, Message]] = []
        self.resets: list[int] = []

    def open(self) -> int:
        number = self.session.open()
        self.readers[number] = MessageReader()
        return number

    def send(self, number: int, method: str, argument: bytes, seq: int = 0) -> None:
        self.session.send(number, encode_request(seq, f"Test.{method}", argument))

    def exchange(self, *, consume: bool = True) -> None:
        """Carry bytes to and fro until there are none."""
        while True:
            sent = self.session.outgoing()
            if sent:
                self.protocol.data_received(sent)
            got = self.pipe.take()
            for event in self.session.feed(got, 0.0):
                if isinstance(event, Data):
                    self.readers[event.stream].feed(event.data)
                    while (message := self.readers[event.stream].next()) is not None:
                        self.messages.append((event.stream, message))
                    if consume:
                        self.session.consume(event.stream, len(event.data))
                elif isinstance(event, Reset):
                    self.resets.append(event.stream)
            if not sent and not got:
                return


async def test_requests_on_a_bare_connection_are_answered_in_order() -> None:
    async with site() as there, RawClient(there.address) as client:
        client.send("Test.Wait", Text(), 7)
        client.send("Test.Echo", Text(b"two"), 8)
        await until(lambda: there.methods.waiting)
        assert there.methods.calls == 1
        there.methods.waiting[0].set_result(Text(b"one"))
        first_answer, second = await client.answer(), await client.answer()
        assert first_answer is not None and second is not None
        assert (first_answer.seq, second.seq) == (7, 8)
        assert decode(Text, first_answer.body).Value == b"one" and decode(Text, second.body).Value == b"two"


REFUSALS = {
    "unknown service": ("Nope.Nope", EMPTY, "rpc: can't find service Nope.Nope"),
    "unknown method": ("Test.Nope", EMPTY, "rpc: can't find method Test.Nope"),
    "no dot": ("Nope", EMPTY, "rpc: service/method request ill-formed: Nope"),
    "no name": ("", EMPTY, "rpc: service/method request ill-formed: "),
    "service with a dot": ("Test.Echo.X", EMPTY, "rpc: can't find service Test.Echo.X"),
    "argument of another type": ("Test.Echo", b"\x05", "codec.decoder: expected a map for Text, got int"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_what_cannot_be_dispatched_is_answered_and_the_stream_closed(case: str) -> None:
    method, body, text = REFUSALS[case]
    async with site() as there, RawClient(there.address) as client:
        client.send(method, body, 3)
        assert await client.answer() == Message(method, 3, text, EMPTY)
        assert await client.answer() is None


async def test_errors_of_handlers_do_not_end_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    async with site() as there, RawClient(there.address) as client:
        client.send("Test.Fail", Text(b"Missing node registration"), 1)
        assert await client.answer() == Message("Test.Fail", 1, "Missing node registration", EMPTY)
        assert "internal error" not in caplog.text
        for method, kind in (("Test.Crash", "KeyError"), ("Test.Unencodable", "TypeError")):
            client.send(method, Text(b"secret"), 2)
            answer = await client.answer()
            assert answer == Message(method, 2, f"rpc error: internal error in {method}: {kind}", EMPTY)
        assert "Traceback" in caplog.text
        client.send("Test.Wait", Text(), 3)
        client.send("Test.Wait", Text(), 4)
        await until(lambda: there.methods.waiting)
        there.methods.waiting[0].set_exception(RuntimeError("late"))
        answer = await client.answer()
        assert answer is not None and answer.error.endswith("RuntimeError")
        await until(lambda: len(there.methods.waiting) == 2)
        there.methods.waiting[1].cancel()
        answer = await client.answer()
        assert answer is not None and "cancelled" in answer.error
        client.send("Test.Nothing", Text(), 5)
        assert await client.answer() == Message("Test.Nothing", 5, "", EMPTY)
        client.send("Test.Leader", Text(), 6)
        answer = await client.answer()
        assert answer is not None and decode(str, answer.body) == "127.0.0.1:8300"


async def test_a_client_that_leaves_cancels_what_it_waits_for() -> None:
    async with site() as there:
        async with RawClient(there.address) as client:
            client.send("Test.Wait", Text())
            await until(lambda: there.methods.waiting)
        await until(lambda: there.methods.cancelled == 1)
        await until(lambda: there.listener.connections("127.0.0.1") == 0)


async def test_streams_that_end_cancel_only_their_own_requests() -> None:
    methods = Methods()
    caller = Caller(methods)
    closed, reset, kept = caller.open(), caller.open(), caller.open()
    for number in (closed, reset, kept):
        caller.send(number, "Wait", encode(Text()))
    caller.exchange()
    await until(lambda: len(methods.waiting) == 3)
    caller.session.close(closed, 0.0)
    caller.session.reset(reset)
    caller.exchange()
    await until(lambda: methods.cancelled == 2)
    methods.waiting[2].set_result(Text(b"kept"))
    await until(lambda: caller.pipe.written)
    caller.exchange()
    assert [(number, decode(Text, message.body).Value) for number, message in caller.messages] == [(kept, b"kept")]
    assert len(caller.session) == 1
    caller.pipe.close()
    assert caller.ended == ["x"]


async def test_a_reply_that_comes_after_its_stream_has_gone_is_dropped() -> None:
    methods = Methods()
    caller = Caller(methods)
    number = caller.open()
    caller.send(number, "Future", encode(Text()))
    caller.exchange()
    caller.session.reset(number)
    caller.exchange()
    assert methods.waiting[0].cancelled()
    await asyncio.sleep(0)
    caller.exchange()
    assert caller.messages == []


async def test_one_request_at_a_time_and_no_credit_for_those_behind_it() -> None:
    methods = Methods()
    caller = Caller(methods)
    number = caller.open()
    caller.send(number, "Future", encode(Text()))
    argument = encode(Text(bytes(1000)))
    for seq in range(1000):
        caller.send(number, "Echo", argument, seq)
    caller.exchange()
    assert methods.calls == 0
    assert caller.session.waiting_bytes > 700_000  # the window is full, and stays so
    methods.waiting[0].set_result(Text())
    await until(lambda: caller.pipe.written)
    caller.exchange()
    assert [message.seq for _, message in caller.messages] == [0, *range(1000)]
    assert caller.session.waiting_bytes == 0


async def test_answers_that_are_not_taken_stop_further_requests() -> None:
    methods = Methods()
    caller = Caller(methods)
    number = caller.open()
    caller.send(number, "Fill", encode(Text(b"x", WINDOW_BYTES)))
    caller.send(number, "Echo", encode(Text()), 1)
    caller.exchange(consume=False)
    assert methods.calls == 0 and caller.messages == []
    caller.session.consume(number, WINDOW_BYTES)
    caller.exchange()
    assert methods.calls == 1 and [message.seq for _, message in caller.messages] == [0, 1]

    caller.protocol.pause_writing()  # the same for a connection whose peer does not read at all
    other = caller.open()
    caller.send(other, "Echo", encode(Text()), 2)
    caller.exchange()
    assert methods.calls == 1
    caller.protocol.resume_writing()
    caller.exchange()
    assert methods.calls == 2


async def test_a_congested_connection_begins_no_requests_on_any_stream() -> None:
    methods = Methods()
    caller = Caller(methods)
    for _ in range(2):
        caller.send(caller.open(), "Fill", encode(Text(b"x" * 1024, 33 << 10)))
    last = caller.open()
    caller.send(last, "Echo", encode(Text()))
    caller.exchange(consume=False)
    assert methods.calls == 0
    caller.session.reset(1)
    caller.exchange(consume=False)
    assert methods.calls == 1 and [number for number, _ in caller.messages] == [last]


async def test_more_waiting_than_allowed_ends_the_stream() -> None:
    caller = Caller(Methods(), limits=Limits(waiting_bytes_max=1000))
    number = caller.open()
    caller.send(number, "Fill", encode(Text(b"x", WINDOW_BYTES + 2000)))
    caller.exchange(consume=False)
    assert caller.resets == [number] and not caller.pipe.closed


@pytest.mark.parametrize("noise", [b"\xc1", b"\x05\x05", b"\x91" * 5000 + b"\x80\x80", b"\x81\xa3Seq\xff\x80"])
async def test_noise_ends_the_stream_not_the_connection(noise: bytes) -> None:
    caller = Caller(Methods())
    bad, good = caller.open(), caller.open()
    caller.session.send(bad, noise)
    caller.send(good, "Echo", encode(Text(b"fine")))
    caller.exchange()
    assert caller.resets == [bad]
    assert [number for number, _ in caller.messages] == [good]
    assert not caller.pipe.closed


async def test_requests_beyond_the_limit_end_their_stream() -> None:
    caller = Caller(Methods(), request_bytes_max=300_000)
    number = caller.open()
    caller.send(number, "Echo", encode(Text(bytes(400_000))))
    caller.exchange()
    assert caller.resets == [number]
    number = caller.open()
    caller.send(number, "Echo", encode(Text(bytes(299_000))))
    caller.exchange()
    assert len(caller.messages) == 1


async def test_incomplete_requests_of_a_connection_are_limited_together() -> None:
    caller = Caller(Methods(), request_bytes_max=COLLECTED_BYTES_MAX // 2 + (1 << 20))
    part = encode_request(0, "Test.Echo", b"\x81\xa5Value\xdb\xff\xff\xff\xff") + bytes(COLLECTED_BYTES_MAX // 2)
    streams = [caller.open() for _ in range(2)]
    for number in streams:
        caller.session.send(number, part)
        caller.exchange()
    assert caller.resets == streams[1:]
    caller.session.reset(streams[0])
    caller.send(caller.open(), "Echo", encode(Text()))
    caller.exchange()
    assert len(caller.messages) == 1


async def test_a_protocol_error_ends_the_connection_and_what_it_waits_for() -> None:
    methods = Methods()
    caller = Caller(methods)
    caller.send(caller.open(), "Future", encode(Text()))
    caller.exchange()
    caller.protocol.data_received(struct.pack(">BBHII", 1, 0, 0, 1, 0))
    assert caller.pipe.closed and caller.ended == ["x"]
    assert caller.pipe.take() == struct.pack(">BBHII", 0, 3, 0, 0, 1)
    assert methods.waiting[0].cancelled()


async def test_a_peer_that_asks_and_does_not_read_is_cut_off() -> None:
    caller = Caller(Methods())
    caller.protocol.pause_writing()
    pings = struct.pack(">BBHII", 0, 2, 1, 0, 1) * 5000
    for _ in range(20):
        if not caller.pipe.closed:
            caller.protocol.data_received(pings)
    assert caller.pipe.closed


async def test_a_bare_connection_is_not_read_while_much_waits_behind_a_request() -> None:
    methods = Methods()
    pipe = Pipe(make_server(methods).single(Peer("::1", 5), lambda: None))
    pipe.protocol.data_received(encode_request(0, "Test.Future", EMPTY))
    one = encode_request(1, "Test.Echo", encode(Text(bytes(1000))))
    pipe.protocol.data_received(one * 200)
    assert pipe.reading
    pipe.protocol.data_received(one * 100)
    assert not pipe.reading
    methods.waiting[0].set_result(Text())
    await until(lambda: methods.calls == 300)
    assert pipe.reading
    pipe.protocol.pause_writing()
    pipe.protocol.data_received(one)
    assert methods.calls == 300
    pipe.protocol.resume_writing()
    assert methods.calls == 301
    pipe.close()


async def test_closing_the_server_ends_connections_and_cancels_handlers() -> None:
    methods = Methods()
    server = make_server(methods)
    ended: list[str] = []
    single = Pipe(server.single(Peer("a", 1), lambda: ended.append("single")))
    single.protocol.data_received(encode_request(0, "Test.Future", EMPTY))
    many = Pipe(server.multiplexed(Peer("b", 2), lambda: ended.append("many")))
    server.close()
    assert single.closed and many.closed and sorted(ended) == ["many", "single"]
    assert methods.waiting[0].cancelled()
    assert many.take() == struct.pack(">BBHII", 0, 3, 0, 0, 0)


async def test_an_answer_nobody_waits_for_any_more_is_not_sent_to_its_end() -> None:
    caller = Caller(Methods())
    number = caller.open()
    caller.send(number, "Fill", encode(Text(b"x", 10 * WINDOW_BYTES)))
    caller.exchange(consume=False)
    caller.session.close(number, 0.0)
    caller.exchange(consume=False)
    assert caller.resets == [number] and len(caller.session) == 0


CALLS = [wire(name) for name in names("-req")] + [encode_request(1, "Test.Echo", encode(Text(b"value", 7)))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(CALLS), st.integers(0, 300), st.integers(0, 255)), max_size=10))
def test_damaged_requests_never_end_the_connection(
    caplog: pytest.LogCaptureFixture, damaged: list[tuple[bytes, int, int]]
) -> None:
    async def scenario() -> None:
        caller = Caller(Methods())
        for call, at, byte in damaged:
            body = bytearray(call)
            body[at % len(body)] = byte
            caller.session.send(caller.open(), bytes(body))
            caller.exchange()
        number = caller.open()
        caller.send(number, "Echo", encode(Text(b"alive")))
        caller.exchange()
        assert caller.messages[-1][0] == number and not caller.pipe.closed

    caplog.set_level(logging.CRITICAL, "agent.server.rpc")
    asyncio.run(scenario())


async def test_refusals_are_logged_as_the_original_does(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "agent.server.rpc")
    pipe = Pipe(make_server(Methods()).single(Peer("10.1.2.3", 46202), lambda: None))
    pipe.protocol.data_received(encode_request(0, "Nope.Nope", EMPTY))
    assert caplog.messages == ['RPC error: conn=from=10.1.2.3:46202 error="rpc: can\'t find service Nope.Nope"']
    assert str(Peer("::1", 5)) == "from=[::1]:5"


@pytest.mark.parametrize(
    ("asked_s", "expected_s"), [(0, 300), (-1, 300), (-(1 << 33), 300), (1, 1), (600, 600), (601, 600), (1 << 33, 600)]
)
def test_how_long_blocking_queries_wait(asked_s: int, expected_s: int) -> None:
    """Over HTTP and RPC alike: no time, and a negative one, are the default; nobody waits longer than the maximum."""
    assert query_time_ns(asked_s * SECOND_NS) == expected_s * SECOND_NS
