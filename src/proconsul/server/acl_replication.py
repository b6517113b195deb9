"""The duty of a secondary datacenter's leader to copy the primary's access control."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from proconsul.engine.supervision import supervised
from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.replicating import LISTS, Copied, Replica
from proconsul.features.acl.replication import KINDS
from proconsul.features.base import SECOND_NS
from proconsul.features.options import Options
from proconsul.features.server import ReadMethod
from proconsul.server.consensus import Consensus
from proconsul.server.duties import NO_EFFECTS, Effects
from proconsul.server.gate import Gate

# So long a round waits for a change. A primary that was restored from an archive may have a lower index than the one
# that is waited for: until its indexes have caught up, only a new question shows that it is another one. In Consul that
# takes five minutes, during which a token that was removed goes on to count here.
WAIT_NS = 60 * SECOND_NS


class Secondary(Consensus, Protocol):
    """A server that leads a secondary datacenter. ``replication_token``: the secret with which it asks the primary."""

    gate: Gate
    rng: random.Random
    replication_token: Callable[[], str]


class AclReplication:
    """Implements `Duty`."""

    def __init__(self, server: Secondary, acl: ACL) -> None:
        self._server, self._acl = server, acl
        self.effects: Effects = NO_EFFECTS
        self._tasks: list[asyncio.Task[None]] = []
        # Set from when a round is to begin anew until it does, also while an old one is about to fail.
        self._hurries: list[asyncio.Event] = []

    def begin(self, now: float, index: int) -> None:
        """See `Duty`."""
        server, settings = self._server, self._server.config.acl
        self._acl.progress.running(running=True)
        for kind in KINDS:
            if kind.name != "tokens" or settings.token_replication:
                hurry = asyncio.Event()
                replica = Replica(
                    kind, server.state.acl, partial(self._ask, hurry), server.propose, self._acl.progress,
                    clock=server.clock, wall_clock_ns=server.wall_clock_ns, pause=partial(self._pause, hurry),
                    sleep=asyncio.sleep, rng=server.rng, told=self._told,
                )  # fmt: skip
                self._hurries.append(hurry)
                self._tasks.append(supervised(replica.run(), server.died))

    def tick(self, now: float) -> None:
        """See `Duty`: the rounds have times of their own."""

    def end(self) -> None:
        """See `Duty`."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._hurries.clear()
        self._acl.progress.running(running=False)

    def hurry(self) -> None:
        """What failed is worth another try: the token is another one, or a server elsewhere has come back."""
        for hurry in self._hurries:
            hurry.set()

    @staticmethod
    async def _pause(hurry: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await hurry.wait()

    async def _ask(self, hurry: asyncio.Event, method: ReadMethod, args: Any, index: int) -> Copied:
        if method in LISTS:
            hurry.clear()
        gate = self._server.gate
        options = Options(index, WAIT_NS, "stale", False, "")
        found = await gate.found(
            gate.reading(method, args), options, self._server.replication_token(), self._server.config.acl.primary
        )
        return Copied(found.last_index, found.value)

    def _told(self, kind: str, good: bool, index: int) -> None:
        name = f"leader.replication.acl-{kind}"
        self._server.meters.gauge(f"{name}.status", float(good))
        self._server.meters.gauge(f"{name}.index", index)
