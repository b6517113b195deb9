"""The catalog's share of a snapshot: one record for a node, and one for each of its services and checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import HealthCheck, Node, RegisterRequest, ServiceNode
from proconsul.features.catalog.tables import CatalogTables, to_node_service, to_service_node
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, Restorer, SnapshotSection


def capture(tables: CatalogTables) -> list[SnapshotSection]:
    """See `Replicated.capture`."""
    records = _Records(tables.services.snapshot(), tables.checks.snapshot())
    return [SnapshotSection(MessageType.REGISTER, tables.nodes.snapshot(), records.of_node)]


def restorer(tables: CatalogTables, put: Put) -> Restorer:
    """Reads what `capture` wrote."""
    read = msgpack.decoder_for(RegisterRequest)
    seen: set[str] = set()

    def restore(value: Any) -> None:
        request = read(value)
        if request.Node.lower() not in seen:
            seen.add(request.Node.lower())
            put(tables.nodes, Node(
                ID=request.ID, Node=request.Node, Address=request.Address, Datacenter=request.Datacenter,
                TaggedAddresses=request.TaggedAddresses, Meta=request.NodeMeta,
                CreateIndex=request.CreateIndex, ModifyIndex=request.ModifyIndex,
            ))  # fmt: skip
        if request.Service is not None:
            put(tables.services, to_service_node(request.Node, request.Service))
        for check in (request.Check, *(request.Checks or ())):
            if check is not None:
                put(tables.checks, check)

    return restore


class _Records:
    """Makes the records of a node: itself, then each service, then each check."""

    def __init__(self, services: Iterable[ServiceNode], checks: Iterable[HealthCheck]) -> None:
        self._services = services
        self._checks = checks
        self._by_node: tuple[dict[str, list[ServiceNode]], dict[str, list[HealthCheck]]] | None = None

    def of_node(self, node: Node) -> Iterator[RegisterRequest]:
        if self._by_node is None:
            # Grouped when the writing thread begins: capturing must be quick.
            self._by_node = _group(self._services), _group(self._checks)
        services, checks = self._by_node
        base = RegisterRequest(
            Datacenter=node.Datacenter, ID=node.ID, Node=node.Node, Address=node.Address,
            TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta,
            CreateIndex=node.CreateIndex, ModifyIndex=node.ModifyIndex,
        )  # fmt: skip
        yield base
        for row in services.get(node.Node.lower(), ()):
            yield replace(base, Service=to_node_service(row))
        for check in checks.get(node.Node.lower(), ()):
            yield replace(base, Check=check)


def _group(rows: Iterable[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.Node.lower(), []).append(row)
    return grouped
