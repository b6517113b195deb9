"""Plug-in check: what a class of an installed distribution finds (ours; docs/plugins.md)."""

from __future__ import annotations

from typing import Any

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.output import TailBuffer, captured_text
from proconsul.agent.checks.status import CheckStatus
from proconsul.plugins.calling import PluginInstance
from proconsul.plugins.foreign import WHATEVER, plain_text, shown, words
from proconsul.plugins.kinds import PluginError

__all__ = ["PluginProbe", "result_of"]


class PluginProbe:
    """Implements `base.Probe`."""

    def __init__(self, instance: PluginInstance, timeout_s: float, output_bytes_max: int) -> None:
        self._instance, self._timeout_s, self._output_bytes_max = instance, timeout_s, output_bytes_max

    async def run(self) -> ProbeResult:
        """See `base.Probe`. Whatever the plug-in does is a result."""
        try:
            found = await self._instance.call("check", self._timeout_s, timeout_s=self._timeout_s)
        except PluginError as error:
            return ProbeResult(CheckStatus.CRITICAL, words(error))
        except Exception as error:
            self._instance.complain(error)
            return ProbeResult(CheckStatus.CRITICAL, f"{self._instance.plugin} failed: {shown(error)}")
        result = result_of(found, self._output_bytes_max)
        if result is None:
            text = f"{self._instance.plugin} must return a CheckOutcome, and returned {_described(found)}"
            return ProbeResult(CheckStatus.CRITICAL, text)
        self._instance.well()
        return result


def result_of(found: Any, output_bytes_max: int) -> ProbeResult | None:
    """What a check has returned as our result, with the end of its output; None when it is no `CheckOutcome`."""
    try:
        return _result_of(found, output_bytes_max)
    except WHATEVER:  # classes of the author's that look like ours
        return None


def _result_of(found: Any, output_bytes_max: int) -> ProbeResult | None:
    if not isinstance(found, tuple) or len(found) != 2:
        return None
    status, output = found
    if not isinstance(output, str) or not isinstance(status, str):
        return None
    status = plain_text(status)
    if status not in tuple(CheckStatus):
        return None
    buffer = TailBuffer(output_bytes_max)
    buffer.write(str.encode(output, "utf-8", "replace"))
    return ProbeResult(CheckStatus(status), captured_text(buffer))


def _described(found: Any) -> str:
    try:
        if isinstance(found, tuple) and len(found) == 2:
            return f"the status {plain_text(str(found[0]))[:80]!r} with an output of type {type(found[1]).__name__}"
    except WHATEVER:
        pass
    return f"something of type {type(found).__name__}"
