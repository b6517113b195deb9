"""A clock for what others count, too: the system's time does not move it, and a machine asleep does not stop it."""

from __future__ import annotations

import time

__all__ = ["since_boot"]

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def since_boot() -> float:
    """Seconds since some moment. Where the system has no such clock, the monotonic one."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)
