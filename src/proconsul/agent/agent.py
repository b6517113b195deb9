"""The running agent: every part made, given what it needs of the others, and put in order. No more is done here."""

from __future__ import annotations

import asyncio
import random
from functools import partial

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.api.certificates import CertificateRoutes
from proconsul.agent.api.debug import DebugRoutes
from proconsul.agent.api.event import EventRoutes
from proconsul.agent.api.guarded import GuardedRouter
from proconsul.agent.api.info import Controls, InfoRoutes
from proconsul.agent.api.plugins import PluginRoutes
from proconsul.agent.api.registration import RegistrationRoutes
from proconsul.agent.api.rights import Rights
from proconsul.agent.api.sync import SyncRoutes
from proconsul.agent.audit.service import Audit
from proconsul.agent.checks.runner import CheckRunners
from proconsul.agent.clocks import REAL, Clocks
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.doors.dns_service import DnsService
from proconsul.agent.doors.frontdoor import TRANSLATED, FrontDoor
from proconsul.agent.doors.http_service import HttpService, LastConnections
from proconsul.agent.doors.metrics_proxy import MetricsProxy
from proconsul.agent.doors.tls import rpc_tls
from proconsul.agent.doors.web_page import WebPage, page_path
from proconsul.agent.doors.web_settings import WebSettings
from proconsul.agent.ending import Ending, Leaving
from proconsul.agent.gossip.coordinates import CoordinateSender
from proconsul.agent.gossip.gossip_port import PoolsPort
from proconsul.agent.gossip.pool_events import PoolEvents
from proconsul.agent.gossip.pools import Joining, Pools
from proconsul.agent.gossip.tags import own_tags
from proconsul.agent.hooks import remote_exec
from proconsul.agent.hooks.events import EventLog
from proconsul.agent.hooks.kv_port import ServerKV
from proconsul.agent.hooks.remote_exec import RemoteExec
from proconsul.agent.hooks.watches import Watches
from proconsul.agent.identity import OwnNode, read_node_id
from proconsul.agent.local.aliases import CatalogAliases, LocalAliases
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.catalog_port import ServerCatalog
from proconsul.agent.local.file_writer import FileWriter
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import Persistence
from proconsul.agent.local.registration_service import Reaper, RegistrationService, log_check, rules_of
from proconsul.agent.local.registrations import Registrations
from proconsul.agent.part import Part, Parts
from proconsul.agent.pid_file import PidFile
from proconsul.agent.plugin_service import PluginService
from proconsul.agent.reloading import ReadConfig, Reloading
from proconsul.agent.serving import Opening, Serving, limit, make_node, server_config
from proconsul.agent.telemetry.certificate_watch import CertificateWatch
from proconsul.agent.telemetry.description import Description
from proconsul.agent.telemetry.logs import HostLogs, LogLevel
from proconsul.agent.telemetry.measure import Measure
from proconsul.agent.telemetry.metrics import Metrics
from proconsul.agent.telemetry.metrics_sinks import MetricsSinks, network_sinks
from proconsul.agent.telemetry.name_filter import NameFilter
from proconsul.agent.tokens import AgentTokens
from proconsul.engine.http.router import Router
from proconsul.features.agent_cache.cache import AgentCache
from proconsul.features.registry import FEATURES, Site
from proconsul.features.web import Web
from proconsul.plugins.host import PluginHost
from proconsul.server.config import RpcTls

# Servers are asked no more often about what has not changed, however short the times of tokens.
CACHE_REFRESH_MIN_S = 1.0


