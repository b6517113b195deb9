"""Plug-ins in configuration files: which may run (``plugins``), and the blocks that name one. Ours; docs/plugins.md.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from proconsul.agent.config.issues import Issues
from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig
from proconsul.agent.config.runtime_sinks import PluginsConfig, PluginUse
from proconsul.agent.config.values import Reader
from proconsul.engine.wire.text import quoted
from proconsul.plugins.kinds import PluginKind

__all__ = ["WATCH_PLUGIN", "build_metrics_sinks", "build_plugins", "named_plugins", "plugin_use"]

# The ``handler_type`` of a watch whose handler is a plug-in.
WATCH_PLUGIN: Final = "plugin"


def build_plugins(config: Reader) -> PluginsConfig:
    """The allow-list; faults go to the reader's issues."""
    block = config.block("plugins")
    if "allow" not in block:
        return PluginsConfig(allow=None)
    kinds = [str(kind) for kind in PluginKind]
    for entry in block.texts("allow"):
        kind, colon, name = entry.partition(":")
        if colon and kind not in kinds:
            listed = ", ".join(map(quoted, kinds))
            block.issues.add(f"plugins.allow has {quoted(entry)}: before the ':' must stand one of {listed}")
        elif not (name if colon else kind):
            block.issues.add(f"plugins.allow has {quoted(entry)}, which names no plug-in")
    return PluginsConfig(allow=block.texts("allow"))


def build_metrics_sinks(telemetry: Reader) -> tuple[PluginUse, ...]:
    """``telemetry.sinks``."""
    found = []
    for number, block in enumerate(telemetry.blocks("sinks")):
        use = plugin_use(block, f"telemetry.sinks[{number}]", telemetry.issues, given=True)
        if use is not None:
            found.append(use)
    return tuple(found)


def plugin_use(value: Mapping[str, Any], path: str, issues: Issues, *, given: bool) -> PluginUse | None:
    """The plug-in that a block names; None, with a fault, when it names none. ``given``: whether the block is for one
    at all."""
    name, settings = value.get("plugin", ""), value.get("plugin_config") or {}
    if isinstance(settings, list) and len(settings) == 1:  # a block of HCL
        settings = settings[0]
    if not given:
        if name or settings:
            issues.add(f"{path}.plugin and plugin_config need the type {quoted(WATCH_PLUGIN)}")
        return None
    if not isinstance(name, str) or not name:
        issues.add(f"{path}.plugin must be the name of a plug-in")
        return None
    if not isinstance(settings, Mapping):
        issues.add(f"{path}.plugin_config must be a block")
        return None
    return PluginUse(plugin=name, plugin_config=settings)


def named_plugins(fixed: FixedConfig, config: ReloadableConfig) -> frozenset[tuple[PluginKind, str]]:
    """All plug-ins that the configuration names."""
    return frozenset(_named(fixed, config))


def _named(fixed: FixedConfig, config: ReloadableConfig) -> Iterator[tuple[PluginKind, str]]:
    for sink in fixed.audit.sinks if fixed.audit.enabled else ():
        if sink.use is not None:
            yield PluginKind.AUDIT_SINKS, sink.use.plugin
    for use in fixed.telemetry.sinks:
        yield PluginKind.METRICS_SINKS, use.plugin
    for watch in config.watches:
        if watch.get("handler_type") == WATCH_PLUGIN and isinstance(watch.get("plugin"), str):
            yield PluginKind.WATCH_HANDLERS, cast("str", watch["plugin"])
    for check in config.check_definitions:
        yield from _of_check(check)
    for service in config.service_definitions:
        yield from _of_service(service)


def _of_service(service: Mapping[str, Any]) -> Iterator[tuple[PluginKind, str]]:
    for check in service.get("Checks") or ():
        yield from _of_check(check)
    sidecar = (service.get("Connect") or {}).get("SidecarService")
    if sidecar:
        yield from _of_service(sidecar)


def _of_check(check: Mapping[str, Any]) -> Iterator[tuple[PluginKind, str]]:
    if check.get("Plugin"):
        yield PluginKind.CHECKS, cast("str", check["Plugin"])
