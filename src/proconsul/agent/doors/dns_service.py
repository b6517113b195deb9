"""The agent's DNS listeners: settings from the configuration, answers from the server's catalog."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from proconsul.agent.config.runtime import DnsConfig, FixedConfig, ReloadableConfig
from proconsul.agent.part import Commit, Part
from proconsul.agent.tokens import AgentTokens
from proconsul.dns.recursor import Recursors
from proconsul.dns.remote import LocalQueries, LocalReads
from proconsul.dns.responder import Responder
from proconsul.dns.server import TcpListener, UdpListener
from proconsul.dns.settings import Settings
from proconsul.engine.lookup import is_ip
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.goerrors import ListenError
from proconsul.engine.wire.hostport import AddressError, join_host_port, split_address, split_host_port
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import multi_error
from proconsul.features.agent_cache.cache import AgentCache
from proconsul.features.agent_cache.reads import reading
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError
from proconsul.features.gate import call_fresh
from proconsul.features.health.endpoint import SERVICE_NODES as HEALTHY_NODES
from proconsul.features.options import PLAIN, Options
from proconsul.features.query.endpoint import StoredQueries
from proconsul.features.server import CallMethod, ReadMethod
from proconsul.server.node import ConsulNode

log = logging.getLogger("agent")

DNS_PORT = 53
# The default of max_stale, ten years: to ask for the age of every answer would cost the cache of them.
STALE_WITHOUT_LIMIT_S = 87600 * 3600.0


def settings_of(fixed: FixedConfig, dns: DnsConfig) -> Settings:
    """The part of the configuration that shapes answers."""
    return Settings(
        datacenter=fixed.datacenter, node_name=fixed.node_name, translate_wan_addrs=fixed.translate_wan_addrs,
        domain=dns.domain, alt_domain=dns.alt_domain, node_ttl_s=int(dns.node_ttl_s),
        service_ttl_s=dict(dns.service_ttl_s), only_passing=dns.only_passing, a_record_limit=dns.a_record_limit,
        udp_answer_limit=dns.udp_answer_limit, enable_truncate=dns.enable_truncate,
        compress=not dns.disable_compression, node_meta_txt=dns.node_meta_txt,
        soa=(int(dns.soa.refresh_s), int(dns.soa.retry_s), int(dns.soa.expire_s), int(dns.soa.min_ttl_s)),
        recursors=dns.recursors, recursor_timeout_s=dns.recursor_timeout_s,
        recursor_random=dns.recursor_strategy == "random",
    )  # fmt: skip


def recursor_address(text: str) -> tuple[str, int]:
    """``ip``, ``ip:port`` or ``[ip6]:port``; the port is 53 when left out. Raises ConsulError with Consul's text."""
    try:
        return split_address(join_host_port(text, DNS_PORT) if is_ip(text) else _with_port(text))
    except AddressError as error:
        raise ConsulError(f"Invalid recursor address: {error}") from None


def _with_port(text: str) -> str:
    try:
        split_host_port(text)
    except AddressError as error:
        return f"{text}:{DNS_PORT}" if error.reason == "missing port in address" else text
    return text


