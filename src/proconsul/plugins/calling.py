"""Calls of a plug-in: each within its time, whether the method is ``async def`` or plain, and whatever it does.

An ``async def`` method that does not end when it is cancelled is let go of; a plain one that does not come back keeps
its thread, of which a plug-in has few. Neither keeps anybody else waiting.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from proconsul.engine.complaints import Complaints
from proconsul.engine.wire.durations import format_seconds
from proconsul.engine.wire.text import quoted
from proconsul.plugins.foreign import shown, words
from proconsul.plugins.kinds import PluginError, PluginKind
from proconsul.plugins.leash import Leash
from proconsul.plugins.protocols import SettingsError
from proconsul.plugins.workers import WorkerDied, Workers

__all__ = ["MAKE_TIMEOUT_S", "Plugin", "PluginInstance", "PluginTimeout"]

log = logging.getLogger("agent.plugins")

# How long an ``async def`` method has for its clean-up when its time is over.
GRACE_S: Final = 1.0
# For ``__init__``, which may open a connection.
MAKE_TIMEOUT_S: Final = 10.0
# Checks come and go over the API under any name: of more that fail it is forgotten what they said last.
_COMPLAINTS_MAX: Final = 1024


class PluginTimeout(PluginError):
    """A call that has taken too long."""


class _NotMade(PluginError):
    """An object that cannot be made, of which the log says why already."""


class Plugin:
    """One loaded plug-in of one agent. To be used on the event loop's thread."""

    def __init__(self, kind: PluginKind, name: str, factory: type) -> None:
        self.kind, self.name, self.factory = kind, name, factory
        self.workers = Workers(f"plugin-{kind}-{name}")
        # Coroutines that did not end when they had to.
        self.let_go = 0
        # Objects that are being made, whether or not anybody waits for them.
        self._making: set[asyncio.Task[None]] = set()
        self._complaints = Complaints()

    def __str__(self) -> str:
        return f"plug-in {quoted(self.name)}"

    async def call(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """What ``function`` returns. Raises PluginTimeout, and what it raises, as it is."""
        call = _Call(self.workers, function, args)
        task = asyncio.ensure_future(call.run())
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout_s)
            if not done:
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
                raise PluginTimeout(f"{self} has not answered within {format_seconds(timeout_s)}{self._stuck()}")
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_S)
            raise
        finally:
            if not task.done():
                self.let_go += 1
                log.error("plug-in does not end when it is cancelled: kind=%s name=%s", self.kind, self.name)
                call.let_go()
                task.cancel()
            elif not task.cancelled():
                task.exception()  # of one that has come too late nobody hears otherwise
        if task.cancelled():  # and not by us: whoever has called is not to end for it
            raise PluginError(f"{self} has cancelled itself")
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise WorkerDied(shown(error))
        return task.result()

    def _stuck(self) -> str:
        running = self.workers.running
        return f"; {running} of its calls have not come back" if running > 1 else ""

    def complain(self, about: str, error: BaseException) -> None:
        """Log what went wrong, once for as long as it is the same; with its trace when it is the author's to mend."""
        if len(self._complaints) >= _COMPLAINTS_MAX:
            self._complaints.keep(())
        if self._complaints.is_new(about, shown(error)):
            mine = None if isinstance(error, PluginError) else error
            log.error("plug-in failed: kind=%s name=%s of=%s error=%s", self.kind, self.name, about, shown(error),
                      exc_info=mine)  # fmt: skip

    def well(self, about: str) -> None:
        """What was complained about is over."""
        if self._complaints.over(about):
            log.info("plug-in works again: kind=%s name=%s of=%s", self.kind, self.name, about)

    def spawn(self, making: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have an object be made."""
        task = asyncio.get_running_loop().create_task(making)
        self._making.add(task)
        task.add_done_callback(self._making.discard)
        return task

    def stop(self) -> None:
        """Give up what does not come back, and say so."""
        for task in self._making:
            task.cancel()
        left = self.workers.stop()
        if left:
            log.error("plug-in has calls that do not come back, and are given up: kind=%s name=%s calls=%d",
                      self.kind, self.name, left)  # fmt: skip


class _Call:
    """One call under way."""

    def __init__(self, workers: Workers, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._workers, self._function, self._args = workers, function, args
        self._leash: Leash | None = None

    async def run(self) -> Any:
        """What the function returns. Raises what it raises."""
        try:
            if inspect.iscoroutinefunction(self._function):
                found = self._function(*self._args)
            else:
                found = await self._workers.run(self._function, *self._args)
            if not inspect.isawaitable(found):
                return found
            self._leash = Leash(found if isinstance(found, Coroutine) else _awaited(found))
            return await self._leash
        except (SystemExit, KeyboardInterrupt) as error:  # with which a task ends the event loop
            raise WorkerDied(shown(error)) from None

    def let_go(self) -> None:
        if self._leash is not None:
            self._leash.let_go = True


async def _awaited(found: Awaitable[Any]) -> Any:
    return await found


class PluginInstance:
    """A plug-in with its settings: made when it is first used, in the plug-in's own time, and made again after a
    failure of that."""

    def __init__(self, plugin: Plugin, settings: Any, about: str) -> None:
        """``about``: what uses it, for the log."""
        self.plugin, self._settings, self._about = plugin, settings, about
        self._made: Any = None
        self._making: asyncio.Task[None] | None = None

    async def ready(self) -> Any:
        """The object. Who asks while it is being made waits for the same attempt. Raises PluginError."""
        if self._made is None:
            if self._making is None:
                self._making = self.plugin.spawn(self._make())
                self._making.add_done_callback(self._attempted)
            await asyncio.shield(self._making)
        return self._made

    def _attempted(self, task: asyncio.Task[None]) -> None:
        self._making = None
        if not task.cancelled():
            task.exception()  # whoever has waited for it was told

    async def _make(self) -> None:
        try:
            self._made = await self.plugin.call(self.plugin.factory, self._settings, timeout_s=MAKE_TIMEOUT_S)
        except PluginError:
            raise
        except SettingsError as error:
            raise PluginError(f"{self.plugin}: {words(error) or 'its settings are of no use'}") from None
        except Exception as error:
            self.plugin.complain(self._about, error)
            raise _NotMade(f"{self.plugin} cannot be made: {shown(error)}") from error

    async def call(self, method: str, *args: Any, timeout_s: float) -> Any:
        """What the method returns. Raises PluginError, and what the method raises, as it is."""
        made = await self.ready()
        return await self.plugin.call(getattr(made, method), *args, timeout_s=timeout_s)

    async def close(self, timeout_s: float = GRACE_S) -> None:
        """Call its ``close``, if it was made and has one. Errors are logged."""
        close = getattr(self._made, "close", None)
        if close is not None:
            try:
                await self.plugin.call(close, timeout_s=timeout_s)
            except Exception as error:
                self.plugin.complain(self._about, error)

    def complain(self, error: BaseException) -> None:
        """See `Plugin.complain`. What is in the log already is not said again in other words."""
        if isinstance(error, _NotMade):
            return
        self.plugin.complain(self._about, error)

    def well(self) -> None:
        """See `Plugin.well`."""
        self.plugin.well(self._about)
