"""yamux: many streams of bytes on one connection, without I/O (RPC reference, section 2).

`Session.feed` takes what arrived and says what happened, `Session.outgoing` gives what is to be written. Every stream
has a window of 256 KiB each way. What is sent beyond it waits here; what was received is given back as credit when
`consume` says that it was used, so a stream nobody reads from stops at its window and holds up no other.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

# The protocol's initial window; both sides imply it, so it cannot be another one.
WINDOW_BYTES = 256 << 10
HEADER_BYTES = 12
_HEADER = struct.Struct(">BBHII")
_U32_MAX = (1 << 32) - 1

_DATA, _WINDOW_UPDATE, _PING, _GO_AWAY = range(4)
_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8


class GoAway(IntEnum):
    """Why a side ends a session."""

    NORMAL = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may cost. Times in seconds."""

    # A blocking query occupies a stream for minutes and an agent relays thousands of them on one connection. The
    # original has no limit.
    streams_max: int = 8192
    # The original's accept backlog, for either side: streams opened and not acknowledged.
    unaccepted_max: int = 256
    # Sent, but beyond the windows: four of the largest messages of the codec.
    waiting_bytes_max: int = 256 << 20
    # Answers to the peer's control frames that it has not let us write: more than one read of 256 KiB can hold.
    control_frames_max: int = 64 << 10
    # The original's keep-alive, and how long it waits for the answer (its connection write timeout).
    keep_alive_s: float = 30.0
    answer_s: float = 10.0
    # Newer releases reset a stream that only they have closed after this time.
    half_closed_s: float = 300.0


DEFAULT_LIMITS = Limits()


class StreamOpened(NamedTuple):
    """The peer opened a stream: `accept` or `reset` it."""

    stream: int


class Data(NamedTuple):
    """Bytes of a stream, never empty. `consume` them when they are used."""

    stream: int
    data: bytes


class Writable(NamedTuple):
    """All that waited on this stream has gone to `outgoing`."""

    stream: int


class Closed(NamedTuple):
    """The peer sends nothing more on this stream."""

    stream: int


class Reset(NamedTuple):
    """The peer ended this stream at once; it is forgotten."""

    stream: int


class GoneAway(NamedTuple):
    """The peer accepts no more streams. Those there are go on."""

    code: int


Event = StreamOpened | Data | Writable | Closed | Reset | GoneAway


class YamuxError(Exception):
    """The session has ended: write `outgoing` and close the connection."""


class StreamsExhausted(Exception):
    """No stream can be opened now, or, after a go-away, ever."""


class WaitingFull(Exception):
    """More is waiting for the peer's windows than the limit allows; nothing was taken."""


class _Stream:
    __slots__ = ("acknowledged", "closed", "finishing", "number", "owed", "peer_closed", "receive", "send", "waiting")

    def __init__(self, number: int) -> None:
        self.number = number
        self.send = self.receive = WINDOW_BYTES
        self.owed = 0  # consumed, not yet returned as credit
        self.waiting: deque[memoryview] = deque()
        self.acknowledged = False
        self.finishing = False  # FIN follows when nothing waits any more
        self.closed = False
        self.peer_closed = False


