"""The catalog's tables. Node names, service ids and check ids are case-insensitive keys."""

from __future__ import annotations

from proconsul.engine.store.table import Store, Table
from proconsul.features.catalog.model import HealthCheck, Node, ServiceNode
from proconsul.features.ids import uuid_key


def connect_name(row: ServiceNode) -> str | None:
    """The service a row makes reachable through the mesh: of a proxy its destination, of a native service itself."""
    if row.ServiceKind == "connect-proxy":
        return row.ServiceProxy.DestinationServiceName.lower() or None
    if row.ServiceConnect.Native:
        return row.ServiceName.lower()
    return None


class CatalogTables:
    """nodes, services and checks."""

    def __init__(self, store: Store) -> None:
        self.nodes: Table[Node] = Table(
            "nodes", lambda row: row.Node.lower(), indexes={"uuid": lambda row: uuid_key(row.ID) or None}
        )
        self.services: Table[ServiceNode] = Table(
            "services",
            lambda row: (row.Node.lower(), row.ServiceID.lower()),
            indexes={
                "node": lambda row: row.Node.lower(),
                "service": lambda row: row.ServiceName.lower(),
                "connect": connect_name,
                "kind": lambda row: row.ServiceKind,
            },
        )
        self.checks: Table[HealthCheck] = Table(
            "checks",
            lambda row: (row.Node.lower(), row.CheckID.lower()),
            indexes={
                "node": lambda row: row.Node.lower(),
                "status": lambda row: row.Status,
                "service": lambda row: row.ServiceName.lower() or None,
                "node_service": lambda row: (row.Node.lower(), row.ServiceID.lower()),
            },
        )
        for table in (self.nodes, self.services, self.checks):
            store.add(table)
