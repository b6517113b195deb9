"""Whoever is given up while its connection is put on an event loop: the protocol hears that it is over."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from proconsul.engine.streams import connected

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Heard(asyncio.Protocol):
    """What a loop tells a protocol, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.events.append("data")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.over.set_result(None)


async def given_up_after(turns: int, *, accepted: bool) -> list[str]:
    """The events of a protocol whose maker is cancelled so many turns of the loop later; none if that was too late."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        theirs.send(b"x")
        protocol = Heard()
        making = (
            loop.connect_accepted_socket(lambda: protocol, ours) if accepted
            else loop.create_connection(lambda: protocol, sock=ours)
        )  # fmt: skip
        task = asyncio.ensure_future(connected(ours, making))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            return []
        async with asyncio.timeout(30):
            await protocol.over
    return protocol.events


@pytest.mark.parametrize("new_loop", LOOPS)
@pytest.mark.parametrize("accepted", [True, False])
def test_it_hears_the_end_whenever_that_is(new_loop: Callable[[], asyncio.AbstractEventLoop], accepted: bool) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        seen = [runner.run(given_up_after(turns, accepted=accepted)) for turns in range(1, 8)]
    assert any(seen), "nobody was given up in time"
    assert all((events[0], events[-1]) == ("made", "lost") for events in seen if events), seen
