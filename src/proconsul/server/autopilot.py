"""Autopilot: while this server leads it watches the others' health, gives votes, and has dead servers removed.

What to do is decided in `autopilot_plan` and `autopilot_health`; here is only the asking and the doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from proconsul.engine.raft.errors import RaftError
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.supervision import supervised
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import (
    AutopilotConfig,
    AutopilotServer,
    AutopilotSetConfigRequest,
    AutopilotStateReply,
    OperatorHealthReply,
    ServerHealth,
)
from proconsul.server.autopilot_health import Round, Stats, healthy_for_s, verdicts
from proconsul.server.autopilot_plan import (
    RAFT_VERSION_WITH_NONVOTERS,
    AutopilotPlan,
    ClusterView,
    Contact,
    ForceLeave,
    HandOver,
    PlanConfig,
    Promote,
    plan,
    view_of,
)
from proconsul.server.autopilot_why import next_text, why
from proconsul.server.consensus import Consensus
from proconsul.server.server_details import ServerDetails
from proconsul.server.stats import ServerStats

log = logging.getLogger("agent.server.autopilot")

# Consul: who has not answered by then counts as unhealthy in this round.
ASK_TIMEOUT_S = 1.0
# Steps of one look; a cluster of more servers than this takes several.
STEPS_MAX = 16
OLD_RAFT = "all servers must have raft_protocol set to 3 or higher to use this endpoint"


class Autopilot:
    """``start`` when leadership is established, ``stop`` when it is revoked."""

    def __init__(self, server: Consensus) -> None:
        self._server = server
        self._tasks: list[asyncio.Task[None]] = []
        self._look = asyncio.Event()
        self._health = OperatorHealthReply()

    # ------------------------------------------------------------------ life

    async def write_initial_config(self) -> None:
        """Write the configured settings unless a leader has done so before. Raises RaftError or ConsulError."""
        server = self._server
        if server.state.autopilot.get(None)[1] is None:
            request = AutopilotSetConfigRequest(Datacenter=server.datacenter, Config=server.config.autopilot)
            await server.propose(MessageType.AUTOPILOT, request)

    def start(self) -> None:
        """Ask and act until `stop`."""
        assert not self._tasks, "started twice"
        self._health = OperatorHealthReply()
        self._look.clear()
        self._tasks = [supervised(work, self._server.died) for work in (self._monitor(), self._steer())]

    async def stop(self) -> None:
        """End both loops and wait until they have."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def server_joined(self) -> None:
        """A server has joined: dead ones may be replaced now."""
        self._look.set()

    # ------------------------------------------------------------------ what it knows

    def config(self) -> AutopilotConfig:
        """The replicated settings, the configured ones before there are any."""
        return self._server.state.autopilot.get(None)[1] or self._server.config.autopilot

    def health(self) -> OperatorHealthReply:
        """The last round's verdicts. Raises ConsulError when a server is too old to be judged."""
        if any(one.raft_version < RAFT_VERSION_WITH_NONVOTERS for one in self._server.peers_known.alive()):
            raise ConsulError(OLD_RAFT)
        return self._health

    def state(self) -> AutopilotStateReply:
        """Who counts for the quorum and why, and what comes next."""
        view, health = self._view(), self.health()
        known = {one.ID: one for one in health.Servers or ()}
        peers = [(peer, known.get(peer.id, ServerHealth(ID=peer.id, Address=peer.address))) for peer in view.peers]
        servers = []
        for peer, one in peers:
            status = "leader" if peer.leader else "voter" if peer.voter else "non-voter"
            values = {name: getattr(one, name) for name in ServerHealth.__struct_fields__}
            servers.append(AutopilotServer(
                **values, Status=status, ReadReplica=peer.read_replica, Why=why(peer, one, view, self.config()),
            ))  # fmt: skip
        voters = [peer.id for peer in view.peers if peer.voter]
        found = plan(view, self._plan_config())
        return AutopilotStateReply(
            health.Healthy, health.FailureTolerance, servers, self._server.node_id, voters, next_text(found)
        )

    # ------------------------------------------------------------------ health

    async def _monitor(self) -> None:
        while True:
            try:
                await self._ask_all()
            except Exception as error:
                log.error("Error updating cluster health: error=%s", error)
            await asyncio.sleep(self._server.config.server_health_interval_s)

    async def _ask_all(self) -> None:
        server = self._server
        own = _stats(server.raft_stats())
        peers = server.raft.members.servers
        servers = {one.raft_id: one for one in server.peers_known.all()}
        asked = [(peer.id, servers[peer.id]) for peer in peers if peer.id in servers and peer.id != server.node_id]
        found = await asyncio.gather(*(self._ask(details) for _, details in asked))
        answers = {peer_id: stats for (peer_id, _), stats in zip(asked, found, strict=True) if stats is not None}
        answers[server.node_id] = own
        earlier = {one.ID: one for one in self._health.Servers or ()}
        this = Round(server.node_id, own, peers, servers, answers, server.wall_clock_ns())
        self._health = verdicts(this, self.config(), earlier)
        if isinstance(plan(self._view(), self._plan_config()).step, Promote):
            self._look.set()  # at the time that was asked for, not up to a round later

    async def _ask(self, details: ServerDetails) -> Stats | None:
        assert self._server.pool is not None, "who has peers has a network"
        try:
            return _stats(await self._server.pool.call(
                details.address, "Status.RaftStats", None, ServerStats, timeout_s=ASK_TIMEOUT_S
            ))  # fmt: skip
        except (RpcFailure, DecodeError) as error:
            log.warning("Error getting server health from server: server=%s error=%s", details.name, error)
            return None

    # ------------------------------------------------------------------ steps

    async def _steer(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._server.config.autopilot_interval_s):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._act()
            except (ConsulError, RaftError) as error:
                log.error("Error promoting or removing servers: error=%s", error)

    async def _act(self) -> None:
        """Step after step until nothing is left to do, or a step changed nothing."""
        last: AutopilotPlan | None = None
        for _ in range(STEPS_MAX):
            found = plan(self._view(), self._plan_config())
            if found.refusal:
                log.debug("Failed to remove dead servers: %s", found.refusal)
            if found.step is None or found == last:
                return
            await self._take(found)
            last = found

    async def _take(self, found: AutopilotPlan) -> None:
        step, server = found.step, self._server
        if isinstance(step, Promote):
            log.info("Promoting server to voter: id=%s address=%s", step.id, step.address)
            await server.raft.add_voter(step.id, step.address)
        elif isinstance(step, ForceLeave):
            log.info("Attempting removal of failed server node: name=%s", step.name)
            await server.gossip.force_leave(step.name)
        elif isinstance(step, HandOver):
            log.info("Handing leadership over, this server's address has changed: id=%s", step.id)
            await server.raft.transfer_leadership(step.id)
        elif step is not None:
            log.info("Attempting removal of stale raft server: id=%s", step.id)
            await server.raft.remove_server(step.id)

    def _view(self) -> ClusterView:
        server = self._server
        peers = server.raft.members.servers
        # Two heartbeats unanswered: then Raft has no more to say of a server than gossip.
        limit_s = 2 * server.config.raft.heartbeat_timeout_s
        silences = {peer.id: server.raft.silence_of(peer.id) for peer in peers}
        in_contact = frozenset(name for name, silence in silences.items() if silence is not None and silence < limit_s)
        healthy = healthy_for_s(self._health, server.wall_clock_ns())
        return view_of(Contact(server.peers_known.all(), peers, server.node_id, healthy, in_contact))

    def _plan_config(self) -> PlanConfig:
        config = self.config()
        return PlanConfig(config.CleanupDeadServers, config.MinQuorum, config.ServerStabilizationTime / SECOND_NS)


def _stats(reply: ServerStats) -> Stats:
    return Stats(reply.LastContact, reply.LastTerm, reply.LastIndex)
