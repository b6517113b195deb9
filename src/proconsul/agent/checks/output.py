"""What a check keeps of its output: the last bytes of it, and how that is worded.

Pure.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OUTPUT_BYTES_MAX", "TailBuffer", "captured_text", "output_limit"]

# 4 KiB: Consul's default and ceiling; outputs travel in every catalog sync of the check.
OUTPUT_BYTES_MAX: Final = 4096


class TailBuffer:
    """Keeps the last ``size`` bytes written and counts them all. Memory stays within twice the size."""

    def __init__(self, size: int = OUTPUT_BYTES_MAX) -> None:
        assert size > 0
        self.size = size
        self.total = 0
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        self.total += len(data)
        self._data += data[-self.size :]
        if len(self._data) > self.size:
            del self._data[: -self.size]

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    @property
    def text(self) -> str:
        return self._data.decode("utf-8", "replace")


def captured_text(buffer: TailBuffer) -> str:
    """A command's output, saying so when the beginning is missing."""
    if buffer.total > buffer.size:
        return f"Captured {buffer.size} of {buffer.total} bytes\n...\n{buffer.text}"
    return buffer.text


def output_limit(check_bytes: int, agent_bytes: int) -> int:
    """The smaller of the check's and the agent's limit; zero means unset."""
    limits = [limit for limit in (check_bytes, agent_bytes) if limit > 0]
    return min(limits, default=OUTPUT_BYTES_MAX)
