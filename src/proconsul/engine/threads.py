"""Work on other threads that has to be over before what it uses may be closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from proconsul.engine.supervision import to_the_end

__all__ = ["on_thread"]

P = ParamSpec("P")
T = TypeVar("T")


async def on_thread(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """As `asyncio.to_thread`, but who is cancelled waits until the thread is done, and only then goes on.

    A thread cannot be interrupted: a file that is closed beneath it gives errors that nobody hears, and what was
    removed may come back.
    """
    return await to_the_end(asyncio.to_thread(function, *args, **options))
