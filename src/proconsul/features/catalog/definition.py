"""Registrations as clients and configuration files write them (HTTP API: agent service and check registration)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from proconsul.engine.wire.hostport import join_host_port
from proconsul.engine.wire.record import Duration, Record, replace
from proconsul.engine.wire.text import multi_error, quoted
from proconsul.features.catalog.model import (
    VALID_STATUSES,
    ConnectProxyConfig,
    HealthCheck,
    NodeService,
    ServiceAddress,
    ServiceConnect,
    Weights,
)

# HTTP API: metadata of nodes and services.
META_PAIRS_MAX = 64
META_KEY_BYTES_MAX = 128
META_VALUE_BYTES_MAX = 512
META_RESERVED_PREFIX = "consul-"
_META_KEY_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class DefinitionError(ValueError):
    """A registration that cannot be accepted; the text is Consul's."""


INVALID_ADDRESS = "Invalid service address"


def reachable(address: str) -> bool:
    """Whether a service may have this address: not the one that stands for all addresses of a machine."""
    return address not in ("0.0.0.0", "::", "[::]")


def kind_of(
    *, grpc: object, http: object, ttl: int, tcp: object, alias: object, docker: object, script: object,
    interval: int, h2ping: object = "", os_service: object = "", udp: object = "", plugin: object = "",
) -> str:  # fmt: skip
    """The kind of check, the first of those that are described; what runs needs an interval."""
    runs = interval > 0
    for kind, described in (
        ("grpc", grpc and runs), ("http", http and runs), ("h2ping", h2ping and runs),
        ("os_service", os_service and runs), ("udp", udp and runs), ("ttl", ttl > 0), ("tcp", tcp and runs),
        ("alias", alias), ("docker", docker and script and runs), ("script", script),
        ("plugin", plugin and runs),
    ):  # fmt: skip
        if described:
            return kind
    return ""


class CheckType(Record, frozen=True):
    """How a check is run. At most one kind may be described."""

    go_name: ClassVar[str | None] = ""
    json_aliases: ClassVar[dict[str, str]] = {
        "args": "ScriptArgs", "script_args": "ScriptArgs", "docker_container_id": "DockerContainerID",
        "tls_skip_verify": "TLSSkipVerify", "deregister_critical_service_after": "DeregisterCriticalServiceAfter",
        "alias_node": "AliasNode", "alias_service": "AliasService", "grpc_use_tls": "GRPCUseTLS",
        "success_before_passing": "SuccessBeforePassing", "failures_before_critical": "FailuresBeforeCritical",
        "failures_before_warning": "FailuresBeforeWarning", "output_max_size": "OutputMaxSize",
        "tls_server_name": "TLSServerName", "h2ping_use_tls": "H2PingUseTLS", "os_service": "OSService",
        "disable_redirects": "DisableRedirects", "check_id": "CheckID", "tcp_use_tls": "TCPUseTLS",
        "plugin_config": "PluginConfig",
    }  # fmt: skip
    # In a service's definition it goes without saying.
    json_ignored: ClassVar[dict[str, Any]] = {"ServiceID": str, "service_id": str}
    json_opaque: ClassVar[bool] = True
    CheckID: str = ""
    Name: str = ""
    Status: str = ""
    Notes: str = ""
    ScriptArgs: list[str] | None = None
    HTTP: str = ""
    Header: dict[str, list[str]] | None = None
    Method: str = ""
    Body: str = ""
    DisableRedirects: bool = False
    TCP: str = ""
    TCPUseTLS: bool = False
    UDP: str = ""
    Interval: Duration = 0
    AliasNode: str = ""
    AliasService: str = ""
    DockerContainerID: str = ""
    Shell: str = ""
    GRPC: str = ""
    GRPCUseTLS: bool = False
    H2PING: str = ""
    H2PingUseTLS: bool = True
    OSService: str = ""
    # Ours: the name of a plug-in (docs/plugins.md), and its settings.
    Plugin: str = ""
    PluginConfig: dict[str, Any] | None = None
    TLSServerName: str = ""
    TLSSkipVerify: bool = False
    Timeout: Duration = 0
    TTL: Duration = 0
    SuccessBeforePassing: int = 0
    FailuresBeforeWarning: int = 0
    FailuresBeforeCritical: int = 0
    ProxyHTTP: str = ""
    ProxyGRPC: str = ""
    DeregisterCriticalServiceAfter: Duration = 0
    OutputMaxSize: int = 0

    def kind(self) -> str:
        """The Type a catalog row shows: ttl, http, tcp, ...; empty when nothing is described."""
        return kind_of(
            grpc=self.GRPC, http=self.HTTP, ttl=self.TTL, tcp=self.TCP, alias=self.AliasNode or self.AliasService,
            docker=self.DockerContainerID, script=self.ScriptArgs, interval=self.Interval, h2ping=self.H2PING,
            os_service=self.OSService, udp=self.UDP, plugin=self.Plugin,
        )  # fmt: skip

    def is_empty(self) -> bool:
        """True when nothing is said at all."""
        return self == CheckType()


