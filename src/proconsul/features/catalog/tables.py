"""The catalog's tables, and the two forms of a service. Names of nodes and ids of services and checks ignore case."""

from __future__ import annotations

from proconsul.engine.store.table import Store, Table
from proconsul.features.catalog.definition import DefinitionError, validate_weights
from proconsul.features.catalog.model import DEFAULT_WEIGHTS, HealthCheck, Node, NodeService, ServiceNode, Weights
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


def to_service_node(node: str, service: NodeService) -> ServiceNode:
    """The row of a service instance; node fields are joined in when it is read."""
    return ServiceNode(
        Node=node, ServiceKind=service.Kind, ServiceID=service.ID, ServiceName=service.Service,
        ServiceTags=service.Tags, ServiceAddress=service.Address,
        ServiceTaggedAddresses=service.TaggedAddresses, ServicePort=service.Port, ServiceMeta=service.Meta,
        ServiceWeights=_weights(service), ServiceEnableTagOverride=service.EnableTagOverride,
        ServiceProxy=service.Proxy, ServiceConnect=service.Connect,
        CreateIndex=service.CreateIndex, ModifyIndex=service.ModifyIndex,
    )  # fmt: skip


def _weights(service: NodeService) -> Weights:
    """Weights that an agent would refuse are stored as the default ones, as in Consul 1.8.7."""
    if service.Weights is None:
        return DEFAULT_WEIGHTS
    try:
        validate_weights(service.Weights)
    except DefinitionError:
        return DEFAULT_WEIGHTS
    return service.Weights


def to_node_service(row: ServiceNode) -> NodeService:
    return NodeService(
        Kind=row.ServiceKind, ID=row.ServiceID, Service=row.ServiceName, Tags=row.ServiceTags,
        Address=row.ServiceAddress, TaggedAddresses=row.ServiceTaggedAddresses, Meta=row.ServiceMeta,
        Port=row.ServicePort, Weights=row.ServiceWeights, EnableTagOverride=row.ServiceEnableTagOverride,
        Proxy=row.ServiceProxy, Connect=row.ServiceConnect,
        CreateIndex=row.CreateIndex, ModifyIndex=row.ModifyIndex,
    )  # fmt: skip
