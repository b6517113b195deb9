"""/v1/session, /v1/event, /v1/query and /v1/status (HTTP API: session, event, query, status)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from proconsul.client.aio.group import AsyncGroup, Many
from proconsul.client.decoding import plain
from proconsul.client.options import ReadOptions, WriteOptions, given, go_duration
from proconsul.client.types import QueryAnswer, QueryExplanation, UserEvent
from proconsul.client.wire import path_of
from proconsul.features.query.model import PreparedQuery
from proconsul.features.session.model import Session

__all__ = ["AsyncEvents", "AsyncQueries", "AsyncSessions", "AsyncStatus"]


class AsyncSessions(AsyncGroup):
    """Sessions: what locks are bound to. `client.lock` and its like have one made and kept."""

    __slots__ = ()

    async def create(
        self, *, name: str = "", ttl: float | str | None = None, lock_delay: float | str | None = None,
        behavior: Literal["release", "delete"] = "release", node: str = "", checks: Sequence[str] | None = None,
        node_checks: Sequence[str] | None = None, service_checks: Sequence[str] | None = None,
        **options: Unpack[WriteOptions],
    ) -> str:  # fmt: skip
        """Begin one; its id. Times are in seconds, or text as ``15s``.

        ``ttl``: 10 s to a day; it ends when it is not renewed for so long, though perhaps only after twice that.
        ``lock_delay``: how long what it held stays free after it, 15 s by default. ``behavior``: what happens to
        the keys it holds when it ends. Without ``checks`` (or the two newer ones) it lives as long as its node does.
        """
        body: dict[str, Any] = {"Behavior": behavior}
        if name:
            body["Name"] = name
        if node:
            body["Node"] = node
        if ttl is not None:
            body["TTL"] = go_duration(ttl)
        if lock_delay is not None:
            # Below a microsecond the server takes it for seconds: so none at all is what is meant.
            body["LockDelay"] = go_duration(lock_delay)
        if checks is not None:
            body["Checks"] = list(checks)
        if node_checks is not None:
            body["NodeChecks"] = list(node_checks)
        if service_checks is not None:
            body["ServiceChecks"] = [{"ID": one} for one in service_checks]
        found = await self._call.written("PUT", "/v1/session/create", dict[str, str], options, body=body)
        return found["ID"]

    async def renew(self, session: str, **options: Unpack[WriteOptions]) -> Session:
        """Have its time begin anew. Raises NotFound when it has ended."""
        path = path_of("/v1/session/renew/", session)
        return (await self._call.written("PUT", path, list[Session], options, repeatable=True))[0]

    async def destroy(self, session: str, **options: Unpack[WriteOptions]) -> None:
        """End it; what it held is free at once, without a delay."""
        await self._call.write("PUT", path_of("/v1/session/destroy/", session), options, repeatable=True)

    async def info(self, session: str, **options: Unpack[ReadOptions]) -> Session | None:
        """The session, None when there is none of that id."""
        found = await self._call.read(path_of("/v1/session/info/", session), list[Session], options)
        return found[0] if found else None

    async def node(self, node: str, **options: Unpack[ReadOptions]) -> list[Session]:
        """The sessions of a node."""
        return await self._call.read(path_of("/v1/session/node/", node), list[Session], options)

    async def list(self, **options: Unpack[ReadOptions]) -> Many[Session]:
        """All sessions."""
        return await self._call.read("/v1/session/list", list[Session], options)


class AsyncEvents(AsyncGroup):
    """Events that go to all agents: small, unordered, kept for a while."""

    __slots__ = ()

    async def fire(
        self, name: str, payload: bytes | str = b"", *, node: str | None = None, service: str | None = None,
        tag: str | None = None, **options: Unpack[WriteOptions],
    ) -> UserEvent:  # fmt: skip
        """Fire one. The filters are regular expressions: which nodes, nodes with which service, with which tag."""
        data = payload.encode() if isinstance(payload, str) else payload
        query = given(node=node, service=service, tag=tag)
        return await self._call.written("PUT", path_of("/v1/event/fire/", name), UserEvent, options, query, body=data)

    async def list(
        self, name: str | None = None, *, node: str | None = None, service: str | None = None, tag: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Many[UserEvent]:  # fmt: skip
        """The last events that the agent has seen, the oldest first."""
        query = given(name=name, node=node, service=service, tag=tag)
        return await self._call.read("/v1/event/list", list[UserEvent], options, query)


class AsyncQueries(AsyncGroup):
    """Prepared queries. A query is a `PreparedQuery`, or a mapping of its fields."""

    __slots__ = ()

    async def create(self, query: PreparedQuery | Mapping[str, Any], **options: Unpack[WriteOptions]) -> str:
        """Store one; its id."""
        return (await self._call.written("POST", "/v1/query", dict[str, str], options, body=query))["ID"]

    async def update(
        self, query_id: str, query: PreparedQuery | Mapping[str, Any], **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Put another in its place."""
        body = {**plain(query), "ID": query_id}
        await self._call.write("PUT", path_of("/v1/query/", query_id), options, body=body, repeatable=True)

    async def delete(self, query_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        await self._call.write("DELETE", path_of("/v1/query/", query_id), options)

    async def get(self, query_id: str, **options: Unpack[ReadOptions]) -> PreparedQuery | None:
        """One query, None when there is none of that id."""
        found = await self._call.find(path_of("/v1/query/", query_id), list[PreparedQuery], options)
        return found[0] if found else None

    async def list(self, **options: Unpack[ReadOptions]) -> Many[PreparedQuery]:
        """All queries."""
        return await self._call.read("/v1/query", list[PreparedQuery], options)

    async def execute(
        self, query: str, *, limit: int | None = None, connect: bool = False, **options: Unpack[ReadOptions]
    ) -> QueryAnswer:  # fmt: skip
        """What a query finds, by its id or by a name. Raises NotFound when there is no such query."""
        path = path_of("/v1/query/", query) + "/execute"
        more = given(limit=limit, connect="true" if connect else None)
        return await self._call.read(path, QueryAnswer, options, more)

    async def explain(self, query: str, **options: Unpack[ReadOptions]) -> PreparedQuery:
        """The query that a name stands for, filled in. Raises NotFound when there is none."""
        path = path_of("/v1/query/", query) + "/explain"
        return (await self._call.read(path, QueryExplanation, options)).Query


class AsyncStatus(AsyncGroup):
    """Who serves."""

    __slots__ = ()

    async def leader(self, **options: Unpack[ReadOptions]) -> str:
        """The leader's address, empty when there is none."""
        return await self._call.read("/v1/status/leader", str, options)

    async def peers(self, **options: Unpack[ReadOptions]) -> list[str]:
        """The addresses of the servers in Raft."""
        return await self._call.read("/v1/status/peers", list[str], options)
