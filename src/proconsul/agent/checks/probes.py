"""Which code runs which kind of check."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proconsul.agent.checks.base import Probe, TlsContexts
from proconsul.agent.checks.definition import CheckDefinition, CheckKind
from proconsul.engine.wire.durations import SECOND_NS

if TYPE_CHECKING:
    import ssl

__all__ = ["make_probe"]

# Consul's defaults when a definition gives no timeout.
_NETWORK_TIMEOUT_S: Final = 10.0
_COMMAND_TIMEOUT_S: Final = 30.0


def make_probe(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    """Build the probe of a periodic check. Modules are imported when a check of their kind first appears."""
    return _MAKERS[definition.kind](definition, output_bytes_max, tls)


def _timeout_s(definition: CheckDefinition, default_s: float) -> float:
    return definition.timeout_ns / SECOND_NS if definition.timeout_ns > 0 else default_s


def _context(
    definition: CheckDefinition, tls: TlsContexts, alpn: tuple[str, ...] = ()
) -> Callable[[], ssl.SSLContext]:
    """A context made at first use, because loading authorities is slow."""
    return functools.partial(tls.context, skip_verify=definition.tls_skip_verify, alpn=alpn)


def _http(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.http import HttpProbe

    return HttpProbe(
        definition.http,
        _timeout_s(definition, _NETWORK_TIMEOUT_S),
        output_bytes_max,
        method=definition.method,
        header=definition.header,
        body=definition.body,
        follow_redirects=not definition.disable_redirects,
        context=_context(definition, tls),
        server_name=definition.tls_server_name or tls.server_name,
    )


def _tcp(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.tcp import TcpProbe

    context = _context(definition, tls) if definition.tcp_use_tls else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return TcpProbe(definition.tcp, timeout_s, context, definition.tls_server_name or tls.server_name)


def _udp(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.udp import UdpProbe

    return UdpProbe(definition.udp, _timeout_s(definition, _NETWORK_TIMEOUT_S))


def _grpc(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.grpc import GrpcProbe

    context = _context(definition, tls, ("h2",)) if definition.grpc_use_tls else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return GrpcProbe(definition.grpc, timeout_s, context, definition.tls_server_name or tls.server_name)


def _h2ping(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.h2ping import H2PingProbe

    context = _context(definition, tls, ("h2",)) if definition.h2ping_use_tls else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return H2PingProbe(definition.h2ping, timeout_s, context, definition.tls_server_name or tls.server_name)


def _docker(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.docker import DockerProbe

    timeout_s = _timeout_s(definition, _COMMAND_TIMEOUT_S)
    return DockerProbe(definition.docker_container_id, definition.script_args, timeout_s, output_bytes_max)


def _script(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.script import ScriptProbe

    return ScriptProbe(definition.script_args, _timeout_s(definition, _COMMAND_TIMEOUT_S), output_bytes_max)


def _os_service(definition: CheckDefinition, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.os_service import OsServiceProbe

    return OsServiceProbe(definition.os_service, _timeout_s(definition, _NETWORK_TIMEOUT_S))


_MAKERS: Final[dict[CheckKind, Callable[[CheckDefinition, int, TlsContexts], Probe]]] = {
    CheckKind.HTTP: _http,
    CheckKind.TCP: _tcp,
    CheckKind.UDP: _udp,
    CheckKind.GRPC: _grpc,
    CheckKind.H2PING: _h2ping,
    CheckKind.DOCKER: _docker,
    CheckKind.SCRIPT: _script,
    CheckKind.OS_SERVICE: _os_service,
}