class Session:
    """One end of a connection. Methods take streams by number; a stream that is forgotten may still be named.

    ``client``: whether this side dialled. ``now``: seconds on any monotonic clock, the same in all calls.
    """

    def __init__(self, client: bool, now: float, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.gone_away = False
        self.waiting_bytes = 0
        self._client = client
        self._streams: dict[int, _Stream] = {}
        self._next_number = 1 if client else 2
        self._unaccepted_ours = self._unaccepted_theirs = 0
        self._out: list[bytes | memoryview] = []
        self._control = 0
        self._refusing = False
        self._ended = ""
        # A header that is not complete, then the data frame that is not.
        self._head = b""
        self._body_left = 0
        self._body_stream: _Stream | None = None
        self._body_fin = False
        self._ping_at = now + limits.keep_alive_s
        self._ping_value = 0
        self._answer_by: float | None = None
        self._half_closed: dict[int, float] = {}

    # ------------------------------------------------------------------ streams

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def can_open(self) -> bool:
        """Whether `open` would succeed now."""
        return not (
            self._ended or self.gone_away or self._unaccepted_ours >= self.limits.unaccepted_max
            or len(self._streams) >= self.limits.streams_max or self._next_number > _U32_MAX
        )  # fmt: skip

    @property
    def used_up(self) -> bool:
        """Whether `open` will never succeed again."""
        return bool(self._ended) or self.gone_away or self._next_number > _U32_MAX

    def open(self) -> int:
        """Open a stream; data may follow at once. Raises StreamsExhausted."""
        if not self.can_open:
            raise StreamsExhausted(self._ended or ("remote end is not accepting connections" if self.gone_away else
                                                   "too many streams"))  # fmt: skip
        number = self._next_number
        self._next_number += 2
        self._streams[number] = _Stream(number)
        self._unaccepted_ours += 1
        self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, _SYN, number, 0))
        return number

    def accept(self, number: int) -> None:
        """Acknowledge a stream the peer opened; nothing may be sent on it before."""
        stream = self._streams.get(number)
        if stream is not None and not stream.acknowledged:
            stream.acknowledged = True
            self._unaccepted_theirs -= 1
            self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, _ACK, number, 0))

    def send(self, number: int, data: bytes) -> None:
        """Send on an open stream; what exceeds the window waits. On one that is closed or forgotten nothing happens.

        Raises WaitingFull.
        """
        stream = self._streams.get(number)
        if stream is None or stream.closed or stream.finishing or not data:
            return
        size = len(data)
        if not stream.waiting and size <= stream.send:
            stream.send -= size
            self._out.append(_HEADER.pack(0, _DATA, 0, number, size) + data)
            return
        if self.waiting_bytes + size > self.limits.waiting_bytes_max:
            raise WaitingFull(f"{self.waiting_bytes} bytes wait for the peer, limit is {self.limits.waiting_bytes_max}")
        stream.waiting.append(memoryview(data))
        self.waiting_bytes += size
        self._push(stream)

    def is_waiting(self, number: int) -> bool:
        """Whether something that was sent waits for the peer's window."""
        stream = self._streams.get(number)
        return stream is not None and bool(stream.waiting)

    def consume(self, number: int, count: int) -> None:
        """``count`` received bytes were used: the peer may send as many again, once half a window has come together."""
        stream = self._streams.get(number)
        if stream is None or stream.peer_closed:
            return
        stream.owed += count
        if stream.owed >= WINDOW_BYTES // 2:
            stream.receive += stream.owed
            self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, 0, number, stream.owed))
            stream.owed = 0

    def close(self, number: int, now: float) -> None:
        """Send nothing more, once what waits has gone. The stream is forgotten when the peer has closed too."""
        stream = self._streams.get(number)
        if stream is None or stream.closed or stream.finishing:
            return
        stream.finishing = True
        self._half_closed[number] = now + self.limits.half_closed_s
        if not stream.waiting:
            self._finish(stream)

    def reset(self, number: int) -> None:
        """End a stream at once, both ways, and forget it."""
        stream = self._streams.get(number)
        if stream is not None:
            self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, _RST, number, 0))
            self._forget(stream)

    # ------------------------------------------------------------------ the session

    @property
    def frames_out(self) -> int:
        """How many frames, or parts of them, `outgoing` would give."""
        return len(self._out)

    def outgoing(self) -> bytes:
        """Take all that is to be written."""
        self._control = 0
        out = self._out
        if not out:
            return b""
        self._out = []
        return b"".join(out)

    def go_away(self, code: GoAway = GoAway.NORMAL) -> None:
        """Accept no more streams, and say so."""
        if not self._refusing:
            self._refusing = True
            self._out.append(_HEADER.pack(0, _GO_AWAY, 0, 0, code))

    def next_deadline(self) -> float:
        """When `tick` has something to do."""
        due = self._ping_at if self._answer_by is None else self._answer_by
        for at in self._half_closed.values():  # the first is the earliest
            return min(due, at)
        return due

    def tick(self, now: float) -> list[Event]:
        """Ping a peer that is due for it, and give up streams that it never closes. Raises YamuxError."""
        if self._answer_by is not None and now >= self._answer_by:
            raise self._fail(GoAway.NORMAL, "keepalive failed: i/o deadline reached")
        if self._answer_by is None and now >= self._ping_at:
            self._ping_value = (self._ping_value + 1) & _U32_MAX
            self._answer_by = now + self.limits.answer_s
            self._out.append(_HEADER.pack(0, _PING, _SYN, 0, self._ping_value))
        events: list[Event] = []
        while self._half_closed:
            number, due = next(iter(self._half_closed.items()))
            if due > now:
                break
            self.reset(number)
            events.append(Reset(number))
        return events

    def ask(self, now: float, answer_s: float) -> None:
        """Ping the peer now. `tick` raises YamuxError when it has not answered in ``answer_s``."""
        if self._answer_by is None:
            self._ping_at = now
            self.tick(now)
        assert self._answer_by is not None
        self._answer_by = min(self._answer_by, now + answer_s)

    def feed(self, data: bytes, now: float) -> list[Event]:
        """Take what arrived, cut up in any way. Raises YamuxError, with the go-away for the peer in `outgoing`."""
        if self._ended:
            raise YamuxError(self._ended)
        events: list[Event] = []
        if self._head:
            data, self._head = self._head + data, b""
        at, end = 0, len(data)
        while at < end:
            if self._body_left:
                piece = data[at : at + self._body_left] if at or self._body_left < end else data
                at += len(piece)
                self._body_left -= len(piece)
                self._body(piece, events)
                continue
            if end - at < HEADER_BYTES:
                self._head = data[at:]
                break
            version, kind, flags, number, length = _HEADER.unpack_from(data, at)
            at += HEADER_BYTES
            if version != 0:
                raise self._fail(GoAway.PROTOCOL_ERROR, f"invalid protocol version {version}")
            if kind == _DATA:
                self._data_frame(flags, number, length, events)
            elif kind == _WINDOW_UPDATE:
                self._window_update(flags, number, length, events)
            elif kind == _PING:
                self._ping(flags, length, now)
            elif kind == _GO_AWAY:
                self._gone(length, events)
            else:
                raise self._fail(GoAway.PROTOCOL_ERROR, f"invalid frame type {kind}")
            if self._control > self.limits.control_frames_max:
                raise self._fail(GoAway.PROTOCOL_ERROR, "peer asks without reading the answers")
        return events

    # ------------------------------------------------------------------ frames

    def _data_frame(self, flags: int, number: int, length: int, events: list[Event]) -> None:
        stream = self._addressed(flags, number, events)
        # No stream has more, so not even one that is forgotten can be sent more in one frame.
        if length > (WINDOW_BYTES if stream is None else stream.receive):
            raise self._fail(GoAway.PROTOCOL_ERROR, f"receive window exceeded: {length} bytes on stream {number}")
        if stream is not None and stream.peer_closed and length:
            raise self._fail(GoAway.PROTOCOL_ERROR, f"data after FIN on stream {number}")
        if length:
            self._body_left, self._body_stream, self._body_fin = length, stream, bool(flags & _FIN)
            if stream is not None:
                stream.receive -= length
        elif stream is not None and flags & _FIN:
            self._peer_closed(stream, events)

    def _body(self, piece: bytes, events: list[Event]) -> None:
        stream = self._body_stream
        # It may have been reset meanwhile; the rest of the frame then goes nowhere.
        if stream is not None and self._streams.get(stream.number) is stream:
            events.append(Data(stream.number, piece))
            if not self._body_left and self._body_fin:
                self._peer_closed(stream, events)

    def _window_update(self, flags: int, number: int, length: int, events: list[Event]) -> None:
        stream = self._addressed(flags, number, events)
        if stream is None:
            return
        if length:
            stream.send += length
            if stream.send > _U32_MAX:
                raise self._fail(GoAway.PROTOCOL_ERROR, f"window of stream {number} overflows")
            if stream.waiting:
                self._push(stream)
                if not stream.waiting:
                    if stream.finishing:
                        self._finish(stream)
                    else:
                        events.append(Writable(number))
        if flags & _FIN:
            self._peer_closed(stream, events)

    def _addressed(self, flags: int, number: int, events: list[Event]) -> _Stream | None:
        """The stream of a frame, opened, acknowledged or reset as its flags say; None when it is not or no more there.

        Frames for streams that are forgotten are usual: they were under way when it was reset.
        """
        if number == 0:
            raise self._fail(GoAway.PROTOCOL_ERROR, "stream 0 is the session's own")
        if flags & _SYN:
            self._incoming(number, events)
        stream = self._streams.get(number)
        if stream is None:
            return None
        if flags & _ACK and not stream.acknowledged and self._is_ours(number):
            stream.acknowledged = True
            self._unaccepted_ours -= 1
        if flags & _RST:
            self._forget(stream)
            events.append(Reset(number))
            return None
        return stream

    def _incoming(self, number: int, events: list[Event]) -> None:
        if self._is_ours(number):
            raise self._fail(GoAway.PROTOCOL_ERROR, f"peer opened stream {number}, a number of ours")
        if number in self._streams:
            raise self._fail(GoAway.PROTOCOL_ERROR, f"duplicate stream {number}")
        if (
            self._refusing or self._unaccepted_theirs >= self.limits.unaccepted_max
            or len(self._streams) >= self.limits.streams_max
        ):  # fmt: skip
            self._control += 1
            self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, _RST, number, 0))
            return
        self._streams[number] = _Stream(number)
        self._unaccepted_theirs += 1
        # Opened and ended again, it costs a frame of ours each time.
        self._control += 1
        events.append(StreamOpened(number))

    def _ping(self, flags: int, value: int, now: float) -> None:
        if flags & _SYN:
            self._control += 1
            self._out.append(_HEADER.pack(0, _PING, _ACK, 0, value))
        elif self._answer_by is not None and value == self._ping_value:
            self._answer_by = None
            self._ping_at = now + self.limits.keep_alive_s

    def _gone(self, code: int, events: list[Event]) -> None:
        if code not in (GoAway.NORMAL, GoAway.PROTOCOL_ERROR, GoAway.INTERNAL_ERROR):
            raise self._fail(GoAway.PROTOCOL_ERROR, f"unexpected go away code {code}")
        if code != GoAway.NORMAL:
            self._ended = f"peer ended the session: {GoAway(code).name.replace('_', ' ').lower()}"
            raise YamuxError(self._ended)
        self.gone_away = True
        events.append(GoneAway(code))

    # ------------------------------------------------------------------ parts

    def _is_ours(self, number: int) -> bool:
        return (number & 1 == 1) is self._client

    def _push(self, stream: _Stream) -> None:
        """Send of what waits as much as the window allows."""
        waiting = stream.waiting
        while waiting and stream.send:
            piece = waiting.popleft()
            if len(piece) > stream.send:
                waiting.appendleft(piece[stream.send :])
                piece = piece[: stream.send]
            stream.send -= len(piece)
            self.waiting_bytes -= len(piece)
            self._out.append(_HEADER.pack(0, _DATA, 0, stream.number, len(piece)))
            self._out.append(piece)

    def _finish(self, stream: _Stream) -> None:
        stream.closed = True
        self._out.append(_HEADER.pack(0, _WINDOW_UPDATE, _FIN, stream.number, 0))
        if stream.peer_closed:
            self._forget(stream)

    def _peer_closed(self, stream: _Stream, events: list[Event]) -> None:
        if stream.peer_closed:
            return
        stream.peer_closed = True
        events.append(Closed(stream.number))
        if stream.closed:
            self._forget(stream)

    def _forget(self, stream: _Stream) -> None:
        del self._streams[stream.number]
        self._half_closed.pop(stream.number, None)
        self.waiting_bytes -= sum(map(len, stream.waiting))
        if not stream.acknowledged:
            if self._is_ours(stream.number):
                self._unaccepted_ours -= 1
            else:
                self._unaccepted_theirs -= 1

    def _fail(self, code: GoAway, text: str) -> YamuxError:
        """End the session; the error to raise."""
        self._ended = text
        self.go_away(code)
        return YamuxError(text)
