"""How an agent ends: its exit code, and leaving the datacenter on purpose."""

from __future__ import annotations

import asyncio
import logging

from proconsul.agent.gossip.pools import Pools
from proconsul.server import leaving
from proconsul.server.server import ConsulServer

log = logging.getLogger("agent")

# Whoever asked for the end over HTTP has its answer by then.
ANSWERS_OUT_S = 0.05


class Ending:
    """Whether the agent should end, and with which code. To be made on the event loop."""

    def __init__(self) -> None:
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def now(self, exit_code: int) -> None:
        """End; a code that was told before counts."""
        if not self.exit_code.done():
            self.exit_code.set_result(exit_code)

    def soon(self, exit_code: int) -> None:
        """End after the answers now being written."""
        asyncio.get_running_loop().call_later(ANSWERS_OUT_S, self.now, exit_code)


class Leaving:
    """Tells the pools that this agent goes on purpose. ``server`` is None in a client agent."""

    def __init__(self, pools: Pools, server: ConsulServer | None, *, drain_time_s: float) -> None:
        self._pools, self._server, self._drain_time_s = pools, server, drain_time_s

    async def leave(self) -> None:
        """A server returns when the others can do without it."""
        server = self._server
        log.info("%s starting leave", "server" if server is not None else "client")
        if server is None:
            await self._pools.leave()
            return
        has_peers = await leaving.hand_over(server)
        await self._pools.leave()
        log.info("Waiting to drain RPC traffic: drain_time=%gs", self._drain_time_s)
        removed = [leaving.wait_until_removed(server)] if has_peers else []
        await asyncio.gather(asyncio.sleep(self._drain_time_s), *removed)
