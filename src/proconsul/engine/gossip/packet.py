"""memberlist's datagrams: what wraps the messages, put on and taken off.

Pure but for the nonces of the keyring. From the outside in: label, encryption, CRC, then a typed message, which may be
a compressed message or a compound of several, and those again. Everything but the message is optional.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from proconsul.engine.gossip.codec import BadMessage, GossipError, decode
from proconsul.engine.gossip.keyring import OVERHEAD, DecryptError, Keyring
from proconsul.engine.gossip.lzw import LzwTooLarge, decompress
from proconsul.engine.gossip.messages import Compress, Kind

# UDP payload memberlist fills at most, below the usual MTU; serf's answers to queries may be as long.
PACKET_BYTES_MAX = 1400
# What a compound adds to each of its parts, and to the whole.
PART_OVERHEAD = 2
COMPOUND_OVERHEAD = 2
# Releases before memberlist 0.5 fail on compounds of more parts, though a count of 255 is legal.
PARTS_MAX = 127
# memberlist's labels have a length of one byte.
LABEL_BYTES_MAX = 255
_LABEL_HEADER = 2
CRC_OVERHEAD = 5

# The largest datagram there is: compressing may not make one worth more than it could have carried plain.
INFLATED_BYTES_MAX = 64 << 10
# Honest nesting is compress around compound; the rest leaves room for a sender that wraps the other way round too.
DEPTH_MAX = 4
# Two full compounds: 1400 bytes hold some 90 of the smallest messages, and nested ones cannot multiply beyond this.
MESSAGES_MAX = 2 * 255

_LZW = 0
_U32 = struct.Struct(">I")


class Dropped(GossipError):
    """A datagram, or a part of one, that is not used. ``reason`` is one short word to count by, the text says more."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Opened(NamedTuple):
    """What a datagram held: its messages, each with its type byte, and why the rest of it was not used, if so."""

    messages: list[bytes]
    dropped: Dropped | None = None


class PacketCodec:
    """Opens and seals the datagrams of one pool. Changes of the keyring take effect at once."""

    def __init__(
        self, label: bytes = b"", keyring: Keyring | None = None, *,
        verify_incoming: bool = True, verify_outgoing: bool = True,
    ) -> None:  # fmt: skip
        """``verify_incoming`` off: what cannot be decrypted is read as it came. ``verify_outgoing`` off: send plain."""
        self._label = label
        self._prefix = label_prefix(label)
        self._keyring = keyring
        self._verify_incoming = verify_incoming
        self._seals = keyring is not None and verify_outgoing

    def open(self, datagram: bytes) -> Opened:
        """The messages of a datagram. Raises Dropped when there is none to be had.

        Reasons: empty, label, decrypt, crc, compress, compress-bomb, truncated, depth, count.
        """
        data = self._decrypted(self._unlabelled(datagram))
        if data[:1] == b"\x0c":
            # Legal only here: a CRC inside a compound or a compressed message is a message of an unknown type.
            data = _checked(data)
        if not data:
            raise Dropped("empty", "empty packet")
        if data[0] not in _WRAPPERS:
            return Opened([data])
        opening = _Opening()
        try:
            opening.unwrap(data, 0)
        except Dropped as fault:
            opening.fault = fault
        if opening.fault is not None and not opening.messages:
            raise opening.fault
        return Opened(opening.messages, opening.fault)

    def seal(self, messages: Sequence[bytes], *, crc: bool = False) -> bytes:
        """One datagram of 1..PARTS_MAX messages. ``crc``: the receiver's protocol maximum is known to be 5 or more.

        It is never compressed. The protocol leaves that to the sender, and LZW here costs more than the bytes it saves.
        """
        assert 1 <= len(messages) <= PARTS_MAX
        data = messages[0] if len(messages) == 1 else _compound(messages)
        if crc:
            data = b"\x0c" + _U32.pack(crc32(data)) + data
        if self._seals:
            assert self._keyring is not None
            data = self._keyring.encrypt(data, self._label)
        return self._prefix + data

    def budget(self, own_bytes: int) -> int:
        """Bytes left for further messages beside one of ``own_bytes``; each of them costs PART_OVERHEAD more.

        As memberlist counts: the CRC is not taken into account, nor the own message's entry in the compound.
        """
        sealing = len(self._prefix) + (OVERHEAD[1] if self._seals else 0)
        return PACKET_BYTES_MAX - sealing - own_bytes - COMPOUND_OVERHEAD

    def _unlabelled(self, datagram: bytes) -> bytes:
        if datagram[:1] != b"\xf4":
            if self._label:
                raise Dropped("label", "packet without a label")
            return datagram
        end = _LABEL_HEADER + (datagram[1] if len(datagram) > 1 else 0)
        if end == _LABEL_HEADER or len(datagram) < end:
            raise Dropped("label", "damaged label")
        if datagram[_LABEL_HEADER:end] != self._label:
            raise Dropped("label", "packet of another label")
        return datagram[end:]

    def _decrypted(self, data: bytes) -> bytes:
        if self._keyring is None:
            return data
        try:
            return self._keyring.decrypt(data, self._label)
        except DecryptError as error:
            if self._verify_incoming:
                raise Dropped("decrypt", str(error)) from None
            return data


