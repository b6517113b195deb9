"""docs/embedding.md runs as it stands."""

from __future__ import annotations

import logging

from leftovers import nothing_left

from support.pages import run_python_page


async def test_the_page_runs() -> None:
    logger = logging.getLogger("agent")
    handlers, level = list(logger.handlers), logger.level
    async with nothing_left():
        try:
            await run_python_page("embedding.md", {"__name__": "embedding"})
        finally:
            logger.handlers[:] = handlers
            logger.setLevel(level)
