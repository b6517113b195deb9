"""DNS messages on the wire (RFC 1035, RFC 6891): questions in, answers out.

Names are kept in their uncompressed wire form with the case they were written in. Compression does what the original
does: it compares suffixes with their case, points only to offsets below 16384, never compresses inside SRV, and yet
remembers SRV targets as something later names may point to. Pure.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_BYTES = 12
NAME_BYTES_MAX = 255
LABEL_BYTES_MAX = 63
# The length prefix of TCP has 16 bits.
MESSAGE_BYTES_MAX = 65535
# A pointer has 14 bits.
POINTER_OFFSET_MAX = 1 << 14

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, IXFR, AXFR, ANY = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 251, 252, 255
IN = 1

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 2, 3, 4, 5

QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPCODE = 0x7800
OPCODE_NOTIFY = 4 << 11

EDNS_SUBNET = 8

# Record types with data of one length.
_LENGTHS = {A: 4, AAAA: 16}
# Record types with names that may be compressed (RFC 1035; SRV's are not, but some servers do): bytes before the names,
# number of names, bytes after them.
_NAMES_IN = {NS: (0, 1, 0), CNAME: (0, 1, 0), SOA: (0, 2, 20), PTR: (0, 1, 0), MX: (2, 1, 0), SRV: (6, 1, 0)}

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_SRV = struct.Struct("!HHH")
_SOA = struct.Struct("!5I")


class FormError(Exception):
    """A message that cannot be read. ``question`` says whether the question could, so that it can be echoed."""

    def __init__(self, query: DnsQuery | None = None) -> None:
        super().__init__("malformed message")
        self.query = query


class Unpackable(Exception):
    """A name with a label over 63 bytes or over 255 bytes in all."""


class Edns(NamedTuple):
    """What a query's OPT record says. ``subnet`` is the client-subnet option to echo, scope zeroed."""

    udp_bytes: int
    subnet: bytes = b""


class DnsQuery(NamedTuple):
    """One question. ``name`` has the case as asked; ``flags`` are the query's own."""

    id: int
    flags: int
    name: bytes
    kind: int
    dns_class: int
    edns: Edns | None
    # The address it came from, where that is known.
    client: str = ""


class ResourceRecord(NamedTuple):
    """A resource record: rdata is ``head``, then ``names``, then ``tail``. Equal records are duplicates."""

    owner: bytes
    kind: int
    ttl_s: int
    head: bytes
    names: tuple[bytes, ...] = ()
    tail: bytes = b""


class DnsReply:
    """An answer before it is encoded."""

    __slots__ = (
        "additional",
        "answer",
        "authoritative",
        "authority",
        "rcode",
        "recursion_available",
        "subnet_specific",
        "truncated",
    )

    def __init__(self) -> None:
        self.rcode = NOERROR
        self.authoritative = True
        self.recursion_available = False
        self.truncated = False
        # The answer was made for the client's subnet, so caches must not give it to others.
        self.subnet_specific = False
        self.answer: list[ResourceRecord] = []
        self.authority: list[ResourceRecord] = []
        self.additional: list[ResourceRecord] = []


# Names.


def pack_name(text: str) -> bytes:
    """A dotted name to wire form; no escapes. Raises Unpackable."""
    out = bytearray()
    for label in text.rstrip(".").split(".") if text.strip(".") else ():
        raw = label.encode("utf-8", "surrogateescape")
        if not 0 < len(raw) <= LABEL_BYTES_MAX:
            raise Unpackable(text)
        out.append(len(raw))
        out += raw
    out.append(0)
    if len(out) > NAME_BYTES_MAX:
        raise Unpackable(text)
    return bytes(out)


_SPECIAL = frozenset(b'"().;@$\\ ')


def unpack_name(wire: bytes) -> list[str]:
    """The labels of a wire name in presentation form: special bytes are escaped, so they never equal a plain name."""
    labels = []
    at = 0
    while wire[at]:
        raw = wire[at + 1 : at + 1 + wire[at]]
        at += 1 + len(raw)
        if raw.isalnum():
            labels.append(raw.decode("ascii"))
            continue
        labels.append(
            "".join(
                f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte) if 0x20 < byte < 0x7F else f"\\{byte:03d}"
                for byte in raw
            )
        )
    return labels


# Records.


def address_record(owner: bytes, ttl_s: int, packed: bytes) -> ResourceRecord:
    return ResourceRecord(owner, A if len(packed) == 4 else AAAA, ttl_s, packed)


def name_record(owner: bytes, kind: int, ttl_s: int, target: bytes) -> ResourceRecord:
    """A CNAME, NS or PTR record."""
    return ResourceRecord(owner, kind, ttl_s, b"", (target,))


def srv_record(owner: bytes, ttl_s: int, weight: int, port: int, target: bytes) -> ResourceRecord:
    return ResourceRecord(owner, SRV, ttl_s, _SRV.pack(1, weight & 0xFFFF, port & 0xFFFF), (target,))


