"""All plug-ins of one agent: found and imported when its configuration first needs one, called, and told of.

Nothing is looked for in an agent whose configuration names no plug-in: that costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proconsul.engine.wire.text import quoted
from proconsul.plugins.kinds import PluginError, PluginKind

if TYPE_CHECKING:  # agents without plug-ins have no use for them
    from proconsul.plugins.calling import Plugin, PluginInstance
    from proconsul.plugins.registry import FoundPlugin, Registry
    from proconsul.plugins.workers import Workers

__all__ = ["PluginHost", "PluginReport"]

log = logging.getLogger("agent.plugins")

# Heavy libraries take seconds; who takes longer does not come back.
IMPORT_TIMEOUT_S: Final = 30.0
# One that hangs keeps its thread; so many may.
_IMPORTS_MAX: Final = 16


class PluginReport(NamedTuple):
    """One plug-in, as operators see it. calls: those under way. let_go: those that did not end when they had to."""

    kind: PluginKind
    name: str
    target: str
    distribution: str
    version: str
    state: str
    problem: str
    calls: int
    let_go: int


class PluginHost:
    """For one event loop. ``allow``: the allow-list, None without one (see `registry`)."""

    def __init__(self, allow: Sequence[str] | None = None) -> None:
        self._allow = allow
        self._plugins: dict[tuple[PluginKind, str], Plugin] = {}
        self._looked = False
        self._loading = asyncio.Lock()

    @cached_property
    def registry(self) -> Registry:
        """What is known of them."""
        from proconsul.plugins.registry import Registry

        return Registry(self._allow)

    @cached_property
    def _imports(self) -> Workers:
        from proconsul.plugins.workers import Workers

        return Workers("plugin-import", _IMPORTS_MAX)

    async def load(self, named: Collection[tuple[PluginKind, str]]) -> None:
        """Import what the allow-list lists and the configuration names, as far as that is not done. What is wrong is
        logged and kept for those that ask; raises nothing."""
        if not named and not self._allow:
            return
        async with self._loading:
            missing = [one for one in named if not self.registry.known(*one)]
            if not self._looked or missing:
                await self._look()
                for entry in self.registry.unmatched():
                    log.warning("plugins.allow lists what is not installed: entry=%s", entry)
            for found in self.registry.to_load(named):
                await self._import(found)

    async def _look(self) -> None:
        from proconsul.plugins.loader import find_plugins

        try:
            async with asyncio.timeout(IMPORT_TIMEOUT_S):
                self.registry.take(await self._imports.run(find_plugins))
            self._looked = True
        except Exception as error:
            log.error("failed to look for plug-ins: error=%s: %s", type(error).__name__, error)

    async def _import(self, found: FoundPlugin) -> None:
        from proconsul.plugins.loader import import_plugin

        try:
            async with asyncio.timeout(IMPORT_TIMEOUT_S):
                imported = await self._imports.run(import_plugin, found)
            problem = imported.problem or self.registry.loaded(found.kind, found.name, imported.factory)
        except TimeoutError:
            problem = f"its import has not come back within {IMPORT_TIMEOUT_S:g} s"
        if problem:
            self.registry.failed(found.kind, found.name, problem)
            log.error("plug-in is left out: kind=%s name=%s distribution=%s error=%s", found.kind, found.name,
                      found.distribution, problem)  # fmt: skip
        else:
            log.info("loaded plug-in: kind=%s name=%s distribution=%s version=%s", found.kind, found.name,
                     found.distribution, found.version)  # fmt: skip

    # ------------------------------------------------------------------ use

    def knows(self, kind: PluginKind, name: str) -> bool:
        """Whether there is one of that name, of use or not, as far as anybody has looked."""
        return self._looked and self.registry.known(kind, name)

    def usable(self, kind: PluginKind) -> list[str]:
        """The names of those that the allow-list lists and that are loaded."""
        return self.registry.usable(kind) if self._looked else []

    def plugin(self, kind: PluginKind, name: str, *, by_api: bool = False) -> Plugin:
        """A loaded plug-in, for a definition of the configuration or of the API. Raises PluginError."""
        from proconsul.plugins.calling import Plugin

        factory = self.registry.factory(kind, name, by_api=by_api)
        found = self._plugins.get((kind, name))
        if found is None:
            found = self._plugins[kind, name] = Plugin(kind, name, factory)
        return found

    def check(self, kind: PluginKind, name: str, settings: Mapping[str, Any] | None, *, by_api: bool = False) -> None:
        """Raise PluginError unless the plug-in can be used with these settings."""
        self._settings(self.plugin(kind, name, by_api=by_api), settings)

    def instance(
        self, kind: PluginKind, name: str, settings: Mapping[str, Any] | None, about: str, *, by_api: bool = False
    ) -> PluginInstance:
        """One for these settings. Raises PluginError."""
        from proconsul.plugins.calling import PluginInstance

        plugin = self.plugin(kind, name, by_api=by_api)
        return PluginInstance(plugin, self._settings(plugin, settings), about)

    def _settings(self, plugin: Plugin, settings: Mapping[str, Any] | None) -> Any:
        from proconsul.plugins.shape import settings_of

        try:
            return settings_of(plugin.factory, settings)
        except ValueError as error:
            raise PluginError(f"plug-in {quoted(plugin.name)}: {error}") from None

    # ------------------------------------------------------------------ the rest

    async def report(self) -> list[PluginReport]:
        """All plug-ins that are installed, and what is wrong with those that are not in use."""
        if not self._looked:
            async with self._loading:
                await self._look()
        found = []
        for entry, state in self.registry.report():
            one = entry.found
            plugin = self._plugins.get((one.kind, one.name))
            found.append(PluginReport(
                one.kind, one.name, one.target, one.distribution, one.version, state, entry.problem,
                plugin.workers.running if plugin else 0, plugin.let_go if plugin else 0,
            ))  # fmt: skip
        return found

    def stop(self) -> None:
        """End the threads; calls that do not come back are given up."""
        for plugin in self._plugins.values():
            plugin.stop()
        if "_imports" in self.__dict__ and (left := self._imports.stop()):
            log.error("imports of plug-ins do not come back, and are given up: imports=%d", left)
