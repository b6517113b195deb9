"""Keeps this agent's network coordinate in the catalog (Consul docs: coordinates).

An agent that has exchanged no pings stands at the initial coordinate, and says so.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from proconsul.features.coordinate.model import DIMENSIONS, ERROR_INITIAL, HEIGHT_MIN, Coord, CoordinateUpdateRequest
from proconsul.features.errors import ConsulError

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent

log = logging.getLogger("agent")


class CoordinateSender:
    """Sends an update every 15 s, more rarely in large clusters so that the servers see a bounded rate."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s(), self._send)

    def _interval_s(self) -> float:
        """At least the minimum, at most the target rate over the whole cluster, plus as much again at random."""
        settings = self._agent.config.coordinate
        interval_s = max(settings.sync_interval_min_s, len(self._agent.members()) / settings.sync_rate_target)
        return interval_s * (1.0 + self._agent.rng.random())

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def reloaded(self, config: object) -> None:
        """The settings are not reloadable."""

    def _send(self) -> None:
        agent = self._agent
        update = CoordinateUpdateRequest(
            Datacenter=agent.config.datacenter, Node=agent.config.node_name, Token=agent.config.acl.tokens.agent,
            Coord=Coord([0.0] * DIMENSIONS, ERROR_INITIAL, 0.0, HEIGHT_MIN),
        )  # fmt: skip
        try:
            agent.server.coordinates.update(update)
        except ConsulError as error:
            log.error("Coordinate update error: error=%s", error)
        self.start()
