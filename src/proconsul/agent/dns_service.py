"""The agent's DNS listeners: settings from the configuration, answers from the server's catalog."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.dns.recursor import Recursors
from proconsul.dns.responder import Responder
from proconsul.dns.server import TcpListener, UdpListener
from proconsul.dns.settings import Settings
from proconsul.engine.lookup import is_ip
from proconsul.engine.wire.hostport import AddressError, join_host_port, split_address, split_host_port
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError
from proconsul.features.options import PLAIN, Options
from proconsul.features.server import ReadMethod

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent

log = logging.getLogger("agent")

DNS_PORT = 53
# The default of max_stale, ten years: to ask for the age of every answer would cost the cache of them.
STALE_WITHOUT_LIMIT_S = 87600 * 3600.0


def settings_of(config: RuntimeConfig) -> Settings:
    """The part of the configuration that shapes answers."""
    dns = config.dns
    return Settings(
        datacenter=config.datacenter, domain=dns.domain, alt_domain=dns.alt_domain, node_ttl_s=int(dns.node_ttl_s),
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


def check_recursors(config: RuntimeConfig) -> None:
    """Raises ConsulError for an address that is none."""
    for text in config.dns.recursors:
        recursor_address(text)


class DnsService:
    """DNS of one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._rng = random.Random(agent.rng.getrandbits(64))
        self._labels = (("node", agent.config.node_name),)
        state = agent.server.state
        config = agent.config
        self._responder = Responder(
            settings_of(config), state.reads, state.store.watches, rng=self._rng, clock=time.time,
            readable=self._readable(config), recursors=self._recursors(config), measure=self._measure,
            fetch=self._fetch,
        )  # fmt: skip
        self._listeners: list[UdpListener | TcpListener] = []

    def _recursors(self, config: RuntimeConfig) -> Recursors | None:
        dns = config.dns
        if not dns.recursors:
            return None
        addresses = [recursor_address(text) for text in dns.recursors]
        return Recursors(
            addresses, timeout_s=dns.recursor_timeout_s, shuffle=dns.recursor_strategy == "random", rng=self._rng
        )

    def _readable(self, config: RuntimeConfig) -> Callable[[], bool] | None:
        """Whether our own catalog may answer, by the rules for all reads: only a server has one, and without
        ``allow_stale`` only a leader's counts."""
        server = self._agent.server
        if server.is_client:
            return lambda: False
        gate, options = server.gate, self._options(config)
        if config.dns.allow_stale and config.dns.max_stale_s >= STALE_WITHOUT_LIMIT_S:
            return lambda: gate.permission.unlimited
        return lambda: gate.permission.unlimited and gate.may_be_here(options)

    async def _fetch(self, method: ReadMethod, args: Any) -> Any:
        """What a server says that may. Raises ConsulError."""
        config = self._agent.config
        gate = self._agent.server.gate
        return await gate.value(gate.reading(method, args), self._options(config), self._agent.tokens.for_dns())

    @staticmethod
    def _options(config: RuntimeConfig) -> Options:
        """How fresh answers have to be. An age of zero is the leader's."""
        dns = config.dns
        max_stale_ns = max(int(min(dns.max_stale_s, STALE_WITHOUT_LIMIT_S) * SECOND_NS), 1)
        return PLAIN._replace(consistency="stale", max_stale_ns=max_stale_ns) if dns.allow_stale else PLAIN

    def _measure(self, name: str, milliseconds: float, count: int) -> None:
        sample, labels = self._agent.metrics.sample, self._labels
        for _ in range(count):
            sample(name, milliseconds, labels)

    async def start(self) -> None:
        """Listen on every configured address. Raises OSError."""
        for endpoint in self._agent.config.dns_addrs:
            if endpoint.network == "tcp":
                listener: UdpListener | TcpListener = TcpListener(self._responder, time.monotonic)
            else:
                listener = UdpListener(self._responder, time.time)
            await listener.start(endpoint.host, endpoint.port)
            self._listeners.append(listener)
            log.info("Started DNS server: address=%s:%d network=%s", endpoint.host, endpoint.port, endpoint.network)

    def reloaded(self, config: RuntimeConfig) -> None:
        """Apply what may change while running; listeners stay."""
        self._responder.configure(settings_of(config), self._recursors(config), self._readable(config))

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._responder.close()
