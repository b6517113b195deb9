"""Config entries: the records of each kind, and their form on the wire (RPC reference, structures and custom binary).

A request that holds an entry travels as one raw string, in which the entry's kind comes first: the kind says how to
read the rest. A proxy-defaults entry is wrapped in a raw string of its own once more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgpack as msgpack_c
import msgspec

from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Duration, RaftIndexed, Record
from proconsul.features.base import WriteRequest
from proconsul.features.catalog.model import ExposeConfig, MeshGatewayConfig

SERVICE_DEFAULTS = "service-defaults"
PROXY_DEFAULTS = "proxy-defaults"
SERVICE_ROUTER = "service-router"
SERVICE_SPLITTER = "service-splitter"
SERVICE_RESOLVER = "service-resolver"
INGRESS_GATEWAY = "ingress-gateway"
TERMINATING_GATEWAY = "terminating-gateway"
# The one name a proxy-defaults entry may have.
GLOBAL = "global"


class ConfigEntryOp(StrEnum):
    """What a request does with its entry. The texts are on the wire: append only."""

    UPSERT = "upsert"
    UPSERT_CAS = "upsert-cas"
    DELETE = "delete"


class ConfigEntry(RaftIndexed, frozen=True, kw_only=True):
    """What entries of all kinds have."""

    Kind: str = ""
    Name: str = ""
    Meta: dict[str, str] | None = None


class ServiceDefaults(ConfigEntry, frozen=True, kw_only=True):
    Protocol: str = ""
    MeshGateway: MeshGatewayConfig = MeshGatewayConfig()
    Expose: ExposeConfig = ExposeConfig()
    ExternalSNI: str = ""


class ProxyDefaults(ConfigEntry, frozen=True, kw_only=True):
    """``Config`` must not hold nil: servers of the original stop when they apply such an entry."""

    Config: dict[str, Any] | None = None
    MeshGateway: MeshGatewayConfig = MeshGatewayConfig()
    Expose: ExposeConfig = ExposeConfig()


class HeaderMatch(Record, frozen=True):
    Name: str = ""
    Present: bool = False
    Exact: str = ""
    Prefix: str = ""
    Suffix: str = ""
    Regex: str = ""
    Invert: bool = False


class QueryParamMatch(Record, frozen=True):
    Name: str = ""
    Present: bool = False
    Exact: str = ""
    Regex: str = ""


class HTTPMatch(Record, frozen=True):
    PathExact: str = ""
    PathPrefix: str = ""
    PathRegex: str = ""
    Header: list[HeaderMatch] | None = None
    QueryParam: list[QueryParamMatch] | None = None
    Methods: list[str] | None = None


class RouteMatch(Record, frozen=True):
    HTTP: HTTPMatch | None = None


class RouteDestination(Record, frozen=True):
    Service: str = ""
    ServiceSubset: str = ""
    Namespace: str = ""
    PrefixRewrite: str = ""
    RequestTimeout: Duration = 0
    NumRetries: int = 0
    RetryOnConnectFailure: bool = False
    RetryOnStatusCodes: list[int] | None = None


class Route(Record, frozen=True):
    Match: RouteMatch | None = None
    Destination: RouteDestination | None = None


class ServiceRouter(ConfigEntry, frozen=True, kw_only=True):
    Routes: list[Route] | None = None


class Split(Record, frozen=True):
    """``Weight`` in percent, of single precision."""

    Weight: float = 0.0
    Service: str = ""
    ServiceSubset: str = ""
    Namespace: str = ""


class ServiceSplitter(ConfigEntry, frozen=True, kw_only=True):
    Splits: list[Split] | None = None


class ResolverSubset(Record, frozen=True):
    Filter: str = ""
    OnlyPassing: bool = False


class Redirect(Record, frozen=True):
    Service: str = ""
    ServiceSubset: str = ""
    Namespace: str = ""
    Datacenter: str = ""


class Failover(Record, frozen=True):
    Service: str = ""
    ServiceSubset: str = ""
    Namespace: str = ""
    Datacenters: list[str] | None = None


# Spelled out because rows have fields of the same name as the types.
Subsets = dict[str, ResolverSubset]
Failovers = dict[str, Failover]
MaybeRedirect = Redirect | None


class ServiceResolver(ConfigEntry, frozen=True, kw_only=True):
    DefaultSubset: str = ""
    Subsets: Subsets | None = None
    Redirect: MaybeRedirect = None
    Failover: Failovers | None = None
    ConnectTimeout: Duration = 0


class GatewayTLS(Record, frozen=True):
    Enabled: bool = False


class IngressService(Record, frozen=True):
    Name: str = ""
    Hosts: list[str] | None = None
    Meta: dict[str, str] | None = None


class IngressListener(Record, frozen=True):
    Port: int = 0
    Protocol: str = ""
    Services: list[IngressService] | None = None


class IngressGateway(ConfigEntry, frozen=True, kw_only=True):
    TLS: GatewayTLS = GatewayTLS()
    Listeners: list[IngressListener] | None = None


class LinkedService(Record, frozen=True):
    """A service outside the mesh that a terminating gateway speaks to."""

    Name: str = ""
    CAFile: str = ""
    CertFile: str = ""
    KeyFile: str = ""
    SNI: str = ""


class TerminatingGateway(ConfigEntry, frozen=True, kw_only=True):
    Services: list[LinkedService] | None = None


KINDS: dict[str, type[ConfigEntry]] = {
    SERVICE_DEFAULTS: ServiceDefaults,
    PROXY_DEFAULTS: ProxyDefaults,
    SERVICE_ROUTER: ServiceRouter,
    SERVICE_SPLITTER: ServiceSplitter,
    SERVICE_RESOLVER: ServiceResolver,
    INGRESS_GATEWAY: IngressGateway,
    TERMINATING_GATEWAY: TerminatingGateway,
}


class ConfigEntryRequest(WriteRequest, frozen=True, kw_only=True):
    """A command, and with an empty ``Op`` also the snapshot record."""

    Datacenter: str = ""
    Op: str = ""
    Entry: ConfigEntry


class GatewayService(RaftIndexed, frozen=True, kw_only=True):
    """A service behind a gateway. Derived from the gateway's entry and, for wildcards, from the catalog."""

    Gateway: str = ""
    Service: str = ""
    GatewayKind: str = ""
    Port: int = 0
    Protocol: str = ""
    Hosts: list[str] | None = None
    CAFile: str = ""
    CertFile: str = ""
    KeyFile: str = ""
    SNI: str = ""
    FromWildcard: bool = False


