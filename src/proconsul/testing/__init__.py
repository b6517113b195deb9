"""Tools for tests, public: agents inside the test's process, a pytest fixture, a Raft simulator.

Names are loaded when they are used, so that importing one tool does not load the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proconsul.testing.agent import AgentInLoop, AgentInThread, free_port

__all__ = ["AgentInLoop", "AgentInThread", "free_port"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from proconsul.testing import agent

        return getattr(agent, name)
    raise AttributeError(name)
