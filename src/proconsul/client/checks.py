"""Health checks to register, by kind; times are in seconds. Pure.

What is not among the parameters is a field of `CheckType` (HTTP API: agent/check), for `msgspec.structs.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from proconsul.features.catalog.definition import CheckType

__all__ = ["CheckType", "alias_check", "grpc_check", "http_check", "script_check", "tcp_check", "ttl_check"]

_SECOND_NS: Final = 1_000_000_000


def _ns(seconds: float) -> int:
    return round(seconds * _SECOND_NS)


def ttl_check(ttl: float, *, name: str = "", id: str = "", status: str = "", deregister_after: float = 0) -> CheckType:
    """Critical unless it is told otherwise at least every ``ttl`` seconds (`Registration` does that).

    ``status``: what it begins with. ``deregister_after``: its service goes when it was critical for so long.
    """
    return CheckType(
        CheckID=id, Name=name, Status=status, TTL=_ns(ttl), DeregisterCriticalServiceAfter=_ns(deregister_after)
    )  # fmt: skip


def http_check(
    url: str, *, interval: float = 10, timeout: float = 0, method: str = "", header: Mapping[str, Sequence[str]] = {},
    body: str = "", tls_skip_verify: bool = False, name: str = "", id: str = "", status: str = "",
    deregister_after: float = 0,
) -> CheckType:  # fmt: skip
    """Passing while ``url`` answers 2xx, warning with 429."""
    return CheckType(
        CheckID=id, Name=name, Status=status, HTTP=url, Interval=_ns(interval), Timeout=_ns(timeout), Method=method,
        Header={key: list(values) for key, values in header.items()} or None, Body=body,
        TLSSkipVerify=tls_skip_verify, DeregisterCriticalServiceAfter=_ns(deregister_after),
    )  # fmt: skip


def tcp_check(
    address: str, *, interval: float = 10, timeout: float = 0, name: str = "", id: str = "", status: str = "",
    deregister_after: float = 0,
) -> CheckType:  # fmt: skip
    """Passing while ``host:port`` takes connections."""
    return CheckType(
        CheckID=id, Name=name, Status=status, TCP=address, Interval=_ns(interval), Timeout=_ns(timeout),
        DeregisterCriticalServiceAfter=_ns(deregister_after),
    )  # fmt: skip


def grpc_check(
    address: str, *, interval: float = 10, timeout: float = 0, tls: bool = False, name: str = "", id: str = "",
    status: str = "", deregister_after: float = 0,
) -> CheckType:  # fmt: skip
    """Passing while ``host:port[/service]`` says so by gRPC's health protocol."""
    return CheckType(
        CheckID=id, Name=name, Status=status, GRPC=address, GRPCUseTLS=tls, Interval=_ns(interval),
        Timeout=_ns(timeout), DeregisterCriticalServiceAfter=_ns(deregister_after),
    )  # fmt: skip


def script_check(
    args: Sequence[str], *, interval: float = 10, timeout: float = 0, name: str = "", id: str = "", status: str = ""
) -> CheckType:  # fmt: skip
    """What a program's exit code says, where the agent runs any: 0 passing, 1 warning."""
    return CheckType(
        CheckID=id, Name=name, Status=status, ScriptArgs=list(args), Interval=_ns(interval), Timeout=_ns(timeout)
    )  # fmt: skip


def alias_check(*, service: str = "", node: str = "", name: str = "", id: str = "") -> CheckType:
    """As healthy as another service or node."""
    return CheckType(CheckID=id, Name=name, AliasService=service, AliasNode=node)
