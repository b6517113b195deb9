"""A web application that is found by others and finds them: `Attached`, and its shapes for ASGI and aiohttp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from proconsul.client import (
    AsyncClient,
    AsyncLiveSettings,
    AsyncRegistration,
    AsyncResolver,
    CheckType,
    Setting,
)
from proconsul.embed.agent import EmbeddedAgent

__all__ = ["Attached", "WebService", "cleanup_context", "lifespan"]

log: logging.Logger = logging.getLogger("proconsul.embed")

# What an application waits for at its start: whoever needs longer is followed beside its work.
_START_S: Final = 5.0


@dataclass(frozen=True)
class WebService:
    """What an application is registered as. It is this program that knows its port; no server tells it.

    ``ttl``: this program reports that it is alive, three times in so many seconds; None for not to. ``check``: one that
    the agent does, as `proconsul.client.http_check`. ``deregister_after``: the agent removes it when it has been silent
    for so many seconds, 0 for never. The other fields are as of `client.registration`.
    """

    name: str
    port: int | None = None
    address: str = ""
    id: str = ""
    ttl: float | None = 15.0
    check: CheckType | Mapping[str, Any] | None = None
    deregister_after: float = 0
    tags: Sequence[str] = ()
    meta: Mapping[str, str] | None = None


class Attached:
    """An application's side of Consul, from its start to its end: an asynchronous context manager.

    ``agent``: settings of an agent that lives within the application, or one that is made already; without it the agent
    is outside, at ``address``, or where the environment says. ``register``: what to be found as. ``resolve``: names of
    services that `resolver` knows. ``prefix``: the keys that ``settings`` follows, with their ``defaults``.

    An agent outside that cannot be asked does not keep the application from its start, nor from its end: it is
    registered, and finds others, as soon as the agent is there, and again when the agent has forgotten it. One within
    that cannot start does, as it is part of the application.
    """

    def __init__(
        self, *, agent: Mapping[str, Any] | EmbeddedAgent | None = None, address: str | Sequence[str] | None = None,
        token: str | None = None, register: WebService | None = None, resolve: Sequence[str] = (), prefix: str = "",
        defaults: Mapping[str, Setting] = {},
    ) -> None:  # fmt: skip
        if agent is not None and address is not None:
            raise ValueError("an agent within, or the address of one outside")
        self._wanted, self._address, self._token = agent, address, token
        self._register, self._resolve, self._prefix, self._defaults = register, resolve, prefix, defaults
        self._ends: AsyncExitStack
        self._resolvers: dict[str, AsyncResolver] = {}
        self.client: AsyncClient
        # The agent within, if there is one.
        self.agent: EmbeddedAgent | None = None
        self.registration: AsyncRegistration | None = None
        self._settings: AsyncLiveSettings | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as ends:  # each is ended if a later one does not begin
            await self._begin(ends)
            self._ends = ends.pop_all()
        return self

    async def _begin(self, ends: AsyncExitStack) -> None:
        self.agent = self._wanted if isinstance(self._wanted, EmbeddedAgent) else None
        if isinstance(self._wanted, Mapping):
            self.agent = EmbeddedAgent(self._wanted)
        if self.agent is not None:
            await self.agent.start()
            ends.push_async_callback(self.agent.stop)
            self.client = self.agent.client(token=self._token or "")
        else:
            self.client = AsyncClient(self._address, token=self._token)
        ends.push_async_callback(self.client.aclose)
        starts: list[Coroutine[Any, Any, None]] = []
        if self._prefix:
            self._settings = self.client.live_settings(self._prefix, self._defaults)
            ends.push_async_callback(self._settings.stop)
            starts.append(self._settings.start(_START_S))
        for name in self._resolve:
            resolver = self._resolvers[name] = self.client.resolver(name)
            ends.push_async_callback(resolver.stop)
            starts.append(resolver.start(_START_S, required=False))
        # At once: of an agent that is silent each would wait to the end of its time.
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        for name, resolver in self._resolvers.items():
            if resolver.last_error is not None:
                log.warning("instances of %s are not known, and will be: %s", name, resolver.last_error)
        if self._register is not None:  # last: who is found has to be able to work
            await self._be_found(self._register, ends)

    async def _be_found(self, service: WebService, ends: AsyncExitStack) -> None:
        self.registration = self.client.registration(
            service.name, id=service.id, ttl=service.ttl, check=service.check, port=service.port,
            address=service.address, deregister_after=service.deregister_after, tags=service.tags, meta=service.meta,
        )  # fmt: skip
        ends.push_async_callback(self.registration.stop)
        await self.registration.start(required=False)
        if self.registration.last_error is not None:
            log.warning("%s is not registered, and will be: %s", service.name, self.registration.last_error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        await self._ends.aclose()
        self._resolvers = {}

    def resolver(self, name: str) -> AsyncResolver:
        """The instances of a service of ``resolve``. Raises KeyError for another."""
        return self._resolvers[name]

    @property
    def settings(self) -> AsyncLiveSettings:
        """The settings below ``prefix``. Raises RuntimeError without one."""
        if self._settings is None:
            raise RuntimeError("no settings are followed: no prefix was given")
        return self._settings


def lifespan(
    agent: Mapping[str, Any] | EmbeddedAgent | None = None, *, address: str | Sequence[str] | None = None,
    token: str | None = None, register: WebService | None = None, resolve: Sequence[str] = (), prefix: str = "",
    defaults: Mapping[str, Setting] = {},
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:  # fmt: skip
    """The ``lifespan`` of a Starlette or FastAPI application: parameters as of `Attached`, which requests find as
    ``request.state.consul``, and others as ``app.state.consul``."""

    @asynccontextmanager
    async def live(app: Any) -> AsyncIterator[dict[str, Any]]:
        async with Attached(
            agent=agent, address=address, token=token, register=register, resolve=resolve, prefix=prefix,
            defaults=defaults,
        ) as consul:  # fmt: skip
            if hasattr(app, "state"):
                app.state.consul = consul
            yield {"consul": consul}

    return live


def cleanup_context(
    agent: Mapping[str, Any] | EmbeddedAgent | None = None, *, key: Any = "consul",
    address: str | Sequence[str] | None = None, token: str | None = None, register: WebService | None = None,
    resolve: Sequence[str] = (), prefix: str = "", defaults: Mapping[str, Setting] = {},
) -> Callable[[Any], AsyncIterator[None]]:  # fmt: skip
    """What to append to ``cleanup_ctx`` of an aiohttp application: parameters as of `Attached`, which is
    ``app[key]``; ``key`` is an ``aiohttp.web.AppKey``, or a name."""

    async def live(app: Any) -> AsyncIterator[None]:
        async with Attached(
            agent=agent, address=address, token=token, register=register, resolve=resolve, prefix=prefix,
            defaults=defaults,
        ) as consul:  # fmt: skip
            app[key] = consul
            yield

    return live
