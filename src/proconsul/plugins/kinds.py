"""The kinds of plug-ins, and the error that says why one cannot be used: all that an agent without any needs. Pure."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["PluginError", "PluginKind"]


class PluginKind(StrEnum):
    """The kinds of plug-ins."""

    CHECKS = "checks"
    WATCH_HANDLERS = "watch_handlers"
    AUTH_METHODS = "auth_methods"
    AUDIT_SINKS = "audit_sinks"
    METRICS_SINKS = "metrics_sinks"

    @property
    def group(self) -> str:
        """The group of its entry points."""
        return f"proconsul.{self.value}"


class PluginError(ValueError):
    """A plug-in that cannot be used, or settings it does not take. ``str()`` names it and says why."""
