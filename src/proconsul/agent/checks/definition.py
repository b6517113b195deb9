"""A check definition: its kind, its times, and why it may be refused.

``CheckDefinition.from_fields`` reads the JSON form of the HTTP API (and of configuration files, see
config.definitions). Pure. Source: /v1/agent/check/register, docs/agent/checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, cast

import msgspec

from proconsul.engine.wire.durations import MINUTE_NS, SECOND_NS, format_duration, parse_duration

__all__ = ["INTERVAL_NS_MIN", "CheckDefinition", "CheckDefinitionError", "CheckKind"]

# 1 s: shorter intervals are raised to it with a warning; checks are no load generator.
INTERVAL_NS_MIN: Final = SECOND_NS
# 1 min: a service must have a chance to come back before it is deregistered.
DEREGISTER_NS_MIN: Final = MINUTE_NS


class CheckKind(StrEnum):
    """The kinds of checks; the values are the catalog's ``Type``."""

    TTL = "ttl"
    HTTP = "http"
    TCP = "tcp"
    UDP = "udp"
    GRPC = "grpc"
    DOCKER = "docker"
    SCRIPT = "script"
    ALIAS = "alias"
    H2PING = "h2ping"
    OS_SERVICE = "os_service"


class CheckDefinitionError(ValueError):
    """The definition cannot be run. ``str()`` is Consul's text, without the ``Invalid check: `` of the HTTP API."""


class CheckDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """How a check is run. Durations are nanoseconds; zero means unset."""

    script_args: tuple[str, ...] = ()
    http: str = ""
    header: Mapping[str, Sequence[str]] = {}
    method: str = ""
    body: str = ""
    disable_redirects: bool = False
    tcp: str = ""
    tcp_use_tls: bool = False
    udp: str = ""
    grpc: str = ""
    grpc_use_tls: bool = False
    h2ping: str = ""
    h2ping_use_tls: bool = True
    os_service: str = ""
    docker_container_id: str = ""
    shell: str = ""
    alias_node: str = ""
    alias_service: str = ""
    tls_server_name: str = ""
    tls_skip_verify: bool = False
    interval_ns: int = 0
    timeout_ns: int = 0
    ttl_ns: int = 0
    deregister_critical_service_after_ns: int = 0
    success_before_passing: int = 0
    failures_before_warning: int = 0
    failures_before_critical: int = 0
    output_bytes_max: int = 0

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> CheckDefinition:
        """Read the CamelCase form; durations may be nanoseconds or texts. Raises DurationError."""
        values: dict[str, object] = {}
        for name, value in fields.items():
            attribute = _FIELDS.get(name)
            if attribute is None or value is None:
                continue
            if attribute.endswith("_ns"):
                value = parse_duration(value) if isinstance(value, str) else value
            elif attribute == "script_args":
                value = tuple(cast("Sequence[str]", value))
            elif attribute == "header":
                value = {key: lines or [] for key, lines in cast("Mapping[str, list[str] | None]", value).items()}
            values[attribute] = value
        return msgspec.convert(values, cls)

    @property
    def kind(self) -> CheckKind:
        """What is run, when several kinds are given the first one of this order."""
        if self.ttl_ns > 0:
            return CheckKind.TTL
        for attribute, kind in _KIND_ORDER:
            if getattr(self, attribute):
                return kind
        if self.script_args:
            return CheckKind.DOCKER if self.docker_container_id else CheckKind.SCRIPT
        return CheckKind.ALIAS if self.is_alias else CheckKind.TTL

    @property
    def is_alias(self) -> bool:
        return bool(self.alias_node or self.alias_service)

    @property
    def is_periodic(self) -> bool:
        """Whether the definition names anything that is run at an interval."""
        return bool(self.script_args) or any(getattr(self, attribute) for attribute, _ in _KIND_ORDER)

    def validate(self) -> None:
        """Raise CheckDefinitionError when this is no runnable check."""
        if self.interval_ns > 0 and self.ttl_ns > 0:
            raise CheckDefinitionError("Interval and TTL cannot both be specified")
        if self.is_periodic and self.interval_ns <= 0:
            raise CheckDefinitionError("Interval must be > 0 for Script, HTTP, or TCP checks")
        if self.is_periodic and self.is_alias:
            raise CheckDefinitionError("Interval cannot be set for Alias checks")
        if self.is_alias and self.ttl_ns > 0:
            raise CheckDefinitionError("TTL must be not be set for Alias checks")
        if not self.is_periodic and not self.is_alias and self.ttl_ns <= 0:
            raise CheckDefinitionError("TTL must be > 0 for TTL checks")
        if self.output_bytes_max < 0:
            raise CheckDefinitionError("MaxOutputMaxSize must be positive")
        if self.failures_before_warning > self.failures_before_critical:
            raise CheckDefinitionError("FailuresBeforeWarning can't be higher than FailuresBeforeCritical")

    def normalised(self) -> tuple[CheckDefinition, list[str]]:
        """Raise what is too short to its minimum; return the warnings to log."""
        changes: dict[str, int] = {}
        warnings: list[str] = []
        if self.is_periodic and 0 < self.interval_ns < INTERVAL_NS_MIN:
            changes["interval_ns"] = INTERVAL_NS_MIN
            warnings.append(f"check has interval below minimum: minimum_interval={format_duration(INTERVAL_NS_MIN)}")
        after_ns = self.deregister_critical_service_after_ns
        if 0 < after_ns < DEREGISTER_NS_MIN:
            changes["deregister_critical_service_after_ns"] = DEREGISTER_NS_MIN
            minimum = format_duration(DEREGISTER_NS_MIN)
            warnings.append(f"check has deregister interval below minimum: minimum_interval={minimum}")
        return (msgspec.structs.replace(self, **changes) if changes else self), warnings


_KIND_ORDER: Final = (
    ("http", CheckKind.HTTP),
    ("tcp", CheckKind.TCP),
    ("udp", CheckKind.UDP),
    ("grpc", CheckKind.GRPC),
    ("h2ping", CheckKind.H2PING),
    ("os_service", CheckKind.OS_SERVICE),
)

_FIELDS: Final = {
    "ScriptArgs": "script_args",
    "Args": "script_args",
    "HTTP": "http",
    "Header": "header",
    "Method": "method",
    "Body": "body",
    "DisableRedirects": "disable_redirects",
    "TCP": "tcp",
    "TCPUseTLS": "tcp_use_tls",
    "UDP": "udp",
    "GRPC": "grpc",
    "GRPCUseTLS": "grpc_use_tls",
    "H2PING": "h2ping",
    "H2PingUseTLS": "h2ping_use_tls",
    "OSService": "os_service",
    "DockerContainerID": "docker_container_id",
    "Shell": "shell",
    "AliasNode": "alias_node",
    "AliasService": "alias_service",
    "TLSServerName": "tls_server_name",
    "TLSSkipVerify": "tls_skip_verify",
    "Interval": "interval_ns",
    "Timeout": "timeout_ns",
    "TTL": "ttl_ns",
    "DeregisterCriticalServiceAfter": "deregister_critical_service_after_ns",
    "SuccessBeforePassing": "success_before_passing",
    "FailuresBeforeWarning": "failures_before_warning",
    "FailuresBeforeCritical": "failures_before_critical",
    "OutputMaxSize": "output_bytes_max",
}
