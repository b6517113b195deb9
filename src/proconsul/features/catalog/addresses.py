"""At which of its addresses a node or service is reached: by family, and from another datacenter; pure.

The tagged address of a family goes before the plain one. With translate_wan_addrs those for the WAN go before those
for the LAN, for whoever is in another datacenter (Consul docs: translate_wan_addrs; found by asking Consul 1.8.7).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import (
    CheckServiceNode,
    Node,
    NodeService,
    NodeServiceList,
    NodeServices,
    ServiceAddress,
    ServiceNode,
)

LAN_IPV4, LAN_IPV6 = "lan_ipv4", "lan_ipv6"
WAN, WAN_IPV4, WAN_IPV6 = "wan", "wan_ipv4", "wan_ipv6"


class Accept(enum.Flag):
    """What somebody can use. Whoever takes anything takes the plain address, whatever it is."""

    IPV4 = enum.auto()
    IPV6 = enum.auto()
    NAME = enum.auto()
    ANYTHING = IPV4 | IPV6 | NAME


def node_address(node: Node, accept: Accept = Accept.ANYTHING, *, abroad: bool = False) -> str:
    """The address of ``node``; empty when none is of use. ``abroad``: for whoever is in another datacenter."""
    return _best(node.Address, node.TaggedAddresses or {}, accept, abroad)


def service_address(service: NodeService, accept: Accept = Accept.ANYTHING, *, abroad: bool = False) -> str:
    """As `node_address`, of an instance; empty also when it has none of its own."""
    return _best(service.Address, _texts(service.TaggedAddresses), accept, abroad)


def node_address_of_use(node: Node, accept: Accept, *, abroad: bool) -> str:
    """As `node_address`, to be used at once, unlike a row that shows what there is: an empty WAN address is none."""
    found = node_address(node, accept, abroad=abroad)
    if not found and abroad and (node.TaggedAddresses or {}).get(WAN) == "":
        return node_address(node, accept)
    return found


def has_address(service: NodeService, *, abroad: bool) -> bool:
    """Whether an instance has an address of its own, of whatever family: then that of its node is not meant."""
    wan = (service.TaggedAddresses or {}).get(WAN) if abroad else None
    return bool(service.Address if wan is None else wan.Address)


def service_port(service: NodeService, *, abroad: bool = False) -> int:
    """The port of an instance."""
    return _port(service.Port, service.TaggedAddresses, abroad)


def _texts(tagged: Mapping[str, ServiceAddress] | None) -> dict[str, str]:
    return {name: address.Address for name, address in tagged.items()} if tagged else {}


def _port(port: int, tagged: Mapping[str, ServiceAddress] | None, abroad: bool) -> int:
    wan = (tagged or {}).get(WAN) if abroad else None
    return wan.Port if wan is not None and wan.Port else port


def _best(plain: str, tagged: Mapping[str, str], accept: Accept, abroad: bool) -> str:
    ipv4, ipv6 = tagged.get(LAN_IPV4, ""), tagged.get(LAN_IPV6, "")
    if abroad:
        plain = tagged.get(WAN, plain)
        ipv4, ipv6 = tagged.get(WAN_IPV4, ipv4), tagged.get(WAN_IPV6, ipv6)
    if ipv6 and accept & Accept.IPV6:
        return ipv6
    if ipv4 and accept & Accept.IPV4:
        return ipv4
    return plain if accept is Accept.ANYTHING or accept & _kind(plain) else ""


def _kind(text: str) -> Accept:
    try:
        address = ip_address(text)
    except ValueError:
        return Accept.NAME
    mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
    return Accept.IPV4 if mapped or address.version == 4 else Accept.IPV6


def translated(value: Any) -> Any:
    """What was read in another datacenter, with the addresses that lead there; rows of other kinds stay as they are."""
    if isinstance(value, list):
        return [_translated_row(row) for row in value]
    if isinstance(value, NodeServices):
        services = {key: _translated_row(row) for key, row in value.Services.items()}
        return NodeServices(_translated_row(value.Node), services)
    if isinstance(value, NodeServiceList) and value.Node is not None:
        return replace(
            value, Node=_translated_row(value.Node), Services=[_translated_row(row) for row in value.Services or ()]
        )
    return value


def _translated_row(row: Any) -> Any:
    if isinstance(row, Node):
        return replace(row, Address=node_address(row, abroad=True))
    if isinstance(row, NodeService):
        return replace(row, Address=service_address(row, abroad=True), Port=service_port(row, abroad=True))
    if isinstance(row, CheckServiceNode):
        return replace(row, Node=_translated_row(row.Node), Service=_translated_row(row.Service))
    if isinstance(row, ServiceNode):
        tagged = row.ServiceTaggedAddresses
        return replace(
            row, Address=_best(row.Address, row.TaggedAddresses or {}, Accept.ANYTHING, True),
            ServiceAddress=_best(row.ServiceAddress, _texts(tagged), Accept.ANYTHING, True),
            ServicePort=_port(row.ServicePort, tagged, True),
        )  # fmt: skip
    return row
