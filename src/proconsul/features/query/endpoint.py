"""The PreparedQuery RPC methods: the rules of a query when it is written, and what it finds when it is executed."""

from __future__ import annotations

import logging
import random
from collections.abc import Hashable
from typing import NamedTuple

from proconsul.engine.completion import Completion, Mapped
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest
from proconsul.features.catalog.definition import DefinitionError, validate_meta
from proconsul.features.catalog.model import CheckServiceNode, IndexedCheckServiceNodes, ServiceSpecificRequest
from proconsul.features.errors import QUERY_NOT_FOUND, ConsulError, NotFound, PermissionDenied, StateError
from proconsul.features.filtering import frozen
from proconsul.features.messages import MessageType
from proconsul.features.permission import Visible
from proconsul.features.query.execution import SortOrigin, chosen, in_order, limited, origin_of, shuffled
from proconsul.features.query.failover import EXECUTE_REMOTE, fail_over
from proconsul.features.query.model import (
    HIDDEN_TOKEN,
    IndexedPreparedQueries,
    PreparedQuery,
    PreparedQueryExecuteRemoteRequest,
    PreparedQueryExecuteRequest,
    PreparedQueryExecuteResponse,
    PreparedQueryExplainResponse,
    PreparedQueryRequest,
    PreparedQuerySpecificRequest,
    QueryOp,
    ServiceQuery,
)
from proconsul.features.query.template import check_size
from proconsul.features.server import (
    CallMethod,
    Calls,
    Endpoint,
    Read,
    ReadMethod,
    Reads,
    Server,
    WriteMethod,
    Writes,
    or_empty,
)

log = logging.getLogger("agent.server.prepared_query")

APPLY = WriteMethod("PreparedQuery.Apply", PreparedQueryRequest, str, to_reply=lambda result: result or "")
GET = ReadMethod(
    "PreparedQuery.Get", PreparedQuerySpecificRequest, IndexedPreparedQueries, "Queries", to_value=or_empty
)
LIST = ReadMethod("PreparedQuery.List", DCSpecificRequest, IndexedPreparedQueries, "Queries", to_value=or_empty)
EXPLAIN = CallMethod(
    "PreparedQuery.Explain", PreparedQueryExecuteRequest, PreparedQueryExplainResponse, may_be_stale=True
)
EXECUTE = CallMethod(
    "PreparedQuery.Execute", PreparedQueryExecuteRequest, PreparedQueryExecuteResponse, may_be_stale=True
)
# What is found is shown by the rules of this read.
SERVICE_NODES = ReadMethod("Health.ServiceNodes", ServiceSpecificRequest, IndexedCheckServiceNodes, "Nodes")


class Local(NamedTuple):
    """What a query finds in this datacenter. ``origin``: from where it was sorted. ``token``: whose rights counted."""

    query: PreparedQuery
    reply: PreparedQueryExecuteResponse
    origin: SortOrigin
    token: str

    @property
    def fails_over(self) -> bool:
        """Whether other datacenters are to be asked, as nothing was found here."""
        failover = self.query.Service.Failover
        return not self.reply.Nodes and bool(failover.NearestN > 0 or failover.Datacenters)


