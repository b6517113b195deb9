"""What rows of the catalog are as records. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from proconsul.dns import message as m
from proconsul.dns.message import ResourceRecord
from proconsul.features.catalog.model import HEALTH_WARNING, CheckServiceNode, Node


def metadata_records(owner: bytes, node: Node, ttl_s: int) -> list[ResourceRecord]:
    """Node metadata; ``rfc1035-`` keys give the bare value, the others RFC 1464 pairs."""
    found = []
    for key, value in (node.Meta or {}).items():
        if not key.lower().startswith("rfc1035-"):
            value = f"{_quoted(key, equals=True)}={_quoted(value, equals=False)}"
        found.append(m.txt_record(owner, ttl_s, value))
    return found


def weight(row: CheckServiceNode) -> int:
    """The SRV weight by the instance's status; 1 when it has none."""
    weights = row.Service.Weights
    if weights is None:
        return 1
    warning = any(check.Status == HEALTH_WARNING for check in row.Checks)
    return weights.Warning if warning else weights.Passing


def packed_name(text: str) -> bytes | None:
    """A textual name as it is on the wire; None for what is none."""
    try:
        return m.pack_name(text)
    except m.Unpackable:
        return None


def packed_address(text: str) -> bytes | None:
    """A textual IP address as 4 or 16 bytes; IPv4 mapped into IPv6 counts as IPv4. None for names."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.packed


def is_host_name(text: str) -> bool:
    return bool(text) and all(char.isascii() and (char.isalnum() or char == "-") for char in text)


def _quoted(text: str, *, equals: bool) -> str:
    """RFC 1464: back-quotes, and in names equals signs, are preceded by a back-quote."""
    text = text.replace("`", "``")
    return text.replace("=", "`=") if equals else text
