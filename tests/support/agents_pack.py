"""Many client agents in one process, each with its own addresses, gossip and connections: it takes less memory.

    python agents_pack.py < settings

Reads a line of JSON, a list of agents' settings, and starts them. Every later line ``restart`` ends and starts them
again, one after the other. Says in lines of JSON: ``ready`` when all are there, ``down`` and ``up`` with a node's name,
``restarted`` in the end, and the longest that its event loop stood still since the last line of that kind.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from proconsul.agent.main import prepare_process
from proconsul.testing.agent import AgentInLoop

# How often the loop is looked at.
LOOK_S = 0.05


def say(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}), flush=True)


class Pack:
    """The agents, by name."""

    def __init__(self, settings: list[dict[str, Any]]) -> None:
        self._settings = {one["node_name"]: one for one in settings}
        self._agents: dict[str, AgentInLoop] = {}
        self._late_s = 0.0

    async def watch_loop(self) -> None:
        """Measure how late the loop is."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_S)
            self._late_s = max(self._late_s, time.monotonic() - before - LOOK_S)

    def late_s(self) -> float:
        late_s, self._late_s = self._late_s, 0.0
        return round(late_s, 3)

    async def start(self, name: str) -> None:
        self._agents[name] = agent = AgentInLoop(self._settings[name], listen=True, gossip=True)
        await agent.__aenter__()

    async def start_all(self) -> None:
        for name in self._settings:
            await self.start(name)

    async def restart_all(self) -> None:
        for name, agent in list(self._agents.items()):
            say("down", name=name)
            await agent.__aexit__(None, None, None)
            await self.start(name)
            await self._knows_servers(self._agents[name])
            say("up", name=name)

    @staticmethod
    async def _knows_servers(agent: AgentInLoop) -> None:
        """Wait until it can ask somebody: the next one is ended then."""
        while not await agent.agent.node.knows_leader():
            await asyncio.sleep(LOOK_S)


async def main() -> None:
    loop = asyncio.get_running_loop()
    pack = Pack(json.loads(sys.stdin.readline()))
    watching = asyncio.create_task(pack.watch_loop())
    await pack.start_all()
    say("ready", late_s=pack.late_s())
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "restart":
            await pack.restart_all()
            say("restarted", late_s=pack.late_s())
    watching.cancel()


if __name__ == "__main__":
    import uvloop

    prepare_process()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
