"""What a node needs from the gossip pools. Whoever has them offers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from proconsul.engine.gossip.member import Member
from proconsul.features.coordinate.endpoint import WanCoordinate
from proconsul.features.keyring.model import KeyringRequest, KeyringResponses


class GossipPort(Protocol):
    """The pools of one agent."""

    def members(self) -> Sequence[Member]:
        """The members of this datacenter's pool, as it knows them now."""

    def announce_leader(self) -> None:
        """Tell the pool that this server leads."""

    def fire_event(self, name: str, payload: bytes) -> None:
        """Put a user event into the pool. Raises ConsulError."""

    async def operate_keys(self, args: KeyringRequest) -> KeyringResponses:
        """Change or list the keys of all members. Raises ConsulError."""

    async def force_leave(self, name: str) -> object:
        """Have a failed member of this datacenter leave."""

    def wan_members(self) -> Sequence[Member]:
        """The members of the pool of all datacenters' servers; none when this agent is in no such pool."""

    def wan_coordinates(self) -> Iterable[WanCoordinate] | None:
        """Where the servers of the WAN pool stand; those it has exchanged no pings with are missing.

        None when this agent is in no such pool.
        """
