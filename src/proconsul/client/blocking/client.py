# Made by scripts/make_blocking_client.py of ../aio/client.py: change that one.
"""The client: where the agents are, and the groups of calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import ParamSpec, TypeVar

from proconsul.client.asking import Ask, Meta, Result
from proconsul.client.blocking import kit
from proconsul.client.blocking.acl import ACL
from proconsul.client.blocking.agent import Agent
from proconsul.client.blocking.caller import Caller
from proconsul.client.blocking.catalog import Catalog, Coordinates, Health
from proconsul.client.blocking.internal import Internal
from proconsul.client.blocking.kv import KV
from proconsul.client.blocking.mesh import ConfigEntries, Connect
from proconsul.client.blocking.operator import Operator, Snapshots
from proconsul.client.blocking.parts import Parts
from proconsul.client.blocking.recipes import Recipes
from proconsul.client.blocking.session import Events, Queries, Sessions, Status
from proconsul.client.blocking.transaction import Transaction
from proconsul.client.options import Consistency, ReadOptions
from proconsul.client.retry import RetryPolicy
from proconsul.client.settings import ClientConfig, basic_credentials, place_of
from proconsul.client.tokens import TokenSource
from proconsul.client.transport import Endpoint
from proconsul.client.wire import Answer, Call, path_of

__all__ = ["Client"]

P = ParamSpec("P")
T = TypeVar("T")


class Client(Recipes):
    """Calls agents, one after the other where several are given and one does not answer.

    ``address``: ``host:port``, ``http://``, ``https://`` or ``unix://``, or several of them; without it that of the
    environment, as all settings (`ClientConfig`: CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, CONSUL_CACERT, ...).
    ``token``: instead of the environment's. ``dc``: the datacenter of all calls. ``consistency``: of all reads.
    ``timeout``: of each call, in seconds, with connecting and trying again; reads that wait may take so long beside
    their waiting. Raises SettingsError.

    Every call may name its own ``dc``, ``token`` and ``timeout``, reads more (`ReadOptions`). Errors are those of
    `proconsul.client.errors`, all of them ConsulError. Connections are kept; `close`, or leaving ``with``, ends
    them.
    """

    caller: Caller
    parts: Parts
    kv: KV
    session: Sessions
    agent: Agent
    health: Health
    catalog: Catalog
    event: Events
    query: Queries
    acl: ACL
    operator: Operator
    coordinate: Coordinates
    status: Status
    snapshot: Snapshots
    connect: Connect
    config: ConfigEntries
    internal: Internal

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
        self.caller = Caller(
            endpoint, transport(endpoint), TokenSource(config), defaults=defaults, timeout_s=timeout, retry=retry,
            rng=rng or random.Random(),
        )  # fmt: skip
        # For what is built over the client.
        self.parts = Parts(
            self.caller, KV(self.caller), Sessions(self.caller), Agent(self.caller),
            Health(self.caller),
        )  # fmt: skip
        self.kv, self.session, self.agent, self.health = self.parts[1:]
        self.catalog = Catalog(self.caller)
        self.event = Events(self.caller)
        self.query = Queries(self.caller)
        self.acl = ACL(self.caller)
        self.operator = Operator(self.caller)
        self.coordinate = Coordinates(self.caller)
        self.status = Status(self.caller)
        self.snapshot = Snapshots(self.caller)
        self.connect = Connect(self.caller)
        self.config = ConfigEntries(self.caller)
        self.internal = Internal(self.caller)

    def transaction(self) -> Transaction:
        """A transaction to fill."""
        return Transaction(self.caller)

    def call(
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
        return self.caller.perform(Call(
            method, path_of("", path), pairs, body, header, token,
            method in ("GET", "HEAD") if repeatable is None else repeatable, timeout,
        ))  # fmt: skip

    def with_meta(
        self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Result[T]:  # fmt: skip
        """What ``read`` gives, with its index and the like: ``client.with_meta(client.kv.get, "a")``."""
        ask = Ask()
        value = self.caller.asked(ask, read, *args, **kwargs)
        return Result(value, ask.meta or Meta())

    def close(self) -> None:
        """End all connections. Calls that wait raise Unavailable."""
        self.caller.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.close()
