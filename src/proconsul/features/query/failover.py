"""A query that finds nothing here goes on in other datacenters, one after the other, until one has something."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from proconsul.engine.wire.record import replace
from proconsul.features.errors import ConsulError
from proconsul.features.query.execution import failover_plan
from proconsul.features.query.model import (
    PreparedQuery,
    PreparedQueryExecuteRemoteRequest,
    PreparedQueryExecuteRequest,
    PreparedQueryExecuteResponse,
)
from proconsul.features.server import CallMethod

log = logging.getLogger("agent.server.prepared_query")

EXECUTE_REMOTE = CallMethod(
    "PreparedQuery.ExecuteRemote", PreparedQueryExecuteRemoteRequest, PreparedQueryExecuteResponse, may_be_stale=True
)


class OtherDatacenters(Protocol):
    """The way to other datacenters. ``datacenter``: our own."""

    datacenter: str

    def datacenters_by_distance(self) -> list[str]:
        """All that are known, the nearest first."""

    async def call(self, method: CallMethod, args: Any) -> Any:
        """Carry ``method`` out in the datacenter of ``args``. Raises ConsulError."""


async def fail_over(
    elsewhere: OtherDatacenters,
    query: PreparedQuery,
    args: PreparedQueryExecuteRequest,
    reply: PreparedQueryExecuteResponse,
) -> PreparedQueryExecuteResponse:  # fmt: skip
    """The answer of the first datacenter that finds something, else of the last that answered; ``reply`` when none did.

    Each is asked with the limit, the consistency and the token of the call, and counts as a failover, also one that
    does not answer. Nobody waits for one that is not known.
    """
    others = [name for name in elsewhere.datacenters_by_distance() if name != elsewhere.datacenter]
    plan = failover_plan(others, query.Service.Failover)
    for name in query.Service.Failover.Datacenters or ():
        if name not in others:
            log.debug("Skipping unknown datacenter in prepared query: datacenter=%s", name)
    tried = 0
    for datacenter in plan:
        tried += 1
        remote = PreparedQueryExecuteRemoteRequest(
            Datacenter=datacenter, Query=query, Limit=args.Limit, Connect=args.Connect, Token=args.Token,
            AllowStale=args.AllowStale, RequireConsistent=args.RequireConsistent, MaxAge=args.MaxAge,
            MaxStaleDuration=args.MaxStaleDuration, MustRevalidate=args.MustRevalidate, StaleIfError=args.StaleIfError,
        )  # fmt: skip
        try:
            reply = await elsewhere.call(EXECUTE_REMOTE, remote)
        except ConsulError as error:
            log.warning(
                "Failed querying for service in datacenter: service=%s datacenter=%s error=%s",
                query.Service.Service, datacenter, error,
            )  # fmt: skip
            continue
        if reply.Nodes:
            break
    result: PreparedQueryExecuteResponse = replace(reply, Failovers=tried)
    return result
