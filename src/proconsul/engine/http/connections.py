"""The open connections of one listener: how many a client may have, and what is done for many of them at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from proconsul.engine.http.message import HEADER_BYTES_DEFAULT, HEADER_SLACK_BYTES
from proconsul.engine.http.router import Route

# Connections that are written to in one turn of the event loop: a millisecond, even when a change wakes ten thousand.
FLUSHED_TOGETHER_MAX = 128
# A connection that ends while its client still sends is closed when nothing has come for this long (as net/http's
# delay against resets), and in any case after the second.
LINGER_S = 0.5
LINGER_S_MAX = 60.0
# What is answered at once is answered by then; an agent that is over cannot answer the rest.
END_S_MAX = 0.5
# Turns of the event loop in which a closed connection is over, if its peer takes what is still to be sent.
END_TURNS = 4
# A parsed request line: method, path, query, route, what follows the route's prefix.
Line = tuple[str, str, str, Route | None, str]


class Connection(Protocol):
    """What is asked of a connection here."""

    peer: str

    def flush(self) -> None: ...

    def expire(self, now: float) -> None: ...

    def close_when_idle(self) -> None: ...

    def close_now(self, *, abort: bool = False) -> None: ...

    def ended_quietly(self) -> bool:
        """Whether nothing has come since the last time this was asked, or too much."""


class ConnectionSet:
    """The open connections of one listener, limited per client address (limits.http_max_conns_per_client)."""

    def __init__(
        self,
        per_client_max: int = 0,
        soon: Callable[[Callable[[], None]], object] | None = None,
        later: Callable[[float, Callable[[], None]], object] | None = None,
        header_bytes_max: int = 0,
    ) -> None:
        """``soon`` calls what it is given when the event loop has done what it is at, ``later`` after some seconds.

        ``header_bytes_max``: of one request's line and headers (http_config.max_header_bytes); 0 is the default.
        """
        self.per_client_max = per_client_max
        self.header_bytes_max = (
            header_bytes_max if header_bytes_max > 0 else HEADER_BYTES_DEFAULT
        ) + HEADER_SLACK_BYTES
        self._soon = soon or (lambda callback: asyncio.get_running_loop().call_soon(callback))
        self._later = later or (lambda delay, callback: asyncio.get_running_loop().call_later(delay, callback))
        # Parsed request lines: they hold routes, so they belong to one application.
        self.lines: dict[bytes, Line] = {}
        self._open: set[Connection] = set()
        self._per_client: dict[str, int] = {}
        self._answered: list[Connection] = []

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        count = self._per_client.get(connection.peer, 0)
        if self.per_client_max > 0 and connection.peer and count >= self.per_client_max:
            return False
        self._open.add(connection)
        self._per_client[connection.peer] = count + 1
        return True

    def remove(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            left = self._per_client[connection.peer] - 1
            if left:
                self._per_client[connection.peer] = left
            else:
                del self._per_client[connection.peer]

    def flush_soon(self, connection: Connection) -> None:
        """Write the answers of ``connection`` together with all others that come in this turn of the event loop.

        A client that sleeps costs as much to wake as its answer to write; one after the other, most are awake.
        """
        self._answered.append(connection)
        if len(self._answered) == 1:
            self._soon(self._flush)

    def _flush(self) -> None:
        answered = self._answered
        self._answered = answered[FLUSHED_TOGETHER_MAX:]
        if self._answered:
            self._soon(self._flush)
        for connection in answered[:FLUSHED_TOGETHER_MAX]:
            connection.flush()

    def let_go(self, connection: Connection) -> None:
        """Close a connection that has said its last word once its client stops sending, or at the latest soon.

        Closed with unread bytes, it would be reset, and the client might lose the answer to what it sent.
        """
        deadline = time.monotonic() + LINGER_S_MAX

        def look() -> None:
            if connection.ended_quietly() or time.monotonic() > deadline:
                connection.close_now()
            else:
                self._later(LINGER_S, look)

        self._later(LINGER_S, look)

    def sweep(self, now: float) -> None:
        """Drop connections whose request header never ends; call every few seconds."""
        for connection in list(self._open):
            connection.expire(now)

    def close(self) -> None:
        """End the idle ones at once, others with their answer, or soon: who waits for a change does so in vain."""
        for connection in list(self._open):
            connection.close_when_idle()

        def rest() -> None:
            for connection in list(self._open):
                connection.close_now()

        if self._open:
            self._later(END_S_MAX, rest)

    async def finish(self) -> None:
        """After `close`, when nobody is left who could answer: end what is still open, now."""
        for connection in list(self._open):
            connection.close_now()
        for _ in range(END_TURNS):
            if self._open:
                await asyncio.sleep(0)
        for connection in list(self._open):  # of a peer that reads nothing, or says no goodbye in TLS
            connection.close_now(abort=True)
        for _ in range(END_TURNS):  # tasks of requests end, too
            await asyncio.sleep(0)
