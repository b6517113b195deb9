"""Plug-ins, public: what authors of health checks, watch handlers, auth methods, audit and metrics sinks import.

The protocols are in `protocols`, tests for a plug-in of one's own in `conformance`. The rest of this package is the
agent's side. Names are loaded when they are used: agents without plug-ins use none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proconsul.plugins.kinds import PluginKind
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
        SettingsError,
        WatchChange,
        WatchHandlerPlugin,
    )

__all__ = [
    "API_VERSION", "AuditSinkPlugin", "AuthMethodPlugin", "CheckOutcome", "CheckPlugin", "LoginRefused", "LoginResult",
    "Metric", "MetricsInterval", "MetricsSinkPlugin", "PluginKind", "SettingsError", "WatchChange",
    "WatchHandlerPlugin",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from proconsul.plugins import protocols

    return getattr(protocols, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
