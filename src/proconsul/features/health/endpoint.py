"""The Health RPC methods."""

from __future__ import annotations

from typing import Any

from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import NodeSpecificRequest
from proconsul.features.catalog.endpoint import Narrow, frozen, narrowed
from proconsul.features.catalog.model import ChecksInStateRequest, ServiceSpecificRequest
from proconsul.features.catalog.reads import meta_matches
from proconsul.features.server import Read, Server


class Health:
    """Health.ChecksInState, NodeChecks, ServiceChecks and ServiceNodes."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def checks_in_state(self, args: ChecksInStateRequest, narrow: Narrow | None = None, key: Any = None) -> Read:
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        return Read(
            ("Health.ChecksInState", args.State, frozen(meta), key),
            narrowed(lambda watch: reads.checks_in_state(watch, args.State, meta), narrow),
        )

    def node_checks(self, args: NodeSpecificRequest, narrow: Narrow | None = None, key: Any = None) -> Read:
        reads = self._server.state.reads
        return Read(
            ("Health.NodeChecks", args.Node.lower(), key),
            narrowed(lambda watch: reads.node_checks(watch, args.Node), narrow),
        )

    def service_checks(self, args: ServiceSpecificRequest, narrow: Narrow | None = None, key: Any = None) -> Read:
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        return Read(
            ("Health.ServiceChecks", args.ServiceName.lower(), frozen(meta), key),
            narrowed(lambda watch: reads.service_checks(watch, args.ServiceName, meta), narrow),
        )

    def service_nodes(self, args: ServiceSpecificRequest, narrow: Narrow | None = None, key: Any = None) -> Read:
        """Instances of one service with their nodes and checks."""
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        tags = args.ServiceTags if args.TagFilter else None

        def run(watch: WatchSet) -> tuple[int, Any]:
            index, rows = reads.check_service_nodes(watch, args.ServiceName, tags, connect=args.Connect)
            if meta:
                rows = [row for row in rows if meta_matches(row.Node.Meta, meta)]
            return index, rows

        name = ("Health.ServiceNodes", args.ServiceName, args.Connect, tuple(tags or ()), frozen(meta), key)
        return Read(name, narrowed(run, narrow))


