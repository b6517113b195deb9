"""What every request has to do with and a reload may change: how long reads wait, how stale they may be, whose they are
when they bring no token."""

from __future__ import annotations

from proconsul.agent.config.runtime import ReloadableConfig
from proconsul.agent.part import Part
from proconsul.agent.tokens import AgentTokens
from proconsul.features.base import SECOND_NS
from proconsul.features.web import Web
from proconsul.server.gate import Gate


class WebSettings(Part):
    """Keeps ``web`` and ``gate`` as the configuration and the agent's tokens say."""

    def __init__(self, web: Web, gate: Gate, tokens: AgentTokens, config: ReloadableConfig) -> None:
        self._web, self._gate, self._tokens = web, gate, tokens
        self._queries = config.queries
        tokens.listen(self._apply)
        self._apply()

    def reloaded(self, config: ReloadableConfig) -> None:
        self._queries = config.queries
        self._apply()

    def _apply(self) -> None:
        queries = self._queries
        self._web.configure(
            default_token=self._tokens.default, use_cache=queries.use_cache,
            discovery_max_stale_ns=int(queries.discovery_max_stale_s * SECOND_NS),
        )  # fmt: skip
        self._gate.default_query_time_ns = int(queries.default_query_time_s * SECOND_NS)
        self._gate.max_query_time_ns = int(queries.max_query_time_s * SECOND_NS)
