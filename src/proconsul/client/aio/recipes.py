"""What the client makes of its calls: watches, locks, elections, registrations, resolvers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from proconsul.client.aio.election import AsyncElection
from proconsul.client.aio.live_settings import AsyncLiveSettings
from proconsul.client.aio.locks import AsyncLock, AsyncSemaphore
from proconsul.client.aio.parts import AsyncParts
from proconsul.client.aio.registration import AsyncRegistration
from proconsul.client.aio.resolver import AsyncResolver
from proconsul.client.aio.watch import AsyncChanges, AsyncWatch
from proconsul.client.checks import CheckType
from proconsul.client.choosing import Strategy
from proconsul.client.options import ReadOptions
from proconsul.client.setting_values import Setting
from proconsul.client.watching import Position

__all__ = ["AsyncRecipes"]

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

SESSION_TTL_S = 15.0


class AsyncRecipes:
    """Of one client. Nothing is sent by making them."""

    parts: AsyncParts

    # ------------------------------------------------------------------ changes

    def watch(self, read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> AsyncWatch[T]:
        """What ``read`` gives, now and whenever it is another: ``client.watch(client.kv.get, "a")``."""
        return AsyncWatch(self.parts.caller, read, args, kwargs)

    @overload
    def changes(
        self, read: Callable[..., Awaitable[Sequence[R]]], *args: Any, since: Position | None = None, **kwargs: Any
    ) -> AsyncChanges[R]: ...

    @overload
    def changes(
        self, read: Callable[..., Awaitable[Mapping[str, R]]], *args: Any, since: Position | None = None, **kwargs: Any
    ) -> AsyncChanges[R]: ...

    @overload
    def changes(
        self, read: Callable[..., Awaitable[R | None]], *args: Any, since: Position | None = None, **kwargs: Any
    ) -> AsyncChanges[R]: ...

    def changes(
        self, read: Callable[..., Awaitable[Any]], *args: Any, since: Position | None = None, **kwargs: Any
    ) -> AsyncChanges[Any]:  # fmt: skip
        """What changes in what ``read`` gives: ``client.changes(client.kv.entries, "app/")``.

        ``since``: how far somebody was told before, by the ``position`` of such changes.
        """
        return AsyncChanges(AsyncWatch(self.parts.caller, read, args, kwargs), since)

    # ------------------------------------------------------------------ locks

    def lock(
        self, key: str, *, value: bytes | str = b"", ttl: float = SESSION_TTL_S, lock_delay: float | None = None,
        name: str = "", cancel_on_loss: bool = True,
    ) -> AsyncLock:  # fmt: skip
        """A lock on ``key``, that those of Consul's own clients respect.

        ``value``: what the key says meanwhile. ``ttl``: how long it stays another's when this program is gone, 10 s
        and more. ``lock_delay``: how long nobody gets it after that (15 s). ``name``: of the session.
        """
        return AsyncLock(
            self.parts, key, value=value, ttl_s=ttl, lock_delay=lock_delay, name=name or f"lock {key}",
            cancels=cancel_on_loss,
        )  # fmt: skip

    def semaphore(
        self, prefix: str, limit: int, *, value: bytes | str = b"", ttl: float = SESSION_TTL_S,
        lock_delay: float | None = None, name: str = "", cancel_on_loss: bool = True,
    ) -> AsyncSemaphore:  # fmt: skip
        """A lock that ``limit`` can hold at once; all that use it have to name the same."""
        return AsyncSemaphore(
            self.parts, prefix, limit, value=value, ttl_s=ttl, lock_delay=lock_delay,
            name=name or f"semaphore {prefix}", cancels=cancel_on_loss,
        )  # fmt: skip

    def election(
        self, key: str, *, value: bytes | str = b"", ttl: float = SESSION_TTL_S, lock_delay: float | None = None,
        name: str = "",
    ) -> AsyncElection:  # fmt: skip
        """An election for ``key``; ``value``: what this candidate says of itself when it leads."""

        def make() -> AsyncLock:
            return self.lock(key, value=value, ttl=ttl, lock_delay=lock_delay, name=name or f"election {key}")

        return AsyncElection(self.parts, key, make)

    # ------------------------------------------------------------------ services

    def registration(
        self, name: str, *, id: str = "", ttl: float | None = None, check: CheckType | Mapping[str, Any] | None = None,
        deregister_after: float = 0, address: str = "", port: int | None = None, tags: Sequence[str] = (),
        meta: Mapping[str, str] | None = None, weights: tuple[int, int] | None = None,
        checks: Sequence[CheckType | Mapping[str, Any]] = (), extra: Mapping[str, Any] = {},
    ) -> AsyncRegistration:  # fmt: skip
        """An instance of a service that is there while the block runs; parameters as of `agent.services.register`.

        ``ttl``: this program reports that it is alive; ``deregister_after``: the agent removes it when it has not for
        so many seconds.
        """
        definition = {
            "address": address, "port": port, "tags": tags, "meta": meta, "weights": weights, "checks": checks,
            "extra": extra,
        }  # fmt: skip
        return AsyncRegistration(
            self.parts, name, id=id, ttl=ttl, check=check, deregister_after=deregister_after, definition=definition
        )  # fmt: skip

    def resolver(
        self, service: str, *, passing: bool = True, tag: str | None = None, strategy: Strategy = "weighted",
        **options: Unpack[ReadOptions],
    ) -> AsyncResolver:  # fmt: skip
        """The instances of a service, followed beside the caller's work."""
        return AsyncResolver(self.parts, service, passing=passing, tag=tag, strategy=strategy, options=options)

    # ------------------------------------------------------------------ settings

    def live_settings(self, prefix: str, defaults: Mapping[str, Setting] = {}) -> AsyncLiveSettings:
        """The settings that are keys below ``prefix`` (``"app/"``), followed beside the caller's work.

        ``defaults``: what holds where nothing is written; what is written has to be of the default's kind, else the
        last good value stays. Raises TypeError for a default that no setting can be.
        """
        return AsyncLiveSettings(self.parts, prefix, defaults)
