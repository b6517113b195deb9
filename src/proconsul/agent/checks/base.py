"""What every check kind shares: its result, its surroundings, and the one thing it must be able to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.dial import Stream, dial
from proconsul.engine.lookup import host_and_port

if TYPE_CHECKING:
    import ssl

__all__ = ["CheckNotify", "DefaultTlsContexts", "DialingProbe", "Probe", "ProbeResult", "TlsContexts"]


class ProbeResult(NamedTuple):
    """The outcome of one run."""

    status: CheckStatus
    output: str


class Probe(Protocol):
    """One kind of check. A run ends by itself within its timeout and may be cancelled at any await."""

    async def run(self) -> ProbeResult: ...


@dataclass(slots=True)
class DialingProbe:
    """What a probe needs that opens a connection, with TLS when there is a ``context``."""

    address: str
    timeout_s: float
    context: Callable[[], ssl.SSLContext] | None = None
    server_name: str = ""

    async def dial(self) -> Stream:
        """Raises DialError."""
        host, port = host_and_port(self.address)
        return await dial(host, port, self.context() if self.context else None, self.server_name)


class CheckNotify(Protocol):
    """Who is told about results: the agent's local state."""

    def update_check(self, check_id: str, status: str, output: str) -> None: ...


class TlsContexts(Protocol):
    """Where checks get their TLS settings from (``enable_agent_tls_for_checks`` decides what is in them)."""

    # Whom certificates must name where a check does not say it; empty: the host that is dialled.
    server_name: str

    def context(self, *, skip_verify: bool, alpn: tuple[str, ...] = ()) -> ssl.SSLContext: ...


class DefaultTlsContexts:
    """The system's authorities and no client certificate. Contexts are cached: loading authorities is slow."""

    server_name = ""

    def __init__(self) -> None:
        self._cache: dict[tuple[bool, tuple[str, ...]], ssl.SSLContext] = {}

    def context(self, *, skip_verify: bool, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        import ssl

        found = self._cache.get((skip_verify, alpn))
        if found is None:
            found = ssl.create_default_context()
            if skip_verify:
                found.check_hostname = False
                found.verify_mode = ssl.CERT_NONE
            if alpn:
                found.set_alpn_protocols(list(alpn))
            self._cache[(skip_verify, alpn)] = found
        return found