class DnsService(Part):
    """DNS of one agent."""

    def __init__(
        self, fixed: FixedConfig, reloadable: ReloadableConfig, node: ConsulNode, tokens: AgentTokens,
        *, cache: AgentCache, sample: Callable[..., None], rng: random.Random,
    ) -> None:  # fmt: skip
        """``sample`` gets name, milliseconds and labels of what is measured."""
        self._cache, self._use_cache = cache, reloadable.dns.use_cache
        self._fixed, self._node, self._token, self._sample = fixed, node, tokens.for_dns, sample
        self._rng = random.Random(rng.getrandbits(64))
        self._labels = (("node", fixed.node_name),)
        dns = reloadable.dns
        self._options = _freshness(dns)
        # What the first start refuses, as a reload does.
        self._first = dns
        unlimited = node.gate.permission.unlimited
        self._responder = Responder(
            settings_of(fixed, dns), node.state.reads if unlimited else LocalReads(self._look),
            node.state.store.watches, rng=self._rng, clock=time.time, readable=self._readable(dns), recursors=None,
            measure=self._measure, fetch=self._fetch, queries=self._queries(),
            keeps=None if unlimited else lambda: node.gate.permission.lasts(self._token()),
        )  # fmt: skip
        tokens.listen(self._responder.forget)
        self._listeners: list[UdpListener | TcpListener] = []

    def _queries(self) -> LocalQueries | None:
        """Those that our own catalog can answer, which a client has not."""
        node = self._node
        return (
            None
            if node.is_client
            else LocalQueries(node.endpoint(StoredQueries).here, self._token, node.permission.lasts)
        )

    def _recursors(self, dns: DnsConfig) -> Recursors | None:
        """Raises ConsulError for an address that is none."""
        if not dns.recursors or not self._fixed.dns_addrs:
            return None
        addresses = [recursor_address(text) for text in dns.recursors]
        return Recursors(
            addresses, timeout_s=dns.recursor_timeout_s, shuffle=dns.recursor_strategy == "random", rng=self._rng
        )

    def _readable(self, dns: DnsConfig) -> Callable[[], bool] | None:
        """Whether our own catalog may answer, by the rules for all reads: only a server has one, and without
        ``allow_stale`` only a leader's counts."""
        if self._node.is_client:
            return lambda: False
        gate, options = self._node.gate, _freshness(dns)
        rights = self._node.rights
        if dns.allow_stale and dns.max_stale_s >= STALE_WITHOUT_LIMIT_S:
            return None if rights.always_ready else lambda: rights.ready(self._token())
        return lambda: gate.may_be_here(options) and rights.ready(self._token())

    def _look(self, method: ReadMethod, args: Any, watch: WatchSet) -> Any:
        """What our own catalog shows to DNS's token. Raises ConsulError."""
        return self._node.gate.look(method, args, self._token(), watch)

    async def _fetch(self, method: ReadMethod | CallMethod, args: Any, datacenter: str) -> Any:
        """What a server says that may. Raises ConsulError."""
        gate, token = self._node.gate, self._token()
        if isinstance(method, CallMethod):
            args = replace(args, Token=token, Datacenter=datacenter)
            return await call_fresh(gate, method, args, self._options)
        read = gate.reading(method, args)
        if self._use_cache and method is HEALTHY_NODES and not gate.has_state_of(datacenter):
            # Shared with who asks for it by HTTP.
            key = (read.key, datacenter or gate.datacenter, token)
            answered = await self._cache.answer(key, reading(gate, read, token, datacenter), refreshed=True)
            return answered.value.value
        return await gate.value(read, self._options, token, datacenter)

    def _measure(self, name: str, milliseconds: float, count: int) -> None:
        for _ in range(count):
            self._sample(name, milliseconds, self._labels)

    async def start(self) -> None:
        """Listen on every configured address. Raises ConsulError, for a recursor that is none as well."""
        self._configure(self._first, self._recursors(self._first))
        for endpoint in self._fixed.dns_addrs:
            if endpoint.network == "tcp":
                listener: UdpListener | TcpListener = TcpListener(self._responder, time.monotonic)
            else:
                listener = UdpListener(self._responder, time.time)
            try:
                await listener.start(endpoint.host, endpoint.port)
            except ListenError as error:
                raise ConsulError(multi_error([str(error)])) from None
            self._listeners.append(listener)
            log.info("Started DNS server: address=%s:%d network=%s", endpoint.host, endpoint.port, endpoint.network)

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """Other answers; listeners stay. Raises ConsulError for a recursor that is none."""
        return partial(self._configure, config.dns, self._recursors(config.dns))

    def _configure(self, dns: DnsConfig, recursors: Recursors | None) -> None:
        self._options, self._use_cache = _freshness(dns), dns.use_cache
        self._responder.configure(settings_of(self._fixed, dns), recursors, self._readable(dns))

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        self._responder.close()


def _freshness(dns: DnsConfig) -> Options:
    """How fresh answers have to be. An age of zero is the leader's."""
    max_stale_ns = max(int(min(dns.max_stale_s, STALE_WITHOUT_LIMIT_S) * SECOND_NS), 1)
    return PLAIN._replace(consistency="stale", max_stale_ns=max_stale_ns) if dns.allow_stale else PLAIN
