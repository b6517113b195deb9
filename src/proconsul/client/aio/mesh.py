"""/v1/connect, /v1/config and /v1/discovery-chain (HTTP API: connect, config, discovery-chain).

proconsul does not serve these yet; they are for servers that do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack

from proconsul.client.aio.group import AsyncGroup, Many
from proconsul.client.decoding import plain
from proconsul.client.options import ReadOptions, WriteOptions, given
from proconsul.client.types import AuthorityConfig, RootCertificates, ServiceIntention
from proconsul.client.wire import path_of

__all__ = ["AsyncConfigEntries", "AsyncConnect", "AsyncIntentions"]

Fields = Mapping[str, Any]


class AsyncConnect(AsyncGroup):
    """The mesh's certificate authority, and what may connect to what."""

    __slots__ = ("intentions",)

    intentions: AsyncIntentions

    def __init__(self, caller: Any) -> None:
        super().__init__(caller)
        self.intentions = AsyncIntentions(caller)

    async def roots(self, **options: Unpack[ReadOptions]) -> RootCertificates:
        """The roots that may still be in use."""
        return await self._call.read("/v1/connect/ca/roots", RootCertificates, options)

    async def configuration(self, **options: Unpack[ReadOptions]) -> AuthorityConfig:
        """Which provider signs, and how."""
        return await self._call.read("/v1/connect/ca/configuration", AuthorityConfig, options)

    async def set_configuration(self, config: AuthorityConfig | Fields, **options: Unpack[WriteOptions]) -> None:
        """Change that; a new provider makes new roots."""
        await self._call.write("PUT", "/v1/connect/ca/configuration", options, body=config)

    async def discovery_chain(
        self, service: str, *, compile_dc: str | None = None, overrides: Fields | None = None,
        **options: Unpack[ReadOptions],
    ) -> dict[str, Any]:  # fmt: skip
        """What connections to a service lead to, by its routers, splitters and resolvers."""
        path, query = path_of("/v1/discovery-chain/", service), given(compile_dc=compile_dc)
        if overrides is None:
            return await self._call.read(path, dict[str, Any], options, query)
        return await self._call.read(path, dict[str, Any], options, query, method="POST", body=overrides)


class AsyncIntentions(AsyncGroup):
    """Which service may connect to which."""

    __slots__ = ()

    async def create(self, intention: ServiceIntention | Fields, **options: Unpack[WriteOptions]) -> str:
        """Make one; its id."""
        path = "/v1/connect/intentions"
        return (await self._call.written("POST", path, dict[str, str], options, body=intention))["ID"]

    async def read(self, intention_id: str, **options: Unpack[ReadOptions]) -> ServiceIntention | None:
        """One of them, None where there is none."""
        return await self._call.find(path_of("/v1/connect/intentions/", intention_id), ServiceIntention, options)

    async def update(
        self, intention_id: str, intention: ServiceIntention | Fields, **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Have it be so."""
        body = {**plain(intention), "ID": intention_id}
        path = path_of("/v1/connect/intentions/", intention_id)
        await self._call.write("PUT", path, options, body=body, repeatable=True)

    async def delete(self, intention_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        await self._call.write("DELETE", path_of("/v1/connect/intentions/", intention_id), options, repeatable=True)

    async def match(
        self, by: Literal["source", "destination"], name: str, **options: Unpack[ReadOptions]
    ) -> dict[str, Many[ServiceIntention]]:  # fmt: skip
        """Those that speak of a service, the most precise first."""
        path = "/v1/connect/intentions/match"
        return await self._call.read(path, dict[str, list[ServiceIntention]], options, given(by=by, name=name))

    async def check(self, source: str, destination: str, **options: Unpack[ReadOptions]) -> bool:
        """Whether one service may connect to another."""
        query = given(source=source, destination=destination)
        found = await self._call.read("/v1/connect/intentions/check", dict[str, bool], options, query)
        return found.get("Allowed", False)

    async def list(self, **options: Unpack[ReadOptions]) -> Many[ServiceIntention]:
        """All of them."""
        return await self._call.read("/v1/connect/intentions", list[ServiceIntention], options)


class AsyncConfigEntries(AsyncGroup):
    """Settings for services and proxies that the servers keep, by kind and name."""

    __slots__ = ()

    async def set(self, entry: Fields, *, cas: int | None = None, **options: Unpack[WriteOptions]) -> bool:
        """Write one, of the ``Kind`` and ``Name`` it has; whether it was done. ``cas``: only if that is its version."""
        answer = await self._call.write(
            "PUT", "/v1/config", options, given(cas=cas), body=entry, repeatable=cas is None
        )  # fmt: skip
        return answer.body.strip() == b"true"

    async def read(self, kind: str, name: str, **options: Unpack[ReadOptions]) -> dict[str, Any] | None:
        """One of them, None where there is none."""
        return await self._call.find(_entry_path(kind, name), dict[str, Any], options)

    async def delete(self, kind: str, name: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        await self._call.write("DELETE", _entry_path(kind, name), options, repeatable=True)

    async def list(self, kind: str, **options: Unpack[ReadOptions]) -> Many[dict[str, Any]]:
        """All of a kind."""
        return await self._call.read(path_of("/v1/config/", kind), list[dict[str, Any]], options)


def _entry_path(kind: str, name: str) -> str:
    return path_of(path_of("/v1/config/", kind) + "/", name)
