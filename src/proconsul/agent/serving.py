"""The side of an agent that has to do with servers, as parts: opened before anybody hears of it, started after."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from proconsul.agent.clocks import REAL, Clocks
from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig, RuntimeConfig
from proconsul.agent.doors.tls import reloading_tls, rpc_tls
from proconsul.agent.part import Commit, Part
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.wire.hostport import Address
from proconsul.features.acl.settings import AclSettings
from proconsul.features.base import SECOND_NS
from proconsul.features.operator.model import AutopilotConfig
from proconsul.plugins.host import PluginHost
from proconsul.server.client import ConsulClient
from proconsul.server.config import RpcTls, ServerConfig
from proconsul.server.gossip_port import GossipPort
from proconsul.server.node import ConsulNode
from proconsul.server.request_limits import Limiting
from proconsul.server.server import ConsulServer

log = logging.getLogger("agent")

# Until then clients find nobody listening, as they did always; later they are told why they have to wait.
QUIET_START_S = 0.5


def make_node(
    config: ServerConfig, gossip: GossipPort, *, server: bool, rng: random.Random, give_up: Callable[[], None],
    clocks: Clocks = REAL,
) -> tuple[ConsulNode, ConsulServer | None]:  # fmt: skip
    """A server twice, or a client and None. ``give_up`` is called when a server cannot go on."""
    if not server:
        return ConsulClient(config, gossip, clock=clocks.monotonic, wall_clock_ns=clocks.wall_ns, rng=rng), None
    made = ConsulServer(config, gossip, clock=clocks.monotonic, wall_clock_ns=clocks.wall_ns, rng=rng, give_up=give_up)
    return made, made


def server_config(
    config: RuntimeConfig, node_id: str, tls: RpcTls, plugins: PluginHost | None = None, *, solo: bool
) -> ServerConfig:  # fmt: skip
    """What a server, or a client's side towards servers, has to know. ``solo``: without a network."""
    fixed, acl, raft = config.fixed, config.fixed.acl, config.fixed.raft
    alone = fixed.bootstrap or fixed.dev_mode or fixed.bootstrap_expect == 1
    return ServerConfig(
        node_name=fixed.node_name, node_id=node_id, datacenter=fixed.datacenter, address=str(fixed.rpc_advertise),
        data_dir=fixed.data_dir if fixed.server and not fixed.dev_mode else "",
        bootstrap=fixed.server and alone, bootstrap_expect=fixed.bootstrap_expect if fixed.server else 0,
        listen=None if solo else Address(fixed.rpc_bind.host, fixed.rpc_bind.port), tls=tls,
        session_ttl_min_s=fixed.session_ttl_min_s, rpc_hold_timeout_s=fixed.performance.rpc_hold_timeout_s,
        rpc_handshake_timeout_s=fixed.limits.rpc_handshake_timeout_s,
        coordinate_update_period_s=fixed.coordinate.update_period_s, autopilot=_autopilot(fixed),
        acl=AclSettings(
            acl.enabled, acl.default_policy == "allow", config.reloadable.tokens.initial_management,
            acl.enable_key_list_policy, fixed.data_dir, acl.down_policy, acl.token_ttl_s,
            acl.policy_ttl_s, acl.role_ttl_s, acl.disabled_ttl_s,
            "" if fixed.primary_datacenter == fixed.datacenter else fixed.primary_datacenter,
            acl.enable_token_replication, plugins,
        ),
        raft=RaftConfig(
            heartbeat_timeout_s=raft.heartbeat_timeout_s, election_timeout_s=raft.election_timeout_s,
            leader_lease_timeout_s=raft.leader_lease_timeout_s, snapshot_interval_s=raft.snapshot_interval_s,
            snapshot_threshold=raft.snapshot_threshold, trailing_logs=raft.trailing_logs,
        ),
    )  # fmt: skip


def _autopilot(config: FixedConfig) -> AutopilotConfig:
    """The ``autopilot`` block as the record that servers replicate."""
    block = config.autopilot
    return AutopilotConfig(
        CleanupDeadServers=block.cleanup_dead_servers, MaxTrailingLogs=block.max_trailing_logs,
        LastContactThreshold=round(block.last_contact_threshold_s * SECOND_NS), MinQuorum=block.min_quorum,
        ServerStabilizationTime=round(block.server_stabilization_time_s * SECOND_NS),
        RedundancyZoneTag=block.redundancy_zone_tag, DisableUpgradeMigration=block.disable_upgrade_migration,
        UpgradeVersionTag=block.upgrade_version_tag,
    )  # fmt: skip


def limit(node: ConsulNode, config: ReloadableConfig) -> None:
    """Have ``node`` ask others, and take of others, no more than the configuration says."""
    node.limit_calls(config.asking.rpc_rate, config.asking.rpc_burst_max)
    if isinstance(node, ConsulServer):
        mode = Limiting(config.serving.request_limits_mode)
        node.limit_serving(
            mode, config.serving.request_read_rate, config.serving.request_write_rate,
            config.serving.rpc_conns_per_client_max,
        )  # fmt: skip


class Opening(Part):
    """Sees that the data directory is of use. Whoever cannot use its own tells nobody that it is there."""

    def __init__(self, check_folders: Callable[[], None], node: ConsulNode) -> None:
        self._check_folders, self._node = check_folders, node
        self._stopped = False

    async def start(self) -> None:
        """Raises ConsulError for a folder that cannot be read, RaftError for a server's data."""
        self._check_folders()
        await self._node.open()

    async def stop(self) -> None:
        """Close what was opened, and what `Serving` made of it."""
        if not self._stopped:
            self._stopped = True
            await self._node.stop()


class Serving(Part):
    """Has the node work. ``listen_early`` begins to answer HTTP while the state is loaded, when that takes long."""

    def __init__(
        self, config: FixedConfig, node: ConsulNode, opening: Opening, listen_early: Callable[[], Awaitable[None]]
    ) -> None:
        self._config, self._node, self._opening, self._listen_early = config, node, opening, listen_early

    async def start(self) -> None:
        """Have a server load its state. Raises RaftError, OSError, ConsulError."""
        loading = asyncio.ensure_future(self._node.start())
        try:
            if not (await asyncio.wait({loading}, timeout=QUIET_START_S))[0]:
                log.info("loading the state takes time: requests are answered with 503 until it is there")
                await self._listen_early()
            await loading
        except BaseException:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            raise

    async def stop(self) -> None:
        """Before the pools go: until then the others are told what happens here."""
        await self._opening.stop()

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """TLS between agents, for connections that are made from then on, and how often servers are asked. Raises
        ConsulError."""
        with reloading_tls():
            tls = rpc_tls(self._config, config)

        def commit() -> None:
            self._node.tls = tls
            limit(self._node, config)

        return commit
