"""/v1/query (HTTP API: query)."""

from __future__ import annotations

from collections.abc import Awaitable
from ipaddress import IPv6Address, ip_address
from typing import Any

from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gostrconv import NumberError, parse_bool, parse_int
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, QuerySource
from proconsul.features.catalog.addresses import translated
from proconsul.features.catalog.model import CheckServiceNode
from proconsul.features.errors import ConsulError
from proconsul.features.filtering import source_node
from proconsul.features.gate import Found, call_fresh
from proconsul.features.options import Options
from proconsul.features.query.endpoint import APPLY, EXECUTE, EXPLAIN, StoredQueries
from proconsul.features.query.model import (
    PreparedQuery,
    PreparedQueryExecuteRequest,
    PreparedQueryExecuteResponse,
    PreparedQueryRequest,
    PreparedQuerySpecificRequest,
    QueryOp,
)
from proconsul.features.web import FILTERED, NO_ANSWER, Reply, Web, encoder, refused

# Instances whose JSON is kept, of those that queries have found since the catalog changed: some ten megabytes.
ENCODED_MAX = 8192
_EXECUTE, _EXPLAIN = "/execute", "/explain"
_NO_NODES = b'"Nodes":[]'


class Instances:
    """Instances as JSON. Queries find the same ones again and again, each time in another order."""

    def __init__(self) -> None:
        # By identity: a row is kept with its text, so that no other row can have it.
        self._kept: dict[int, tuple[CheckServiceNode, bytes]] = {}

    def encoded(self, row: CheckServiceNode) -> bytes:
        """The JSON of ``row``."""
        found = self._kept.get(id(row))
        if found is None:
            if len(self._kept) >= ENCODED_MAX:
                self._kept.clear()
            # Shown as it is stored, unlike in /v1/health: what is not there is null.
            found = self._kept[id(row)] = row, gojson.dumps(row)
        return found[1]


