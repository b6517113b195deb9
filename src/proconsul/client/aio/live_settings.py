"""Settings that are keys below a prefix, and follow them while the program runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Final, TypeVar

from proconsul.client.aio import kit
from proconsul.client.aio.parts import AsyncParts
from proconsul.client.aio.watch import AsyncWatch
from proconsul.client.errors import BadAnswer, CallTimeout, ConsulError
from proconsul.client.setting_values import Setting, SettingsSnapshot, check_defaults, taken
from proconsul.features.kv.model import DirEntry

__all__ = ["AsyncLiveSettings"]

T = TypeVar("T")

log: logging.Logger = logging.getLogger("proconsul.client")

_AGAIN_S: Final = 5.0

# Told what the settings were and are.
Change = Callable[[SettingsSnapshot, SettingsSnapshot], None]


class AsyncLiveSettings:
    """The settings below a prefix. Made by `client.live_settings`; `start` and `stop` it, or use it as a context.

    ``current`` is what they say, as a whole of one moment, replaced at once when something changes; the getters are
    those of ``current``. While nobody can be asked, what was known last holds, and before that the defaults:
    ``last_error`` says why. ``wrong`` has the declared settings that somebody wrote nonsense to.

    A process that is forked from one that follows settings, as those of prefork servers are, goes on with what was
    known, and follows them by itself from the first look on.
    """

    def __init__(self, parts: AsyncParts, prefix: str, defaults: Mapping[str, Setting]) -> None:
        check_defaults(defaults)
        self._parts, self._prefix = parts, prefix
        self._current = SettingsSnapshot({}, defaults)
        self._changes: list[Change] = []
        self._watch: AsyncWatch[list[DirEntry]] | None = None
        self._job: kit.Job | None = None
        # Something is known, good or bad; the settings are known.
        self._told, self._ready = kit.Flag(), kit.Flag()
        self._refusal: ConsulError | None = None
        # Not empty: this process is not the one that follows. A list, as one of many threads has to take it.
        self._orphaned: list[bool] = []
        self.wrong: dict[str, BadAnswer] = {}
        kit.at_fork(self)

    # ------------------------------------------------------------------ life

    async def start(self, timeout: float = 10.0, *, required: bool = False) -> None:
        """Begin to follow, and wait until the settings are known, so many seconds at most.

        When nobody can be asked it goes on with the defaults, at once, and follows them as soon as it can; with
        ``required`` it raises ConsulError at the end of its time, and has ended.
        """
        if self._job is not None:
            raise RuntimeError(f"the settings of {self._prefix} are followed already")
        self._begin()
        try:
            await (self._ready if required else self._told).wait_for(timeout)
            if required and (self._refusal is not None or not self._ready.is_set()):
                raise self.last_error or CallTimeout(f"{self._prefix} is not known within {timeout:g} s")
        except BaseException:
            await self.stop()
            raise

    def _begin(self) -> None:
        self._refusal = None
        # What was known before it ended is old: who starts it again waits again.
        self._told, self._ready = kit.Flag(), kit.Flag()
        self._watch = AsyncWatch(self._parts.caller, self._parts.kv.entries, (self._prefix,), {})
        self._watch.on_error = self._failed
        self._job = kit.Job(self._follow, f"settings of {self._prefix}", self._broken)

    async def stop(self) -> None:
        """End it; what is known stays."""
        job, self._job = self._job, None
        self._orphaned.clear()
        if job is not None:
            await job.stop()

    async def __aenter__(self) -> AsyncLiveSettings:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        await self.stop()

    def forked(self) -> None:
        """This is a process of its own now; who followed the settings has stayed in the other one."""
        if self._job is not None or self._orphaned:
            self._job, self._orphaned = None, [True]
        self._parts.caller.rng.seed()  # else all of them come back at once

    # ------------------------------------------------------------------ following

    async def _follow(self) -> None:
        assert self._watch is not None
        while True:
            try:
                async for entries in self._watch:
                    self._refusal = None
                    self._take(entries)
                    self._ready.set()
                    self._told.set()
                return
            except ConsulError as error:  # refused: who looks at `last_error` may do something
                self._refusal = error
                self._ready.set()
                self._told.set()
                await kit.sleep(_AGAIN_S)

    def _failed(self, error: ConsulError) -> None:
        self._told.set()

    def _broken(self, error: BaseException) -> None:
        """A fault of ours ends it; nobody shall take that for quiet."""
        log.error("following the settings of %s failed: %r", self._prefix, error)
        self._refusal = ConsulError(f"following the settings of {self._prefix} failed: {error!r}")
        self._ready.set()
        self._told.set()

    def _take(self, entries: list[DirEntry]) -> None:
        before = self._current
        now, wrong = taken(entries, self._prefix, before)
        for name, error in wrong.items():
            if str(self.wrong.get(name)) != str(error):
                log.error("%s; the last good value stays", error)
        self._current, self.wrong = now, wrong
        if now == before:
            return
        for told in tuple(self._changes):
            try:
                told(before, now)
            except Exception:  # a fault of one shall not keep the settings from all
                log.exception("told of other settings, %r failed", told)

    def on_change(self, told: Change) -> Callable[[], None]:
        """Have ``told`` called with the settings before and now, after each change, where they are followed: in the
        event loop, or for the blocking client in a thread of its own. Returns what ends that. What it raises is
        logged. Raises TypeError for a coroutine function, which nobody would await."""
        if iscoroutinefunction(told):
            raise TypeError(f"{told!r} is a coroutine function, and is only called")
        self._changes.append(told)

        def end() -> None:
            with suppress(ValueError):
                self._changes.remove(told)

        return end

    # ------------------------------------------------------------------ values

    @property
    def current(self) -> SettingsSnapshot:
        """What the settings are now."""
        if self._orphaned:
            with suppress(IndexError):
                self._orphaned.pop()
                self._begin()
        return self._current

    @property
    def last_error(self) -> ConsulError | None:
        """Why nothing newer is known, None while all is well."""
        return self._refusal or (self._watch.last_error if self._watch is not None else None)

    @property
    def is_stale(self) -> bool:
        """Whether what is known may be old."""
        return self._job is None or self.last_error is not None

    def text(self, name: str, default: str | None = None) -> str:
        """See `SettingsSnapshot.text`."""
        return self.current.text(name, default)

    def integer(self, name: str, default: int | None = None) -> int:
        """See `SettingsSnapshot.integer`."""
        return self.current.integer(name, default)

    def number(self, name: str, default: float | None = None) -> float:
        """See `SettingsSnapshot.number`."""
        return self.current.number(name, default)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """See `SettingsSnapshot.flag`."""
        return self.current.flag(name, default)

    def json(self, name: str, kind: type[T], default: T | None = None) -> T:
        """See `SettingsSnapshot.json`."""
        return self.current.json(name, kind, default)
