"""Catalog types: nodes, services, health checks, and the requests about them (RPC reference, structures)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.wire.record import RaftIndexed, Record, TextDuration
from proconsul.features.base import QueryMeta, QueryOptions, QuerySource, WriteRequest

CONSUL_SERVICE_ID = "consul"
CONSUL_SERVICE_NAME = "consul"
SERF_CHECK_ID = "serfHealth"
SERF_CHECK_NAME = "Serf Health Status"
NODE_MAINTENANCE = "_node_maintenance"
SERVICE_MAINTENANCE_PREFIX = "_service_maintenance:"

HEALTH_ANY = "any"
HEALTH_PASSING = "passing"
HEALTH_WARNING = "warning"
HEALTH_CRITICAL = "critical"
VALID_STATUSES = (HEALTH_PASSING, HEALTH_WARNING, HEALTH_CRITICAL)


class ServiceAddress(Record, frozen=True):
    Address: str = ""
    Port: int = 0


# Spelled out because rows have fields of the same name as the type.
ServiceAddresses = dict[str, ServiceAddress]


class Weights(Record, frozen=True):
    """DNS SRV weights of an instance while passing and while warning."""

    Passing: int = 0
    Warning: int = 0


DEFAULT_WEIGHTS = Weights(Passing=1, Warning=1)


class MeshGatewayConfig(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Mode"})
    Mode: str = ""


class ExposePath(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"ListenerPort", "Path", "LocalPathPort", "Protocol"})
    json_aliases: ClassVar[dict[str, str]] = {"listener_port": "ListenerPort", "local_path_port": "LocalPathPort"}
    ListenerPort: int = 0
    Path: str = ""
    LocalPathPort: int = 0
    Protocol: str = ""
    ParsedFromCheck: bool = False


class ExposeConfig(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Checks", "Paths"})
    Checks: bool = False
    Paths: list[ExposePath] | None = None


class Upstream(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"DestinationNamespace", "LocalBindAddress", "IngressHosts"})
    json_aliases: ClassVar[dict[str, str]] = {
        "destination_type": "DestinationType", "destination_name": "DestinationName",
        "destination_namespace": "DestinationNamespace", "local_bind_address": "LocalBindAddress",
        "local_bind_port": "LocalBindPort", "mesh_gateway": "MeshGateway",
    }  # fmt: skip
    DestinationType: str = ""
    DestinationNamespace: str = ""
    DestinationName: str = ""
    Datacenter: str = ""
    LocalBindAddress: str = ""
    LocalBindPort: int = 0
    Config: dict[str, Any] | None = None
    MeshGateway: MeshGatewayConfig = MeshGatewayConfig()
    IngressHosts: list[str] | None = None


class ConnectProxyConfig(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset(
        {
            "DestinationServiceName",
            "DestinationServiceID",
            "LocalServiceAddress",
            "LocalServicePort",
            "Config",
            "Upstreams",
        }
    )
    json_aliases: ClassVar[dict[str, str]] = {
        "destination_service_name": "DestinationServiceName", "destination_service_id": "DestinationServiceID",
        "local_service_address": "LocalServiceAddress", "local_service_port": "LocalServicePort",
        "mesh_gateway": "MeshGateway",
    }  # fmt: skip
    DestinationServiceName: str = ""
    DestinationServiceID: str = ""
    LocalServiceAddress: str = ""
    LocalServicePort: int = 0
    Config: dict[str, Any] | None = None
    Upstreams: list[Upstream] | None = None
    MeshGateway: MeshGatewayConfig = MeshGatewayConfig()
    Expose: ExposeConfig = ExposeConfig()


class ServiceConnect(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Native", "SidecarService"})
    json_aliases: ClassVar[dict[str, str]] = {"sidecar_service": "SidecarService"}
    json_lenient: ClassVar[bool] = True
    json_opaque: ClassVar[bool] = True
    go_type: ClassVar[str] = (
        'struct { SidecarServiceSnake *structs.ServiceDefinition "json:\\"sidecar_service\\""; *structs.Alias }'
    )
    Native: bool = False
    # Only in registrations; the catalog has it from leaders of Consul alone.
    SidecarService: dict[str, Any] | None = None


EMPTY_PROXY = ConnectProxyConfig()
EMPTY_CONNECT = ServiceConnect()


class Node(RaftIndexed, frozen=True, kw_only=True):
    """A member of the catalog; agents and external nodes alike."""

    ID: str = ""
    Node: str = ""
    Address: str = ""
    Datacenter: str = ""
    TaggedAddresses: dict[str, str] | None = None
    Meta: dict[str, str] | None = None

    def __json__(self) -> dict[str, Any]:
        return {
            "ID": self.ID, "Node": self.Node, "Address": self.Address, "Datacenter": self.Datacenter,
            "TaggedAddresses": self.TaggedAddresses, "Meta": self.Meta,
            "CreateIndex": self.CreateIndex, "ModifyIndex": self.ModifyIndex,
        }  # fmt: skip


class NodeService(RaftIndexed, frozen=True, kw_only=True):
    """A service instance as its node registers it."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Kind", "TaggedAddresses"})
    json_hidden: ClassVar[frozenset[str]] = frozenset({"LocallyRegisteredAsSidecar"})
    json_aliases: ClassVar[dict[str, str]] = {
        "tagged_addresses": "TaggedAddresses", "enable_tag_override": "EnableTagOverride",
    }  # fmt: skip
    Kind: str = ""
    ID: str = ""
    Service: str = ""
    Tags: list[str] | None = None
    Address: str = ""
    TaggedAddresses: ServiceAddresses | None = None
    Meta: dict[str, str] | None = None
    Port: int = 0
    Weights: Weights | None = None
    EnableTagOverride: bool = False
    Proxy: ConnectProxyConfig = EMPTY_PROXY
    Connect: ServiceConnect = EMPTY_CONNECT
    LocallyRegisteredAsSidecar: bool = False

    def __json__(self) -> dict[str, Any]:
        out: dict[str, Any] = {"Kind": self.Kind} if self.Kind else {}
        out |= {"ID": self.ID, "Service": self.Service, "Tags": self.Tags, "Address": self.Address}
        if self.TaggedAddresses:
            out["TaggedAddresses"] = self.TaggedAddresses
        out |= {
            "Meta": self.Meta, "Port": self.Port, "Weights": self.Weights,
            "EnableTagOverride": self.EnableTagOverride, "Proxy": self.Proxy, "Connect": self.Connect,
            "CreateIndex": self.CreateIndex, "ModifyIndex": self.ModifyIndex,
        }  # fmt: skip
        return out


