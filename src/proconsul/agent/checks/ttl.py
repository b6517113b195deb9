"""TTL check: somebody must report before the time runs out, otherwise it is critical.

Pure: the deadline is kept by the scheduler. Source: docs/agent/checks, "Time to Live (TTL)".
"""

from __future__ import annotations

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.status import CheckStatus

__all__ = ["TtlState"]


class TtlState:
    """The last report of one TTL check."""

    def __init__(self, ttl_s: float, output_bytes_max: int) -> None:
        assert ttl_s > 0
        self.ttl_s = ttl_s
        self.output_bytes_max = output_bytes_max
        self.last_output = ""

    def report(self, status: CheckStatus, output: str) -> ProbeResult:
        """Take a report; what does not fit is cut off at the end, saying so."""
        data = output.encode("utf-8", "replace")
        if len(data) > self.output_bytes_max:
            kept = data[: self.output_bytes_max].decode("utf-8", "ignore")
            output = f"{kept} ... (captured {self.output_bytes_max} of {len(data)} bytes)"
        self.last_output = output
        return ProbeResult(status, output)

    def expired(self) -> ProbeResult:
        """What is published when nobody reported in time."""
        if self.last_output:
            text = f"TTL expired (last output before timeout follows): {self.last_output}"
        else:
            text = "TTL expired"
        return ProbeResult(CheckStatus.CRITICAL, text)
