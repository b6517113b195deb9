"""How client agents spread their calls over the servers: now and then each asks another (Consul docs: client agents).

A client asks the same server as long as that answers, so that its connection is kept. So that servers that were started
later, or came back, get their share, every client chooses anew after a while: the more clients there are for a server
the more rarely, so that none ever sees more than so many new ones a second.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from proconsul.engine.wire.hostport import Address

log = logging.getLogger("agent.client.manager")

REUSE_MIN_S = 120.0
# Chosen anew by all clients together, times a second and server.
CHANGES_PER_SECOND = 64.0


def rebalance_interval_s(servers: int, members: int, share: float) -> float:
    """How long a server is kept, in a pool of so many members. ``share``: a random number from 0 to 1, for stagger."""
    least_s = REUSE_MIN_S * (1 + share / 2)
    return max(least_s, members / (CHANGES_PER_SECOND * max(servers, 1)))


async def choose_another(
    servers: Sequence[Address], answers: Callable[[Address], Awaitable[bool]], rng: random.Random
) -> Address | None:
    """One of ``servers`` that answers, whichever; None when none does. It is asked before it is relied on."""
    for server in rng.sample(servers, len(servers)):
        if await answers(server):
            return server
    return None


class Rebalancing:
    """Lets ``prefer`` hear of another server from time to time.

    servers: those that are alive. members: the size of the pool. answers: whether a server answers. pause: waits for
    so many seconds.
    """

    def __init__(
        self, servers: Callable[[], Sequence[Address]], members: Callable[[], int],
        answers: Callable[[Address], Awaitable[bool]], prefer: Callable[[Address], None], rng: random.Random,
        *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._servers, self._members, self._answers, self._prefer = servers, members, answers, prefer
        self._rng, self._pause = rng, pause
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._pause(rebalance_interval_s(len(self._servers()), self._members(), self._rng.random()))
            servers = self._servers()
            if len(servers) < 2:
                continue
            chosen = await choose_another(servers, self._answers, self._rng)
            if chosen is None:
                log.debug("no server answers, so the one that is asked stays the same: servers=%d", len(servers))
            else:
                self._prefer(chosen)
                log.debug("rebalanced servers: servers=%d next=%s", len(servers), chosen)
