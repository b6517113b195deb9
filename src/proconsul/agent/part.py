"""What an agent is put together of: parts that are started, reloaded and stopped, each knowing only what it needs.

A part is always there, also one that the configuration gives nothing to do. It is handed the reloadable half of the
configuration at every reload and keeps none of it that it does not use.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from proconsul.agent.config.runtime import ReloadableConfig

log = logging.getLogger("agent")

# Puts into force what was planned. What it returns is still on its way, and is waited for when all parts have it.
Commit = Callable[[], Awaitable[object] | None]


class Part:
    """One concern of an agent. What a part has no need of it leaves as it is here."""

    async def start(self) -> None:
        """Begin. Whatever this raises ends the start of the agent; `stop` then ends what has begun."""

    async def stop(self) -> None:
        """End what `start` began: all of it, the half of it, or nothing."""

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """See whether the part can run with another configuration, and change nothing yet. Raises ConsulError."""
        return partial(self.reloaded, config)

    def reloaded(self, config: ReloadableConfig) -> None:
        """Run with another configuration, for parts that can do so with any."""


class Parts:
    """Starts parts in their order, and stops them in the reverse one."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)

    async def start(self) -> None:
        """Raises what a part raises; what has begun until then goes on until `stop`."""
        for part in self._parts:
            await part.start()

    async def stop(self) -> None:
        """End everything, however far a start came. One that cannot end keeps nothing else from ending, nor what was
        acknowledged from the disk."""
        for part in reversed(self._parts):
            try:
                await part.stop()
            except Exception:
                log.exception("failed to stop: part=%s", type(part).__name__)

    def plan_reload(self, config: ReloadableConfig) -> list[Commit]:
        """Ask every part. Raises ConsulError when one cannot run with ``config``; nothing has changed then."""
        return [part.plan_reload(config) for part in self._parts]


async def put_into_force(commits: Sequence[Commit]) -> None:
    """Carry out what was planned, all of it without a turn of the event loop in between; then wait for what takes time.

    A commit cannot fail for a reason that its plan could have seen. One that does so all the same is logged and keeps
    no other from being carried out; the first error is raised at the end.
    """
    errors: list[Exception] = []
    under_way = []
    for commit in commits:
        try:
            later = commit()
        except Exception as error:
            log.exception("failed to take over the new configuration")
            errors.append(error)
        else:
            if later is not None:
                under_way.append(later)
    for found in await asyncio.gather(*under_way, return_exceptions=True):
        if isinstance(found, Exception):
            log.error("failed to take over the new configuration: error=%s", found)
            errors.append(found)
    if errors:
        raise errors[0]
