"""What the node needs to talk to its peers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from proconsul.engine.raft.configuration import Server
from proconsul.engine.raft.errors import TransportError
from proconsul.engine.raft.messages import Request, Response

__all__ = ["Body", "Done", "Handler", "Respond", "Transport"]

Body = AsyncIterator[bytes]
Respond = Callable[[Response, str], None]
Handler = Callable[[Request, Body | None, Respond], None]
Done = Callable[[Response | TransportError], None]


class Transport(Protocol):
    """Requests and answers between servers. All calls and callbacks are on the event loop."""

    def set_handler(self, handler: Handler) -> None:
        """Give every incoming request to ``handler`` (request, snapshot body, respond). ``respond`` (response, error
        string) is called once; answers leave a connection in request order."""
        ...

    def send(self, target: Server, request: Request, body: Body | None, done: Done) -> None:
        """Send without waiting; ``done`` gets the response or a TransportError exactly once.

        AppendEntries with entries or a previous index reach the target in call order (pipeline); heartbeats may
        overtake them. An error string of the peer is a TransportError, an unknown RPC an UnsupportedRpcError. Requests
        time out after 10 s, snapshots after 10 s per 256 KiB.
        """
        ...

    async def close(self) -> None:
        """Drop all connections; outstanding requests fail."""
        ...