class QueryRoutes:
    """Handlers of /v1/query."""

    def __init__(self, web: Web, queries: StoredQueries, node_name: str) -> None:
        self.web = web
        self.queries = queries
        self._agent = QuerySource(Datacenter=web.datacenter, Node=node_name)
        self._instances = Instances()

    def register(self, router: Router) -> None:
        router.add("/v1/query", {"GET": self.list_all, "POST": self.create})
        router.add(
            "/v1/query/", {"GET": self.get, "PUT": self.update, "DELETE": self.delete}, others=self._other_method
        )

    # ------------------------------------------------------------------ queries

    def list_all(self, request: Request) -> Answer:
        read = self.queries.list_all(DCSpecificRequest())
        return self.web.read(request, read, encoder(request, self.web), effective=True)

    def create(self, request: Request) -> Answer:
        args = PreparedQueryRequest(Op=QueryOp.CREATE, Query=self.web.body(request, PreparedQuery))
        return self._write(request, args, lambda query_id: self.web.json(request, {"ID": query_id}))

    def get(self, request: Request) -> Answer:
        name, action = _split(request)
        if action == _EXECUTE:
            return self._execute(request, name)
        if action == _EXPLAIN:
            return self._explain(request, name)
        read = self.queries.get(PreparedQuerySpecificRequest(QueryID=name))
        return self.web.read(request, read, encoder(request, self.web), effective=True)

    def update(self, request: Request) -> Answer:
        name, action = _split(request)
        if action:
            return self._other_method(request)
        query = self.web.body(request, PreparedQuery) if request.body else PreparedQuery()
        args = PreparedQueryRequest(Op=QueryOp.UPDATE, Query=replace(query, ID=name))
        return self._write(request, args, lambda _: self.web.empty())

    def delete(self, request: Request) -> Answer:
        name, action = _split(request)
        if action:
            return self._other_method(request)
        args = PreparedQueryRequest(Op=QueryOp.DELETE, Query=PreparedQuery(ID=name))
        return self._write(request, args, lambda _: self.web.empty())

    def _write(self, request: Request, args: PreparedQueryRequest, finish: Any) -> Answer:
        args = replace(args, Datacenter=self.web.datacenter_of(request), Token=self.web.token(request))
        return self.web.write(APPLY, args, finish)

    def _other_method(self, request: Request) -> Response:
        """What may be done with a query, or with what it finds."""
        allow = "GET" if _split(request)[1] else "GET,PUT,DELETE"
        if request.method == "OPTIONS":
            return self.web.json(request, {}, headers={"Allow": f"OPTIONS,{allow}"})
        refusal = text_response(405, f"method {request.method} not allowed")
        refusal.headers["Allow"] = allow
        return refusal

    # ------------------------------------------------------------------ what they find

    def _execute(self, request: Request, name: str) -> Awaitable[Response]:
        options, args = self._arguments(request, name)
        text = request.get("connect")
        try:
            args = replace(args, Connect=bool(text) and parse_bool(text))
        except NumberError as error:
            raise ConsulError(f"Error parsing 'connect' value: {error}") from None
        return self._executed(request, options, args)

    async def _executed(self, request: Request, options: Options, args: PreparedQueryExecuteRequest) -> Response:
        reply: PreparedQueryExecuteResponse
        key = (EXECUTE.name, args.QueryIDOrName, args.Limit, args.Connect, args.Source)
        try:
            reply, headers = await self.web.cached_call(
                request, options, key, lambda: call_fresh(self.web.gate, EXECUTE, args, options)
            )
        except ConsulError as error:
            return _refused(error, cached=options.cached)
        if options.cached:
            reply = replace(reply, ConsistencyLevel=options.consistency)  # it may have been kept for others
        if reply.ResultsFilteredByACLs:
            headers |= FILTERED
        body = gojson.dumps(replace(reply, Nodes=None))
        if reply.Nodes:
            # By where they were found, which need not be where the query is.
            rows = translated(reply.Nodes) if self.web.translates(reply.Datacenter) else reply.Nodes
            nodes = b",".join(map(self._instances.encoded, rows))
            body = body.replace(_NO_NODES, b'"Nodes":[%b]' % nodes, 1)
        return self._response(request, reply, body, headers)

    def _explain(self, request: Request, name: str) -> Awaitable[Response]:
        return self._explained(request, *self._arguments(request, name))

    async def _explained(self, request: Request, options: Options, args: PreparedQueryExecuteRequest) -> Response:
        try:
            reply = await call_fresh(self.web.gate, EXPLAIN, args, options)
        except ConsulError as error:
            return _refused(error)
        return self._response(request, reply, gojson.dumps(reply), {})

    def _arguments(self, request: Request, name: str) -> tuple[Options, PreparedQueryExecuteRequest]:
        """Raises BadRequest for options, and ConsulError for a limit, that cannot be read."""
        options = self.web.options(request)
        limit = request.get("limit")
        try:
            limit_rows = parse_int(limit, function="Atoi") if limit else 0
        except NumberError as error:
            raise ConsulError(f"Bad limit: {error}") from None
        source = QuerySource(
            Datacenter=self.web.datacenter_of(request), Node=source_node(request, self._agent.Node),
            Ip=client_address(request),
        )  # fmt: skip
        args = PreparedQueryExecuteRequest(
            Datacenter=self.web.datacenter_of(request), QueryIDOrName=name, Limit=limit_rows, Source=source,
            Agent=self._agent, Token=self.web.token(request),
        )  # fmt: skip
        return options, args

    def _response(self, request: Request, reply: Any, body: bytes, headers: dict[str, str]) -> Response:
        found = Found(max(reply.Index, 1), None, reply.KnownLeader, reply.LastContact, reply.ConsistencyLevel)
        headers["X-Consul-Effective-Consistency"] = reply.ConsistencyLevel
        return self.web.reply(Reply(200, gojson.indented(body) if self.web.pretty(request) else body), found, headers)


def _split(request: Request) -> tuple[str, str]:
    """The id or name that a path is about, and what of it is asked for."""
    path = request.path.removeprefix("/v1/query")
    for action in (_EXECUTE, _EXPLAIN):
        if path.endswith(action):
            return request.params.removesuffix(action), action
    return request.params, ""


def _refused(error: ConsulError, *, cached: bool = False) -> Response:
    """``cached``: of the agent's cache, to which it is an error like any other that there is no such query."""
    response = refused(error)
    if response.status == 404 and cached:
        response = text_response(500, error.text)
        response.headers |= NO_ANSWER
    return response


def client_address(request: Request) -> str:
    """The address of whoever asks: the first of those that proxies name, else that of the connection; "" for none."""
    first = request.header("x-forwarded-for").partition(",")[0].strip()
    return _address(first) or _address(request.peer)


def _address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return ""
        return str(address.ipv4_mapped or address)
    return str(address)
