"""No lock is believed held that may be lost: renewals that fail, clocks that jump, cancellation at every await."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest

from proconsul.client import AsyncClient, AsyncLock, Client, LockLost, RetryPolicy, Unavailable
from proconsul.client.aio.connection import LoopTransport
from proconsul.client.blocking.connection import SocketTransport
from proconsul.client.wire import Answer, Call, Deadline
from proconsul.testing import AgentInLoop, AgentInThread

pytestmark = pytest.mark.filterwarnings("error")
PATIENCE_S = 60


class Severable(LoopTransport):
    """A way to the agent that can be cut."""

    cut = False

    async def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Any = None) -> Answer:
        if self.cut:
            raise Unavailable("cut", sent=True)
        return await super().send(place, call, token, deadline, body)


class Clock:
    """Can jump."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


async def test_a_clock_that_jumps_ends_the_belief() -> None:
    async with AgentInLoop(listen=True) as agent, AsyncClient(agent.http_address) as client:
        lock, clock = client.lock("a", ttl=10, lock_delay=0.001), Clock()
        lock._clock = clock
        with pytest.raises(LockLost, match="not renewed in time"):
            async with lock as held:
                assert held.held
                clock.ahead_s = 9.0
                assert held.held
                clock.ahead_s = 10.1  # as of a machine that was asleep
                assert not held.held
                with pytest.raises(LockLost):
                    held.check()


async def test_a_session_that_cannot_be_renewed_is_lost_when_its_time_is_over() -> None:
    ways: list[Severable] = []

    def make(endpoint: Any) -> Severable:
        ways.append(Severable(endpoint))
        return ways[0]

    async with AgentInLoop(listen=True) as agent:
        client = AsyncClient(agent.http_address, transport=make, retry=RetryPolicy(attempts=2, first_s=0.01))
        lock, clock = client.lock("a", ttl=10, lock_delay=0.001), Clock()
        lock._clock = clock
        with pytest.raises(LockLost):
            async with lock as held:
                ways[0].cut = True
                clock.ahead_s = 9.5  # so that the test need not wait for it
                begin = time.monotonic()
                assert held.held
                try:
                    await asyncio.sleep(PATIENCE_S)
                finally:
                    # The renewal that was due comes with the next look, and none is believed in beyond the end.
                    assert not held.held
                    assert time.monotonic() - begin < PATIENCE_S / 2
        ways[0].cut = False
        await client.aclose()


async def test_renewals_keep_a_lock() -> None:
    async with AgentInLoop(listen=True) as agent, AsyncClient(agent.http_address) as client:
        lock, clock = client.lock("a", ttl=10, lock_delay=0.001), Clock()
        lock._clock = clock
        async with lock as held:
            keeper = lock._keeper
            assert keeper is not None
            before = keeper._lease.renewed_at
            for _ in range(3):
                await client.session.renew(held.token.session)
                keeper._lease.renewed(clock())
                clock.ahead_s += 9.0
                assert held.held
            assert keeper._lease.renewed_at > before + 17


