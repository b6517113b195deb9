"""The running agent: local state, checks, server, listeners, put together. Composition and lifecycle only."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import random
import ssl
import sys
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proconsul import COMPATIBLE_VERSION
from proconsul.agent import remote_exec
from proconsul.agent.anti_entropy import AntiEntropy
from proconsul.agent.catalog_port import ServerCatalog
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.coordinates import CoordinateSender, as_record
from proconsul.agent.durable import replace_file
from proconsul.agent.events import EventLog
from proconsul.agent.file_writer import FileWriter
from proconsul.agent.frontdoor import FrontDoor
from proconsul.agent.gossip_port import NEW_LEADER_EVENT, PoolsPort
from proconsul.agent.kv_port import ServerKV
from proconsul.agent.listeners import Listeners
from proconsul.agent.local_state import LocalState
from proconsul.agent.logs import Logs
from proconsul.agent.measure import Measure
from proconsul.agent.membership import client_tags, server_tags
from proconsul.agent.metrics import Metrics
from proconsul.agent.persistence import Persistence
from proconsul.agent.plan import Rules
from proconsul.agent.pools import Pools
from proconsul.agent.registrations import Registrations
from proconsul.agent.remote_exec import RemoteExec
from proconsul.agent.starting import Starting
from proconsul.agent.tls import CheckTls, https_context, rpc_tls
from proconsul.agent.tokens import AgentTokens
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.gossip.serf_effects import MemberChange
from proconsul.engine.http.connections import ConnectionSet
from proconsul.engine.http.protocol import Application, HTTPProtocol
from proconsul.engine.http.router import Router
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.wire import gojson
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.hostport import Address
from proconsul.features.acl.settings import AclSettings
from proconsul.features.base import SECOND_NS
from proconsul.features.catalog.model import Node
from proconsul.features.errors import ConsulError
from proconsul.features.event.model import FIRE, EventFireRequest
from proconsul.features.operator.model import AutopilotConfig
from proconsul.features.registry import FEATURES, Site
from proconsul.features.web import Web
from proconsul.server import leaving
from proconsul.server.client import ConsulClient
from proconsul.server.config import RpcTls, ServerConfig
from proconsul.server.node import ConsulNode
from proconsul.server.server import ConsulServer
from proconsul.server.server_details import ServerDetails

if TYPE_CHECKING:
    from proconsul.agent.check_runners import CheckRunners

log = logging.getLogger("agent")

# Node metadata that every agent adds to what is configured.
SEGMENT_META = "consul-network-segment"
HEADER_SWEEP_S = 5.0
# Until then clients find nobody listening, as they did always; later they are told why they have to wait.
QUIET_START_S = 0.5

Reload = Callable[[RuntimeConfig], RuntimeConfig]


def read_node_id(config: RuntimeConfig, rng: random.Random) -> str:
    """The node's UUID: configured, kept in data_dir/node-id, or new. Raises ConsulError for a damaged file."""
    path = Path(config.data_dir) / "node-id" if config.data_dir else None
    if config.node_id:
        node_id = config.node_id.lower()
    elif path is not None and path.exists():
        try:
            return _checked_uuid(path.read_text(errors="replace").strip(), path)
        except OSError as error:
            raise ConsulError(f"failed to setup node ID: {error}") from None
    else:
        node_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, node_id.encode())
    return node_id


def _checked_uuid(text: str, path: Path) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ConsulError(f"failed to setup node ID: {path} does not hold a UUID") from None


