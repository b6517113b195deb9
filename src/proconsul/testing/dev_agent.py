"""A whole agent in the test's process, whose time, faults and state the test holds: `DevAgent`, `AsyncDevAgent`.

Both have one core, on an event loop of its own (`clocked_loop`): that of `DevAgent` runs in a thread, that of
`AsyncDevAgent` within the test's loop. No socket is opened before somebody asks where it is; no signal handler is
taken, nothing is global, so any number of them may run beside each other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from proconsul.testing.agent_state import AgentSnapshot
from proconsul.testing.answers import AsyncAsking, Body, HttpAnswer, SyncAsking
from proconsul.testing.client_in_memory import ClientInMemory
from proconsul.testing.clocked_loop import Hosted
from proconsul.testing.dev_core import AgentHandle, Core, FaultVerbs

if TYPE_CHECKING:
    from proconsul.client import AsyncClient, Client

__all__ = ["AsyncDevAgent", "DevAgent"]

T = TypeVar("T")


class DevAgent(AgentHandle, FaultVerbs, SyncAsking):
    """An agent with its own event loop in a thread. A context manager.

    ``settings``: configuration keys as in a file. ``dns``: answer DNS too. ``seed``: of all it does by chance.
    ``token``: what requests go with. ``frozen``: its time stands still from the start.
    """

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, dns: bool = False, seed: int | None = None,
        token: str = "", frozen: bool = False,
    ) -> None:  # fmt: skip
        self._options = settings, {"dns": dns, "seed": seed, "token": token}, frozen
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Ready when this returns. Raises ConsulError for settings that cannot be; nothing is left behind then."""
        if self._thread is not None:
            raise RuntimeError("the agent runs already")
        settings, options, frozen = self._options
        self._core = Core(settings, **options)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._core.loop.run_forever, name="proconsul-dev-agent", daemon=True)
        self._thread.start()
        try:
            self._run(self._core.start())
            if frozen:
                self.freeze()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Nothing is left: no thread, no socket. May be called twice."""
        thread, core = self._thread, getattr(self, "_core", None)
        if thread is None or core is None:
            return
        try:
            self._run(core.stop())
        finally:
            with suppress(Exception):
                self._run(core.end_rest())
            self._thread = None
            core.loop.call_soon_threadsafe(core.loop.stop)
            thread.join()
            core.loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise RuntimeError("the agent does not run: use it as a context manager, or call start()")
        return asyncio.run_coroutine_threadsafe(work, self._core.loop).result()

    def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        """One request through the front door, without a socket; ``target`` is path and query as in a URL."""
        return self._run(self._core.request(method, target, body, headers))

    def client(self, *, token: str | None = None, timeout: float = 30.0) -> Client:
        """A client over a socket of loopback, which the caller closes. ``token``: the agent's, if not given."""
        from proconsul.client import Client

        return Client(self.http_address, token=self.token if token is None else token, timeout=timeout)

    # ------------------------------------------------------------------ state

    def snapshot(self) -> AgentSnapshot:
        """The state of this moment, for `restore`."""
        return self._run(self._core.snapshot())

    def restore(self, snapshot: AgentSnapshot) -> None:
        """Put back catalog, KV, sessions with what was left of their time, and what is registered here."""
        self._run(self._core.restore(snapshot))

    def reset(self) -> None:
        """As it was when it had started, and nothing wrong any more. The clock is left alone."""
        self._run(self._core.reset())

    # ------------------------------------------------------------------ time

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once: all that would have happened has, in its order, when this returns."""
        self._run(self._core.loop.advance(seconds))

    def settle(self) -> None:
        """Return when the agent has done all that it can do at this moment."""
        self._run(self._core.loop.settle())


class AsyncDevAgent(AgentHandle, FaultVerbs, AsyncAsking):
    """As `DevAgent`, within the event loop that runs, of whatever kind; an asynchronous context manager."""

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, dns: bool = False, seed: int | None = None,
        token: str = "", frozen: bool = False,
    ) -> None:  # fmt: skip
        self._options = settings, {"dns": dns, "seed": seed, "token": token}, frozen
        self._hosted: Hosted | None = None

    async def start(self) -> Self:
        """See `DevAgent.start`."""
        if self._hosted is not None:
            raise RuntimeError("the agent runs already")
        settings, options, frozen = self._options
        self._core = Core(settings, **options)  # type: ignore[arg-type]
        self._hosted = Hosted(self._core.loop)
        try:
            await self._run(self._core.start())
            if frozen:
                self.freeze()
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """See `DevAgent.stop`."""
        hosted, core = self._hosted, getattr(self, "_core", None)
        if hosted is None or core is None:
            return
        try:
            await self._run(core.stop())
        finally:
            with suppress(Exception):
                await self._run(core.end_rest())
            self._hosted = None
            hosted.end()
            core.loop.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._hosted is None:
            work.close()
            raise RuntimeError("the agent does not run: use it as a context manager, or await start()")
        if asyncio.get_running_loop() is not self._hosted.host:
            work.close()
            raise RuntimeError("the agent lives within another event loop: start it in the one that uses it")
        return await self._hosted.run(work)

    async def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        """See `DevAgent.request`."""
        return await self._run(self._core.request(method, target, body, headers))

    def client(self, *, token: str | None = None, timeout: float = 30.0) -> AsyncClient:
        """A client of the agent that needs no socket. ``token``: the agent's, if not given."""
        from proconsul.client import AsyncClient

        transport = ClientInMemory(self)
        return AsyncClient(
            "memory:80", token=self.token if token is None else token, timeout=timeout, transport=lambda _: transport
        )

    # ------------------------------------------------------------------ state

    async def snapshot(self) -> AgentSnapshot:
        """See `DevAgent.snapshot`."""
        return await self._run(self._core.snapshot())

    async def restore(self, snapshot: AgentSnapshot) -> None:
        """See `DevAgent.restore`."""
        await self._run(self._core.restore(snapshot))

    async def reset(self) -> None:
        """See `DevAgent.reset`."""
        await self._run(self._core.reset())

    # ------------------------------------------------------------------ time

    async def advance(self, seconds: float) -> None:
        """See `DevAgent.advance`."""
        await self._run(self._core.loop.advance(seconds))

    async def settle(self) -> None:
        """See `DevAgent.settle`."""
        await self._run(self._core.loop.settle())
