"""Hands every finished interval of metrics to statsd, dogstatsd, statsite, and the plug-ins of ``telemetry.sinks``
(ours; docs/plugins.md)."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, Protocol

from proconsul.agent.config.runtime import TelemetryConfig
from proconsul.agent.config.runtime_sinks import PluginUse
from proconsul.agent.part import Part
from proconsul.agent.telemetry.metrics import INTERVAL_S, Interval, Metrics
from proconsul.engine.meters import Sample
from proconsul.features.errors import ConsulError
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError, PluginKind

if TYPE_CHECKING:  # agents without sinks have no use for them
    from proconsul.plugins.calling import PluginInstance
    from proconsul.plugins.protocols import Metric, MetricsInterval

log = logging.getLogger("agent")

# A call is over before the next interval is.
EMIT_TIMEOUT_S: Final = 8.0
# At a stop, where others wait.
LAST_TIMEOUT_S: Final = 2.0


def interval_of(metrics: Metrics, interval: Interval, duration_s: float = INTERVAL_S) -> MetricsInterval:
    """An interval as sinks get it, by kind and name."""
    from proconsul.plugins.protocols import MetricsInterval

    return MetricsInterval(interval.start, duration_s, tuple(_metrics(metrics, interval)))


def _metrics(metrics: Metrics, interval: Interval) -> Iterator[Metric]:
    from proconsul.plugins.protocols import Metric

    for (name, labels), value in sorted(interval.gauges.items()):
        yield Metric("gauge", metrics.full_name(name), tuple(sorted(labels)), 1, value, value, value)
    yield from _aggregates(metrics, "counter", interval.counters)
    yield from _aggregates(metrics, "sample", interval.samples)


def _aggregates(
    metrics: Metrics, kind: Literal["counter", "sample"], found: dict[tuple[str, tuple[tuple[str, str], ...]], Sample]
) -> Iterator[Metric]:
    from proconsul.plugins.protocols import Metric

    for name, labels in sorted(found):
        one = found[name, labels]
        spread = one.stddev()
        yield Metric(
            kind, metrics.full_name(name), tuple(sorted(labels)), one.count, one.total, one.minimum, one.maximum,
            spread if math.isfinite(spread) else 0.0,
        )  # fmt: skip


class MetricsSink(Protocol):
    """Where metrics go."""

    async def emit(self, interval: MetricsInterval, timeout_s: float) -> object:
        """Take one interval. May raise anything; the interval is lost then."""

    def complain(self, error: BaseException) -> None:
        """``error`` was raised."""

    def well(self) -> None:
        """Nothing was raised."""

    async def close(self) -> None:
        """No more comes."""


class _PluginSink:
    """A plug-in as a sink."""

    def __init__(self, instance: PluginInstance) -> None:
        self._instance = instance
        self.complain, self.well, self.close = instance.complain, instance.well, instance.close

    async def emit(self, interval: MetricsInterval, timeout_s: float) -> object:
        """See `MetricsSink`."""
        return await self._instance.call("emit", interval, timeout_s=timeout_s)


def network_sinks(telemetry: TelemetryConfig) -> list[MetricsSink]:
    """Those that the configuration names by their addresses."""
    found: list[MetricsSink] = []
    host, tags = "" if telemetry.disable_hostname else socket.gethostname(), telemetry.dogstatsd_tags
    addresses = (telemetry.statsd_address, telemetry.statsite_address, telemetry.dogstatsd_address)
    if not any(addresses):
        return found
    from proconsul.agent.telemetry.statsd import DatagramSink, StreamSink

    if telemetry.statsd_address:
        found.append(DatagramSink(telemetry.statsd_address, host))
    if telemetry.statsite_address:
        found.append(StreamSink(telemetry.statsite_address, host))
    if telemetry.dogstatsd_address:
        found.append(DatagramSink(telemetry.dogstatsd_address, tags=tags))
    return found


class MetricsSinks(Part):
    """A task per sink, so that a slow one keeps nobody else waiting. Nothing runs without sinks."""

    def __init__(
        self, metrics: Metrics, plugins: PluginHost, uses: Sequence[PluginUse], sample: Callable[[], None],
        others: Sequence[MetricsSink] = (),
    ) -> None:  # fmt: skip
        """``sample`` brings ``metrics`` up to now. ``others`` are sinks that are no plug-ins."""
        self._metrics, self._plugins, self._uses, self._sample = metrics, plugins, uses, sample
        self._others = others
        self._sinks: list[_SinkTask] = []

    async def start(self) -> None:
        """Raises ConsulError for a plug-in that cannot be used."""
        sinks = list(self._others)
        for number, use in enumerate(self._uses):
            try:
                instance = self._plugins.instance(
                    PluginKind.METRICS_SINKS, use.plugin, use.plugin_config, f"metrics sink {number}"
                )
            except PluginError as error:
                raise ConsulError(f"telemetry.sinks[{number}]: {error}") from None
            sinks.append(_PluginSink(instance))
        self._sinks = [_SinkTask(self._metrics, sink) for sink in sinks]

    async def stop(self) -> None:
        """Hand over what there is, as far as the sinks take it now."""
        sinks, self._sinks = self._sinks, []
        if sinks:
            self._sample()
        await asyncio.gather(*(sink.stop() for sink in sinks))


class _SinkTask:
    """One sink, in its own time."""

    def __init__(self, metrics: Metrics, sink: MetricsSink) -> None:
        self._metrics, self._sink = metrics, sink
        self._done = -math.inf
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            now = self._metrics.now()
            # A little after the end of the interval, when it is certain to be over.
            await asyncio.sleep(INTERVAL_S - now % INTERVAL_S + 0.05)
            for interval in self._metrics.since(self._done):
                self._done = interval.start
                await self._emit(interval_of(self._metrics, interval), EMIT_TIMEOUT_S)

    async def _emit(self, interval: MetricsInterval, timeout_s: float) -> None:
        try:
            await self._sink.emit(interval, timeout_s)
        except Exception as error:
            self._sink.complain(error)
        else:
            self._sink.well()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        now = self._metrics.now()
        for interval in self._metrics.since(self._done, running=True):
            duration_s = min(now - interval.start, INTERVAL_S)
            await self._emit(interval_of(self._metrics, interval, duration_s), LAST_TIMEOUT_S)
        await self._sink.close()