class Agent:
    """One agent. ``start`` brings everything up; ``stopped`` is set with the exit code when it should end."""

    def __init__(
        self,
        config: RuntimeConfig,
        *,
        logs: Logs | None = None,
        reload_config: Reload | None = None,
        rng: random.Random | None = None,
        solo: bool = False,
    ) -> None:
        """``solo``: without gossip's sockets, a pool of its own. Raises ConsulError."""
        self.config = config
        self._solo = solo
        self.logs = logs
        self.rng = rng or random.Random()
        self.metrics = Metrics(config.telemetry.metrics_prefix)
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reload_config = reload_config
        self._started_at = time.time()
        self.measure = Measure(self)
        self._connections = ConnectionSet(config.limits.http_conns_per_client_max)
        self._sweeper: asyncio.TimerHandle | None = None
        self._reaper: asyncio.TimerHandle | None = None
        self.node_id = read_node_id(config, self.rng)
        self._rpc_tls = rpc_tls(config)
        self.tokens = AgentTokens(config.data_dir)
        self.tokens.configure(config.acl)
        self._build_state()
        self._build_front()
        self._extra: list[Any] = []

    # ------------------------------------------------------------------ composition

    def _build_state(self) -> None:
        config = self.config
        self.local = LocalState(
            config.node_name, clock=time.monotonic, changed=self._local_changed, is_server=config.server
        )
        self.events = EventLog(self.local)
        tags = server_tags(
            datacenter=config.datacenter, node_id=self.node_id, build=f"{COMPATIBLE_VERSION}:",
            port=config.rpc_advertise.port, wan_port=config.serf_advertise_wan.port if config.serf_bind_wan else 0,
            bootstrap=config.bootstrap, expect=config.bootstrap_expect, acls=config.acl.enabled,
            use_tls=self._rpc_tls.use_tls,
        )  # fmt: skip
        if not config.server:
            tags = client_tags(tags)
        if config.advertise_reconnect_timeout_s:
            tags["rc_tm"] = format_duration(int(config.advertise_reconnect_timeout_s * SECOND_NS))
        self.pools = Pools(
            config, tags, self.node_id, solo=self._solo, on_member=self._member_changed, on_event=self._pool_event,
            give_up=partial(self.stop_soon, 1), rng=self.rng,
        )  # fmt: skip
        gossip = PoolsPort(self.pools, config.datacenter, config.node_name)
        self.consul: ConsulServer | None = None  # none in a client agent
        if config.server:
            self.consul = ConsulServer(
                self._server_config(), gossip, rng=self.rng, give_up=partial(self.stop_soon, 1)
            )
        self.server: ConsulNode = self.consul or ConsulClient(self._server_config(), gossip, rng=self.rng)
        self.catalog_port = ServerCatalog(self.server, self.tokens.for_agent)
        self.sync = AntiEntropy(
            self.local, self.catalog_port, self.own_node, token=self.tokens.for_registration,
            agent_token=self.tokens.for_agent,
            cluster_size=lambda: len(self.pools.lan.members()), interval_s=config.ae_interval_s, rng=self.rng,
        )  # fmt: skip
        self.runners = self._make_runners()
        self.registrations = Registrations(
            self.local, Persistence(config.data_dir, FileWriter()), self.runners, node=config.node_name,
            rules=_rules(config), deregister_min_s=config.checks.deregister_interval_min_s,
        )  # fmt: skip
        self._apply_settings()

    def _server_config(self) -> ServerConfig:
        config, raft = self.config, self.config.raft
        return ServerConfig(
            node_name=config.node_name, node_id=self.node_id, datacenter=config.datacenter,
            address=str(config.rpc_advertise),
            data_dir=config.data_dir if config.server and not config.dev_mode else "",
            bootstrap=config.server and (config.bootstrap or config.dev_mode or config.bootstrap_expect == 1),
            bootstrap_expect=config.bootstrap_expect if config.server else 0,
            listen=None if self._solo else Address(config.rpc_bind.host, config.rpc_bind.port),
            tls=self._rpc_tls,
            session_ttl_min_s=config.session_ttl_min_s or 10.0,
            rpc_hold_timeout_s=config.performance.rpc_hold_timeout_s,
            coordinate_update_period_s=config.coordinate.update_period_s,
            autopilot=_autopilot(config),
            acl=AclSettings(
                config.acl.enabled, config.acl.default_policy == "allow", config.acl.tokens.initial_management,
                config.acl.enable_key_list_policy, config.data_dir,
            ),
            raft=RaftConfig(
                heartbeat_timeout_s=raft.heartbeat_timeout_s, election_timeout_s=raft.election_timeout_s,
                leader_lease_timeout_s=raft.leader_lease_timeout_s, snapshot_interval_s=raft.snapshot_interval_s,
                snapshot_threshold=raft.snapshot_threshold, trailing_logs=raft.trailing_logs,
            ),
        )  # fmt: skip

    def _make_runners(self) -> CheckRunners:
        from proconsul.agent.check_runners import CheckRunners

        return CheckRunners(self)

    def _apply_settings(self) -> None:
        """Hand the parts what they do not read from the configuration each time."""
        config, checks = self.config, self.config.checks
        self.local.discard_check_output = checks.discard_output
        update_s = checks.update_interval_s
        # Between half and one and a half of check_update_interval, so that noisy outputs spread out.
        self.local.output_delay_s = lambda: update_s * (0.5 + self.rng.random()) if update_s > 0 else 0.0
        self.local.defer = asyncio.get_running_loop().call_later
        self.registrations.deregister_min_s = checks.deregister_interval_min_s
        self.runners.configure(checks.output_bytes_max, CheckTls(config))
        self._connections.per_client_max = config.limits.http_conns_per_client_max

    def _apply_web_settings(self) -> None:
        config = self.config
        http = config.http
        self.web.configure(
            default_token=self.tokens.default, use_cache=http.use_cache,
            discovery_max_stale_ns=int(http.discovery_max_stale_s * SECOND_NS),
        )  # fmt: skip
        self.server.gate.default_query_time_ns = int(http.default_query_time_s * SECOND_NS)
        self.server.gate.max_query_time_ns = int(http.max_query_time_s * SECOND_NS)

    def _build_front(self) -> None:
        config, server = self.config, self.server
        self.web = Web(gate=server.gate, datacenter=config.datacenter, always_pretty=config.dev_mode)
        self._apply_web_settings()
        router = Router()
        self._routes(router)
        self.front = FrontDoor(
            router, block_endpoints=config.http.block_endpoints, response_headers=config.http.response_headers,
            allow_write_from=config.http.allow_write_http_from,
            unprintable_filter=not config.http.disable_unprintable_char_filter,
            ui_path=config.ui.content_path if config.ui.enabled else "",
        )  # fmt: skip
        self._application: Application = Starting(self.front.route)
        self._listeners = Listeners(lambda: HTTPProtocol(self._application, self._connections))

    def _routes(self, router: Router) -> None:
        from proconsul.agent.api.debug import DebugRoutes
        from proconsul.agent.api.event import EventRoutes
        from proconsul.agent.api.guarded import GuardedRouter
        from proconsul.agent.api.info import InfoRoutes
        from proconsul.agent.api.registration import RegistrationRoutes

        web, server, limits = self.web, self.server, self.config.limits
        site = Site(
            web, server, server.archives, self.config.node_name, limits.kv_value_bytes_max,
            limits.txn_request_bytes_max, self.config.coordinate.disabled, self.config.acl.enabled,
        )  # fmt: skip
        for feature in FEATURES:
            feature.routes(site, server.endpoints.get(feature)).register(router)
        guarded = GuardedRouter(router, self)
        RegistrationRoutes(self).register(guarded)
        InfoRoutes(self).register(guarded)
        EventRoutes(self).register(router)
        DebugRoutes(self).register(router)

    async def fire_event(self, name: str, payload: bytes, token: str) -> None:
        """Put an event into the pool of the datacenter; only servers do. Raises ConsulError."""
        args = EventFireRequest(Datacenter=self.config.datacenter, Name=name, Payload=payload, Token=token)
        await self.server.gate.call(FIRE, args)

    # ------------------------------------------------------------------ identity

    def own_node(self) -> Node:
        """This node as the catalog should have it."""
        config = self.config
        return Node(
            ID=self.node_id, Node=config.node_name, Address=config.advertise_addr_lan, Datacenter=config.datacenter,
            TaggedAddresses=dict(config.tagged_addresses), Meta={SEGMENT_META: config.segment, **config.node_meta},
        )  # fmt: skip

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    def members(self, *, wan: bool = False) -> list[Member]:
        """The members of a pool; none of the WAN for agents that are not in it."""
        if wan:
            return self.pools.wan.members() if self.pools.wan is not None else []
        return self.pools.lan.members()

    def _member_changed(self, kind: MemberChange, member: Member) -> None:
        # Who was reaped is known to nobody any more.
        forgotten = kind is MemberChange.REAP
        self.server.member_changed(member._replace(status=MemberStatus.NONE) if forgotten else member)
        if member.name == self.config.node_name or kind not in (MemberChange.JOIN, MemberChange.FAILED):
            return
        server = ServerDetails.parse(member)
        if server is not None and server.datacenter == self.config.datacenter:
            if kind is MemberChange.JOIN:
                self.sync.server_up()
            else:
                self.server.doubt_servers()

    def _pool_event(self, ltime: int, name: str, payload: bytes) -> None:
        if name == NEW_LEADER_EVENT:
            log.info("New leader elected: payload=%s", payload.decode("utf-8", "replace"))
            self.server.doubt_servers()  # the one before may stand still
        else:
            self.events.received(ltime, name, payload)

    def _local_changed(self) -> None:
        if hasattr(self, "sync"):
            self.sync.changed()

    def use_token(self, target: str, secret: str) -> None:
        """Have another token of the agent's own from now on. Raises NotFound, ConsulError."""
        try:
            self.tokens.update(target, secret)
        finally:
            self._apply_web_settings()
            self.local.node_in_sync = False
            self.sync.changed()

    async def push_changes(self) -> None:
        """Send local changes to the catalog now; a failure is logged and retried in the background."""
        await self.sync.push()

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Bring up server, registrations and listeners. Raises OSError, RaftError or ConsulError."""
        self._started_at = time.time()
        # Whoever cannot use its data directory tells nobody that it is there.
        self.registrations.persistence.check_folders()
        await self.server.open()
        await self.pools.start()
        listening = await self._load()
        self.registrations.load(self.config.service_definitions, self.config.check_definitions)
        self._application = self.front
        if not listening:
            await self._listeners.start(self.config)
        self.sync.start()
        await self._start_dns()
        await self._start_watches()
        if not self.config.coordinate.disabled:
            coordinates = CoordinateSender(self, self.pools.lan.coordinate)
            coordinates.start()
            self._extra.append(coordinates)
        self._start_remote_exec()
        self.measure.start()
        self._extra.append(self.measure)
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(HEADER_SWEEP_S, self._sweep)
        self._reaper = loop.call_later(self.config.checks.reap_interval_s, self._reap)
        if self.config.pid_file:
            Path(self.config.pid_file).write_text(str(os.getpid()))
        log.info("started state syncer")
        await self.pools.join()

    async def _load(self) -> bool:
        """Have the server load its state; whether that took so long that the listeners were started meanwhile."""
        loading = asyncio.ensure_future(self.server.start())
        try:
            slow = not (await asyncio.wait({loading}, timeout=QUIET_START_S))[0]
            if slow:
                log.info("loading the state takes time: requests are answered with 503 until it is there")
                await self._listeners.start(self.config)
            await loading
        except BaseException:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            raise
        return slow

    async def _start_dns(self) -> None:
        if not self.config.dns_addrs:
            return
        from proconsul.agent.dns_service import DnsService

        service = DnsService(self)
        await service.start()
        self._extra.append(service)

    def _start_remote_exec(self) -> None:
        config = self.config
        kv = ServerKV(self.server, self.tokens.for_agent)
        remote = RemoteExec(kv, config.node_name, enabled=not config.disable_remote_exec)
        self.events.divert(remote_exec.EVENT, remote.received)
        self._extra.append(remote)

    async def _start_watches(self) -> None:
        # Without any as well: a reload may bring the first one.
        from proconsul.agent.watches import Watches

        watches = Watches(self)
        watches.start(self.config.watches)
        self._extra.append(watches)

    def _sweep(self) -> None:
        self._connections.sweep(time.monotonic())
        self._sweeper = asyncio.get_running_loop().call_later(HEADER_SWEEP_S, self._sweep)

    def _reap(self) -> None:
        self.registrations.reap(time.monotonic())
        interval_s = self.config.checks.reap_interval_s
        self._reaper = asyncio.get_running_loop().call_later(interval_s, self._reap)

    async def reload(self) -> None:
        """Read the configuration again and apply what may change while running.

        Everything is read and planned before anything changes: it takes effect whole or not at all. Raises
        ConsulError.
        """
        if self._reload_config is None:
            return
        try:
            config = self._reload_config(self.config)
        except Exception as error:
            raise ConsulError(str(error)) from None
        if config.watches:
            from proconsul.agent.watches import check_watches

            check_watches(config.watches)
        if config.dns_addrs and config.dns.recursors:
            from proconsul.agent.dns_service import check_recursors

            check_recursors(config)
        tls, https = self._new_tls(config)
        rules = _rules(config)
        plan = self.registrations.plan(config.service_definitions, config.check_definitions, rules)
        self.sync.pause()
        try:
            self.config = config
            self.server.tls = tls
            if self.logs is not None:
                try:
                    self.logs.set_level(config.logging.level)
                except ValueError as error:
                    log.error("Invalid log level in new configuration: error=%s", error)
            self.tokens.configure(config.acl)
            self._apply_settings()
            self._apply_web_settings()
            writes = self.registrations.apply(plan, rules)
            for part in self._extra:
                part.reloaded(config)
            if https is not None:
                await self._listeners.renew(https, config)
        finally:
            self.sync.resume()
        self.local.node_in_sync = False
        self.sync.changed()
        if writes:
            await asyncio.wait(writes)

    @staticmethod
    def _new_tls(config: RuntimeConfig) -> tuple[RpcTls, ssl.SSLContext | None]:
        """TLS of the RPC port and of HTTPS, all files read. Raises ConsulError."""
        try:
            if config.checks.enable_agent_tls:
                CheckTls(config).context(skip_verify=False)
            return rpc_tls(config), https_context(config.tls) if config.https_addrs else None
        except ConsulError as error:
            raise ConsulError(f"Failed reloading tls configuration: {error}") from None

    async def leave(self) -> None:
        """Tell the pools that this agent goes on purpose; a server returns when the others can do without it."""
        log.info("%s starting leave", "server" if self.config.server else "client")
        if self.consul is None:
            await self.pools.leave()
            return
        has_peers = await leaving.hand_over(self.consul)
        await self.pools.leave()
        drain_s = self.config.performance.leave_drain_time_s
        log.info("Waiting to drain RPC traffic: drain_time=%gs", drain_s)
        removed = [leaving.wait_until_removed(self.consul)] if has_peers else []
        await asyncio.gather(asyncio.sleep(drain_s), *removed)

    def stop_soon(self, exit_code: int) -> None:
        """End the agent after the answers now being written."""
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, lambda: None if self.exit_code.done() else self.exit_code.set_result(exit_code))

    async def stop(self) -> None:
        """Close everything. Nothing a client was told is lost: writes are acknowledged only when durable."""
        for handle in (self._sweeper, self._reaper):
            if handle is not None:
                handle.cancel()
        for part in self._extra:
            try:
                await part.stop()
            except Exception:
                # One that cannot end keeps nothing else from ending, nor what was acknowledged from the disk.
                log.exception("failed to stop: part=%s", type(part).__name__)
        await self.sync.stop()
        await self.runners.close()
        self._listeners.close()
        self._connections.close()
        await asyncio.sleep(0)
        self.registrations.persistence.close()
        await self.server.stop()
        await self.pools.stop()
        self._listeners.remove_sockets()
        if self.config.pid_file:
            Path(self.config.pid_file).unlink(missing_ok=True)

    # ------------------------------------------------------------------ description

    def describe(self) -> dict[str, Any]:
        """The body of /v1/agent/self."""
        from proconsul.agent.api.info import show_member
        from proconsul.agent.config.debug_config import debug_config

        config = self.config
        debug = debug_config(config)
        debug["NodeID"] = self.node_id
        return gojson.Object({
            "Config": gojson.Object({
                "Datacenter": config.datacenter, "NodeName": config.node_name, "NodeID": self.node_id,
                "Revision": "", "Server": config.server, "Version": COMPATIBLE_VERSION,
            }),
            "DebugConfig": debug,
            "Coord": as_record(self.pools.lan.coordinate()),
            "Member": show_member(self.pools.lan.local_member()),
            "Stats": self.stats(),
            "Meta": self.own_node().Meta,
        })  # fmt: skip

    def stats(self) -> dict[str, dict[str, str]]:
        """The blocks of ``consul info``."""
        local = self.local.stats()
        acl = "enabled" if self.config.acl.enabled else "disabled"
        blocks = {
            "agent": {
                "check_monitors": "0", "check_ttls": "0", "checks": str(local["checks"]),
                "services": str(local["services"]),
            },
            "build": {"prerelease": "", "revision": "", "version": COMPATIBLE_VERSION},
            "runtime": _runtime_stats(),
            "serf_lan": self.pools.lan.stats(),
        }  # fmt: skip
        if self.consul is None:
            known = len(self.server.peers_known.alive())
            return blocks | {"consul": {"acl": acl, "known_servers": str(known), "server": "false"}}
        blocks["consul"] = {
            "acl": acl, "bootstrap": str(self.config.bootstrap).lower(), "known_datacenters": "1",
            "leader": str(self.consul.on_duty).lower(), "leader_addr": self.consul.leader_address(), "server": "true",
        }  # fmt: skip
        blocks["raft"] = self.consul.stats()
        if self.pools.wan is not None:
            blocks["serf_wan"] = self.pools.wan.stats()
        return blocks


def _rules(config: RuntimeConfig) -> Rules:
    """What may be registered."""
    checks, ports = config.checks, config.ports
    return Rules(
        (ports.sidecar_min, ports.sidecar_max), local_scripts=checks.enable_local_scripts,
        remote_scripts=checks.enable_remote_scripts,
    )  # fmt: skip


def _autopilot(config: RuntimeConfig) -> AutopilotConfig:
    """The ``autopilot`` block as the record that servers replicate."""
    block = config.autopilot
    return AutopilotConfig(
        CleanupDeadServers=block.cleanup_dead_servers, MaxTrailingLogs=block.max_trailing_logs,
        LastContactThreshold=round(block.last_contact_threshold_s * SECOND_NS), MinQuorum=block.min_quorum,
        ServerStabilizationTime=round(block.server_stabilization_time_s * SECOND_NS),
        RedundancyZoneTag=block.redundancy_zone_tag, DisableUpgradeMigration=block.disable_upgrade_migration,
        UpgradeVersionTag=block.upgrade_version_tag,
    )  # fmt: skip


def _runtime_stats() -> dict[str, str]:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "arch": machine, "cpu_count": str(os.cpu_count() or 1), "goroutines": str(len(asyncio.all_tasks())),
        "max_procs": "1", "os": sys.platform, "version": f"python{platform.python_version()}",
    }  # fmt: skip