class CheckDefinition(CheckType, frozen=True):
    """A check registered on its own."""

    go_name: ClassVar[str | None] = ""
    json_aliases: ClassVar[dict[str, str]] = {**CheckType.json_aliases, "service_id": "ServiceID"}
    json_hidden: ClassVar[frozenset[str]] = frozenset({"CheckID"})
    json_ignored: ClassVar[dict[str, Any]] = {}
    ID: str = ""
    ServiceID: str = ""
    Token: str = ""

    def health_check(self, node: str) -> HealthCheck:
        return HealthCheck(
            Node=node, CheckID=self.ID or self.CheckID or self.Name, Name=self.Name,
            Status=self.Status or "critical", Notes=self.Notes, ServiceID=self.ServiceID, Type=self.kind(),
        )  # fmt: skip


class ServiceDefinition(Record, frozen=True):
    """A service as registered with an agent."""

    go_name: ClassVar[str | None] = ""
    go_type: ClassVar[str] = (
        'struct { EnableTagOverrideSnake bool "json:\\"enable_tag_override\\""; '
        'TaggedAddressesSnake map[string]structs.ServiceAddress "json:\\"tagged_addresses\\""; *structs.Alias }'
    )
    json_aliases: ClassVar[dict[str, str]] = {
        "tagged_addresses": "TaggedAddresses", "enable_tag_override": "EnableTagOverride",
        "socket_path": "SocketPath",
    }  # fmt: skip
    Kind: str = ""
    ID: str = ""
    Name: str = ""
    Tags: list[str] | None = None
    Address: str = ""
    TaggedAddresses: dict[str, ServiceAddress] | None = None
    Meta: dict[str, str] | None = None
    Port: int = 0
    SocketPath: str = ""
    Check: CheckType | None = None
    Checks: list[CheckType] | None = None
    Weights: Weights | None = None
    Token: str = ""
    EnableTagOverride: bool = False
    Proxy: ConnectProxyConfig | None = None
    Connect: ServiceConnect | None = None

    def node_service(self) -> NodeService:
        return NodeService(
            Kind=self.Kind, ID=self.ID or self.Name, Service=self.Name, Tags=self.Tags, Address=self.Address,
            TaggedAddresses=self.TaggedAddresses, Meta=self.Meta, Port=self.Port, Weights=self.Weights,
            EnableTagOverride=self.EnableTagOverride,
            Proxy=_with_upstream_types(self.Proxy) if self.Proxy is not None else ConnectProxyConfig(),
            Connect=ServiceConnect(Native=self.Connect.Native) if self.Connect is not None else ServiceConnect(),
        )  # fmt: skip

    def check_types(self) -> list[CheckType]:
        """All checks of the definition, in the order in which they are numbered; an empty ``Check`` is none."""
        first = [self.Check] if self.Check is not None and not self.Check.is_empty() else []
        return [*first, *(self.Checks or ())]


