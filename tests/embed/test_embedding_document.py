"""docs/embedding.md runs as it stands."""

from __future__ import annotations

import logging

from leftovers import nothing_left

from support.pages import DOCS, run_python_blocks


async def test_the_page_runs() -> None:
    logger = logging.getLogger("agent")
    handlers, level = list(logger.handlers), logger.level
    async with nothing_left():
        try:
            await run_python_blocks(DOCS / "embedding.md", {"__name__": "embedding"})
        finally:
            logger.handlers[:] = handlers
            logger.setLevel(level)
