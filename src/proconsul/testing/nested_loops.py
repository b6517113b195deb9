"""One event loop that has its turn within another one's: which of them runs, as asyncio is to see it.

Python has no public call for that. From 3.14 on the task that runs is known by thread, before it was by loop: so it is
left before the other loop runs and entered again behind it, which changes nothing in older ones.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

__all__ = ["Around", "give_back", "take_over"]


class Around(NamedTuple):
    """What ran before."""

    loop: asyncio.AbstractEventLoop | None
    task: asyncio.Task[Any] | None


def take_over(loop: asyncio.AbstractEventLoop) -> Around:
    """Have ``loop`` be the one that runs, until `give_back` gets what this returns."""
    outer = asyncio._get_running_loop()
    task = None if outer is None else asyncio.current_task(outer)
    if outer is not None and task is not None:
        asyncio.tasks._leave_task(outer, task)
    asyncio._set_running_loop(loop)
    return Around(outer, task)


def give_back(around: Around) -> None:
    """Have the one run that ran before."""
    asyncio._set_running_loop(around.loop)
    if around.loop is not None and around.task is not None:
        asyncio.tasks._enter_task(around.loop, around.task)
