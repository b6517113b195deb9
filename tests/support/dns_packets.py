"""Questions and answers of DNS as bytes, written and read without our own code."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import struct
from typing import Any

Record = tuple[bytes, int, int, int, bytes]


def query(
    name: str, kind: int, *, edns: int = 0, options: bytes = b"", flags: int = 0x0100, query_id: int = 99
) -> bytes:
    """A query packet."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".") if label)
    head = struct.pack("!6H", query_id, flags, 1, 0, 0, 1 if edns else 0)
    option = b"\0" + struct.pack("!HHIH", 41, edns, 0, len(options)) + options if edns else b""
    return head + labels + b"\0" + struct.pack("!HH", kind, 1) + option


class Parsed:
    """An answer taken apart, names uncompressed."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        _, self.flags, questions, *counts = struct.unpack_from("!6H", packet)
        at = 12
        self.question = b""
        if questions:
            name, at = _name(packet, at)
            self.question = name + packet[at : at + 4]
            at += 4
        self.sections: list[list[Record]] = []
        for count in counts:
            section = []
            for _ in range(count):
                record, at = _record(packet, at)
                section.append(record)
            self.sections.append(section)
        assert at == len(packet), "bytes are left over"

    @property
    def rcode(self) -> int:
        return self.flags & 0x0F

    def shape(self) -> tuple[Any, ...]:
        """What must agree however the records are shuffled."""
        return self.flags, self.question, [sorted(section) for section in self.sections]

    def outline(self) -> tuple[Any, ...]:
        """What must agree when even the choice of records is random: how many of which type, with which TTL."""
        kinds = [sorted((kind, ttl, dns_class) for _, kind, dns_class, ttl, _ in section) for section in self.sections]
        return self.flags, self.question, kinds


def _name(packet: bytes, at: int) -> tuple[bytes, int]:
    out, end = b"", -1
    while packet[at]:
        if packet[at] >= 0xC0:
            end = at + 2 if end < 0 else end
            at = (packet[at] & 0x3F) << 8 | packet[at + 1]
            continue
        out += packet[at : at + 1 + packet[at]]
        at += 1 + packet[at]
    return out + b"\0", at + 1 if end < 0 else end


def _record(packet: bytes, at: int) -> tuple[Record, int]:
    owner, at = _name(packet, at)
    kind, dns_class, ttl, size = struct.unpack_from("!HHIH", packet, at)
    at += 10
    end = at + size
    data = packet[at:end]
    if kind in (2, 5, 12):
        data = _name(packet, at)[0]
    elif kind == 6:
        first, next_at = _name(packet, at)
        second, next_at = _name(packet, next_at)
        # Without the serial, which is the time.
        data = first + second + packet[next_at + 4 : end]
    return (owner, kind, dns_class, ttl, data), end
