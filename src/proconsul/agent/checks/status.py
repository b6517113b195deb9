"""When a check's result becomes its status: counters over consecutive results.

Law: a status is published when the counter of its side has reached its threshold; every result of the other side sets
the counter back to zero. Both counters start at their threshold, so the first result is always published. Warnings
count on the success side. Below the threshold neither status nor output changes.

Pure. Source: docs/agent/checks, "Success/Failures before passing/warning/critical".
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["CheckStatus", "StatusCounter"]


class CheckStatus(StrEnum):
    """What a check says. The values are the wire's."""

    PASSING = "passing"
    WARNING = "warning"
    CRITICAL = "critical"


class StatusCounter:
    """Counts consecutive results of one check."""

    def __init__(
        self, success_before_passing: int = 0, failures_before_critical: int = 0, failures_before_warning: int = 0
    ) -> None:
        """Thresholds of 0 and 1 publish at once. ``failures_before_warning`` of 0 means: as for critical."""
        self._passing_at = success_before_passing
        self._critical_at = failures_before_critical
        self._warning_at = failures_before_warning or failures_before_critical
        self._successes = success_before_passing
        self._failures = failures_before_critical

    def observe(self, result: CheckStatus) -> CheckStatus | None:
        """Count a result. Return the status to publish, or None when nothing changes yet."""
        if result is CheckStatus.CRITICAL:
            self._failures += 1
            self._successes = 0
            if self._failures >= self._critical_at:
                return CheckStatus.CRITICAL
            return CheckStatus.WARNING if self._failures >= self._warning_at else None
        self._successes += 1
        self._failures = 0
        return result if self._successes >= self._passing_at else None
