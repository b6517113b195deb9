"""Typed access to merged configuration values.

The schema has already checked every kind, so a wrong one here is a programmer error.
"""

from __future__ import annotations

from typing import cast

from proconsul.agent.config.decode import Values
from proconsul.agent.config.issues import Issues
from proconsul.engine.wire.durations import SECOND_NS

__all__ = ["Reader"]

# Paths shown with their quirks: two of the original's names differ from the keys.
_SHOWN_NAMES = {
    "dns_config.recursor_timeout": "recursor_timeout",
    "telemetry.prometheus_retention_time": "prometheus_retention_time",
}


class Reader:
    """One block of merged values; ``path`` is used in messages."""

    def __init__(self, values: Values, issues: Issues, path: str = "") -> None:
        self.values = values
        self.issues = issues
        self.path = path

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def has(self, path: str) -> bool:
        """Whether a key is given, here or in a block (``acl.role_ttl``)."""
        name, _, rest = path.partition(".")
        return self.block(name).has(rest) if rest else name in self

    def block(self, key: str) -> Reader:
        inner = cast("Values", self.values.get(key, {}))
        return Reader(inner, self.issues, f"{self.path}.{key}" if self.path else key)

    def name(self, key: str) -> str:
        dot = ".." if self.path in ("gossip_lan", "gossip_wan") else "."
        full = f"{self.path}{dot}{key}" if self.path else key
        return _SHOWN_NAMES.get(full, full)

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        assert isinstance(value, str), key
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.values.get(key, default)
        assert isinstance(value, bool), key
        return value

    def number(self, key: str, default: int = 0) -> int:
        value = self.values.get(key, default)
        assert isinstance(value, int), key
        return value

    def real(self, key: str, default: float = 0.0) -> float:
        value = self.values.get(key, default)
        assert isinstance(value, int | float), key
        return float(value)

    def seconds(self, key: str, default: float = 0.0) -> float:
        """A duration key in seconds."""
        if key not in self.values:
            return default
        return self.issues.duration_ns(self.name(key), self.values[key]) / SECOND_NS

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(cast("list[str]", self.values.get(key, [])))

    def text_map(self, key: str) -> dict[str, str]:
        return dict(cast("dict[str, str]", self.values.get(key, {})))

    def blocks(self, key: str) -> list[Values]:
        return cast("list[Values]", self.values.get(key, []))

    def opaque(self, key: str) -> Values:
        return dict(cast("Values", self.values.get(key, {})))
