"""yamux: captured frames, the rules frame by frame, arbitrary transfers, noise and overload."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rpc_vectors import wire

from proconsul.engine.rpc.yamux import (
    WINDOW_BYTES,
    Closed,
    Data,
    Event,
    GoAway,
    GoneAway,
    Limits,
    Reset,
    Session,
    StreamOpened,
    StreamsExhausted,
    WaitingFull,
    Writable,
    YamuxError,
)

DATA, UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8


def frame(kind: int, flags: int, stream: int, length: int, body: bytes = b"", version: int = 0) -> bytes:
    return struct.pack(">BBHII", version, kind, flags, stream, length) + body


def data(stream: int, body: bytes, flags: int = 0) -> bytes:
    return frame(DATA, flags, stream, len(body), body)


def server(limits: Limits | None = None, streams: int = 1) -> Session:
    """An accepting side with streams 1, 3, ... opened by its peer and accepted."""
    session = Session(False, 0.0, limits or Limits())
    for number in range(1, 2 * streams, 2):
        session.feed(frame(UPDATE, SYN, number, 0), 0.0)
        session.accept(number)
    session.outgoing()
    return session


def client() -> Session:
    """A dialling side whose stream 1 was acknowledged."""
    session = Session(True, 0.0)
    session.open()
    session.feed(frame(UPDATE, ACK, 1, 0), 0.0)
    session.outgoing()
    return session


# ------------------------------------------------------------------ captured frames


def test_a_captured_conversation_is_reproduced_byte_for_byte() -> None:
    dialler, acceptor = Session(True, 0.0), Session(False, 0.0)
    number = dialler.open()
    dialler.send(number, wire("rpc-Status.Ping-req"))
    sent = dialler.outgoing()
    assert sent == wire("yamux-00-out") + wire("yamux-01-out")

    assert acceptor.feed(sent, 0.0) == [StreamOpened(1), Data(1, wire("rpc-Status.Ping-req"))]
    acceptor.accept(1)
    acceptor.send(1, wire("rpc-Status.Ping-resp"))
    answered = acceptor.outgoing()
    assert answered == wire("yamux-02-in") + wire("yamux-03-in")
    assert dialler.feed(answered, 0.0) == [Data(1, wire("rpc-Status.Ping-resp"))]

    dialler.send(number, wire("rpc-Status.Leader-req"))
    assert dialler.outgoing() == wire("yamux-04-out")
    acceptor.send(1, wire("rpc-Status.Leader-resp"))
    assert acceptor.outgoing() == wire("yamux-05-in")


# ------------------------------------------------------------------ frame by frame

STEPS: dict[str, tuple[Callable[[], Session], bytes, list[Event], bytes]] = {
    "data": (server, data(1, b"abc"), [Data(1, b"abc")], b""),
    "data that opens": (lambda: server(streams=0), data(1, b"a", SYN), [StreamOpened(1), Data(1, b"a")], b""),
    "data that closes": (server, data(1, b"a", FIN), [Data(1, b"a"), Closed(1)], b""),
    "empty data": (server, data(1, b""), [], b""),
    "empty data that closes": (server, data(1, b"", FIN), [Closed(1)], b""),
    "close": (server, frame(UPDATE, FIN, 1, 0), [Closed(1)], b""),
    "close said twice": (server, frame(UPDATE, FIN, 1, 0) * 2, [Closed(1)], b""),
    "reset": (server, frame(UPDATE, RST, 1, 0), [Reset(1)], b""),
    "reset as it opens": (lambda: server(streams=0), frame(UPDATE, SYN | RST, 1, 0), [StreamOpened(1), Reset(1)], b""),
    "reset by a data frame": (server, data(1, b"abc", RST) + data(1, b"d"), [Reset(1)], b""),
    "reset of what is not there": (server, frame(UPDATE, RST, 9, 0), [], b""),
    "data for what is not there": (server, data(9, b"gone") + data(1, b"a"), [Data(1, b"a")], b""),
    "credit for what is not there": (server, frame(UPDATE, 0, 9, 100), [], b""),
    "ping": (server, frame(PING, SYN, 0, 77), [], frame(PING, ACK, 0, 77)),
    "answer to no ping": (server, frame(PING, ACK, 0, 77), [], b""),
    "go away": (client, frame(GO_AWAY, 0, 0, 0), [GoneAway(0)], b""),
    "stream of the acceptor": (client, frame(UPDATE, SYN, 2, 0), [StreamOpened(2)], b""),
    "acknowledgement with data": (client, data(1, b"a", ACK), [Data(1, b"a")], b""),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_frames(step: str, size: int) -> None:
    make, incoming, events, answer = STEPS[step]
    session = make()
    happened: list[Event] = []
    for at in range(0, len(incoming), size):
        happened += session.feed(incoming[at : at + size], 1.0)
    assert joined(happened) == events
    assert session.outgoing() == answer


def joined(events: list[Event]) -> list[Event]:
    """Pieces of one frame put together again."""
    result: list[Event] = []
    for event in events:
        last = result[-1] if result else None
        if isinstance(event, Data) and isinstance(last, Data) and last.stream == event.stream:
            result[-1] = Data(event.stream, last.data + event.data)
        else:
            result.append(event)
    return result


FAULTS: dict[str, tuple[Callable[[], Session], bytes]] = {
    "version": (server, frame(DATA, 0, 1, 0, version=1)),
    "type": (server, frame(4, 0, 1, 0)),
    "data on stream 0": (server, frame(DATA, 0, 0, 0)),
    "credit on stream 0": (server, frame(UPDATE, 0, 0, 5)),
    "stream opened twice": (server, frame(UPDATE, SYN, 1, 0)),
    "a number of ours": (server, frame(UPDATE, SYN, 2, 0)),
    "a number of ours, dialled": (client, frame(UPDATE, SYN, 3, 0)),
    "more than the window": (server, frame(DATA, 0, 1, WINDOW_BYTES + 1)),
    "more than is left of it": (server, data(1, bytes(WINDOW_BYTES)) + frame(DATA, 0, 1, 1)),
    "more than any window": (server, frame(DATA, 0, 9, WINDOW_BYTES + 1)),
    "data after the last": (server, frame(UPDATE, FIN, 1, 0) + data(1, b"x")),
    "credit without end": (server, frame(UPDATE, 0, 1, 0xFFFFFFFF)),
    "unknown farewell": (server, frame(GO_AWAY, 0, 0, 3)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_protocol_errors_end_the_session_and_say_so(fault: str) -> None:
    make, incoming = FAULTS[fault]
    session = make()
    with pytest.raises(YamuxError):
        session.feed(incoming, 0.0)
    assert session.outgoing().endswith(frame(GO_AWAY, 0, 0, GoAway.PROTOCOL_ERROR))
    with pytest.raises(YamuxError):
        session.feed(frame(PING, SYN, 0, 1), 0.0)
    with pytest.raises(StreamsExhausted):
        session.open()
    assert session.used_up


@pytest.mark.parametrize("code", [GoAway.PROTOCOL_ERROR, GoAway.INTERNAL_ERROR])
def test_a_farewell_in_anger_ends_the_session(code: GoAway) -> None:
    session = client()
    with pytest.raises(YamuxError, match=code.name.split("_")[0].lower()):
        session.feed(frame(GO_AWAY, 0, 0, code), 0.0)


def test_after_a_farewell_streams_go_on_but_none_is_opened() -> None:
    session = client()
    session.feed(frame(GO_AWAY, 0, 0, 0), 0.0)
    session.send(1, b"more")
    assert session.outgoing() == data(1, b"more")
    with pytest.raises(StreamsExhausted, match="not accepting"):
        session.open()

    session = server()
    session.go_away()
    session.go_away()
    assert session.outgoing() == frame(GO_AWAY, 0, 0, 0)
    assert session.feed(frame(UPDATE, SYN, 3, 0) + data(1, b"x"), 0.0) == [Data(1, b"x")]
    assert session.outgoing() == frame(UPDATE, RST, 3, 0)


def test_both_sides_close_then_the_stream_is_forgotten() -> None:
    session = server()
    session.close(1, 0.0)
    session.close(1, 0.0)
    assert session.outgoing() == frame(UPDATE, FIN, 1, 0)
    assert session.feed(data(1, b"late"), 0.0) == [Data(1, b"late")]
    assert len(session) == 1
    assert session.feed(frame(UPDATE, FIN, 1, 0), 0.0) == [Closed(1)]
    assert len(session) == 0

    session = server()
    session.feed(frame(UPDATE, FIN, 1, 0), 0.0)
    session.send(1, b"answer")  # half-closed: this way is still open
    session.close(1, 0.0)
    session.send(1, b"too late")
    assert session.outgoing() == data(1, b"answer") + frame(UPDATE, FIN, 1, 0)
    assert len(session) == 0


def test_a_stream_only_we_closed_is_reset_in_the_end() -> None:
    session = server(Limits(keep_alive_s=1000.0), streams=2)
    session.close(1, 5.0)
    session.close(3, 6.0)
    session.outgoing()
    assert session.next_deadline() == 305.0
    assert session.tick(304.9) == []
    assert session.tick(305.0) == [Reset(1)]
    assert session.outgoing() == frame(UPDATE, RST, 1, 0)
    assert session.next_deadline() == 306.0


# ------------------------------------------------------------------ windows


def test_what_exceeds_the_window_waits_for_credit_and_the_end_waits_with_it() -> None:
    session = client()
    session.send(1, bytes(WINDOW_BYTES - 1))
    session.send(1, b"ab")
    session.send(1, b"cd")
    assert len(session.outgoing()) == WINDOW_BYTES + 24
    assert session.waiting_bytes == 3 and session.is_waiting(1)
    session.close(1, 0.0)
    assert session.outgoing() == b""
    assert session.feed(frame(UPDATE, 0, 1, 2), 0.0) == []
    assert session.outgoing() == data(1, b"b") + data(1, b"c")
    assert session.feed(frame(UPDATE, 0, 1, 2), 0.0) == []
    assert session.outgoing() == data(1, b"d") + frame(UPDATE, FIN, 1, 0)
    assert session.waiting_bytes == 0


def test_an_open_stream_says_when_all_has_gone() -> None:
    session = client()
    session.send(1, bytes(WINDOW_BYTES + 5))
    assert session.feed(frame(UPDATE, 0, 1, 4), 0.0) == []
    assert session.feed(frame(UPDATE, 0, 1, 4), 0.0) == [Writable(1)]
    assert not session.is_waiting(1)


def test_credit_is_returned_when_half_the_window_was_used() -> None:
    session = server()
    session.feed(data(1, bytes(WINDOW_BYTES)), 0.0)
    session.consume(1, WINDOW_BYTES // 2 - 1)
    assert session.outgoing() == b""
    session.consume(1, 1)
    assert session.outgoing() == frame(UPDATE, 0, 1, WINDOW_BYTES // 2)
    session.feed(data(1, bytes(WINDOW_BYTES // 2)), 0.0)
    with pytest.raises(YamuxError):
        session.feed(frame(DATA, 0, 1, 1), 0.0)


def test_a_finished_or_forgotten_stream_gets_no_credit() -> None:
    session = server()
    session.feed(data(1, bytes(WINDOW_BYTES), FIN), 0.0)
    session.consume(1, WINDOW_BYTES)
    session.reset(1)
    session.outgoing()
    session.consume(1, WINDOW_BYTES)
    assert session.outgoing() == b""


# ------------------------------------------------------------------ keep-alive


def test_pings_are_sent_when_due_and_their_answers_awaited() -> None:
    session = client()
    assert session.next_deadline() == 30.0
    session.tick(29.9)
    assert session.outgoing() == b""
    session.tick(30.0)
    assert session.outgoing() == frame(PING, SYN, 0, 1)
    assert session.next_deadline() == 40.0
    session.feed(frame(PING, ACK, 0, 9), 31.0)  # not the answer
    assert session.next_deadline() == 40.0
    session.feed(frame(PING, ACK, 0, 1), 31.0)
    assert session.next_deadline() == 61.0
    session.tick(61.0)
    assert session.outgoing() == frame(PING, SYN, 0, 2)
    with pytest.raises(YamuxError, match="keepalive"):
        session.tick(71.0)
    assert session.used_up


# ------------------------------------------------------------------ limits


def test_streams_nobody_accepts_are_refused_beyond_the_backlog() -> None:
    session = Session(False, 0.0)
    opened = session.feed(b"".join(frame(UPDATE, SYN, 2 * i + 1, 0) for i in range(257)), 0.0)
    assert len(opened) == 256
    assert session.outgoing() == frame(UPDATE, RST, 513, 0)
    session.accept(1)
    session.outgoing()
    assert session.feed(frame(UPDATE, SYN, 515, 0), 0.0) == [StreamOpened(515)]


def test_we_keep_to_the_peers_backlog() -> None:
    session = Session(True, 0.0)
    for _ in range(256):
        session.open()
    assert not session.can_open and not session.used_up
    with pytest.raises(StreamsExhausted):
        session.open()
    session.feed(frame(UPDATE, ACK, 1, 0) * 2, 0.0)
    assert session.open() == 513
    with pytest.raises(StreamsExhausted):
        session.open()
    session.reset(3)
    assert session.open() == 515


def test_the_number_of_streams_is_limited() -> None:
    session = server(Limits(streams_max=2), streams=2)
    assert session.feed(frame(UPDATE, SYN, 5, 0), 0.0) == []
    assert session.outgoing() == frame(UPDATE, RST, 5, 0)
    with pytest.raises(StreamsExhausted):
        session.open()


def test_what_may_wait_is_limited_and_a_reset_frees_it() -> None:
    session = server(Limits(waiting_bytes_max=10), streams=2)
    session.send(1, bytes(WINDOW_BYTES))
    session.send(1, b"123456")
    with pytest.raises(WaitingFull):
        session.send(1, b"12345")
    session.send(3, b"others go on")
    session.reset(1)
    assert session.waiting_bytes == 0


@pytest.mark.parametrize("asking", [frame(PING, SYN, 0, 1), frame(UPDATE, SYN | RST, 3, 0)], ids=["pings", "streams"])
def test_a_peer_that_asks_and_does_not_read_is_cut_off(asking: bytes) -> None:
    session = server(Limits(control_frames_max=1000))
    session.feed(asking * 1000, 0.0)
    session.outgoing()
    session.feed(asking * 1000, 0.0)
    with pytest.raises(YamuxError, match="without reading"):
        session.feed(asking, 0.0)


def test_names_of_streams_that_are_gone_do_nothing() -> None:
    session = client()
    session.reset(1)
    session.outgoing()
    session.send(1, b"x")
    session.accept(1)
    session.close(1, 0.0)
    session.reset(1)
    assert session.outgoing() == b"" and not session.is_waiting(1)


# ------------------------------------------------------------------ arbitrary


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 12))
def test_two_sessions_deliver_exactly_what_was_sent(seed: int, stream_count: int) -> None:
    rng = random.Random(seed)
    sides = {True: Session(True, 0.0), False: Session(False, 0.0)}
    pipes: dict[bool, bytearray] = {True: bytearray(), False: bytearray()}
    sent: dict[tuple[bool, int], bytearray] = {}
    received: dict[tuple[bool, int], bytearray] = {}
    closed: set[tuple[bool, int]] = set()
    owed: list[tuple[bool, int, int]] = []

    def deliver(to: bool) -> bool:
        pipes[to] += sides[not to].outgoing()
        size = rng.choice([1, 11, 13, 4096, 1 << 20])
        piece = bytes(pipes[to][:size])
        del pipes[to][:size]
        for event in sides[to].feed(piece, 0.0):
            if isinstance(event, StreamOpened):
                sides[to].accept(event.stream)
                sent[to, event.stream] = bytearray()
            elif isinstance(event, Data):
                received.setdefault((to, event.stream), bytearray()).extend(event.data)
                owed.append((to, event.stream, len(event.data)))
            elif isinstance(event, Closed):
                closed.add((to, event.stream))
        return bool(piece)

    def settle() -> None:
        while deliver(True) | deliver(False) | bool(owed):
            while owed:
                whose, stream, count = owed.pop()
                sides[whose].consume(stream, count)

    for _ in range(stream_count):
        side = rng.random() < 0.5
        sent[side, sides[side].open()] = bytearray()
    for _ in range(60):
        side, number = rng.choice(list(sent))
        piece = rng.randbytes(rng.choice([0, 1, 100, 70_000, 400_000]))
        sides[side].send(number, piece)
        sent[side, number] += piece
        deliver(rng.random() < 0.5)
        if owed and rng.random() < 0.5:
            whose, stream, count = owed.pop(rng.randrange(len(owed)))
            sides[whose].consume(stream, count)
    for side, number in list(sent):
        sides[side].close(number, 0.0)
    settle()
    for side, number in list(sent):  # opened by the peer meanwhile, and not closed yet
        sides[side].close(number, 0.0)
    settle()
    assert {key: bytes(value) for key, value in received.items()} == {
        (not side, number): bytes(value) for (side, number), value in sent.items() if value
    }
    assert closed == {(not side, number) for side, number in sent}
    assert len(sides[True]) == len(sides[False]) == 0
    assert sides[True].waiting_bytes == sides[False].waiting_bytes == 0


frames = st.builds(
    frame, st.integers(0, 4), st.integers(0, 15), st.integers(0, 6), st.integers(0, 40), st.binary(max_size=40),
    st.sampled_from([0] * 30 + [1]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(frames, st.binary(max_size=30)), max_size=40), st.booleans())
def test_noise_raises_nothing_but_the_error_of_sessions(noise: list[bytes], dialled: bool) -> None:
    session = Session(dialled, 0.0)
    try:
        for piece in noise:
            for event in session.feed(piece, 0.0):
                if isinstance(event, StreamOpened):
                    session.accept(event.stream)
                elif isinstance(event, Data):
                    session.send(event.stream, event.data)
                    session.consume(event.stream, len(event.data))
                elif isinstance(event, Closed):
                    session.close(event.stream, 0.0)
            session.outgoing()
    except YamuxError:
        assert session.used_up
