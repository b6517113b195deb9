"""What memberlist's core asks its driver to do. Values only."""

from __future__ import annotations

from typing import NamedTuple

from proconsul.engine.wire.hostport import Address


class SendPacket(NamedTuple):
    """Send these messages in one datagram; ``crc`` puts a checksum before them."""

    to: Address
    messages: list[bytes]
    crc: bool = False
    name: str = ""


class StreamPing(NamedTuple):
    """Ping over TCP; tell the outcome to `Swim.stream_pinged` with ``number`` before ``deadline``."""

    to: Address
    name: str
    number: int
    deadline: float


class StartPushPull(NamedTuple):
    """Exchange full states over TCP, then call `Swim.merge`."""

    to: Address
    name: str


class Log(NamedTuple):
    """A line for the operator. ``level`` is a name of the standard library's levels in lower case."""

    level: str
    text: str


Effect = SendPacket | StreamPing | StartPushPull | Log
