"""Audit events for a plug-in: from the thread of a sink to the event loop, where the plug-in is called (ours)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final

from proconsul.agent.config.runtime_sinks import PluginUse
from proconsul.plugins.calling import GRACE_S, MAKE_TIMEOUT_S, PluginInstance
from proconsul.plugins.foreign import shown
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginKind

# Lines in one call.
LINES_MAX: Final = 512
# For a batch of lines. It is shorter than what a stop waits for a sink.
WRITE_TIMEOUT_S: Final = 4.0


class PluginOutput:
    """Implements `sinks.Output`."""

    def __init__(self, plugins: PluginHost, use: PluginUse, sink: str) -> None:
        self._plugins, self._use, self._sink = plugins, use, sink
        self._instance: PluginInstance | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """To be called on the event loop. Raises PluginError."""
        self._loop = asyncio.get_running_loop()
        self._instance = self._plugins.instance(
            PluginKind.AUDIT_SINKS, self._use.plugin, self._use.plugin_config, f"audit sink {self._sink}"
        )

    def write(self, lines: list[bytes]) -> None:
        """On the sink's thread. Raises OSError."""
        assert self._instance is not None
        self._wait(self._instance.call("write", lines, timeout_s=WRITE_TIMEOUT_S), MAKE_TIMEOUT_S + WRITE_TIMEOUT_S)

    def close(self) -> None:
        """On another thread than the event loop's. Raises OSError."""
        if self._instance is not None:
            self._wait(self._instance.close(), GRACE_S)

    def _wait(self, work: Coroutine[Any, Any, Any], timeout_s: float) -> None:
        assert self._loop is not None and self._instance is not None
        try:
            future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:  # the loop has been closed
            work.close()
            raise OSError(str(error)) from None
        try:
            # The call ends by itself before; what is left is for a loop that does not run any more.
            future.result(timeout_s + 2 * GRACE_S)
        except FutureTimeout:
            future.cancel()
            raise OSError("no answer") from None
        except Exception as error:
            raise OSError(shown(error)) from error
