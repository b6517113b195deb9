"""The gossip pools as the server's side sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from proconsul.agent.gossip.coordinates import wan_coordinates
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.hooks.events import PREFIX
from proconsul.engine.gossip.member import Member
from proconsul.features.coordinate.endpoint import WanCoordinate
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.endpoint import GossipKeys
from proconsul.features.keyring.model import KeyringRequest, KeyringResponses

log = logging.getLogger("agent")

# The event with which a leader makes itself known to the pool.
NEW_LEADER_EVENT = "consul:new-leader"


class PoolsPort:
    """Implements `server.gossip_port.GossipPort`."""

    def __init__(self, pools: Pools, datacenter: str, node_name: str) -> None:
        self._pools, self._node_name = pools, node_name
        self._keys = GossipKeys(datacenter, pools.lan, pools.wan)

    def members(self) -> Sequence[Member]:
        """See `GossipPort`."""
        return self._pools.lan.members()

    def announce_leader(self) -> None:
        """See `GossipPort`."""
        try:
            self._pools.lan.fire(NEW_LEADER_EVENT, self._node_name.encode())
        except ConsulError as error:
            log.warning("failed to broadcast new leader event: error=%s", error)

    def fire_event(self, name: str, payload: bytes) -> None:
        """See `GossipPort`."""
        self._pools.lan.fire(PREFIX + name, payload)

    async def operate_keys(self, args: KeyringRequest) -> KeyringResponses:
        """See `GossipPort`."""
        return await self._keys.operation(args)

    async def force_leave(self, name: str) -> object:
        """See `GossipPort`."""
        return await self._pools.force_leave(name)

    def wan_members(self) -> Sequence[Member]:
        """See `GossipPort`."""
        return self._pools.members(wan=True)

    def wan_coordinates(self) -> Iterable[WanCoordinate] | None:
        """See `GossipPort`."""
        return wan_coordinates(self._pools.wan) if self._pools.wan is not None else None
