"""The fingerprint of a local service that ``GET /v1/agent/service/:id`` shows and waits for.

Clients compare it with values they know, so it is the original's: mitchellh/hashstructure of the record as the client
library has it. Pure. Source: the description of that algorithm, and what Consul 1.8.7 answers.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from typing import Any, Final

from proconsul.features.catalog.model import (
    DEFAULT_WEIGHTS,
    ConnectProxyConfig,
    NodeService,
)

__all__ = ["PROXY_KINDS", "content_hash"]

# Kinds whose proxy settings count; others may be registered but mean nothing.
PROXY_KINDS: Final = frozenset({"connect-proxy", "mesh-gateway", "terminating-gateway", "ingress-gateway"})

_OFFSET: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1


class _Struct:
    """A Go struct: its name, and its fields in any order."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, **fields: Any) -> None:
        self.name = name
        self.fields = fields


def content_hash(service: NodeService) -> str:
    """Hexadecimal digits without leading zeros."""
    weights = service.Weights or DEFAULT_WEIGHTS
    proxied = service.Kind in PROXY_KINDS
    value = _Struct(
        "AgentService", Kind=service.Kind, ID=service.ID, Service=service.Service, Tags=service.Tags or [],
        Meta=service.Meta or {}, Port=service.Port, Address=service.Address,
        TaggedAddresses={
            name: _Struct("ServiceAddress", Address=address.Address, Port=address.Port)
            for name, address in (service.TaggedAddresses or {}).items()
        },
        Weights=_Struct("AgentWeights", Passing=weights.Passing, Warning=weights.Warning),
        EnableTagOverride=service.EnableTagOverride, CreateIndex=0, ModifyIndex=0, ContentHash="",
        Proxy=_proxy(service.Proxy) if proxied else None,
        Connect=_Struct("AgentServiceConnect", Native=True, SidecarService=None) if service.Connect.Native else None,
    )  # fmt: skip
    return f"{_hash(value):x}"


def _proxy(proxy: ConnectProxyConfig) -> _Struct:
    return _Struct(
        "AgentServiceConnectProxyConfig", DestinationServiceName=proxy.DestinationServiceName,
        DestinationServiceID=proxy.DestinationServiceID, LocalServiceAddress=proxy.LocalServiceAddress,
        LocalServicePort=proxy.LocalServicePort, Config=_floats(proxy.Config or {}),
        Upstreams=[
            _Struct(
                "Upstream", DestinationType=one.DestinationType, DestinationNamespace=one.DestinationNamespace,
                DestinationName=one.DestinationName, Datacenter=one.Datacenter, LocalBindAddress=one.LocalBindAddress,
                LocalBindPort=one.LocalBindPort, Config=_floats(one.Config or {}),
                MeshGateway=_Struct("MeshGatewayConfig", Mode=one.MeshGateway.Mode),
            )
            for one in proxy.Upstreams or ()
        ],
        MeshGateway=_Struct("MeshGatewayConfig", Mode=proxy.MeshGateway.Mode),
        Expose=_Struct(
            "ExposeConfig", Checks=proxy.Expose.Checks,
            Paths=[
                _Struct(
                    "ExposePath", ListenerPort=path.ListenerPort, Path=path.Path, LocalPathPort=path.LocalPathPort,
                    Protocol=path.Protocol, ParsedFromCheck=path.ParsedFromCheck,
                )
                for path in proxy.Expose.Paths or ()
            ],
        ),
    )  # fmt: skip


def _floats(value: Any) -> Any:
    """Free-form settings as Go reads them from JSON, where all numbers are float64."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _fnv(data: bytes) -> int:
    """FNV-1 with 64 bits."""
    result = _OFFSET
    for byte in data:
        result = (result * _PRIME & _MASK) ^ byte
    return result


@functools.lru_cache(maxsize=1024)
def _text(text: str) -> int:
    return _fnv(text.encode("utf-8", "surrogateescape"))


def _ordered(first: int, second: int) -> int:
    return _fnv(struct.pack("<QQ", first, second))


def _unordered(pairs: Iterable[tuple[str, Any]], start: int = 0) -> int:
    for name, value in pairs:
        start ^= _ordered(_text(name), _hash(value))
    return start


def _hash(value: Any) -> int:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return _fnv(struct.pack("<b", value))
    if value is None:
        value = 0
    if isinstance(value, int):
        return _fnv(struct.pack("<q", value))
    if isinstance(value, float):
        return _fnv(struct.pack("<d", value))
    if isinstance(value, _Struct):
        return _unordered(value.fields.items(), _text(value.name))
    if isinstance(value, dict):
        return _unordered(value.items())
    result = 0
    for item in value:
        result = _ordered(result, _hash(item))
    return result
