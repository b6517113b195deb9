"""Plug-ins, public: what authors of health checks, watch handlers, auth methods, audit and metrics sinks import.

The protocols are in `protocols`, tests for a plug-in of one's own in `conformance`. The rest of this package is the
agent's side.
"""

from __future__ import annotations

from proconsul.plugins.protocols import (
    API_VERSION,
    AuditSinkPlugin,
    AuthMethodPlugin,
    CheckOutcome,
    CheckPlugin,
    LoginRefused,
    LoginResult,
    Metric,
    MetricsInterval,
    MetricsSinkPlugin,
    PluginKind,
    SettingsError,
    WatchChange,
    WatchHandlerPlugin,
)

__all__ = [
    "API_VERSION", "AuditSinkPlugin", "AuthMethodPlugin", "CheckOutcome", "CheckPlugin", "LoginRefused", "LoginResult",
    "Metric", "MetricsInterval", "MetricsSinkPlugin", "PluginKind", "SettingsError", "WatchChange",
    "WatchHandlerPlugin",
]  # fmt: skip
