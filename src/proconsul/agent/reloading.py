"""Reading the configuration again: everything is planned first, then put into force, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.runtime import ReloadableConfig, RuntimeConfig
from proconsul.agent.part import Parts, put_into_force
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

# Gives the configuration that is to follow the one that is in force. Raises ConfigError or OSError.
ReadConfig = Callable[[RuntimeConfig], RuntimeConfig]


class Reloading:
    """The configuration in force, and how another one takes its place."""

    def __init__(
        self, config: RuntimeConfig, parts: Parts, read: ReadConfig | None,
        paused: Callable[[], contextlib.AbstractContextManager[None]],
        prepare: Callable[[ReloadableConfig], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        """``read`` is None for an agent that has its configuration from nowhere to be read again. ``paused`` holds back
        what would show others half of a change. ``prepare`` brings what plans need and takes time."""
        self.config = config
        self.read = read
        self._parts, self._paused, self._prepare = parts, paused, prepare
        self._one_at_a_time = asyncio.Lock()

    async def reload(self) -> None:
        """Raises ConsulError when the new configuration cannot be used; then nothing has changed.

        A reload that has begun is carried out, also when whoever asked for it does not wait for its end.
        """
        await asyncio.shield(asyncio.ensure_future(self._reload()))

    async def finish(self) -> None:
        """Let a reload that has begun come to its end; none begins after it."""
        async with self._one_at_a_time:
            self.read = None

    async def _reload(self) -> None:
        async with self._one_at_a_time:
            if self.read is None:
                return
            try:
                config = self.read(self.config)
            except (ConfigError, OSError) as error:
                raise ConsulError(str(error)) from None
            if self._prepare is not None:
                await self._prepare(config.reloadable)
            commits = self._parts.plan_reload(config.reloadable)
            with self._paused():
                before, self.config = self.config.reloadable, config
                await put_into_force(commits)
            changed = ", ".join(_changed(before, config.reloadable))
            log.info("Reloaded configuration: changed=%s", f"[{changed}]")


def _changed(before: ReloadableConfig, after: ReloadableConfig) -> list[str]:
    """The fields that differ; of blocks those within."""
    found = []
    for name in after.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        inner = new.__struct_fields__ if isinstance(new, msgspec.Struct) else ()
        found += [f"{name}.{field}" for field in inner if getattr(old, field) != getattr(new, field)] or [name]
    return found