def txt_record(owner: bytes, ttl_s: int, text: str) -> ResourceRecord:
    """One text; over 255 bytes it is split into several strings, as resolvers join them again."""
    raw = text.encode("utf-8", "surrogateescape")
    parts = [raw[at : at + 255] for at in range(0, len(raw), 255)] or [b""]
    return ResourceRecord(owner, TXT, ttl_s, b"".join(bytes([len(part)]) + part for part in parts))


def soa_record(
    owner: bytes, ttl_s: int, names: tuple[bytes, bytes], numbers: tuple[int, int, int, int, int]
) -> ResourceRecord:
    """``names``: primary server and mailbox; ``numbers``: serial, refresh, retry, expire, minimum."""
    return ResourceRecord(owner, SOA, ttl_s, b"", names, _SOA.pack(*numbers))


# Reading.


def parse_query(packet: bytes) -> DnsQuery | None:
    """Read a query; None for what deserves no answer. Raises FormError for what does not parse.

    The name is empty when the question was not read: for operations other than a query, and for a bare header.
    Counts are held against what a query may carry: one question, at most one answer and authority record (dynamic
    zone notifications), two additional ones.
    """
    if len(packet) < HEADER_BYTES:
        return None
    query_id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(packet)
    if flags & QR:
        return None
    bare = DnsQuery(query_id, flags, b"", 0, 0, None)
    if flags & OPCODE not in (0, OPCODE_NOTIFY):
        return bare
    if questions != 1 or answers > 1 or authorities > 1 or additionals > 2:
        raise FormError(bare)
    if len(packet) == HEADER_BYTES:
        return bare
    try:
        name, kind, dns_class, at = _read_question(packet, HEADER_BYTES)
    except (FormError, IndexError):
        raise FormError(bare) from None
    query = DnsQuery(query_id, flags, name, kind, dns_class, None)
    if at == len(packet) or not (answers or authorities or additionals):
        return query
    try:
        return query._replace(edns=_read_records(packet, at, answers + authorities, additionals))
    except (FormError, IndexError, struct.error):
        raise FormError(query) from None


def read_name(packet: bytes, at: int) -> tuple[bytes, int]:
    """An uncompressed copy of the name at ``at`` and the position behind it. Pointers may only lead backwards."""
    parts = []
    size = 1
    end = -1
    floor = at
    while True:
        length = packet[at]
        if length == 0:
            break
        if length >= 0xC0:
            target = (length & 0x3F) << 8 | packet[at + 1]
            if end < 0:
                end = at + 2
            if target >= floor:
                raise FormError
            at = floor = target
            continue
        size += length + 1
        if length > LABEL_BYTES_MAX or size > NAME_BYTES_MAX or at + 1 + length > len(packet):
            raise FormError
        parts.append(packet[at : at + 1 + length])
        at += 1 + length
    return b"".join(parts) + b"\0", end if end >= 0 else at + 1


def _read_short(packet: bytes, at: int) -> tuple[int, int]:
    """Two bytes. Raises IndexError."""
    return packet[at] << 8 | packet[at + 1], at + 2


def _read_question(packet: bytes, at: int) -> tuple[bytes, int, int, int]:
    """Name, type, class and the position behind them. What is missing at the end of the packet counts as zero, as
    for the original: all of the type, all or half of the class. Raises FormError or IndexError."""
    name, at = read_name(packet, at)
    if at == len(packet):
        return name, 0, 0, at
    kind, at = _read_short(packet, at)
    if len(packet) - at < 2:
        return name, kind, 0, len(packet)
    dns_class, at = _read_short(packet, at)
    return name, kind, dns_class, at


def _read_records(packet: bytes, at: int, skipped: int, additionals: int) -> Edns | None:
    edns = None
    for number in range(skipped + additionals):
        if at == len(packet):
            break
        record, dns_class, at = read_record(packet, at)
        if record.kind == OPT and number >= skipped:
            edns = Edns(dns_class, _read_subnet(record.head))
    return edns


def read_record(packet: bytes, at: int) -> tuple[ResourceRecord, int, int]:
    """The record at ``at`` with whole names, its class, and the position behind it.

    Types that hold no names, or that are not known to, keep their data as it is. Raises FormError, IndexError or
    struct.error.
    """
    owner, at = read_name(packet, at)
    kind, dns_class, ttl_s, length = _RECORD.unpack_from(packet, at)
    at += _RECORD.size
    end = at + length
    if end > len(packet) or length != _LENGTHS.get(kind, length):
        raise FormError
    before, names, after = _NAMES_IN.get(kind, (0, 0, 0))
    if not names or not length:
        return ResourceRecord(owner, kind, ttl_s, packet[at:end]), dns_class, end
    head = packet[at : at + before]
    at += before
    found = []
    for _ in range(names):
        name, at = read_name(packet, at)
        found.append(name)
    if at + after != end:
        raise FormError
    return ResourceRecord(owner, kind, ttl_s, head, tuple(found), packet[at:end]), dns_class, end


