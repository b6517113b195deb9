"""What the web page is told: nodes with all that is theirs, and services behind gateways (RPC reference, Internal)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.wire.record import RaftIndexed, Record
from proconsul.features.base import DCSpecificRequest, QueryMeta
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, Node, NodeService


class NodeInfo(Record, frozen=True, kw_only=True):
    """A node, its services and its checks."""

    ID: str = ""
    Node: str = ""
    Address: str = ""
    TaggedAddresses: dict[str, str] | None = None
    Meta: dict[str, str] | None = None
    Services: list[NodeService] | None = None
    Checks: list[HealthCheck] | None = None

    def __json__(self) -> dict[str, Any]:
        return {
            "ID": self.ID, "Node": self.Node, "Address": self.Address, "TaggedAddresses": self.TaggedAddresses,
            "Meta": self.Meta, "Services": self.Services or [], "Checks": self.Checks or [],
        }  # fmt: skip


class IndexedNodeDump(QueryMeta, frozen=True, kw_only=True):
    Dump: list[NodeInfo] | None = None


class ServiceDumpRequest(DCSpecificRequest, frozen=True, kw_only=True):
    """``ServiceKind`` counts only with ``UseServiceKind``."""

    ServiceKind: str = ""
    UseServiceKind: bool = False


class NamedService(Record, frozen=True):
    """A service as gateways name it on the wire."""

    Name: str = ""


class BehindGateway(RaftIndexed, frozen=True, kw_only=True):
    """The wire form of `config_entry.model.GatewayService`."""

    Gateway: NamedService = NamedService()
    Service: NamedService = NamedService()
    GatewayKind: str = ""
    Port: int = 0
    Protocol: str = ""
    Hosts: list[str] | None = None
    CAFile: str = ""
    CertFile: str = ""
    KeyFile: str = ""
    SNI: str = ""
    FromWildcard: bool = False


class ServiceInfo(Record, frozen=True, kw_only=True):
    """An instance of a service behind a gateway; without node and service where it has none."""

    Node: Node | None = None
    Service: NodeService | None = None
    Checks: list[HealthCheck] | None = None
    GatewayService: BehindGateway | None = None

    @property
    def instance(self) -> CheckServiceNode | None:
        if self.Node is None or self.Service is None:
            return None
        return CheckServiceNode(self.Node, self.Service, self.Checks)


class IndexedServiceDump(QueryMeta, frozen=True, kw_only=True):
    Dump: list[ServiceInfo] | None = None


class HealthSummary(Record, frozen=True, kw_only=True):
    """How many there are of something, and in which state."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Name"})
    Name: str = ""
    Total: int = 0
    Passing: int = 0
    Warning: int = 0
    Critical: int = 0


class CatalogSummary(QueryMeta, frozen=True, kw_only=True):
    """Nodes in one line; instances by service and checks by name, in lines of their own (of 1.13)."""

    Nodes: list[HealthSummary] | None = None
    Services: list[HealthSummary] | None = None
    Checks: list[HealthSummary] | None = None
