"""Blocks of the effective configuration about plug-ins and where audit events go; see `runtime`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class PluginUse(msgspec.Struct, frozen=True, kw_only=True):
    """A plug-in that a block names, and its settings."""

    plugin: str
    plugin_config: Mapping[str, Any]


class PluginsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``plugins`` block."""

    allow: tuple[str, ...] | None  # None where it is not given: what the configuration names may run


class AuditSink(msgspec.Struct, frozen=True, kw_only=True):
    """One ``audit.sink``. ``enforced``: requests are refused when events cannot be written."""

    name: str
    type: str  # file, stdout or plugin
    path: str
    enforced: bool
    mode: int
    rotate_bytes: int
    rotate_s: float
    rotate_max_files: int
    use: PluginUse | None  # of type plugin


class AuditConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``audit`` block."""

    enabled: bool
    sinks: tuple[AuditSink, ...]