class ServiceNode(RaftIndexed, frozen=True, kw_only=True):
    """A row of the services table; joined with its node it is the answer of /v1/catalog/service."""

    ID: str = ""
    Node: str = ""
    Address: str = ""
    Datacenter: str = ""
    TaggedAddresses: dict[str, str] | None = None
    NodeMeta: dict[str, str] | None = None
    ServiceKind: str = ""
    ServiceID: str = ""
    ServiceName: str = ""
    ServiceTags: list[str] | None = None
    ServiceAddress: str = ""
    ServiceTaggedAddresses: ServiceAddresses | None = None
    ServiceWeights: Weights = Weights()
    ServiceMeta: dict[str, str] | None = None
    ServicePort: int = 0
    ServiceEnableTagOverride: bool = False
    ServiceProxy: ConnectProxyConfig = EMPTY_PROXY
    ServiceConnect: ServiceConnect = EMPTY_CONNECT

    def __json__(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "ID": self.ID, "Node": self.Node, "Address": self.Address, "Datacenter": self.Datacenter,
            "TaggedAddresses": self.TaggedAddresses, "NodeMeta": self.NodeMeta, "ServiceKind": self.ServiceKind,
            "ServiceID": self.ServiceID, "ServiceName": self.ServiceName, "ServiceTags": self.ServiceTags or [],
            "ServiceAddress": self.ServiceAddress,
        }  # fmt: skip
        if self.ServiceTaggedAddresses:
            out["ServiceTaggedAddresses"] = self.ServiceTaggedAddresses
        out |= {
            "ServiceWeights": self.ServiceWeights, "ServiceMeta": self.ServiceMeta or {},
            "ServicePort": self.ServicePort, "ServiceEnableTagOverride": self.ServiceEnableTagOverride,
            "ServiceProxy": self.ServiceProxy, "ServiceConnect": self.ServiceConnect,
            "CreateIndex": self.CreateIndex, "ModifyIndex": self.ModifyIndex,
        }  # fmt: skip
        return out


