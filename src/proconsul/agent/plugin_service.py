"""The plug-ins of an agent as a part of it: imported before anything that may name one is made."""

from __future__ import annotations

from proconsul.agent.config.plugins import named_plugins
from proconsul.agent.config.runtime import ReloadableConfig, RuntimeConfig
from proconsul.agent.part import Part
from proconsul.plugins.host import PluginHost


class PluginService(Part):
    """Nothing happens where the configuration names no plug-in."""

    def __init__(self, plugins: PluginHost, config: RuntimeConfig) -> None:
        self._plugins, self._fixed = plugins, config.fixed
        # For the start.
        self._named = named_plugins(config.fixed, config.reloadable)

    async def start(self) -> None:
        """What is wrong with a plug-in is said by what needs it."""
        await self._plugins.load(self._named)

    async def prepare(self, config: ReloadableConfig) -> None:
        """Import what another configuration names besides."""
        await self._plugins.load(named_plugins(self._fixed, config))

    async def stop(self) -> None:
        self._plugins.stop()
