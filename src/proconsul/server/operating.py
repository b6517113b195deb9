"""Operator.*: what operators ask of the cluster itself. Done by the leader, whichever server is asked.

The methods are Consul's where Consul 1.8 has them (RPC reference, methods); AutopilotState, TransferLeader and Usage
came with later releases, there not as RPC methods of this kind, so they are understood among our own servers only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from proconsul.engine.wire.text import quoted
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import (
    AutopilotConfig,
    AutopilotSetConfigRequest,
    AutopilotStateReply,
    OperatorHealthReply,
    RaftConfigurationResponse,
    RaftRemovePeerRequest,
    RaftServer,
    TransferLeaderRequest,
    UsageReply,
)
from proconsul.features.operator.routes import (
    GET_CONFIG,
    HEALTH,
    RAFT_CONFIGURATION,
    REMOVE_BY_ADDRESS,
    REMOVE_BY_ID,
    SET_CONFIG,
    STATE,
    TRANSFER,
    USAGE,
)
from proconsul.features.operator.usage import usage
from proconsul.features.server import CallMethod
from proconsul.server.autopilot import Autopilot
from proconsul.server.consensus import Consensus

_UNKNOWN = "(unknown)"


class Operating:
    """The methods by their description, and who carries them out."""

    def __init__(self, server: Consensus, autopilot: Autopilot) -> None:
        self._server, self._autopilot = server, autopilot
        self.calls: Mapping[CallMethod, Callable[[Any], Awaitable[Any]]] = {
            GET_CONFIG: self._get_config, SET_CONFIG: self._set_config, HEALTH: self._health, STATE: self._state,
            RAFT_CONFIGURATION: self._raft_configuration, REMOVE_BY_ADDRESS: self._remove_by_address,
            REMOVE_BY_ID: self._remove_by_id, TRANSFER: self._transfer, USAGE: self._usage,
        }  # fmt: skip

    # ------------------------------------------------------------------ autopilot

    async def _get_config(self, args: DCSpecificRequest) -> AutopilotConfig:
        return self._autopilot.config()

    async def _set_config(self, args: AutopilotSetConfigRequest) -> bool:
        return bool(await self._server.propose(MessageType.AUTOPILOT, args))

    async def _health(self, args: DCSpecificRequest) -> OperatorHealthReply:
        return self._autopilot.health()

    async def _state(self, args: DCSpecificRequest) -> AutopilotStateReply:
        return self._autopilot.state()

    # ------------------------------------------------------------------ Raft

    async def _raft_configuration(self, args: DCSpecificRequest) -> RaftConfigurationResponse:
        server = self._server
        leader = server.leader_address()
        known = {one.raft_id: one for one in server.peers_known.all()}
        ends = {one.ID: one.LastIndex for one in self._autopilot.health().Servers or ()}
        ends.setdefault(server.node_id, server.raft.last_index)
        found = []
        for peer in server.raft.members.servers:
            details = known.get(peer.id)
            found.append(RaftServer(
                peer.id, details.name if details is not None else _UNKNOWN, peer.address, peer.address == leader,
                str(details.raft_version) if details is not None else "", peer.suffrage.name == "VOTER",
                ends.get(peer.id, 0),
            ))  # fmt: skip
        # The index is always 0 in Consul's answer, though it has one.
        return RaftConfigurationResponse(found, 0)

    async def _usage(self, args: DCSpecificRequest) -> UsageReply:
        state = self._server.state
        found = {self._server.config.datacenter: usage(state.tables)}
        return UsageReply(found, state.store.max_index("nodes", "services"), *self._server.knows())

    async def _remove_by_address(self, args: RaftRemovePeerRequest) -> None:
        peer = self._server.raft.members.by_address(args.Address)
        if peer is None:
            raise ConsulError(f"address {quoted(args.Address)} was not found in the Raft configuration")
        await self._server.raft.remove_server(peer.id)

    async def _remove_by_id(self, args: RaftRemovePeerRequest) -> None:
        if self._server.raft.members.get(args.ID) is None:
            raise ConsulError(f"id {quoted(args.ID)} was not found in the Raft configuration")
        await self._server.raft.remove_server(args.ID)

    async def _transfer(self, args: TransferLeaderRequest) -> None:
        await self._server.raft.transfer_leadership(args.ID or None)
