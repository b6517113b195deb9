"""Metrics for statsd, dogstatsd and statsite, as lines of text (Consul docs: telemetry).

Consul sends each value as it comes; an agent of ours sends what ten seconds came to. Counters are sums. Of samples the
smallest and the largest value are sent, and for the others their mean, with the rate (``@0.01``) that makes the
receiver count all of them. So number, sum, least and most are right; percentiles in between are nearer to the mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from proconsul.engine.complaints import Complaints
from proconsul.engine.dial import dial, resolve
from proconsul.engine.lookup import host_and_port
from proconsul.engine.streams import put

if TYPE_CHECKING:
    from proconsul.plugins.protocols import Metric, MetricsInterval

__all__ = ["DatagramSink", "StreamSink", "dogstatsd_lines", "packets", "statsd_lines"]

log = logging.getLogger("agent")

# What go-metrics puts into one datagram.
PACKET_BYTES_MAX = 1400
# statsite knows no rates for samples: so often a mean stands for the values that it is of.
_REPEATED_MAX = 100
_STATSD = str.maketrans({":": "_", " ": "_", "\n": "_", "|": "_", "@": "_"})
_DOGSTATSD = str.maketrans({" ": "_", "\n": "_", "|": "_", ",": "_", "#": "_"})


def _values(metric: Metric, *, rates: bool) -> Iterator[tuple[float, str]]:
    """The values that stand for a sample, each with its rate as it is written."""
    rest = metric.count - 2
    yield metric.min, ""
    if rest >= 0:
        yield metric.max, ""
    if rest > 0:
        mean = (metric.sum - metric.min - metric.max) / rest
        if rates:
            yield mean, f"|@{1 / rest:.6g}" if rest > 1 else ""
        else:
            yield from [(mean, "")] * min(rest, _REPEATED_MAX)


def statsd_lines(metric: Metric, host: str, *, rates: bool = True) -> Iterator[str]:
    """Lines of one metric; labels are parts of its name, and so is ``host`` of a gauge, unless it is empty."""
    parts = [metric.name, *(value for _, value in metric.labels)]
    if metric.kind == "gauge" and host:
        prefix, _, rest = metric.name.partition(".")
        parts[0] = f"{prefix}.{host}.{rest}"
    return _lines(".".join(parts), metric, f"{metric.sum:.6f}", rates=rates)


def dogstatsd_lines(metric: Metric, tags: Sequence[str]) -> Iterator[str]:
    """Lines of one metric; its labels are tags, behind those of the configuration."""
    own = [f"{key}:{value}".translate(_DOGSTATSD) for key, value in metric.labels]
    end = f"|#{','.join([*tags, *own])}" if tags or own else ""
    return _lines(metric.name, metric, f"{metric.sum:.0f}", end=end)


def _lines(name: str, metric: Metric, counted: str, *, rates: bool = True, end: str = "") -> Iterator[str]:
    """``counted``: the sum of a counter as it is written; ``end``: of every line."""
    name = name.translate(_STATSD)
    if metric.kind == "gauge":
        yield f"{name}:{metric.sum:.6f}|g{end}"
    elif metric.kind == "counter":
        yield f"{name}:{counted}|c{end}"
    else:
        for value, rate in _values(metric, rates=rates):
            yield f"{name}:{value:.6f}|ms{rate}{end}"


def packets(lines: Iterable[str]) -> Iterator[bytes]:
    """Whole lines, as many as fit into a datagram."""
    packet = b""
    for text in lines:
        line = text.encode("utf-8", "replace") + b"\n"
        if packet and len(packet) + len(line) > PACKET_BYTES_MAX:
            yield packet
            packet = b""
        packet += line
    if packet:
        yield packet


class _NetworkSink:
    """Somewhere else; what cannot be sent is lost, and told of once."""

    def __init__(self, kind: str, address: str) -> None:
        self._kind, self._address = kind, address
        self._complaints = Complaints()

    def complain(self, error: BaseException) -> None:
        """``error`` kept an interval from being sent."""
        if self._complaints.is_new(self._kind, str(error) or type(error).__name__):
            log.warning("metrics could not be sent: sink=%s address=%s error=%s", self._kind, self._address, error)

    def well(self) -> None:
        """An interval was sent."""
        if self._complaints.over(self._kind):
            log.info("metrics are sent again: sink=%s address=%s", self._kind, self._address)


class DatagramSink(_NetworkSink):
    """statsd over UDP, or dogstatsd with ``tags``."""

    def __init__(self, address: str, host: str = "", tags: Sequence[str] | None = None) -> None:
        super().__init__("statsd" if tags is None else "dogstatsd", address)
        self._host, self._tags = host, tags

    async def emit(self, interval: MetricsInterval, timeout_s: float) -> None:
        """Raises OSError, DialError and TimeoutError."""
        host, port = host_and_port(self._address, "udp")
        async with asyncio.timeout(timeout_s):
            address = (await resolve(host, port))[0] or "127.0.0.1"
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.connect((address, port))
            for packet in packets(self._lines(interval)):
                with contextlib.suppress(BlockingIOError):  # its buffer is full: datagrams may be lost
                    sender.send(packet)

    def _lines(self, interval: MetricsInterval) -> Iterator[str]:
        for metric in interval.metrics:
            if self._tags is None:
                yield from statsd_lines(metric, self._host)
            else:
                yield from dogstatsd_lines(metric, self._tags)

    async def close(self) -> None:
        """It holds nothing between intervals."""


class StreamSink(_NetworkSink):
    """statsite over TCP: a connection for each interval, so that none is held that has died unnoticed."""

    def __init__(self, address: str, host: str = "") -> None:
        super().__init__("statsite", address)
        self._host = host

    async def emit(self, interval: MetricsInterval, timeout_s: float) -> None:
        """Raises OSError, DialError and TimeoutError."""
        lines = (line for metric in interval.metrics for line in statsd_lines(metric, self._host, rates=False))
        host, port = host_and_port(self._address)
        async with asyncio.timeout(timeout_s):
            _, writer = await dial(host, port)
            try:
                for packet in packets(lines):
                    put(writer, packet)
                    await writer.drain()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def close(self) -> None:
        """It holds nothing between intervals."""
