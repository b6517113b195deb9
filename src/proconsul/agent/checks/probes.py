"""Which code runs which kind of check."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proconsul.agent.checks.base import Probe, TlsContexts
from proconsul.agent.checks.definition import CheckKind, RunnableCheck
from proconsul.engine.wire.durations import SECOND_NS
from proconsul.features.catalog.definition import CheckType
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginKind

if TYPE_CHECKING:
    import ssl

__all__ = ["make_probe"]

# Consul's defaults when a definition gives no timeout.
_NETWORK_TIMEOUT_S: Final = 10.0
_COMMAND_TIMEOUT_S: Final = 30.0


def make_probe(
    check: RunnableCheck, output_bytes_max: int, tls: TlsContexts, plugins: PluginHost | None = None
) -> Probe:
    """Build the probe of a periodic check. Modules are imported when a check of their kind first appears."""
    if check.kind is CheckKind.PLUGIN:
        return _plugin(check.definition, output_bytes_max, plugins)
    return _MAKERS[check.kind](check.definition, output_bytes_max, tls)


def _timeout_s(definition: CheckType, default_s: float) -> float:
    return definition.Timeout / SECOND_NS if definition.Timeout > 0 else default_s


def _context(definition: CheckType, tls: TlsContexts, alpn: tuple[str, ...] = ()) -> Callable[[], ssl.SSLContext]:
    """A context made at first use, because loading authorities is slow."""
    return functools.partial(tls.context, skip_verify=definition.TLSSkipVerify, alpn=alpn)


def _http(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.http import HttpProbe

    return HttpProbe(
        definition.HTTP,
        _timeout_s(definition, _NETWORK_TIMEOUT_S),
        output_bytes_max,
        method=definition.Method,
        header={name: values or [] for name, values in (definition.Header or {}).items()},
        body=definition.Body,
        follow_redirects=not definition.DisableRedirects,
        context=_context(definition, tls),
        server_name=definition.TLSServerName or tls.server_name,
    )


def _tcp(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.tcp import TcpProbe

    context = _context(definition, tls) if definition.TCPUseTLS else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return TcpProbe(definition.TCP, timeout_s, context, definition.TLSServerName or tls.server_name)


def _udp(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.udp import UdpProbe

    return UdpProbe(definition.UDP, _timeout_s(definition, _NETWORK_TIMEOUT_S))


def _grpc(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.grpc import GrpcProbe

    context = _context(definition, tls, ("h2",)) if definition.GRPCUseTLS else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return GrpcProbe(definition.GRPC, timeout_s, context, definition.TLSServerName or tls.server_name)


def _h2ping(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.h2ping import H2PingProbe

    context = _context(definition, tls, ("h2",)) if definition.H2PingUseTLS else None
    timeout_s = _timeout_s(definition, _NETWORK_TIMEOUT_S)
    return H2PingProbe(definition.H2PING, timeout_s, context, definition.TLSServerName or tls.server_name)


def _docker(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.docker import DockerProbe

    timeout_s = _timeout_s(definition, _COMMAND_TIMEOUT_S)
    return DockerProbe(definition.DockerContainerID, tuple(definition.ScriptArgs or ()), timeout_s, output_bytes_max)


def _script(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.script import ScriptProbe

    return ScriptProbe(tuple(definition.ScriptArgs or ()), _timeout_s(definition, _COMMAND_TIMEOUT_S), output_bytes_max)


def _os_service(definition: CheckType, output_bytes_max: int, tls: TlsContexts) -> Probe:
    from proconsul.agent.checks.os_service import OsServiceProbe

    return OsServiceProbe(definition.OSService, _timeout_s(definition, _NETWORK_TIMEOUT_S))


def _plugin(definition: CheckType, output_bytes_max: int, plugins: PluginHost | None) -> Probe:
    from proconsul.agent.checks.plugin import PluginProbe

    assert plugins is not None, "who plans checks has seen that there is such a plug-in"
    name = definition.Name or definition.CheckID
    instance = plugins.instance(PluginKind.CHECKS, definition.Plugin, definition.PluginConfig, f"check {name}")
    return PluginProbe(instance, _timeout_s(definition, _COMMAND_TIMEOUT_S), output_bytes_max)


_MAKERS: Final[dict[CheckKind, Callable[[CheckType, int, TlsContexts], Probe]]] = {
    CheckKind.HTTP: _http,
    CheckKind.TCP: _tcp,
    CheckKind.UDP: _udp,
    CheckKind.GRPC: _grpc,
    CheckKind.H2PING: _h2ping,
    CheckKind.DOCKER: _docker,
    CheckKind.SCRIPT: _script,
    CheckKind.OS_SERVICE: _os_service,
}
