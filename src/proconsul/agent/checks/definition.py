"""What kind of check a definition is, and why it cannot be run: decided once, before it is kept or started.

The definition itself is `features.catalog.definition.CheckType`, whether it came over HTTP, from a configuration file
or from a file of an earlier life. Pure. Source: /v1/agent/check/register, docs/agent/checks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from proconsul.engine.wire.durations import SECOND_NS
from proconsul.features.catalog.definition import CheckType, DefinitionError

__all__ = ["INTERVAL_NS_MIN", "CheckKind", "RunnableCheck", "runnable"]

# 1 s: shorter intervals are raised to it with a warning; checks are no load generator.
INTERVAL_NS_MIN: Final = SECOND_NS


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
    PLUGIN = "plugin"


class RunnableCheck(NamedTuple):
    """A definition that `runnable` has let through, and what kind it is."""

    definition: CheckType
    kind: CheckKind

    @property
    def interval_s(self) -> float:
        """How often it is run."""
        return max(self.definition.Interval, INTERVAL_NS_MIN) / SECOND_NS


def runnable(check: CheckType) -> RunnableCheck:
    """``check``, if it can be run. Raises DefinitionError with Consul's text, without what the doors put before it."""
    periodic, alias = _is_periodic(check), _is_alias(check)
    if check.Interval > 0 and check.TTL > 0:
        raise DefinitionError("Interval and TTL cannot both be specified")
    if periodic and check.Interval <= 0:
        raise DefinitionError("Interval must be > 0 for Script, HTTP, or TCP checks")
    if periodic and alias:
        raise DefinitionError("Interval cannot be set for Alias checks")
    if alias and check.TTL > 0:
        raise DefinitionError("TTL must be not be set for Alias checks")
    if not periodic and not alias and check.TTL <= 0:
        raise DefinitionError("TTL must be > 0 for TTL checks")
    if check.PluginConfig and not check.Plugin:
        raise DefinitionError("PluginConfig cannot be set without Plugin")
    if check.OutputMaxSize < 0:
        raise DefinitionError("MaxOutputMaxSize must be positive")
    if check.FailuresBeforeWarning > check.FailuresBeforeCritical:
        raise DefinitionError("FailuresBeforeWarning can't be higher than FailuresBeforeCritical")
    return RunnableCheck(check, _kind_of(check))


def _kind_of(check: CheckType) -> CheckKind:
    """What is run, when several kinds are given the first one of this order."""
    if check.TTL > 0:
        return CheckKind.TTL
    for field, kind in _KINDS.items():
        if getattr(check, field):
            return kind
    if check.ScriptArgs:
        return CheckKind.DOCKER if check.DockerContainerID else CheckKind.SCRIPT
    return CheckKind.ALIAS


def _is_alias(check: CheckType) -> bool:
    return bool(check.AliasNode or check.AliasService)


def _is_periodic(check: CheckType) -> bool:
    """Whether the definition names anything that is run at an interval."""
    return bool(check.ScriptArgs) or any(getattr(check, field) for field in _KINDS)


# A new kind of check that is run at an interval: a line here, one in `probes`, and its fields in `CheckType`.
_KINDS: Final = {
    "HTTP": CheckKind.HTTP,
    "TCP": CheckKind.TCP,
    "UDP": CheckKind.UDP,
    "GRPC": CheckKind.GRPC,
    "H2PING": CheckKind.H2PING,
    "OSService": CheckKind.OS_SERVICE,
    "Plugin": CheckKind.PLUGIN,
}
