"""A yamux session on a connection: reads, writes, keeps alive. What streams are for is up to those who build on it."""

from __future__ import annotations

import asyncio
from typing import cast

from proconsul.engine.rpc.yamux import DEFAULT_LIMITS, Event, Limits, Session, YamuxError

# Handed to the socket before `writing_paused`: one window.
WRITE_BUFFER_BYTES_HIGH = 256 << 10
# Frames that are written together. More would save writes, but the peer could not begin with the first ones while the
# last ones are made: two busy servers would take turns in being idle.
FRAMES_TOGETHER = 8


class SessionProtocol(asyncio.Protocol):
    """One connection. Subclasses get `on_event` for what the session says, and once `on_lost` at its end.

    The connection is always read: two sides that stopped reading because the other does would wait for ever. What a
    peer can send is bounded by the windows of its streams, which is where back-pressure belongs.
    """

    def __init__(self, *, client: bool, limits: Limits = DEFAULT_LIMITS) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(client, self._loop.time(), limits)
        self.transport: asyncio.Transport | None = None
        self.writing_paused = False
        self._flush_due = False
        self.flushes = 0
        self._reason = ""
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------ for subclasses

    def on_event(self, event: Event) -> None:
        """Something happened on a stream."""
        raise AssertionError("subclasses say what streams are for")

    def on_turn(self) -> None:
        """All events of a read were handled, or writing is possible again: room for what had to wait."""

    def on_lost(self, reason: str) -> None:
        """The connection is over."""

    def idle_deadline(self) -> float | None:
        """When a connection nobody uses is to be closed."""
        return None

    def flush_soon(self) -> None:
        """Write what was sent, together with what else is sent in this turn of the event loop."""
        if self.session.frames_out >= FRAMES_TOGETHER:
            self.flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush_rest)

    def _flush_rest(self) -> None:
        self._flush_due = False
        self.flush()

    def flush(self) -> None:
        """Write what was sent, unless the peer does not take it."""
        if self.transport is not None and not self.writing_paused:
            data = self.session.outgoing()
            if data:
                self.flushes += 1
                self.transport.write(data)

    def end(self, reason: str) -> None:
        """Close the connection, with what was sent so far; at once when the peer does not take it."""
        self._reason = self._reason or reason
        if self.transport is None:
            return
        self.flush()
        if self.writing_paused:
            self.transport.abort()
        else:
            self.transport.close()

    def examine(self, answer_s: float) -> None:
        """Ping the peer now; the connection is over when it does not answer in ``answer_s``."""
        if self._timer is None or self.transport is None:
            return
        self._timer.cancel()
        self.session.ask(self._loop.time(), answer_s)
        self.flush()
        self._arm()

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    # ------------------------------------------------------------------ asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports only look like asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_HIGH)
        self._arm()
        self.flush()

    def data_received(self, data: bytes) -> None:
        try:
            events = self.session.feed(data, self._loop.time())
        except YamuxError as error:
            self.end(str(error))
            return
        due, self._flush_due = self._flush_due, True  # it is flushed below
        try:
            for event in events:
                self.on_event(event)
            self.on_turn()
        finally:
            self._flush_due = due
        self.flush()

    def pause_writing(self) -> None:
        self.writing_paused = True

    def resume_writing(self) -> None:
        self.writing_paused = False
        self.on_turn()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.transport = None
        self.on_lost(self._reason or (str(exc) if exc is not None else "EOF"))

    def _arm(self) -> None:
        due, idle = self.session.next_deadline(), self.idle_deadline()
        self._timer = self._loop.call_at(due if idle is None else min(due, idle), self._tick)

    def _tick(self) -> None:
        now, idle = self._loop.time(), self.idle_deadline()
        if idle is not None and now >= idle:
            self.end("idle")
            return
        try:
            events = self.session.tick(now)
        except YamuxError as error:
            self._reason = str(error)
            if self.transport is not None:
                self.transport.abort()
            return
        for event in events:
            self.on_event(event)
        self.flush()
        self._arm()
