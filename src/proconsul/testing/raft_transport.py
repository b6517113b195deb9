"""A Raft transport inside one process."""

from __future__ import annotations

import asyncio

from proconsul.engine.raft.configuration import Server
from proconsul.engine.raft.errors import TransportError
from proconsul.engine.raft.messages import Request, Response
from proconsul.engine.raft.transport import Body, Done, Handler

__all__ = ["MemoryNetwork", "MemoryTransport"]


class MemoryNetwork:
    """Nodes of one process by server id, with switches for tests: ``cut`` is a set of one-way broken links."""

    def __init__(self) -> None:
        self.transports: dict[str, MemoryTransport] = {}
        self.cut: set[tuple[str, str]] = set()

    def isolate(self, server_id: str) -> None:
        """Break all links from and to a server."""
        for other in self.transports:
            if other != server_id:
                self.cut |= {(server_id, other), (other, server_id)}

    def heal(self) -> None:
        """Mend all links."""
        self.cut.clear()


class MemoryTransport:
    """Calls the peer's handler in a later turn of the same event loop."""

    def __init__(self, network: MemoryNetwork, server_id: str) -> None:
        self._network = network
        self._id = server_id
        self._handler: Handler | None = None
        network.transports[server_id] = self

    def set_handler(self, handler: Handler) -> None:
        """Serve requests."""
        self._handler = handler

    def send(self, target: Server, request: Request, body: Body | None, done: Done) -> None:
        """Deliver in the next turn; a broken link fails at once."""
        asyncio.get_running_loop().call_soon(self._deliver, target.id, request, body, done)

    def _deliver(self, target: str, request: Request, body: Body | None, done: Done) -> None:
        peer = self._network.transports.get(target)
        if peer is None or peer._handler is None or (self._id, target) in self._network.cut:
            done(TransportError(f"failed to reach {target}"))
            return
        loop = asyncio.get_running_loop()

        def respond(response: Response, error: str) -> None:
            broken = (target, self._id) in self._network.cut
            result = TransportError(error or "connection lost") if error or broken else response
            loop.call_soon(done, result)

        peer._handler(request, body, respond)

    async def close(self) -> None:
        """Leave the network."""
        self._network.transports.pop(self._id, None)
        self._handler = None
