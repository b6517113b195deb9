"""The Health RPC methods."""

from __future__ import annotations

from typing import Any

from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import NodeSpecificRequest
from proconsul.features.catalog.model import (
    CheckServiceNode,
    ChecksInStateRequest,
    HealthCheck,
    IndexedCheckServiceNodes,
    IndexedHealthChecks,
    ServiceSpecificRequest,
)
from proconsul.features.catalog.reads import having
from proconsul.features.filtering import filtered, filtering, frozen, row_filter
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, or_empty

CHECKS_IN_STATE = ReadMethod(
    "Health.ChecksInState", ChecksInStateRequest, IndexedHealthChecks, "HealthChecks", to_value=or_empty
)
NODE_CHECKS = ReadMethod(
    "Health.NodeChecks", NodeSpecificRequest, IndexedHealthChecks, "HealthChecks", to_value=or_empty
)
SERVICE_CHECKS = ReadMethod(
    "Health.ServiceChecks", ServiceSpecificRequest, IndexedHealthChecks, "HealthChecks", to_value=or_empty
)
SERVICE_NODES = ReadMethod(
    "Health.ServiceNodes", ServiceSpecificRequest, IndexedCheckServiceNodes, "Nodes", to_value=or_empty
)


def _node_of_check(check: HealthCheck) -> str:
    return check.Node


class Health(Endpoint):
    """Health.ChecksInState, NodeChecks, ServiceChecks and ServiceNodes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {
            CHECKS_IN_STATE: self.checks_in_state, NODE_CHECKS: self.node_checks,
            SERVICE_CHECKS: self.service_checks, SERVICE_NODES: self.service_nodes,
        }  # fmt: skip

    def checks_in_state(self, args: ChecksInStateRequest) -> Read:
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        keep_rows, key = row_filter(args, self._server, HealthCheck, _node_of_check)
        has_meta = having(meta, reads.node_meta_of)
        run = filtered(lambda watch: reads.checks_in_state(watch, args.State, meta), has_meta, keep_rows)
        return Read((CHECKS_IN_STATE.name, args.State, frozen(meta), key), run, CHECKS_IN_STATE, args)

    def node_checks(self, args: NodeSpecificRequest) -> Read:
        reads = self._server.state.reads
        run = filtered(lambda watch: reads.node_checks(watch, args.Node), filtering(args, HealthCheck))
        return Read((NODE_CHECKS.name, args.Node.lower(), args.Filter), run, NODE_CHECKS, args)

    def service_checks(self, args: ServiceSpecificRequest) -> Read:
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        keep_rows, key = row_filter(args, self._server, HealthCheck, _node_of_check)
        has_meta = having(meta, reads.node_meta_of)
        run = filtered(lambda watch: reads.service_checks(watch, args.ServiceName, meta), has_meta, keep_rows)
        return Read((SERVICE_CHECKS.name, args.ServiceName.lower(), frozen(meta), key), run, SERVICE_CHECKS, args)

    def service_nodes(self, args: ServiceSpecificRequest) -> Read:
        """Instances of one service with their nodes and checks."""
        reads, meta, tags = self._server.state.reads, args.NodeMetaFilters, args.tags()
        keep_rows, key = row_filter(args, self._server, CheckServiceNode, lambda row: row.Node.Node)

        def run(watch: WatchSet) -> tuple[int, Any]:
            return reads.check_service_nodes(watch, args.ServiceName, tags, connect=args.Connect)

        has_meta = having(meta, lambda row: row.Node.Meta)
        name = (SERVICE_NODES.name, args.ServiceName, args.Connect, tuple(tags or ()), frozen(meta), key)
        return Read(name, filtered(run, has_meta, keep_rows), SERVICE_NODES, args)