class Agent:
    """One agent. After `start`, whether it raises or not, comes `stop`; `exit_code` says that it is time for that."""

    def __init__(
        self, config: RuntimeConfig, *, logs: HostLogs | None = None, read_config: ReadConfig | None = None,
        rng: random.Random | None = None, tls: RpcTls | None = None, solo: bool = False, clocks: Clocks = REAL,
    ) -> None:  # fmt: skip
        """``read_config`` reads the configuration again for a reload. ``tls``: what `rpc_tls` made of ``config``,
        where that was called before. ``solo``: without gossip's sockets, a pool of its own. ``clocks``: a loop whose
        time is not the machine's needs clocks that go with it; sockets have the machine's time all the same.

        To be made on the event loop. Raises ConsulError.
        """
        # The node makes secrets with it: nobody may work out the next from ids that were seen.
        self.rng, self.clocks = rng or random.SystemRandom(), clocks
        self.ending, self.logs = Ending(), logs
        self.plugins = PluginHost(config.fixed.plugins.allow)
        self._plugin_part = PluginService(self.plugins, config)
        self.node_id = read_node_id(config.fixed, self.rng)
        self._make_node(config, tls or rpc_tls(config.fixed, config.reloadable), solo=solo)
        self._make_local(config)
        self._make_web(config)
        self._parts = Parts([*self._settings(config), *self._services(config)])
        self.reloading = Reloading(config, self._parts, read_config, self.sync.holding_back, self._plugin_part.prepare)
        self._make_routes(config)

    # ------------------------------------------------------------------ what the parts are made of

    def _make_node(self, config: RuntimeConfig, tls: RpcTls, *, solo: bool) -> None:
        """The pools, and the side towards the servers. ``server`` is None in a client agent."""
        fixed, give_up = config.fixed, partial(self.ending.soon, 1)
        tags = own_tags(fixed, self.node_id, build=f"{COMPATIBLE_VERSION}:", use_tls=tls.use_tls)
        self.pools = Pools(fixed, tags, self.node_id, solo=solo, give_up=give_up, rng=self.rng)
        self.node, self.server = make_node(
            server_config(config, self.node_id, tls, self.plugins, solo=solo),
            PoolsPort(self.pools, fixed.datacenter, fixed.node_name), server=fixed.server, rng=self.rng,
            give_up=give_up, clocks=self.clocks,
        )  # fmt: skip
        limit(self.node, config.reloadable)

    def _make_local(self, config: RuntimeConfig) -> None:
        """What is registered here, and its way into the catalog."""
        fixed = config.fixed
        self.tokens = AgentTokens(fixed.data_dir, fixed.acl, config.reloadable.tokens)
        self.own_node = OwnNode(fixed, config.reloadable, self.node_id)
        self.local = LocalState(fixed.node_name, clock=self.clocks.monotonic, is_server=fixed.server)
        self.events = EventLog(self.local)
        if self.server is not None:
            self.server.replication_token = self.tokens.for_replication
            if self.server.acl_replication is not None:
                self.tokens.listen(self.server.acl_replication.hurry)
        self.catalog_port = ServerCatalog(self.node, self.tokens.for_agent)
        self.sync = AntiEntropy(
            self.local, self.catalog_port, self.own_node, token=self.tokens.for_registration,
            agent_token=self.tokens.for_agent, cluster_size=lambda: len(self.pools.members()),
            interval_s=fixed.ae_interval_s, rng=self.rng,
        )  # fmt: skip
        self.tokens.listen(self.sync.send_node)
        self.runners = CheckRunners(
            self.local, rng=self.rng, aliases=LocalAliases(self.local),
            remote_aliases=CatalogAliases(self.node.gate, self.tokens.for_agent), log=log_check,
            plugins=self.plugins,
        )  # fmt: skip
        self._persistence = Persistence(fixed.data_dir, FileWriter())
        holdings = Holdings(
            self.local, self._persistence, self.runners,
            deregister_min_s=config.reloadable.checks.deregister_interval_min_s,
        )  # fmt: skip
        self.registrations = Registrations(
            holdings, node=fixed.node_name, rules=rules_of(fixed, config.reloadable, self.plugins),
            wall_clock=self.clocks.wall,
        )  # fmt: skip
        PoolEvents(fixed, self.pools, self.node, self.sync, self.events)

    def _make_web(self, config: RuntimeConfig) -> None:
        """Where requests come in."""
        fixed, http = config.fixed, config.fixed.http
        cache = AgentCache(self.rng, meters=self.node.meters)
        if fixed.acl.enabled:  # what a token may see is looked at again when it is no longer believed in
            cache.refresh_wait_s = max(fixed.acl.token_ttl_s, CACHE_REFRESH_MIN_S)
        self.web = Web(
            gate=self.node.gate, datacenter=fixed.datacenter, cache=cache, always_pretty=fixed.dev_mode,
            translates=fixed.translate_wan_addrs,
        )  # fmt: skip
        if fixed.acl.enabled:
            self.web.default_policy = "allow" if self.node.acl_settings.default_allow else "deny"
        self.rights = Rights(self.web, self.tokens, self.node.rights, self.local, fixed.node_name)
        headers = dict(http.response_headers) | ({TRANSLATED: "true"} if fixed.translate_wan_addrs else {})
        self._page = WebPage(fixed, self.node_id, headers)
        self.front = FrontDoor(
            Router(), block_endpoints=http.block_endpoints, response_headers=headers,
            allow_write_from=http.allow_write_http_from, unprintable_filter=not http.disable_unprintable_char_filter,
            ui_path=page_path(fixed), read_only=fixed.ui.read_only, is_secret=self.rights.is_secret,
            refusal=self.node.refusal,
        )  # fmt: skip

    # ------------------------------------------------------------------ the parts, in their order

    def _settings(self, config: RuntimeConfig) -> list[Part]:
        """Parts that have nothing to do but to have the right settings."""
        self._description = Description(
            config, self.own_node, self.pools, self.local, self.runners, self.node, self.server
        )
        self._debug = DebugRoutes(self.rights, config.reloadable)
        self._certificates = CertificateRoutes(self.web, config.fixed.node_name, config.reloadable)
        web_settings = WebSettings(self.web, self.node.gate, self.tokens, config.reloadable)
        described = (self._description, self._debug, self._certificates)
        return [LogLevel(self.logs), self.tokens, web_settings, self.own_node, *described]

    def _services(self, config: RuntimeConfig) -> list[Part]:
        """Parts that run. Each may use those before it."""
        fixed, reloadable, tokens = config.fixed, config.reloadable, self.tokens
        self.audit = Audit(fixed.audit, fixed.data_dir, self.plugins)
        http = HttpService(fixed, reloadable, self.audit.door(self.front, self.rights))
        telemetry = fixed.telemetry
        names = NameFilter(
            telemetry.allowed_prefixes, telemetry.blocked_prefixes, default=telemetry.filter_default
        )  # fmt: skip
        self.metrics = Metrics(telemetry.metrics_prefix, names=names)
        watched = CertificateWatch(reloadable, fixed.node_name, clock=self.clocks.wall)
        self.measure = Measure(
            self.metrics, self.pools, self.node, self.server, requests=self.front.flush_samples,
            connections=lambda: http.connection_count, certificate_left_s=watched.left_s,
        )  # fmt: skip
        remote = RemoteExec(
            ServerKV(self.node, tokens.for_agent), fixed.node_name, enabled=not fixed.disable_remote_exec
        )
        self.events.divert(remote_exec.EVENT, remote.received)
        opening = Opening(self._persistence.check_folders, self.node)
        return [
            LastConnections(http),
            opening,
            self._plugin_part,
            self.audit,
            self.pools,
            Serving(fixed, self.node, opening, http.listen_early),
            RegistrationService(
                fixed, reloadable, self.registrations, self.runners, self._persistence, self.plugins, self.rng
            ),
            http,
            self.sync,
            DnsService(
                fixed, reloadable, self.node, tokens, cache=self.web.cache, sample=self.metrics.sample, rng=self.rng
            ),
            Watches(self.front.answer, reloadable, self.plugins),
            CoordinateSender(fixed, self.pools.lan, self.node.gate, token=tokens.for_agent, rng=self.rng),
            remote,
            watched,
            self.measure,
            MetricsSinks(self.metrics, self.plugins, telemetry.sinks, self.measure.sample, network_sinks(telemetry)),
            Reaper(self.registrations, reloadable.checks.reap_interval_s, self.clocks.monotonic),
            PidFile(fixed.pid_file),
            Joining(self.pools),
        ]

    def _make_routes(self, config: RuntimeConfig) -> None:
        fixed, node, router = config.fixed, self.node, self.front.router
        site = Site(
            self.web, node, node.archives, fixed.node_name, fixed.limits.kv_value_bytes_max,
            fixed.limits.txn_request_bytes_max, fixed.coordinate.disabled, fixed.acl.enabled,
            tuple(name for name in (config.reloadable.dns.domain, config.reloadable.dns.alt_domain) if name),
        )  # fmt: skip
        for feature in FEATURES:
            feature.routes(site, node.endpoints.get(feature)).register(router)
        guarded = GuardedRouter(router, self.rights)
        RegistrationRoutes(self.web, self.rights, self.registrations, self.sync).register(guarded)
        SyncRoutes(self.web, self.rights, self.local, self.sync, self.clocks).register(guarded)
        self._leaving = Leaving(self.pools, self.server, drain_time_s=fixed.performance.leave_drain_time_s)
        InfoRoutes(
            self.web, self.rights, self.pools, Controls(self.reload, self.leave, self.ending.soon), self.tokens,
            self._description, self.measure, self.logs, fixed,
        ).register(guarded)  # fmt: skip
        EventRoutes(self.web, self.events, self.rights).register(guarded)
        for routes in (self._debug, self._certificates, PluginRoutes(self.web, self.plugins)):
            routes.register(guarded)
        MetricsProxy(self.web, node.rights, fixed, served=bool(page_path(fixed))).register(guarded)
        self._page.register(router)

    # ------------------------------------------------------------------ life

    @property
    def config(self) -> RuntimeConfig:
        """What is in force."""
        return self.reloading.config

    @property
    def exit_code(self) -> asyncio.Future[int]:
        """Set when the agent should end."""
        return self.ending.exit_code

    async def start(self) -> None:
        """Bring everything up. Raises OSError, RaftError or ConsulError."""
        await self._parts.start()

    async def reload(self) -> None:
        """Read the configuration again and put it into force. Raises ConsulError; everything is as before then."""
        await self.reloading.reload()

    async def leave(self) -> None:
        """Leave the datacenter on purpose."""
        await self._leaving.leave()

    async def stop(self) -> None:
        """Close everything. Nothing a client was told is lost: writes are acknowledged only when durable."""
        await self.reloading.finish()
        await self._parts.stop()