class HealthCheckDefinition(Record, frozen=True):
    """How an external monitor should run a check; the servers only store it."""

    HTTP: str = ""
    TLSSkipVerify: bool = False
    Header: dict[str, list[str]] | None = None
    Method: str = ""
    Body: str = ""
    TCP: str = ""
    Interval: TextDuration = 0
    OutputMaxSize: int = 0
    Timeout: TextDuration = 0
    DeregisterCriticalServiceAfter: TextDuration = 0
    ScriptArgs: list[str] | None = None
    DockerContainerID: str = ""
    Shell: str = ""
    GRPC: str = ""
    GRPCUseTLS: bool = False
    AliasNode: str = ""
    AliasService: str = ""
    TTL: TextDuration = 0

    json_aliases: ClassVar[dict[str, str]] = {
        "IntervalDuration": "Interval", "TimeoutDuration": "Timeout",
        "DeregisterCriticalServiceAfterDuration": "DeregisterCriticalServiceAfter",
    }  # fmt: skip
    # Registrars describe what only they understand.
    json_lenient: ClassVar[bool] = True
    json_opaque: ClassVar[bool] = True
    go_type: ClassVar[str] = (
        "struct { Interval interface {}; Timeout interface {}; DeregisterCriticalServiceAfter interface {}; "
        "TTL interface {}; *structs.Alias }"
    )

    def __json__(self) -> dict[str, Any]:
        from proconsul.engine.wire.durations import format_duration

        out: dict[str, Any] = {}
        for name in _DEFINITION_ORDER:
            value = getattr(self, name)
            if value:
                out[name] = format_duration(value) if name in _DEFINITION_TEXTS else value
        return out

    def of_transactions(self) -> HealthCheckDefinition:
        """What the type that transactions are read with has room for."""
        kept = {name: getattr(self, name) for name in _DEFINITION_OF_TRANSACTIONS}
        return HealthCheckDefinition(**kept)


_DEFINITION_TEXTS = ("Interval", "Timeout", "DeregisterCriticalServiceAfter")
# As they are shown; TTL is, unlike the other times, a number.
_DEFINITION_ORDER = (
    "Interval", "OutputMaxSize", "Timeout", "DeregisterCriticalServiceAfter", "HTTP", "TLSSkipVerify", "Header",
    "Method", "Body", "TCP", "ScriptArgs", "DockerContainerID", "Shell", "GRPC", "GRPCUseTLS", "AliasNode",
    "AliasService", "TTL",
)  # fmt: skip
_DEFINITION_OF_TRANSACTIONS = (*_DEFINITION_TEXTS, "HTTP", "TLSSkipVerify", "Header", "Method", "Body", "TCP")
EMPTY_DEFINITION = HealthCheckDefinition()


