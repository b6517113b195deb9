"""The client's calls to an agent of this process, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from proconsul.client.errors import CallTimeout, Unavailable
from proconsul.client.transport import Upload
from proconsul.client.wire import Answer, Call, Deadline
from proconsul.testing.answers import AsyncAsking

__all__ = ["ClientInMemory"]


class ClientInMemory:
    """A `proconsul.client.aio.kit.Transport` that asks ``agent``. What is streamed comes whole, at its end."""

    closed: bool

    def __init__(self, agent: AsyncAsking) -> None:
        self._agent = agent
        self.closed = False

    async def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """Ask. Raises Unavailable when the client is closed, CallTimeout."""
        if self.closed:
            raise Unavailable("the client is closed")
        header = {**call.header, "X-Consul-Token": token} if token else dict(call.header)
        try:
            async with asyncio.timeout_at(deadline.at):
                content = call.body if body is None else body.read()
                answer = await self._agent.request(call.method, call.target, content, header)
        except TimeoutError:
            raise CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True) from None
        return Answer(answer.status, dict(answer.headers), answer.body)

    async def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> _Whole:
        """As `send`."""
        return _Whole(await self.send(place, call, token, deadline))

    async def aclose(self) -> None:
        """Ask nothing more."""
        self.closed = True


class _Whole:
    """A body that is there already."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.head = answer.status, answer.headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """See `kit.Stream`."""
        yield self._answer.body

    def close(self) -> None:
        """Nothing is held."""