# Only splits hold floats of single precision, and nothing else.
_pack_single = msgpack_c.Packer(use_bin_type=False, unicode_errors="surrogateescape", use_single_float=True).pack


def encode_request(request: ConfigEntryRequest) -> bytes:
    """The msgpack raw string of a request."""
    entry = request.Entry
    plain = msgspec.to_builtins(request, builtin_types=(bytes,), order="sorted")
    if entry.Kind == PROXY_DEFAULTS:
        plain["Entry"] = msgpack.encode(entry)
    pack = _pack_single if entry.Kind == SERVICE_SPLITTER else msgpack.encode
    return msgpack.encode(msgpack.encode(entry.Kind) + pack(plain))


def read_request(value: Any) -> ConfigEntryRequest:
    """The request in the raw string ``value``. Raises DecodeError, also for an unknown kind."""
    kind, plain = _objects(value, 2)
    entry_type = KINDS.get(kind)
    if entry_type is None or not isinstance(plain, dict):
        raise msgpack.DecodeError(f"invalid config entry kind: {kind}")
    entry = plain.get("Entry")
    if kind == PROXY_DEFAULTS:
        (entry,) = _objects(entry, 1)
    text = msgpack.decoder_for(str)
    return ConfigEntryRequest(
        Datacenter=text(plain.get("Datacenter")), Op=text(plain.get("Op")), Token=text(plain.get("Token")),
        Entry=msgpack.decoder_for(entry_type)(entry),
    )  # fmt: skip


def _objects(value: Any, count: int) -> list[Any]:
    """The msgpack objects in the raw string ``value``, of which there must be ``count``."""
    unpacker = msgpack_c.Unpacker(raw=False, unicode_errors="surrogateescape", strict_map_key=False)
    unpacker.feed(msgpack.decoder_for(bytes)(value))
    try:
        found = list(unpacker)
    except (ValueError, TypeError, msgpack_c.UnpackException, RecursionError) as error:
        raise msgpack.DecodeError(f"msgpack decode error: {error}") from error
    if len(found) != count:
        raise msgpack.DecodeError(f"expected {count} objects in a raw string, got {len(found)}")
    return found
