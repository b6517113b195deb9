"""proconsul as part of an asyncio program (docs/embedding.md)."""

from __future__ import annotations

from proconsul.agent.config.errors import ConfigError
from proconsul.embed.agent import AgentEnded, EmbeddedAgent

__all__ = ["AgentEnded", "ConfigError", "EmbeddedAgent"]