class StoredQueries(Endpoint):
    """PreparedQuery.Apply, Get, List, Explain, Execute and ExecuteRemote."""

    def __init__(self, server: Server) -> None:
        self._server = server
        # Only spreads load over instances; nothing depends on its values.
        self._rng = random.Random()
        self.reads: Reads = {GET: self.get, LIST: self.list_all}
        self.writes: Writes = {APPLY: self.apply}
        self.calls: Calls = {
            EXECUTE: self.execute, EXECUTE_REMOTE: self.execute_remote, EXPLAIN: self.explain,
        }  # fmt: skip

    # ------------------------------------------------------------------ writes

    def apply(self, waiter: Completion, args: PreparedQueryRequest) -> None:
        """Create, update or delete; the result is the id. Raises ConsulError when the query is none."""
        query, state = args.Query or PreparedQuery(), self._server.state.queries
        if args.Op == QueryOp.CREATE:
            if query.ID:
                raise ConsulError("ID must be empty when creating a new prepared query")
            query = replace(query, ID=self._new_id())
        else:
            try:
                found = state.get(None, query.ID)[1]
            except StateError as error:
                raise ConsulError(f"Prepared Query lookup failed: {error}") from None
            if found is None:
                raise ConsulError(f"Cannot modify non-existent prepared query: '{query.ID}'")
        if args.Op in (QueryOp.CREATE, QueryOp.UPDATE):
            check_query(query)
            check_size(query)
        elif args.Op != QueryOp.DELETE:
            raise ConsulError(f"Unknown prepared query operation: {args.Op}")
        told = Mapped(waiter, lambda result: result if isinstance(result, Exception) else query.ID)
        self._server.propose_for(told, MessageType.PREPARED_QUERY, replace(args, Query=query))

    def _new_id(self) -> str:
        while True:
            found = self._server.new_id()
            if self._server.state.queries.get(None, found)[1] is None:
                return found

    # ------------------------------------------------------------------ reads

    def get(self, args: PreparedQuerySpecificRequest) -> Read:
        state = self._server.state.queries

        def run(watch: WatchSet | None) -> tuple[int, list[PreparedQuery]]:
            index, query = state.get(watch, args.QueryID)
            if query is None:
                raise NotFound(QUERY_NOT_FOUND)
            return index, [query]

        return Read((GET.name, args.QueryID), run, GET, args, shared=False)

    def list_all(self, args: DCSpecificRequest) -> Read:
        return Read((LIST.name,), self._server.state.queries.all, LIST, args)

    # ------------------------------------------------------------------ calls

    async def explain(self, args: PreparedQueryExecuteRequest) -> PreparedQueryExplainResponse:
        """The query that a name stands for, with its expressions replaced, as far as a list would show it."""
        query = self._resolved(None, args)
        permission = self._server.permission
        if not permission.unlimited:
            shown = permission.visible(LIST, [query], permission.admit(LIST, args, args.Token)).value
            if not shown:
                raise PermissionDenied()
            query = shown[0]
        known, last_contact_ns = self._server.knows()
        return PreparedQueryExplainResponse(Query=query, KnownLeader=known, LastContact=last_contact_ns)

    async def execute(self, args: PreparedQueryExecuteRequest) -> PreparedQueryExecuteResponse:
        """What the query finds here, else in the first other datacenter of its failover that has something."""
        found = self.here(args)
        if found.origin.unknown_ip:
            log.warning(
                "Prepared Query using near=_ip requires the source IP to be set but none was provided. "
                "No distance sorting will be done."
            )
        if not found.fails_over:
            return found.reply
        return await fail_over(self._server, found.query, args, found.reply)

    async def execute_remote(self, args: PreparedQueryExecuteRemoteRequest) -> PreparedQueryExecuteResponse:
        """As `execute` for the server of another datacenter: nothing is sorted, and it goes on nowhere from here."""
        rows, hidden = self._rows(None, args.Query, args.Connect, args.Query.Token or args.Token)
        return self._reply(args.Query, limited(shuffled(rows, self._rng), args.Limit), hidden)

    def here(self, args: PreparedQueryExecuteRequest, watch: WatchSet | None = None) -> Local:
        """What the query finds in this datacenter. ``watch`` hears of all that would change it.

        Raises ConsulError: NotFound where nothing has such an id or name, and when the token is nobody's.
        """
        query = self._resolved(watch, args)
        token = query.Token or args.Token
        rows, hidden = self._rows(watch, query, args.Connect, token)
        state, datacenter = self._server.state, self._server.datacenter
        origin = origin_of(query.Service, args.Source, args.Agent, state.tables.nodes.rows.values())
        if watch is not None and origin.by_address:
            watch.add("nodes")
        if watch is not None and origin.node:
            watch.add("coordinates")
        rows = in_order(rows, origin, datacenter, state.coordinates, self._rng)
        return Local(query, self._reply(query, limited(rows, args.Limit), hidden), origin, token)

    def _resolved(self, watch: WatchSet | None, args: PreparedQueryExecuteRequest) -> PreparedQuery:
        query = self._server.state.queries.resolve(watch, args.QueryIDOrName, args.Agent.Segment)
        if query is None:
            raise NotFound(QUERY_NOT_FOUND)
        return query

    def _reply(
        self, query: PreparedQuery, rows: list[CheckServiceNode], hidden: bool
    ) -> PreparedQueryExecuteResponse:  # fmt: skip
        known, last_contact_ns = self._server.knows()
        return PreparedQueryExecuteResponse(
            Service=query.Service.Service, Nodes=rows, DNS=query.DNS, Datacenter=self._server.datacenter,
            KnownLeader=known, LastContact=last_contact_ns, ResultsFilteredByACLs=hidden,
        )  # fmt: skip

    def _rows(
        self, watch: WatchSet | None, query: PreparedQuery, connect: bool, token: str
    ) -> tuple[list[CheckServiceNode], bool]:  # fmt: skip
        """The instances that ``query`` wants and ``token`` may see, in no particular order; and whether something of
        the service is hidden from it, wanted or not: that would tell what is.

        They are found anew only when something about the service has changed: then everybody who executes such a query
        shares them.
        """
        service, permission = query.Service, self._server.permission
        connect = connect or service.Connect
        sees = None
        if not permission.unlimited:
            args = ServiceSpecificRequest(ServiceName=service.Service, Connect=connect)
            sees = permission.admit(SERVICE_NODES, args, token)
            if watch is not None:
                permission.watch(token, watch)

        def run(inner: WatchSet) -> tuple[int, tuple[list[CheckServiceNode], bool]]:
            index, rows = self._server.state.reads.check_service_nodes(inner, service.Service, connect=connect)
            shown = Visible(rows, False) if sees is None else permission.visible(SERVICE_NODES, rows, sees)
            return index, (chosen(shown.value, service), shown.removed)

        view = self._server.views.get((EXECUTE.name, sees, _identity(service), connect), run)
        if watch is not None:
            watch.keys |= view.keys
        found: tuple[list[CheckServiceNode], bool] = view.value
        return found


