"""What somebody without good intentions sends to a gossip member. All of it comes from seeds, so it can be repeated."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.keyring import Keyring
from proconsul.engine.gossip.messages import Alive, Dead, Kind, Ping, Suspect
from proconsul.engine.gossip.packet import PacketCodec

VERSIONS = bytes((1, 5, 2, 2, 5, 4))


class Target(NamedTuple):
    """Where a member listens."""

    host: str
    port: int


def noise_packets(rng: random.Random, captured: list[bytes], count: int) -> Iterator[bytes]:
    """Random bodies under every type, captured packets, and these with a few bytes changed or their end cut off."""
    for number in range(count):
        shape = number % 4
        if shape == 0:
            yield bytes((number // 4 % 256,)) + rng.randbytes(rng.randrange(200))
        elif shape == 1:
            yield rng.choice(captured)
        elif shape == 2:
            changed = bytearray(rng.choice(captured))
            for _ in range(rng.randrange(1, 6)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            yield bytes(changed)
        else:
            whole = rng.choice(captured)
            yield whole[: rng.randrange(len(whole))]


def false_births(names: list[str]) -> Iterator[bytes]:
    """``names`` are said to be somewhere else."""
    for name in names:
        for incarnation in (1, 70, 2**31):
            yield codec.encode(Kind.ALIVE, Alive(incarnation, name, bytes((127, 9, 9, 9)), 9, b"", VERSIONS))
        yield codec.encode(Kind.PING, Ping(1, "not " + name))


def false_deaths(names: list[str]) -> Iterator[bytes]:
    """``names`` are said to be suspected, dead, and gone on purpose."""
    for name in names:
        for incarnation in (0, 1, 2, 50):
            yield codec.encode(Kind.SUSPECT, Suspect(incarnation, name, "mallory"))
            yield codec.encode(Kind.DEAD, Dead(incarnation, name, "mallory"))
        yield codec.encode(Kind.DEAD, Dead(60, name, name))


def sealed(messages: Iterator[bytes], key: bytes) -> Iterator[bytes]:
    """The same under a key."""
    packets = PacketCodec(b"", Keyring([key]))
    for message in messages:
        yield packets.seal([message], crc=False)


def send_packets(target: Target, packets: Iterator[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in packets:
            sender.sendto(packet[:65_000], target)


def noise_streams(rng: random.Random, captured: list[bytes]) -> Iterator[bytes]:
    """Every type with a random body, and messages that say they are longer than memory."""
    for kind in range(256):
        yield bytes((kind,)) + rng.randbytes(rng.randrange(64))
    for length in (0, 1, 2**31 - 1, 2**32 - 1):
        yield struct.pack(">BI", Kind.ENCRYPT, length) + rng.randbytes(40)
    for nodes, state in ((2**31, 0), (2**63, 0), (-1, 0), (1, 2**31), (1, -5), (2**20, 2**24)):
        header = b"\x83\xa5Nodes" + _integer(nodes) + b"\xacUserStateLen" + _integer(state) + b"\xa4Join\xc3"
        yield bytes((Kind.PUSH_PULL,)) + header + rng.randbytes(200)
    yield bytes((Kind.USER,)) + b"\x81\xaaUserMsgLen" + _integer(2**40)
    yield bytes((Kind.PUSH_PULL,)) + b"\x91" * 100_000  # as deep as it is long
    yield bytes((Kind.PUSH_PULL,)) + b"\xdf\xff\xff\xff\xff"  # four thousand million entries
    yield from captured


def _integer(value: int) -> bytes:
    return struct.pack(">Bq", 0xD3, value) if value < 0 else struct.pack(">BQ", 0xCF, value)


def send_streams(target: Target, streams: Iterator[bytes]) -> None:
    """Each on a connection of its own, whose answer nobody reads."""
    for data in streams:
        with contextlib.suppress(OSError), socket.create_connection(target, timeout=5) as connection:
            connection.sendall(data)


@contextlib.contextmanager
def half_open(target: Target, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """That many connections, which have sent ``first`` and nothing more. As many as let us are there."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = socket.create_connection(target, timeout=5)
                connections.append(connection)
                connection.sendall(first)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def pour(target: Target, connections: int, bytes_each: int) -> None:
    """Messages that never end, on many connections at once."""
    head = bytes((Kind.PUSH_PULL,)) + b"\x83\xa5Nodes\x01\xacUserStateLen" + _integer(19 << 20) + b"\xa4Join\xc3"
    piece = b"\0" * (1 << 20)
    with half_open(target, connections, head) as opened:
        for _ in range(bytes_each // len(piece)):
            for connection in opened:
                with contextlib.suppress(OSError):
                    connection.sendall(piece)