def _with_upstream_types(proxy: ConnectProxyConfig) -> ConnectProxyConfig:
    """Upstreams are services unless they say otherwise."""
    if not proxy.Upstreams:
        return proxy
    filled = [item if item.DestinationType else replace(item, DestinationType="service") for item in proxy.Upstreams]
    result: ConnectProxyConfig = replace(proxy, Upstreams=filled)
    return result


# ----------------------------------------------------------------------------------------------------------- rules


def validate_meta(meta: dict[str, str] | None, *, allow_reserved: bool = False) -> None:
    """Limits of metadata. Raises DefinitionError."""
    if not meta:
        return
    if len(meta) > META_PAIRS_MAX:
        raise DefinitionError(f"Node metadata cannot contain more than {META_PAIRS_MAX} key/value pairs")
    for key, value in meta.items():
        problem = _meta_problem(key, value, allow_reserved)
        if problem:
            raise DefinitionError(f"Couldn't load metadata pair ('{key}', '{value}'): {problem}")


def _meta_problem(key: str, value: str, allow_reserved: bool) -> str:
    if not key:
        return "Key cannot be blank"
    if not set(key) <= _META_KEY_CHARS:
        return "Key contains invalid characters"
    if _bytes(key) > META_KEY_BYTES_MAX:
        return f"Key is too long (limit: {META_KEY_BYTES_MAX} characters)"
    if key.startswith(META_RESERVED_PREFIX) and not allow_reserved:
        return f"Key prefix '{META_RESERVED_PREFIX}' is reserved for internal use"
    if _bytes(value) > META_VALUE_BYTES_MAX:
        return f"Value is too long (limit: {META_VALUE_BYTES_MAX} characters)"
    return ""


