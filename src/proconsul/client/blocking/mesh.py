# Made by scripts/make_blocking_client.py of ../aio/mesh.py: change that one.
"""/v1/connect, /v1/config and /v1/discovery-chain (HTTP API: connect, config, discovery-chain).

proconsul does not serve these yet; they are for servers that do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack

from proconsul.client.blocking.group import Group, Many
from proconsul.client.decoding import plain
from proconsul.client.options import ReadOptions, WriteOptions, given
from proconsul.client.types import AuthorityConfig, RootCertificates, ServiceIntention
from proconsul.client.wire import path_of

__all__ = ["ConfigEntries", "Connect", "Intentions"]

Fields = Mapping[str, Any]


class Connect(Group):
    """The mesh's certificate authority, and what may connect to what."""

    __slots__ = ("intentions",)

    intentions: Intentions

    def __init__(self, caller: Any) -> None:
        super().__init__(caller)
        self.intentions = Intentions(caller)

    def roots(self, **options: Unpack[ReadOptions]) -> RootCertificates:
        """The roots that may still be in use."""
        return self._call.read("/v1/connect/ca/roots", RootCertificates, options)

    def configuration(self, **options: Unpack[ReadOptions]) -> AuthorityConfig:
        """Which provider signs, and how."""
        return self._call.read("/v1/connect/ca/configuration", AuthorityConfig, options)

    def set_configuration(self, config: AuthorityConfig | Fields, **options: Unpack[WriteOptions]) -> None:
        """Change that; a new provider makes new roots."""
        self._call.write("PUT", "/v1/connect/ca/configuration", options, body=config)

    def discovery_chain(
        self, service: str, *, compile_dc: str | None = None, overrides: Fields | None = None,
        **options: Unpack[ReadOptions],
    ) -> dict[str, Any]:  # fmt: skip
        """What connections to a service lead to, by its routers, splitters and resolvers."""
        path, query = path_of("/v1/discovery-chain/", service), given(compile_dc=compile_dc)
        if overrides is None:
            return self._call.read(path, dict[str, Any], options, query)
        return self._call.read(path, dict[str, Any], options, query, method="POST", body=overrides)


class Intentions(Group):
    """Which service may connect to which."""

    __slots__ = ()

    def create(self, intention: ServiceIntention | Fields, **options: Unpack[WriteOptions]) -> str:
        """Make one; its id."""
        path = "/v1/connect/intentions"
        return (self._call.written("POST", path, dict[str, str], options, body=intention))["ID"]

    def read(self, intention_id: str, **options: Unpack[ReadOptions]) -> ServiceIntention | None:
        """One of them, None where there is none."""
        return self._call.find(path_of("/v1/connect/intentions/", intention_id), ServiceIntention, options)

    def update(
        self, intention_id: str, intention: ServiceIntention | Fields, **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Have it be so."""
        body = {**plain(intention), "ID": intention_id}
        path = path_of("/v1/connect/intentions/", intention_id)
        self._call.write("PUT", path, options, body=body, repeatable=True)

    def delete(self, intention_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", path_of("/v1/connect/intentions/", intention_id), options, repeatable=True)

    def match(
        self, by: Literal["source", "destination"], name: str, **options: Unpack[ReadOptions]
    ) -> dict[str, Many[ServiceIntention]]:  # fmt: skip
        """Those that speak of a service, the most precise first."""
        path = "/v1/connect/intentions/match"
        return self._call.read(path, dict[str, list[ServiceIntention]], options, given(by=by, name=name))

    def check(self, source: str, destination: str, **options: Unpack[ReadOptions]) -> bool:
        """Whether one service may connect to another."""
        query = given(source=source, destination=destination)
        found = self._call.read("/v1/connect/intentions/check", dict[str, bool], options, query)
        return found.get("Allowed", False)

    def list(self, **options: Unpack[ReadOptions]) -> Many[ServiceIntention]:
        """All of them."""
        return self._call.read("/v1/connect/intentions", list[ServiceIntention], options)


class ConfigEntries(Group):
    """Settings for services and proxies that the servers keep, by kind and name."""

    __slots__ = ()

    def set(self, entry: Fields, *, cas: int | None = None, **options: Unpack[WriteOptions]) -> bool:
        """Write one, of the ``Kind`` and ``Name`` it has; whether it was done. ``cas``: only if that is its version."""
        answer = self._call.write(
            "PUT", "/v1/config", options, given(cas=cas), body=entry, repeatable=cas is None
        )  # fmt: skip
        return answer.body.strip() == b"true"

    def read(self, kind: str, name: str, **options: Unpack[ReadOptions]) -> dict[str, Any] | None:
        """One of them, None where there is none."""
        return self._call.find(_entry_path(kind, name), dict[str, Any], options)

    def delete(self, kind: str, name: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", _entry_path(kind, name), options, repeatable=True)

    def list(self, kind: str, **options: Unpack[ReadOptions]) -> Many[dict[str, Any]]:
        """All of a kind."""
        return self._call.read(path_of("/v1/config/", kind), list[dict[str, Any]], options)


def _entry_path(kind: str, name: str) -> str:
    return path_of(path_of("/v1/config/", kind) + "/", name)
