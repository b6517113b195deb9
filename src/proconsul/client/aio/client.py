"""The client: where the agents are, and the groups of calls."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import ParamSpec, TypeVar

from proconsul.client.aio import kit
from proconsul.client.aio.acl import AsyncACL
from proconsul.client.aio.agent import AsyncAgent
from proconsul.client.aio.caller import AsyncCaller
from proconsul.client.aio.catalog import AsyncCatalog, AsyncCoordinates, AsyncHealth
from proconsul.client.aio.internal import AsyncInternal
from proconsul.client.aio.kv import AsyncKV
from proconsul.client.aio.mesh import AsyncConfigEntries, AsyncConnect
from proconsul.client.aio.operator import AsyncOperator, AsyncSnapshots
from proconsul.client.aio.parts import AsyncParts
from proconsul.client.aio.recipes import AsyncRecipes
from proconsul.client.aio.session import AsyncEvents, AsyncQueries, AsyncSessions, AsyncStatus
from proconsul.client.aio.transaction import AsyncTransaction
from proconsul.client.asking import Ask, Meta, Result
from proconsul.client.options import Consistency, ReadOptions
from proconsul.client.retry import RetryPolicy
from proconsul.client.settings import ClientConfig, basic_credentials, place_of
from proconsul.client.tokens import TokenSource
from proconsul.client.transport import Endpoint
from proconsul.client.wire import Answer, Call, path_of

__all__ = ["AsyncClient"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncClient(AsyncRecipes):
    """Calls agents, one after the other where several are given and one does not answer.

    ``address``: ``host:port``, ``http://``, ``https://`` or ``unix://``, or several of them; without it that of the
    environment, as all settings (`ClientConfig`: CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, CONSUL_CACERT, ...).
    ``token``: instead of the environment's. ``dc``: the datacenter of all calls. ``consistency``: of all reads.
    ``timeout``: of each call, in seconds, with connecting and trying again; reads that wait may take so long beside
    their waiting. Raises SettingsError.

    Every call may name its own ``dc``, ``token`` and ``timeout``, reads more (`ReadOptions`). Errors are those of
    `proconsul.client.errors`, all of them ConsulError. Connections are kept; `aclose`, or leaving ``async with``, ends
    them.
    """

    caller: AsyncCaller
    parts: AsyncParts
    kv: AsyncKV
    session: AsyncSessions
    agent: AsyncAgent
    health: AsyncHealth
    catalog: AsyncCatalog
    event: AsyncEvents
    query: AsyncQueries
    acl: AsyncACL
    operator: AsyncOperator
    coordinate: AsyncCoordinates
    status: AsyncStatus
    snapshot: AsyncSnapshots
    connect: AsyncConnect
    config: AsyncConfigEntries
    internal: AsyncInternal

    def __init__(
        self, address: str | Sequence[str] | None = None, *, token: str | None = None, dc: str = "",
        consistency: Consistency = "default", timeout: float = 30.0, connect_timeout: float = 5.0,
        config: ClientConfig | None = None, retry: RetryPolicy = RetryPolicy(),
        transport: Callable[[Endpoint], kit.Transport] = kit.own_transport, rng: random.Random | None = None,
    ) -> None:  # fmt: skip
        config = config or ClientConfig()
        if token is not None:
            config.token, config.token_file = token, ""
        addresses = [config.address] if address is None else [address] if isinstance(address, str) else list(address)
        if not addresses:
            raise ValueError("no address")
        header = basic_credentials(config.basic_auth)
        endpoint = Endpoint(config, [place_of(one, config.scheme) for one in addresses], header, connect_timeout)
        defaults: ReadOptions = {}
        if dc or config.datacenter:
            defaults["dc"] = dc or config.datacenter
        if consistency != "default":
            defaults["consistency"] = consistency
        self.caller = AsyncCaller(
            endpoint, transport(endpoint), TokenSource(config), defaults=defaults, timeout_s=timeout, retry=retry,
            rng=rng or random.Random(),
        )  # fmt: skip
        # For what is built over the client.
        self.parts = AsyncParts(
            self.caller, AsyncKV(self.caller), AsyncSessions(self.caller), AsyncAgent(self.caller),
            AsyncHealth(self.caller),
        )  # fmt: skip
        self.kv, self.session, self.agent, self.health = self.parts[1:]
        self.catalog = AsyncCatalog(self.caller)
        self.event = AsyncEvents(self.caller)
        self.query = AsyncQueries(self.caller)
        self.acl = AsyncACL(self.caller)
        self.operator = AsyncOperator(self.caller)
        self.coordinate = AsyncCoordinates(self.caller)
        self.status = AsyncStatus(self.caller)
        self.snapshot = AsyncSnapshots(self.caller)
        self.connect = AsyncConnect(self.caller)
        self.config = AsyncConfigEntries(self.caller)
        self.internal = AsyncInternal(self.caller)

    def transaction(self) -> AsyncTransaction:
        """A transaction to fill."""
        return AsyncTransaction(self.caller)

    async def call(
        self, method: str, path: str, *, query: Mapping[str, str | Sequence[str]] = {}, body: bytes = b"",
        header: Mapping[str, str] = {}, token: str | None = None, timeout: float | None = None,
        repeatable: bool | None = None,
    ) -> Answer:  # fmt: skip
        """Any request; ``path`` as ``/v1/...``, not encoded. Raises ConsulError for an answer that is no success.

        ``repeatable``: whether it may be done twice; as usual that is so of GET.
        """
        pairs = [
            (name, one) for name, value in query.items() for one in ([value] if isinstance(value, str) else value)
        ]  # fmt: skip
        return await self.caller.perform(Call(
            method, path_of("", path), pairs, body, header, token,
            method in ("GET", "HEAD") if repeatable is None else repeatable, timeout,
        ))  # fmt: skip

    async def with_meta(
        self, read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Result[T]:  # fmt: skip
        """What ``read`` gives, with its index and the like: ``await client.with_meta(client.kv.get, "a")``."""
        ask = Ask()
        value = await self.caller.asked(ask, read, *args, **kwargs)
        return Result(value, ask.meta or Meta())

    async def aclose(self) -> None:
        """End all connections. Calls that wait raise Unavailable."""
        await self.caller.transport.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        await self.aclose()
