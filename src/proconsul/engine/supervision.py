"""Work that has to go on as long as its node: when it ends by a fault of the program, somebody must hear of it.

A node whose leader loop or log has died, but whose listeners live on, is worse than none: others count on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

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


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """As ``await work``, but whoever is cancelled meanwhile learns of it when the work is over, and not before: what
    gives back must not be left in the middle."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # heard by nobody else
        raise cancelled
    return task.result()
