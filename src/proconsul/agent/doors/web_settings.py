"""What every request has to do with and a reload may change: how long reads wait, how stale they may be, whose they are
when they bring no token, and how often servers are asked for what the agent's cache keeps."""

from __future__ import annotations

from proconsul.agent.config.runtime import UNLIMITED_RATE, ReloadableConfig
from proconsul.agent.part import Part
from proconsul.agent.tokens import AgentTokens
from proconsul.features.base import SECOND_NS
from proconsul.features.web import Web
from proconsul.server.gate import Gate


class WebSettings(Part):
    """Keeps ``web`` and ``gate`` as the configuration and the agent's tokens say."""

    def __init__(self, web: Web, gate: Gate, tokens: AgentTokens, config: ReloadableConfig) -> None:
        self._web, self._gate, self._tokens = web, gate, tokens
        self._queries, self._asking = config.queries, config.asking
        tokens.listen(self._apply)
        self._apply()

    def reloaded(self, config: ReloadableConfig) -> None:
        self._queries, self._asking = config.queries, config.asking
        self._apply()

    async def stop(self) -> None:
        """End the background questions of the cache."""
        self._web.cache.close()

    def _apply(self) -> None:
        queries = self._queries
        self._web.configure(
            default_token=self._tokens.default, use_cache=queries.use_cache,
            discovery_max_stale_ns=int(queries.discovery_max_stale_s * SECOND_NS),
        )  # fmt: skip
        asking = self._asking
        rate = asking.cache_entry_fetch_rate
        self._web.cache.configure(
            fetch_rate=None if rate >= UNLIMITED_RATE else rate, fetch_burst=asking.cache_entry_fetch_burst_max
        )
        self._gate.default_query_time_ns = int(queries.default_query_time_s * SECOND_NS)
        self._gate.max_query_time_ns = int(queries.max_query_time_s * SECOND_NS)
