"""Tools for tests, public: agents inside the test's process, whose time, faults and state the test holds.

`DevAgent`, `AsyncDevAgent` and `DevCluster` are for the tests of programs that use Consul, `ConsulProcess` and
`AsyncConsulProcess` for the same tests against a real one; `AgentInLoop` and `AgentInThread` for those that want the
bare agent in their own loop. The pytest fixtures are in `plugin`. Simulators,
judges of histories and other tools of this project are public under the names of their modules.

Names are loaded when they are used, so that importing one tool does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proconsul.testing.agent import AgentInLoop, AgentInThread
    from proconsul.testing.agent_state import AgentSnapshot
    from proconsul.testing.answers import HttpAnswer
    from proconsul.testing.consul_process import AsyncConsulProcess, ConsulProcess, Unsupported
    from proconsul.testing.dev_agent import AsyncDevAgent, DevAgent
    from proconsul.testing.dev_cluster import ClusterNode, DevCluster, PendingRequest
    from proconsul.testing.faulty_door import DoorFaults
    from proconsul.testing.ports import free_port, free_ports

_HOMES = {
    "AgentInLoop": "agent", "AgentInThread": "agent", "AgentSnapshot": "agent_state",
    "AsyncConsulProcess": "consul_process", "AsyncDevAgent": "dev_agent", "ClusterNode": "dev_cluster",
    "ConsulProcess": "consul_process", "DevAgent": "dev_agent", "DevCluster": "dev_cluster",
    "DoorFaults": "faulty_door", "HttpAnswer": "answers", "PendingRequest": "dev_cluster",
    "Unsupported": "consul_process", "free_port": "ports", "free_ports": "ports",
}  # fmt: skip
__all__ = [
    "AgentInLoop", "AgentInThread", "AgentSnapshot", "AsyncConsulProcess", "AsyncDevAgent", "ClusterNode",
    "ConsulProcess", "DevAgent", "DevCluster", "DoorFaults", "HttpAnswer", "PendingRequest", "Unsupported", "free_port",
    "free_ports",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