class Cancelled:
    """Runs a coroutine and cancels the task at its ``number``-th await."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], number: int) -> None:
        self._coroutine, self._left = coroutine, number

    @property
    def reached(self) -> bool:
        return self._left < 0

    def __await__(self) -> Generator[Any, Any, None]:
        inner = self._coroutine.__await__()
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                waited = inner.send(sent) if thrown is None else inner.throw(thrown)
            except StopIteration:
                return
            if self._left == 0:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            self._left -= 1
            sent = thrown = None
            try:
                sent = yield waited
            except BaseException as error:
                thrown = error


async def cancelled_everywhere(
    work: Callable[[], Coroutine[Any, Any, None]], after: Callable[[], Awaitable[None]]
) -> int:
    """Do ``work`` again and again, cancelled one await later each time, until it is done before; how often it was."""
    for number in range(1000):
        running = Cancelled(work(), number)

        async def run(running: Cancelled = running) -> None:
            await running

        task = asyncio.ensure_future(run())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({task})
        assert task.cancelled() or task.exception() is None, task.exception()
        await after()
        if not running.reached:
            return number
    raise AssertionError("the work never ends")


def is_busy(client: AsyncClient) -> bool:
    transport = client.parts.caller.transport
    assert isinstance(transport, LoopTransport)
    return bool(transport._busy)


async def settled(client: AsyncClient, tasks: set[asyncio.Task[Any]]) -> None:
    """No task is left, and no connection that waits for something."""
    async with asyncio.timeout(PATIENCE_S):
        while (asyncio.all_tasks() - tasks - {asyncio.current_task()}) or is_busy(client):
            await asyncio.sleep(0)


@pytest.mark.parametrize("what", ["lock", "semaphore"])
async def test_cancellation_at_every_await_of_a_lock(what: str) -> None:
    async with AgentInLoop(listen=True) as agent, AsyncClient(agent.http_address) as client:
        own = asyncio.all_tasks()

        def make() -> AsyncLock:
            if what == "lock":
                return client.lock("a", ttl=10, lock_delay=0.001)
            return client.semaphore("s", 1, ttl=10, lock_delay=0.001)

        async def work() -> None:
            async with make() as held:
                assert held.held
                await asyncio.sleep(0)

        async def after() -> None:
            await settled(client, own | agent_tasks(own))
            entry = await client.kv.entry("a")
            assert entry is None or not entry.Session
            # Only a session whose id has never come is there still: it holds nothing, and ends by itself.
            for session in await client.session.list():
                await client.session.destroy(session.ID)

        assert await cancelled_everywhere(work, after) > 5
        async with asyncio.timeout(PATIENCE_S):
            async with make() as held:
                assert held.held
        assert await client.session.list() == []
        assert [one.Key for one in await client.kv.entries("s/")] == ([] if what == "lock" else ["s/.lock"])
    gc.collect()


def agent_tasks(known: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Tasks of the agent in this loop, which come and go as it likes."""
    return {
        one for one in asyncio.all_tasks() - known
        if not one.get_name().startswith(("lock ", "session ", "registration ", "resolver "))
    }  # fmt: skip


async def test_cancellation_at_every_await_of_calls_and_watches() -> None:
    async with AgentInLoop(listen=True) as agent, AsyncClient(agent.http_address) as client:
        own = asyncio.all_tasks()

        async def work() -> None:
            await client.kv.put("k", b"1")
            assert await client.kv.get("k") == b"1"
            watch = client.watch(client.kv.get, "k")
            assert await watch.__anext__() == b"1"
            assert [piece async for piece in client.snapshot.save()]

        async def after() -> None:
            await settled(client, own | agent_tasks(own))
            assert await client.kv.get("nothing") is None

        assert await cancelled_everywhere(work, after) > 3


async def test_cancellation_at_every_await_of_a_registration_and_a_resolver() -> None:
    async with AgentInLoop(listen=True) as agent, AsyncClient(agent.http_address) as client:
        own = asyncio.all_tasks()

        async def work() -> None:
            async with client.registration("web", port=1, ttl=10), client.resolver("web", passing=False) as resolver:
                await asyncio.sleep(0)
                assert resolver.service == "web"

        async def after() -> None:
            await settled(client, own | agent_tasks(own))

        assert await cancelled_everywhere(work, after) > 5
        assert "web" not in await client.agent.services.list()


def test_threads_learn_of_a_loss_and_leave_nothing() -> None:
    before = set(threading.enumerate())
    with AgentInThread() as agent, Client(agent.http_address) as client:
        lock = client.lock("a", ttl=10, lock_delay=0.001)
        held = lock.acquire()
        assert held is not None
        assert held.held
        client.session.destroy(held.token.session)
        assert held.lost.wait(PATIENCE_S)
        assert not held.held
        lock.release()
        clock = Clock()
        lock._clock = clock
        again = lock.acquire()
        assert again is not None
        clock.ahead_s = 11
        assert not again.held
        lock.release()
        assert client.session.list() == []
    # The agent's event loop keeps workers of its own.
    assert {one for one in set(threading.enumerate()) - before if not one.name.startswith("asyncio_")} == set()


def test_a_thread_cut_off_from_the_agent_loses_its_lock() -> None:
    class Way(SocketTransport):
        cut = False

        def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Any = None) -> Answer:
            if self.cut:
                raise Unavailable("cut", sent=True)
            return super().send(place, call, token, deadline, body)

    ways: list[Way] = []

    def make(endpoint: Any) -> Way:
        ways.append(Way(endpoint))
        return ways[0]

    with AgentInThread() as agent, Client(agent.http_address, transport=make, retry=RetryPolicy(attempts=1)) as client:
        lock, clock = client.lock("a", ttl=10, lock_delay=0.001), Clock()
        lock._clock = clock
        held = lock.acquire()
        assert held is not None
        ways[0].cut = True
        clock.ahead_s = 9.7
        assert held.lost.wait(PATIENCE_S)
        assert not held.held
        ways[0].cut = False
        lock.release()
