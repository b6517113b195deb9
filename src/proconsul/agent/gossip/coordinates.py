"""Keeps this agent's network coordinate in the catalog (Consul docs: coordinates).

An agent that has exchanged no pings stands at the initial coordinate, and says so.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from proconsul.agent.config.runtime import FixedConfig
from proconsul.agent.gossip.tags import Pool
from proconsul.agent.part import Part
from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.gossip.member import MemberStatus
from proconsul.features.coordinate.endpoint import UPDATE, WanCoordinate
from proconsul.features.coordinate.model import Coord, CoordinateUpdateRequest
from proconsul.features.errors import ConsulError
from proconsul.server.gate import Gate
from proconsul.server.server_details import ServerDetails

log = logging.getLogger("agent")


def as_record(coordinate: Coordinate) -> Coord:
    """A pool's coordinate as the catalog and the API have it."""
    return Coord(list(coordinate.vec), coordinate.error, coordinate.adjustment, coordinate.height)


def wan_coordinates(pool: Pool) -> list[WanCoordinate]:
    """Where the servers of all datacenters stand, as far as the WAN pool has heard from them."""
    found = []
    for member in pool.members():
        server = ServerDetails.parse(member)
        place = pool.cached_coordinate(member.name)
        if server is not None and place is not None and member.status is not MemberStatus.LEFT:
            found.append(WanCoordinate(server.short_name, server.datacenter, as_record(place)))
    return found


class CoordinateSender(Part):
    """Sends an update every 15 s, more rarely in large clusters so that the servers see a bounded rate.

    pool: the LAN, which says where this agent stands. token: with which it says so.
    """

    def __init__(
        self, config: FixedConfig, pool: Pool, gate: Gate, *, token: Callable[[], str], rng: random.Random
    ) -> None:
        self._config, self._pool, self._gate, self._token, self._rng = config, pool, gate, token, rng
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Nothing with disable_coordinates."""
        if not self._config.coordinate.disabled:
            self._again()

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s(), self._send)

    def _interval_s(self) -> float:
        """At least the minimum, at most the target rate over the whole cluster, plus as much again at random."""
        settings = self._config.coordinate
        interval_s = max(settings.sync_interval_min_s, len(self._pool.members()) / settings.sync_rate_target)
        return interval_s * (1.0 + self._rng.random())

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _send(self) -> None:
        config = self._config
        update = CoordinateUpdateRequest(
            Datacenter=config.datacenter, Node=config.node_name, Token=self._token(),
            Coord=as_record(self._pool.coordinate()),
        )  # fmt: skip
        # Whether the leader has it or not: the next update comes anyway.
        try:
            self._gate.write(_Sent(), UPDATE, update)
        except ConsulError as error:
            _Sent().set_exception(error)
        self._again()


class _Sent:
    """Hears what became of an update."""

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        """Nothing has to be done."""

    def set_exception(self, error: Exception) -> None:
        log.error("Coordinate update error: error=%s", error)
