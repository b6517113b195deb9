"""The audit stream of one agent: its sinks, opened before anybody is answered and closed after the last answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from proconsul.agent.audit.door import AuditedDoor, Who
from proconsul.agent.audit.sinks import Output, RotatedFile, Sink, StandardOutput
from proconsul.agent.config.runtime_sinks import AuditConfig, AuditSink
from proconsul.agent.part import Part
from proconsul.engine.http.protocol import Application
from proconsul.features.errors import ConsulError
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError


class Audit(Part):
    """Nothing happens where it is not enabled."""

    def __init__(self, config: AuditConfig, data_dir: str, plugins: PluginHost) -> None:
        """Relative paths are below ``data_dir``, as in the documents."""
        self._sinks = [_sink(sink, Path(data_dir), plugins) for sink in (config.sinks if config.enabled else ())]
        self._door: AuditedDoor | None = None

    def door(self, door: Application, who: Who) -> Application:
        """``door``, audited if that is asked for."""
        if not self._sinks:
            return door
        self._door = AuditedDoor(door, self._sinks, who)
        return self._door

    async def start(self) -> None:
        """Raises ConsulError for a file that cannot be opened, and a plug-in that cannot be used."""
        for sink in self._sinks:
            try:
                sink.start()
            except (OSError, PluginError) as error:
                raise ConsulError(f"failed to open the audit log: sink={sink.name} error={error}") from None

    async def stop(self) -> None:
        if self._door is not None:
            await self._door.settle()
        for sink in self._sinks:
            await asyncio.to_thread(sink.stop)


def _sink(sink: AuditSink, below: Path, plugins: PluginHost) -> Sink:
    if sink.use is not None:
        from proconsul.agent.audit.plugin_output import LINES_MAX, PluginOutput

        output = PluginOutput(plugins, sink.use, sink.name)
        return Sink(sink.name, output, enforced=sink.enforced, lines_max=LINES_MAX)
    return Sink(sink.name, _output(sink, below), enforced=sink.enforced)


def _output(sink: AuditSink, below: Path) -> Output:
    if sink.type == "stdout":
        return StandardOutput()
    return RotatedFile(
        below / sink.path, rotate_s=sink.rotate_s, rotate_bytes=sink.rotate_bytes, files_max=sink.rotate_max_files,
        mode=sink.mode,
    )  # fmt: skip
