"""An agent that goes and comes back: what is followed stays known, what was registered is registered again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from both import client_of

from proconsul.client import ConsulError, RetryPolicy
from proconsul.testing import AgentInLoop, free_port

pytestmark = pytest.mark.filterwarnings("error")
PATIENCE_S = 60


async def until(probe: Any) -> None:
    """Look until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not probe():
            await asyncio.sleep(0.02)


async def test_an_agent_that_is_started_anew(kind: str) -> None:
    port = free_port()

    def agent() -> AgentInLoop:
        return AgentInLoop({"ports": {"http": port}})

    quick = RetryPolicy(attempts=2, first_s=0.01)
    client = client_of(kind, f"127.0.0.1:{port}", token="", retry=quick)
    async with agent():
        registration = client.registration("web", port=80, ttl=10)
        await registration.start()
        resolver = client.resolver("web")
        await resolver.start()
        colours = client.watch(client.kv.get, "colour")
        assert await colours.__anext__() is None
        await until(lambda: resolver.instances)
    # It is gone.
    await until(lambda: resolver.is_stale)
    assert resolver.pick().port == 80
    following = asyncio.ensure_future(colours.__anext__())
    registration.set("passing", "still here")
    await until(lambda: registration.failures)
    assert isinstance(registration.last_error, ConsulError)
    async with agent():  # which knows nothing
        registration.set("passing", "again")
        await until(lambda: not registration.failures)
        async with asyncio.timeout(PATIENCE_S):
            while await client.agent.services.get("web") is None:
                await asyncio.sleep(0.02)
        await client.kv.put("colour", "blue")
        async with asyncio.timeout(PATIENCE_S):
            assert await following == b"blue"
        await until(lambda: not resolver.is_stale and resolver.instances)
        await resolver.stop()
        await registration.stop()
        assert await client.agent.services.get("web") is None
    await client.aclose()


async def test_what_cannot_begin_says_so(kind: str) -> None:
    client = client_of(kind, "127.0.0.1:1", token="", retry=RetryPolicy(attempts=1))
    for thing in (client.registration("web", ttl=10), client.resolver("web")):
        with pytest.raises(ConsulError):
            await (thing.start() if hasattr(thing, "check_id") else thing.start(timeout=0.3))
    with pytest.raises(ConsulError):
        await client.lock("a").acquire()
    with pytest.raises(ValueError, match="more than none"):
        client.registration("web", ttl=0)
    with pytest.raises(RuntimeError, match="no check"):
        client.registration("web").set("passing")
    with pytest.raises(RuntimeError, match="not held"):
        await client.lock("a").release()
    with pytest.raises(ValueError, match="at least one"):
        client.semaphore("a", 0)
    await client.aclose()
