"""Both clients behind one face: tests are written for the asynchronous one, and run with the other in threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any, cast

from proconsul.client import AsyncClient, Client

ROOT_TOKEN = "5e9f8a0c-0000-4000-8000-000000000001"
_END = object()


class Awaited:
    """What belongs to a client for threads: its calls are awaited, its iterators and contexts are asynchronous."""

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)

    def __getattr__(self, name: str) -> Any:
        return wrapped(getattr(self._inner, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _is_lazy(self._inner):
            return wrapped(self._inner(*_bare(args), **_bare(kwargs)))
        return _called(self._inner, _bare(args), _bare(kwargs))

    async def __aenter__(self) -> Any:
        return wrapped(await asyncio.to_thread(self._inner.__enter__))

    async def __aexit__(self, *error: Any) -> Any:
        return await asyncio.to_thread(self._inner.__exit__, *error)

    async def __aiter__(self) -> AsyncIterator[Any]:
        iterator = iter(self._inner)
        while (one := await asyncio.to_thread(next, iterator, _END)) is not _END:
            yield one

    async def __anext__(self) -> Any:
        one = await asyncio.to_thread(next, self._inner, _END)
        if one is _END:
            raise StopAsyncIteration
        return one


async def _called(method: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(await asyncio.to_thread(method, *args, **kwargs))


def _is_lazy(method: Any) -> bool:
    """Whether it is no coroutine in the asynchronous client either."""
    owner = type(method.__self__) if inspect.ismethod(method) else None
    if owner is None or "proconsul.client.blocking" not in owner.__module__:
        return False
    module = import_module(owner.__module__.replace(".blocking", ".aio"))
    twin = getattr(module, f"Async{owner.__name__}", None) or getattr(module, owner.__name__)
    return not inspect.iscoroutinefunction(getattr(twin, method.__name__))


def _bare(value: Any) -> Any:
    """Without the faces, which the client knows nothing of."""
    if isinstance(value, Awaited):
        return value._inner
    if type(value) is tuple:
        return tuple(_bare(one) for one in value)
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items()}
    return value


def wrapped(value: Any) -> Any:
    """What is of the client with a face; all else as it is."""
    kind = type(value)
    ours = kind.__module__.startswith("proconsul.client.blocking") or inspect.ismethod(value)
    return Awaited(value) if ours or isinstance(value, Iterator) else value


def client_of(kind: str, address: Any, **settings: Any) -> AsyncClient:
    """A client of ``kind``, async or sync, with the face of the asynchronous one."""
    settings.setdefault("token", ROOT_TOKEN)
    if kind == "async":
        return AsyncClient(address, **settings)
    return cast(AsyncClient, _Closing(Client(address, **settings)))


class _Closing(Awaited):
    async def aclose(self) -> None:
        await asyncio.to_thread(self._inner.close)