def label_prefix(label: bytes) -> bytes:
    """What precedes packets and streams of a pool with ``label``: nothing when it is empty. Raises GossipError."""
    if len(label) > LABEL_BYTES_MAX:
        raise GossipError(f"label of {len(label)} bytes, limit is {LABEL_BYTES_MAX}")
    return bytes((Kind.LABEL, len(label))) + label if label else b""


def _compound(messages: Sequence[bytes]) -> bytes:
    count = len(messages)
    return struct.pack(f">BB{count}H", Kind.COMPOUND, count, *map(len, messages)) + b"".join(messages)


def _checked(data: bytes) -> bytes:
    if len(data) < CRC_OVERHEAD:
        raise Dropped("truncated", "checksum is cut short")
    if crc32(memoryview(data)[CRC_OVERHEAD:]) != _U32.unpack_from(data, 1)[0]:
        raise Dropped("crc", "checksum does not match")
    return data[CRC_OVERHEAD:]


_WRAPPERS = frozenset((Kind.COMPOUND, Kind.COMPRESS))


class _Opening:
    """Unwraps one datagram, within what one datagram may cost.

    Parts beside a faulty one are kept: they are whole, and the original uses them too.
    """

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.fault: Dropped | None = None
        self._inflated_left = INFLATED_BYTES_MAX

    def unwrap(self, data: bytes, depth: int) -> None:
        """Take the messages in ``data``, in their order. Raises Dropped when they are not to be had."""
        if not data:
            raise Dropped("empty", "empty message in a packet")
        if data[0] not in _WRAPPERS:
            if len(self.messages) >= MESSAGES_MAX:
                raise Dropped("count", f"more than {MESSAGES_MAX} messages in a packet")
            self.messages.append(data)
            return
        if depth >= DEPTH_MAX:
            raise Dropped("depth", f"packet nested deeper than {DEPTH_MAX}")
        if data[0] == Kind.COMPRESS:
            self.unwrap(self._inflated(data), depth + 1)
            return
        for part in self._parts(data):
            try:
                self.unwrap(part, depth + 1)
            except Dropped as fault:
                if fault.reason in _FINAL:
                    raise
                self.fault = fault

    def _inflated(self, data: bytes) -> bytes:
        try:
            plain = inflate(data[1:], self._inflated_left)
        except LzwTooLarge as error:
            raise Dropped("compress-bomb", str(error)) from None
        except GossipError as error:
            raise Dropped("compress", str(error)) from None
        self._inflated_left -= len(plain)
        return plain

    def _parts(self, data: bytes) -> list[bytes]:
        count = data[1] if len(data) > 1 else 0
        start = COMPOUND_OVERHEAD + 2 * count
        if len(data) < start:
            raise Dropped("truncated", "compound is cut short")
        parts: list[bytes] = []
        for length in struct.unpack_from(f">{count}H", data, COMPOUND_OVERHEAD):
            end = start + length
            if end > len(data):
                self.fault = Dropped("truncated", f"compound is cut short after {len(parts)} of {count} parts")
                break
            parts.append(data[start:end])
            start = end
        return parts


# After these nothing more is taken from a datagram: it costs too much already.
_FINAL = frozenset(("count", "compress-bomb"))


def inflate(body: bytes | memoryview, output_bytes_max: int) -> bytes:
    """The typed message in a compressed one (without its type byte). Raises LzwTooLarge, LzwError or BadMessage."""
    compressed = decode(Compress, body)
    if compressed.Algo != _LZW:
        raise BadMessage(f"Cannot decompress unknown algorithm {compressed.Algo}")
    return decompress(compressed.Buf, output_bytes_max)