class HealthCheck(RaftIndexed, frozen=True, kw_only=True):
    """A check of a node (``ServiceID`` empty) or of one service instance."""

    json_aliases: ClassVar[dict[str, str]] = {}
    Node: str = ""
    CheckID: str = ""
    Name: str = ""
    Status: str = ""
    Notes: str = ""
    Output: str = ""
    ServiceID: str = ""
    ServiceName: str = ""
    ServiceTags: list[str] | None = None
    Type: str = ""
    Definition: HealthCheckDefinition = EMPTY_DEFINITION

    def __json__(self) -> dict[str, Any]:
        return {
            "Node": self.Node, "CheckID": self.CheckID, "Name": self.Name, "Status": self.Status,
            "Notes": self.Notes, "Output": self.Output, "ServiceID": self.ServiceID,
            "ServiceName": self.ServiceName, "ServiceTags": self.ServiceTags, "Type": self.Type,
            "Definition": self.Definition, "CreateIndex": self.CreateIndex, "ModifyIndex": self.ModifyIndex,
        }  # fmt: skip


class CheckServiceNode(Record, frozen=True):
    """One instance with its node and all checks that concern it: None when there is no check, as on the wire."""

    Node: Node
    Service: NodeService
    Checks: list[HealthCheck] | None


class RegisterRequest(WriteRequest, frozen=True, kw_only=True):
    """Write a node, optionally one service of it and checks, in one Raft entry."""

    json_hidden: ClassVar[frozenset[str]] = frozenset()
    Datacenter: str = ""
    ID: str = ""
    Node: str = ""
    Address: str = ""
    TaggedAddresses: dict[str, str] | None = None
    NodeMeta: dict[str, str] | None = None
    Service: NodeService | None = None
    Check: HealthCheck | None = None
    Checks: list[HealthCheck] | None = None
    SkipNodeUpdate: bool = False
    CreateIndex: int = 0
    ModifyIndex: int = 0


class DeregisterRequest(WriteRequest, frozen=True, kw_only=True):
    """Remove a service, else a check, else the whole node."""

    json_hidden: ClassVar[frozenset[str]] = frozenset()
    Datacenter: str = ""
    Node: str = ""
    ServiceID: str = ""
    CheckID: str = ""


class ServiceSpecificRequest(QueryOptions, frozen=True, kw_only=True):
    """A read about one service."""

    Datacenter: str = ""
    NodeMetaFilters: dict[str, str] | None = None
    ServiceName: str = ""
    ServiceTag: str = ""
    ServiceTags: list[str] | None = None
    ServiceAddress: str = ""
    TagFilter: bool = False
    Source: QuerySource = QuerySource()
    Connect: bool = False
    Ingress: bool = False

    def tags(self) -> list[str] | None:
        """The tags an instance must have, None for any; older agents send one in its own field."""
        if not self.TagFilter:
            return None
        return self.ServiceTags or ([self.ServiceTag] if self.ServiceTag else [])


class ChecksInStateRequest(QueryOptions, frozen=True, kw_only=True):
    Datacenter: str = ""
    NodeMetaFilters: dict[str, str] | None = None
    State: str = ""
    Source: QuerySource = QuerySource()


class IndexedNodes(QueryMeta, frozen=True, kw_only=True):
    Nodes: list[Node] | None = None


class IndexedServices(QueryMeta, frozen=True, kw_only=True):
    Services: dict[str, list[str]] | None = None


class IndexedServiceNodes(QueryMeta, frozen=True, kw_only=True):
    ServiceNodes: list[ServiceNode] | None = None


class NodeServices(Record, frozen=True):
    """One node with its services by id."""

    Node: Node
    Services: dict[str, NodeService]


class NodeServiceList(Record, frozen=True):
    """One node with its services as a list."""

    Node: Node | None = None
    Services: list[NodeService] | None = None


class IndexedNodeServices(QueryMeta, frozen=True, kw_only=True):
    NodeServices: NodeServices | None = None


class IndexedNodeServiceList(QueryMeta, frozen=True, kw_only=True):
    NodeServices: NodeServiceList = NodeServiceList()


class IndexedHealthChecks(QueryMeta, frozen=True, kw_only=True):
    HealthChecks: list[HealthCheck] | None = None


class IndexedCheckServiceNodes(QueryMeta, frozen=True, kw_only=True):
    Nodes: list[CheckServiceNode] | None = None
