"""Work that has to go on as long as its node: when it ends by a fault of the program, somebody must hear of it.

A node whose leader loop or log has died, but whose listeners live on, is worse than none: others count on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

# Hears what ended the work.
Died = Callable[[BaseException], None]


def supervised(work: Coroutine[Any, Any, None], died: Died) -> asyncio.Task[None]:
    """``work`` as a task. ``died`` hears of an exception that ends it; that it returns or is cancelled is as meant."""
    task = asyncio.get_running_loop().create_task(work)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            died(error)

    task.add_done_callback(ended)
    return task
