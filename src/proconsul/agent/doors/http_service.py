"""The agent's HTTP and HTTPS listeners, and what answers there: at first that it is starting, then the front door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig
from proconsul.agent.doors.listeners import Listeners
from proconsul.agent.doors.starting import Starting
from proconsul.agent.doors.tls import https_context, reloading_tls
from proconsul.agent.part import Commit, Part
from proconsul.engine.http.connections import ConnectionSet
from proconsul.engine.http.protocol import Application, HTTPProtocol

HEADER_SWEEP_S = 5.0


class HttpService(Part):
    """HTTP of one agent."""

    def __init__(self, fixed: FixedConfig, reloadable: ReloadableConfig, front: Application) -> None:
        self._fixed, self._front = fixed, front
        self._connections = ConnectionSet(
            reloadable.http_conns_per_client_max, header_bytes_max=fixed.http.max_header_bytes
        )  # fmt: skip
        self._application: Application = Starting(front.route)
        self._listeners = Listeners(lambda: HTTPProtocol(self._application, self._connections), fixed)
        # What the listeners begin with; from then on they have their own.
        self._tls = reloadable.tls
        self._listening = False
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    async def listen_early(self) -> None:
        """Answer that the agent is starting, until `start`. Raises ConsulError."""
        self._listening = True
        await self._listeners.start(https_context(self._tls) if self._fixed.https_addrs else None)

    async def start(self) -> None:
        """Raises ConsulError."""
        self._application = self._front
        if not self._listening:
            await self.listen_early()
        self._sweep()

    def _sweep(self) -> None:
        self._connections.sweep(time.monotonic())
        self._sweeper = asyncio.get_running_loop().call_later(HEADER_SWEEP_S, self._sweep)

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._listeners.close()
        self._connections.close()
        await asyncio.sleep(0)
        self._listeners.remove_sockets()

    async def finish(self) -> None:
        """End the connections that wait for what cannot come any more."""
        await self._connections.finish()

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """Another certificate, for new connections. Raises ConsulError."""
        context = None
        if self._fixed.https_addrs:
            with reloading_tls():
                context = https_context(config.tls)

        def commit() -> Awaitable[object] | None:
            self._connections.per_client_max = config.http_conns_per_client_max
            return self._listeners.renew(context) if context is not None else None

        return commit


class LastConnections(Part):
    """The first part, so the last that is stopped: while others stop, answers may still come."""

    def __init__(self, http: HttpService) -> None:
        self._http = http

    async def stop(self) -> None:
        await self._http.finish()
