"""What a question name asks for (Consul docs: DNS interface). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from proconsul.dns.message import SRV


class NameKind(Enum):
    """Kinds of lookups; the value is the label that names the kind."""

    SERVICE = "service"
    CONNECT = "connect"
    INGRESS = "ingress"
    NODE = "node"
    QUERY = "query"
    ADDRESS = "addr"


_KINDS = {kind.value: kind for kind in NameKind}


@dataclass(frozen=True, slots=True)
class Lookup:
    """``name`` of a service, node, query or address; ``tag`` of a service; ``datacenter`` empty for our own."""

    kind: NameKind
    name: str
    tag: str = ""
    datacenter: str = ""


def strip_domain(labels: list[str], domains: tuple[tuple[str, ...], ...]) -> tuple[list[str], tuple[str, ...]] | None:
    """Labels (lower case) before the longest domain that ends the name, and that domain; None outside of all."""
    for domain in sorted(domains, key=len, reverse=True):
        if len(labels) >= len(domain) and tuple(labels[len(labels) - len(domain) :]) == domain:
            return labels[: len(labels) - len(domain)], domain
    return None


def parse_lookup(labels: list[str], qtype: int) -> Lookup | None:
    """The lookup that ``labels`` (lower case, without the domain) stand for; None when they stand for nothing."""
    for at in range(len(labels) - 1, -1, -1):
        kind = _KINDS.get(labels[at])
        if kind is not None:
            return _lookup(kind, labels[:at], labels[at + 1 :])
        # In SRV questions the label "service" may be left out.
        if qtype == SRV and labels[at].startswith("_"):
            return _lookup(NameKind.SERVICE, labels[: at + 1], labels[at + 1 :])
    return None


def _lookup(kind: NameKind, parts: list[str], suffixes: list[str]) -> Lookup | None:
    if not parts:
        return None
    if kind is NameKind.ADDRESS:
        return Lookup(kind, parts[0]) if len(parts) == 1 else None
    if suffixes[1:] == ["dc"]:  # as newer releases write it
        suffixes = suffixes[:1]
    if len(suffixes) > 1:
        return None
    datacenter = suffixes[0] if suffixes else ""
    if kind in (NameKind.NODE, NameKind.QUERY):
        return Lookup(kind, ".".join(parts), "", datacenter)
    if kind is not NameKind.SERVICE:
        return Lookup(kind, parts[-1], "", datacenter)
    if len(parts) == 2 and parts[0].startswith("_") and parts[1].startswith("_"):
        tag = parts[1][1:]
        return Lookup(kind, parts[0][1:], "" if tag == "tcp" else tag, datacenter)
    return Lookup(kind, parts[-1], ".".join(parts[:-1]), datacenter)


def reverse_address(labels: list[str]) -> bytes | None:
    """The packed address that an in-addr.arpa or ip6.arpa name stands for."""
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        parts = labels[3::-1]
        if all(part.isdigit() and len(part) <= 3 and int(part) <= 255 for part in parts):
            return bytes(int(part) for part in parts)
    elif labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
        nibbles = "".join(reversed(labels[:32]))
        if len(nibbles) == 32 and all(char in "0123456789abcdef" for char in nibbles):
            return bytes.fromhex(nibbles)
    return None


def hex_address(text: str) -> bytes | None:
    """The packed address of an ``addr`` label, empty when its length fits no address; None when it is malformed."""
    if len(text) // 2 not in (4, 16):
        return b""
    if len(text) % 2 or any(char not in "0123456789abcdef" for char in text):
        return None
    return bytes.fromhex(text)
