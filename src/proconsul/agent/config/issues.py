"""What was found while building: faults and warnings, in the order they are shown."""

from __future__ import annotations

from proconsul.agent.config.errors import ConfigError
from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration
from proconsul.engine.wire.text import multi_error, quoted

__all__ = ["Issues", "format_duration"]


class Issues:
    """Collects faults that are reported together, and warnings."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def add(self, text: str) -> None:
        self.faults.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def duration_ns(self, name: str, value: object) -> int:
        """Parse a duration. A bad one replaces every fault found so far, as the original does."""
        text = str(value)
        try:
            return parse_duration(text)
        except DurationError as error:
            self.faults = [f"{name}: invalid duration: {quoted(text)}: {error}"]
            return 0

    def raise_if_any(self) -> None:
        """Raise ConfigError when faults were found."""
        if self.faults:
            raise ConfigError(multi_error(self.faults))