def _bytes(text: str) -> int:
    """The length the original counts, whatever its texts say."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def validate_weights(weights: Weights | None) -> None:
    """Raises DefinitionError."""
    if weights is None:
        return
    if weights.Passing < 1:
        raise DefinitionError("Passing must be greater than 0")
    if weights.Warning < 0:
        raise DefinitionError("Warning must be greater or equal than 0")
    if weights.Passing > 65535 or weights.Warning > 65535:
        raise DefinitionError("DNS Weight must be between 0 and 65535")


KEYS_NOT_TEXT = "Proxy.Config and Upstreams.Config must have text for keys"


def for_the_log(service: NodeService) -> NodeService:
    """``service`` as a leader writes it, so that servers of Consul 1.8.7 come to the same state.

    They end for good at an entry whose SidecarService is no proper definition; nothing reads it from the catalog, and
    their transactions leave it out. Numbers in free-form settings are Go's float64: they compare types.
    """
    changes: dict[str, Any] = {}
    if service.Connect.SidecarService is not None:
        changes["Connect"] = replace(service.Connect, SidecarService=None)
    proxy = service.Proxy
    if proxy.Config or proxy.Upstreams:
        upstreams = [replace(one, Config=_with_floats(one.Config)) for one in proxy.Upstreams or ()]
        changes["Proxy"] = replace(proxy, Config=_with_floats(proxy.Config), Upstreams=upstreams or proxy.Upstreams)
    return replace(service, **changes) if changes else service


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def keys_not_text(service: NodeService) -> bool:
    """Whether free-form settings have other keys than text: servers of Consul 1.8.7 that find them in their log end for
    good. JSON has no such keys, msgpack has."""
    configs = [service.Proxy.Config, *(one.Config for one in service.Proxy.Upstreams or ())]
    return any(config is not None and _has_other_keys(config) for config in configs)


def _has_other_keys(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_other_keys, value))
    return isinstance(value, dict) and any(not isinstance(k, str) or _has_other_keys(v) for k, v in value.items())


def _problems(service: NodeService, *, sidecar: Any) -> Iterator[str]:
    if keys_not_text(service):
        yield KEYS_NOT_TEXT
    if service.Kind == "connect-proxy":
        if not service.Proxy.DestinationServiceName.strip():
            yield "Proxy.DestinationServiceName must be non-empty for Connect proxy services"
        if not service.Port:
            yield "Port must be set for a Connect proxy"
        if service.Connect.Native:
            yield "A Proxy cannot also be Connect Native, only typical services"
        yield from _upstream_problems(service)
        yield from _expose_problems(service)
    kind = service.Kind
    if kind in ("mesh-gateway", "terminating-gateway") and not service.Port:
        yield f"Port must be non-zero for a {kind}"
    if kind in ("mesh-gateway", "terminating-gateway", "ingress-gateway"):
        if sidecar is not None:
            yield f"A {kind} cannot have a sidecar service defined"
        for name in _NOT_FOR_GATEWAYS:
            if getattr(service.Proxy, name):
                yield f"The Proxy.{name} configuration is invalid for a {kind}"
    if isinstance(sidecar, dict):
        wanted = {key.lower(): value for key, value in sidecar.items()}
        if wanted.get("id"):
            yield "A SidecarService cannot specify an ID as this is managed by the agent"
        nested = wanted.get("connect")
        if isinstance(nested, dict) and any(key.lower() in ("sidecarservice", "sidecar_service") for key in nested):
            yield "A SidecarService cannot have a nested SidecarService"


_NOT_FOR_GATEWAYS = (
    "DestinationServiceName", "DestinationServiceID", "LocalServiceAddress", "LocalServicePort", "Upstreams",
)  # fmt: skip


def _upstream_problems(service: NodeService) -> Iterator[str]:
    """Each upstream is looked at until something is wrong with it."""
    seen: set[str] = set()
    listeners: set[str] = set()
    for upstream in service.Proxy.Upstreams or ():
        key = (
            f'[type="{upstream.DestinationType}", name="{upstream.DestinationName}", '
            f'namespace="{upstream.DestinationNamespace}", datacenter="{upstream.Datacenter}"]'
        )
        host = upstream.LocalBindAddress or "127.0.0.1"
        listener = join_host_port(host, upstream.LocalBindPort)
        if upstream.DestinationType not in ("", "service", "prepared_query"):
            yield f"unknown upstream destination type: {quoted(upstream.DestinationType)}"
        elif not upstream.DestinationName:
            yield "upstream destination name cannot be empty"
        elif not upstream.LocalBindPort:
            yield "upstream local bind port cannot be zero"
        elif key in seen:
            yield f"upstreams cannot contain duplicates of {key}"
        elif listener in listeners:
            seen.add(key)
            where = f"local bind address and port; {quoted(listener)} is specified twice"
            yield f"upstreams cannot contain duplicates by {where}"
        else:
            seen.add(key)
            listeners.add(listener)


def _expose_problems(service: NodeService) -> Iterator[str]:
    paths: set[str] = set()
    ports: set[int] = set()
    for exposed in service.Proxy.Expose.Paths or ():
        if not exposed.Path:
            yield "expose.paths: empty path exposed"
        if exposed.Path in paths:
            yield "expose.paths: duplicate paths exposed"
        if exposed.ListenerPort in ports:
            yield "expose.paths: duplicate listener ports exposed"
        if not 0 < exposed.ListenerPort <= 65535:
            yield f"expose.paths: invalid listener port: {exposed.ListenerPort}"
        protocol = exposed.Protocol.lower()
        if protocol not in ("", "http", "http2"):
            yield f"protocol '{protocol}' not supported for path: {exposed.Path}, must be in: [http http2]"
        paths.add(exposed.Path)
        ports.add(exposed.ListenerPort)


def validate_service(service: NodeService, sidecar: Any = None) -> None:
    """Rules about kinds. Raises DefinitionError."""
    problems = list(_problems(service, sidecar=sidecar))
    if problems:
        raise DefinitionError(multi_error(problems))


def valid_status(status: str) -> bool:
    return status in VALID_STATUSES
