"""What happens in the pools, and whom of the agent it concerns."""

from __future__ import annotations

import logging

from proconsul.agent.config.runtime import FixedConfig
from proconsul.agent.gossip.gossip_port import NEW_LEADER_EVENT
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.hooks.events import EventLog
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.gossip.serf_effects import MemberChange
from proconsul.server.node import ConsulNode
from proconsul.server.server_details import ServerDetails

log = logging.getLogger("agent")


class PoolEvents:
    """Listens to ``pools``: servers come and go, users fire events."""

    def __init__(
        self, config: FixedConfig, pools: Pools, node: ConsulNode, sync: AntiEntropy, events: EventLog
    ) -> None:
        self._config, self._node, self._sync, self._events = config, node, sync, events
        pools.on_member, pools.on_event = self.member_changed, self.event_received
        pools.on_wan_member = self.wan_member_changed
        # The leader may have removed the node, or taken its checks for failed, and what hangs on it.
        pools.on_doubt = sync.compare_soon

    def member_changed(self, kind: MemberChange, member: Member) -> None:
        # Who was reaped is known to nobody any more.
        forgotten = kind is MemberChange.REAP
        self._node.member_changed(member._replace(status=MemberStatus.NONE) if forgotten else member)
        if member.name == self._config.node_name or kind not in (MemberChange.JOIN, MemberChange.FAILED):
            return
        server = ServerDetails.parse(member)
        if server is not None and server.datacenter == self._config.datacenter:
            if kind is MemberChange.JOIN:
                self._sync.compare_soon()
            else:
                self._node.doubt_servers()

    def wan_member_changed(self, kind: MemberChange, member: Member) -> None:
        """A server of some datacenter; whether calls to it are under way does not matter to who it is."""
        self._node.wan_member_changed()
        if kind is MemberChange.FAILED:
            self._node.doubt_servers()

    def event_received(self, ltime: int, name: str, payload: bytes) -> None:
        if name == NEW_LEADER_EVENT:
            log.info("New leader elected: payload=%s", payload.decode("utf-8", "replace"))
            self._node.doubt_servers()  # the one before may stand still
        else:
            self._events.received(ltime, name, payload)