def _read_subnet(options: bytes) -> bytes:
    """The client-subnet option in the form it is echoed; empty when there is none. Raises FormError."""
    at = 0
    found = b""
    while at < len(options):
        if at + 4 > len(options):
            raise FormError
        code, length = struct.unpack_from("!HH", options, at)
        data = options[at + 4 : at + 4 + length]
        if len(data) < length:
            raise FormError
        at += 4 + length
        if code == EDNS_SUBNET:
            found = _subnet(data)
    return found


def _subnet(data: bytes) -> bytes:
    if len(data) < 4:
        raise FormError
    family, mask, scope = struct.unpack_from("!HBB", data)
    bits = {0: 0, 1: 32, 2: 128}.get(family, -1)
    if bits < 0 or mask > bits or (family and scope > bits):
        raise FormError
    size = (mask + 7) // 8
    number = int.from_bytes(data[4:].ljust(bits // 8, b"\0")[: bits // 8], "big")
    kept = (number >> (bits - mask) << (bits - mask)).to_bytes(bits // 8, "big")[:size]
    body: bytes = struct.pack("!HBB", family, mask, 0) + kept
    return struct.pack("!HH", EDNS_SUBNET, len(body)) + body


# Writing.


def encode(query: DnsQuery, reply: DnsReply, *, compress: bool) -> bytes:
    """The whole message, the query's id included."""
    records = len(reply.answer), len(reply.authority), len(reply.additional) + (query.edns is not None)
    flags = QR | reply.rcode | _echoed(query)
    flags |= (AA if reply.authoritative else 0) | (RA if reply.recursion_available else 0)
    flags |= TC if reply.truncated else 0
    out = bytearray(_HEADER.pack(query.id, flags, 1, *records))
    seen: dict[bytes, int] | None = {} if compress else None
    _write_name(out, query.name, seen, True)
    out += struct.pack("!HH", query.kind, query.dns_class)
    for section in (reply.answer, reply.authority, reply.additional):
        for record in section:
            _write_record(out, record, seen)
    if query.edns is not None:
        # `opt_bytes` tells its size.
        subnet = query.edns.subnet
        if subnet and reply.subnet_specific and reply.rcode == NOERROR:
            # The scope, the fourth field of the option's body, becomes the source's mask.
            subnet = subnet[:7] + subnet[6:7] + subnet[8:]
        out += b"\0" + _RECORD.pack(OPT, query.edns.udp_bytes, 0, len(subnet)) + subnet
    return bytes(out)


def opt_bytes(query: DnsQuery) -> int:
    """How much of an answer its OPT record takes."""
    return 0 if query.edns is None else 1 + _RECORD.size + len(query.edns.subnet)


def _write_name(out: bytearray, name: bytes, seen: dict[bytes, int] | None, compress: bool) -> None:
    if seen is None or name == b"\0":
        out += name
        return
    start = len(out)
    at = 0
    while name[at]:
        suffix = name[at:]
        pointer = seen.get(suffix)
        if pointer is None:
            if start + at < POINTER_OFFSET_MAX:
                seen[suffix] = start + at
        elif compress:
            out += name[:at]
            out.append(0xC0 | pointer >> 8)
            out.append(pointer & 0xFF)
            return
        at += 1 + name[at]
    out += name


def _write_record(out: bytearray, record: ResourceRecord, seen: dict[bytes, int] | None) -> None:
    owner, kind, ttl_s, head, names, tail = record
    _write_name(out, owner, seen, True)
    if not names:
        out += _RECORD.pack(kind, IN, ttl_s, len(head)) + head
        return
    out += _RECORD.pack(kind, IN, ttl_s, 0)
    start = len(out)
    out += head
    for name in names:
        _write_name(out, name, seen, kind != SRV)
    out += tail
    struct.pack_into("!H", out, start - 2, len(out) - start)


def refusal(query: DnsQuery, rcode: int, *, question: bool) -> bytes:
    """An answer without records: a header, and the question when it could be read.

    A message that was not understood is given back with the flags it came with, and as a query when it is malformed;
    one that was has the flags of any other answer.
    """
    if rcode == FORMERR:
        flags = query.flags & (TC | RD | RA | AD | CD)
    elif rcode == NOTIMP:
        flags = query.flags & (OPCODE | TC | RD | RA | AD | CD)
    else:
        flags = _echoed(query)
    out = struct.pack("!6H", query.id, QR | flags | rcode, 1 if question else 0, 0, 0, 0)
    if question:
        out += query.name + struct.pack("!HH", query.kind, query.dns_class)
    return out


def _echoed(query: DnsQuery) -> int:
    """The flags of ``query`` that its answer repeats."""
    operation = query.flags & OPCODE
    return operation or query.flags & (RD | CD)
