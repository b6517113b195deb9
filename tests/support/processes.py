"""Whether a process still runs. One that was killed may wait, as a zombie, for a parent that asks late or never; it has
ended all the same."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from support.patience import PATIENCE_S


def is_alive(pid: int) -> bool:
    """Whether ``pid`` runs: it is there, and neither a zombie nor being taken away."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:
        # Without /proc only signals tell, and they do not tell zombies from others.
        return Path(f"/proc/{os.getpid()}").exists() is False
    return state not in "ZX"


async def until_ended(pid: int, timeout_s: float = PATIENCE_S) -> None:
    """Wait until ``pid`` runs no more: a signal takes effect a little later than it is sent. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while is_alive(pid):
            await asyncio.sleep(0.01)
