"""OS service check: whether a service of the machine is running; on Linux a systemd unit.

Asks ``systemctl is-active`` instead of speaking D-Bus: the tool comes with systemd itself and one short process per
interval needs no further library. Source: docs (1.15 and newer), "OSService + Interval".
"""

from __future__ import annotations

from typing import Final

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.script import ScriptProbe
from proconsul.agent.checks.status import CheckStatus

__all__ = ["OsServiceProbe"]

# systemctl prints one word; anything longer is an error message of which the end is enough.
_ANSWER_BYTES_MAX: Final = 512
_RUNNING: Final = frozenset({"active", "reloading"})


class OsServiceProbe:
    def __init__(self, service: str, timeout_s: float, command: str = "systemctl") -> None:
        self.service = service
        self._probe = ScriptProbe((command, "is-active", "--", service), timeout_s, _ANSWER_BYTES_MAX)

    async def run(self) -> ProbeResult:
        answer = (await self._probe.run()).output.strip()
        if answer in _RUNNING:
            return ProbeResult(CheckStatus.PASSING, f'Service "{self.service}" is healthy')
        return ProbeResult(CheckStatus.CRITICAL, f'Service "{self.service}" is not running: {answer}')