def _identity(service: ServiceQuery) -> Hashable:
    """What of a query decides which instances it finds."""
    return (
        service.Service, service.OnlyPassing, tuple(service.IgnoreCheckIDs or ()), tuple(service.Tags or ()),
        frozen(service.NodeMeta), frozen(service.ServiceMeta),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- rules


def check_query(query: PreparedQuery) -> None:
    """Refuse a query that could not be executed, or not be ended. Raises ConsulError.

    Names and templates are looked at where they are written (`QueryState`).
    """
    fault = _fault(query)
    if fault:
        raise ConsulError(f"Invalid prepared query: {fault}")


def _fault(query: PreparedQuery) -> str:
    if not (query.Name or query.Template.Type or query.Session):
        return "Must be bound to a session"
    if query.Token == HIDDEN_TOKEN:
        return (
            f"Bad Token '{HIDDEN_TOKEN}', it looks like a query definition with a redacted token was submitted"
        )  # fmt: skip
    service = query.Service
    if not service.Service:
        return "Must provide a Service name to query"
    if service.Failover.NearestN < 0:
        return f"Bad NearestN '{service.Failover.NearestN}', must be >= 0"
    try:
        validate_meta(service.NodeMeta, allow_reserved=True)
    except DefinitionError as error:
        return str(error)
    return _ttl_fault(query.DNS.TTL)


def _ttl_fault(text: str) -> str:
    if not text:
        return ""
    try:
        ttl_ns = parse_duration(text)
    except DurationError as error:
        return f"Bad DNS TTL '{text}': {error}"
    return f"DNS TTL '{ttl_ns}', must be >=0" if ttl_ns < 0 else ""
