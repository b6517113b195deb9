"""Whether config entries fit together: every discovery chain a write touches must be one that can be.

A chain begins at a service's router, which leads to splitters, which lead to resolvers, which may redirect and fail
over to other services. All services of a chain speak one protocol; only those of the HTTP family can be routed and
split.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from proconsul.engine.store.table import Table
from proconsul.engine.wire.text import quoted
from proconsul.features.config_entry.model import (
    GLOBAL,
    INGRESS_GATEWAY,
    PROXY_DEFAULTS,
    SERVICE_DEFAULTS,
    SERVICE_RESOLVER,
    SERVICE_ROUTER,
    SERVICE_SPLITTER,
    TERMINATING_GATEWAY,
    ConfigEntry,
    IngressGateway,
    ProxyDefaults,
    ServiceDefaults,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
)
from proconsul.features.errors import StateError

WILDCARD = "*"
# The only namespace of the community edition.
NAMESPACE = "default"
DEFAULT_PROTOCOL = "tcp"
HTTP_LIKE = frozenset({"http", "http2", "grpc"})
_SERVICE_KINDS = (SERVICE_DEFAULTS, SERVICE_ROUTER, SERVICE_SPLITTER, SERVICE_RESOLVER)
Entries = Table[ConfigEntry]


def check_graph(entries: Entries, changed: ConfigEntry, gateways: Container[str]) -> None:
    """Check what the write (or removal) of ``changed`` may have broken. Raises StateError.

    ``gateways`` has the names, in lower case, of the gateways before the service that ``changed`` is about.
    """
    if changed.Kind in (INGRESS_GATEWAY, TERMINATING_GATEWAY):
        if entries.get(entries.primary_key(changed)) is None:
            return
        _check_gateway_name(entries, changed)
        if isinstance(changed, IngressGateway):
            _check_ingress(entries, changed, written=True)
        return
    for name in sorted(_affected(entries, changed)):
        Chain(entries, name).compile()
    for gateway in entries.by("kind", INGRESS_GATEWAY):
        if changed.Kind == PROXY_DEFAULTS or gateway.Name.lower() in gateways:
            assert isinstance(gateway, IngressGateway), gateway
            _check_ingress(entries, gateway, written=False)


def protocol_of(entries: Entries, service: str) -> str:
    """The protocol of a service: its own, else the one of all proxies, else tcp."""
    own = entries.get((SERVICE_DEFAULTS, service.lower()))
    if isinstance(own, ServiceDefaults) and own.Protocol:
        return own.Protocol
    shared = entries.get((PROXY_DEFAULTS, GLOBAL))
    found = (shared.Config or {}).get("protocol") if isinstance(shared, ProxyDefaults) else None
    return found if isinstance(found, str) and found else DEFAULT_PROTOCOL


def _affected(entries: Entries, changed: ConfigEntry) -> set[str]:
    """Names of the services whose chains have to be looked at."""
    if changed.Kind == PROXY_DEFAULTS:
        return {entry.Name for kind in _SERVICE_KINDS for entry in entries.by("kind", kind)}
    wanted = changed.Name.lower()
    names = {changed.Name}
    for kind in (SERVICE_ROUTER, SERVICE_SPLITTER, SERVICE_RESOLVER):
        for entry in entries.by("kind", kind):
            if wanted in (name.lower() for name in _references(entry)):
                names.add(entry.Name)
    return names


def _references(entry: ConfigEntry) -> Iterator[str]:
    """Other services an entry leads to."""
    if isinstance(entry, ServiceRouter):
        for route in entry.Routes or ():
            if route.Destination is not None:
                yield route.Destination.Service
    elif isinstance(entry, ServiceSplitter):
        for split in entry.Splits or ():
            yield split.Service
    elif isinstance(entry, ServiceResolver):
        if entry.Redirect is not None:
            yield entry.Redirect.Service
        for failover in (entry.Failover or {}).values():
            yield failover.Service


def _check_gateway_name(entries: Entries, changed: ConfigEntry) -> None:
    """Gateways of different kinds may not share a name."""
    other = TERMINATING_GATEWAY if changed.Kind == INGRESS_GATEWAY else INGRESS_GATEWAY
    if entries.get((other, changed.Name.lower())) is not None:
        raise StateError(
            f"cannot create a {quoted(changed.Kind)} config entry with name {quoted(changed.Name)}, "
            f"a {quoted(other)} config entry with that name already exists"
        )


def _check_ingress(entries: Entries, gateway: IngressGateway, *, written: bool) -> None:
    """Services an ingress gateway names must speak the protocol of their listener.

    When the gateway itself was ``written`` that is strict. Later a service behind a tcp listener may take up another
    protocol as long as it is neither routed nor split.
    """
    for listener in gateway.Listeners or ():
        for service in listener.Services or ():
            if service.Name == WILDCARD:
                continue
            chain = Chain(entries, service.Name)
            chain.compile()
            lenient = not written and listener.Protocol == DEFAULT_PROTOCOL and not chain.advanced
            if chain.protocol != listener.Protocol and not lenient:
                raise StateError(
                    f"service {quoted(service.Name)} has protocol {quoted(chain.protocol)}, "
                    f"which does not match defined listener protocol {quoted(listener.Protocol)}"
                )


class Target(NamedTuple):
    """Where a chain may end."""

    service: str
    subset: str = ""
    # The original checks all chains as if in this datacenter, wherever it is; error texts show it.
    datacenter: str = "dc1"

    def toward(self, service: str, subset: str, datacenter: str) -> Target:
        """This target as a redirect or failover changes it; a subset belongs to its service."""
        if service and service != self.service:
            return Target(service, subset, datacenter or self.datacenter)
        return Target(self.service, subset or self.subset, datacenter or self.datacenter)

    def __str__(self) -> str:
        subset = f"{self.subset}." if self.subset else ""
        return f"{subset}{self.service}.{NAMESPACE}.{self.datacenter}"


class Chain:
    """The discovery chain of one service, walked for its faults."""

    def __init__(self, entries: Entries, service: str) -> None:
        self._entries = entries
        self._service = service
        # The protocol all its services speak, and whether it routes or splits; known once it was compiled.
        self.protocol = ""
        self.advanced = False
        # The router and splitters that lead to where the walk is.
        self._path: list[str] = []
        self._failing_over = False

    def compile(self) -> None:
        """Raises StateError when the chain cannot be."""
        router = self._entries.get((SERVICE_ROUTER, self._service.lower()))
        if isinstance(router, ServiceRouter):
            self.advanced = True
            self._path.append(f"router:{self._service}.{NAMESPACE}")
            self._record_protocol(self._service)
            for route in router.Routes or ():
                destination = route.Destination
                service = destination.Service if destination is not None else ""
                subset = destination.ServiceSubset if destination is not None else ""
                if subset:
                    self._resolve(Target(service or self._service, subset), [])
                else:
                    self._split(service or self._service)
        self._split(self._service)
        if self.advanced and self.protocol not in HTTP_LIKE:
            raise StateError(
                f"discovery chain {quoted(self._service)} uses a protocol {quoted(self.protocol)} "
                "that does not permit advanced routing or splitting behavior"
            )

    def _split(self, service: str) -> None:
        """Walk the splitter of a service, or its resolver when it has none."""
        splitter = self._entries.get((SERVICE_SPLITTER, service.lower()))
        if not isinstance(splitter, ServiceSplitter):
            self._resolve(Target(service), [])
            return
        self.advanced = True
        node = f"splitter:{service}.{NAMESPACE}"
        if node in self._path:
            raise StateError(f"detected circular reference: [{' -> '.join([*self._path, node])}]")
        self._path.append(node)
        for split in splitter.Splits or ():
            target = split.Service or service
            if target != service and not split.ServiceSubset:
                self._split(target)
            else:
                self._resolve(Target(target, split.ServiceSubset), [])
        self._path.pop()

    def _resolve(self, target: Target, redirects: list[Target]) -> None:
        """Walk the resolver of a service: redirects first, then what it fails over to."""
        self._record_protocol(target.service)
        found = self._entries.get((SERVICE_RESOLVER, target.service.lower()))
        resolver = found if isinstance(found, ServiceResolver) else ServiceResolver()
        if target in redirects:
            path = " -> ".join(str(one) for one in (*redirects, target))
            raise StateError(f"detected circular resolver redirect: [{path}]")
        if resolver.Redirect is not None:
            redirect = resolver.Redirect
            other = target.toward(redirect.Service, redirect.ServiceSubset, redirect.Datacenter)
            if other != target:
                self._resolve(other, [*redirects, target])
                return
        if not target.subset and resolver.DefaultSubset:
            self._resolve(target._replace(subset=resolver.DefaultSubset), redirects)
            return
        if target.subset and target.subset not in (resolver.Subsets or {}):
            raise StateError(f"service {quoted(target.service)} does not have a subset named {quoted(target.subset)}")
        self._check_external(target.service, resolver)
        self._fail_over(target, resolver)

    def _fail_over(self, target: Target, resolver: ServiceResolver) -> None:
        """The targets of a failover are resolved too, but do not fail over once more."""
        failovers = resolver.Failover or {}
        failover = failovers.get(target.subset) or failovers.get(WILDCARD)
        if failover is None or self._failing_over:
            return
        self._failing_over = True
        for datacenter in failover.Datacenters or [target.datacenter]:
            other = target.toward(failover.Service, failover.ServiceSubset, datacenter)
            if other != target:
                self._resolve(other, [])
        self._failing_over = False

    def _check_external(self, service: str, resolver: ServiceResolver) -> None:
        """Services outside the mesh, reached by an SNI of their own, cannot be resolved to anything else."""
        defaults = self._entries.get((SERVICE_DEFAULTS, service.lower()))
        if not isinstance(defaults, ServiceDefaults) or not defaults.ExternalSNI:
            return
        for present, what in (
            (resolver.Redirect, "redirects"), (resolver.Subsets, "subsets"), (resolver.Failover, "failover"),
        ):  # fmt: skip
            if present:
                raise StateError(
                    f"service {quoted(service)} has an external SNI set; cannot define {what} for external services"
                )

    def _record_protocol(self, service: str) -> None:
        protocol = protocol_of(self._entries, service)
        if not self.protocol:
            self.protocol = protocol
        elif protocol != self.protocol:
            raise StateError(
                f"discovery chain {quoted(self._service)} uses inconsistent protocols; "
                f"service {quoted(service)} has {quoted(protocol)} which is not {quoted(self.protocol)}"
            )
