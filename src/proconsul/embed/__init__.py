"""proconsul as part of another program: an agent within it, and applications that are found and find others
(docs/embedding.md). Nothing here imports a framework."""

from __future__ import annotations

from proconsul.agent.config.errors import ConfigError
from proconsul.embed.agent import AgentEnded, EmbeddedAgent
from proconsul.embed.service import Attached, WebService, cleanup_context, lifespan

__all__ = ["AgentEnded", "Attached", "ConfigError", "EmbeddedAgent", "WebService", "cleanup_context", "lifespan"]
