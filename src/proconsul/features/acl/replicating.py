"""Drives the rounds of `replication` while this server leads a secondary datacenter: policies, roles and, where that is
configured, tokens, each in rounds of its own.

A round waits in the primary until something has changed, at most once a second after the first few; what fails is tried
again later and later, or as soon as a server of another datacenter has come back.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from proconsul.engine.raft.errors import RaftError
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.token_bucket import TokenBucket
from proconsul.features.acl import replication
from proconsul.features.acl.named import POLICY_BATCH, POLICY_LIST, ROLE_BATCH, ROLE_LIST
from proconsul.features.acl.replication import Kind, ReplicationProgress
from proconsul.features.acl.requests import (
    ListRequest,
    PolicyBatchRequest,
    RoleBatchRequest,
    TokenBatchRequest,
    TokenListRequest,
)
from proconsul.features.acl.state import ACLState
from proconsul.features.acl.tokens import TOKEN_BATCH, TOKEN_LIST
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.server import ReadMethod

log = logging.getLogger("agent.server.replication.acl")

# Consul's own numbers (Consul docs: agent/config, and its defaults).
ROUNDS_PER_S, ROUNDS_AT_ONCE = 1.0, 5
COMMANDS_PER_S = 100.0
BACK_OFF_MAX_S = 120.0


class Copied(NamedTuple):
    """What the primary was found to have, and as of which index."""

    up_to: int
    value: Any


# Asks the primary, which answers when its index has passed the given one. Raises ConsulError.
AskPrimary = Callable[[ReadMethod, Any, int], Awaitable[Copied]]


@dataclass(frozen=True)
class _Questions:
    """How the primary is asked for one kind: what there is, and rows by their ids."""

    lists: ReadMethod
    list_args: Any
    reads: ReadMethod
    read_args: Callable[[list[str]], Any]
    rows: Callable[[Any], list[Any]] = lambda value: list(value or ())


_QUESTIONS = {
    "policies": _Questions(POLICY_LIST, ListRequest(), POLICY_BATCH, lambda ids: PolicyBatchRequest(PolicyIDs=ids)),
    "roles": _Questions(ROLE_LIST, ListRequest(), ROLE_BATCH, lambda ids: RoleBatchRequest(RoleIDs=ids)),
    "tokens": _Questions(
        TOKEN_LIST, TokenListRequest(IncludeGlobal=True), TOKEN_BATCH, lambda ids: TokenBatchRequest(AccessorIDs=ids),
        lambda reply: list(reply.Tokens or ()),
    ),
}  # fmt: skip


# What a round begins with.
LISTS = tuple(asks.lists for asks in _QUESTIONS.values())


class Replica:
    """One kind of what is copied. ``pause`` waits for so many seconds, or less where the primary may be back."""

    def __init__(
        self, kind: Kind, state: ACLState, ask: AskPrimary,
        propose: Callable[[MessageType, Any], Awaitable[Any]], progress: ReplicationProgress, *,
        clock: Callable[[], float], wall_clock_ns: Callable[[], int], pause: Callable[[float], Awaitable[object]],
        sleep: Callable[[float], Awaitable[object]], rng: random.Random, told: Callable[[str, bool, int], None],
    ) -> None:  # fmt: skip
        """``told``: how each round went, and which index of the primary it came to."""
        self.kind, self._state, self._ask, self._propose, self._progress = kind, state, ask, propose, progress
        self._clock, self._now_ns, self._pause, self._sleep = clock, wall_clock_ns, pause, sleep
        self._rng, self._told = rng, told
        self._questions = _QUESTIONS[kind.name]
        # Up to which index of the primary everything is here.
        self._index = 0
        self._failed = 0
        self._turns = TokenBucket(ROUNDS_PER_S, ROUNDS_AT_ONCE, clock())

    async def run(self) -> None:
        """Round after round until cancelled. Raises nothing that a round is known to fail with."""
        while True:
            wait_s = self._turns.reserve(self._clock())
            if wait_s > 0:
                await self._sleep(wait_s)
            try:
                await self.round()
            except (ConsulError, RaftError, RpcFailure) as error:
                await self._has_failed(error)
            else:
                if self._failed:
                    log.info("ACL %s are replicated again: index=%d", self.kind.name, self._index)
                self._failed = 0

    async def _has_failed(self, error: Exception) -> None:
        self._failed += 1
        # Whatever it is that answers next, it may be another one: all is compared, and nobody waits for an old index.
        self._index = 0
        self._progress.failed(self._now_ns())
        self._told(self.kind.name, False, 0)
        seconds = back_off_s(self._failed, self._rng)
        log.warning("ACL %s cannot be replicated: error=%s again_s=%.1f", self.kind.name, error, seconds)
        await self._pause(seconds)

    async def round(self) -> None:
        """Have here what the primary has. Raises ConsulError, RaftError."""
        asks = self._questions
        found = await self._ask(asks.lists, asks.list_args, self._index)
        if found.up_to < self._index:
            # Its indexes have begun anew: it was restored, or is another one. Everything is compared again.
            log.warning("the primary's index of ACL %s went backwards: from=%d to=%d", self.kind.name, self._index,
                        found.up_to)  # fmt: skip
        planned = replication.plan(self.kind, self._state, found.value or ())
        await self._apply(replication.removals(self.kind, planned))
        for ids in replication.batches(planned.fetch):
            reply = await self._ask(asks.reads, asks.read_args(ids), 0)
            await self._apply(replication.writes(self.kind, asks.rows(reply.value)))
        # Only now: a round that fails half-way is done again.
        self._index = found.up_to
        self._progress.done(self.kind, found.up_to, self._now_ns())
        self._told(self.kind.name, True, found.up_to)

    async def _apply(self, commands: Iterator[replication.Command]) -> None:
        for command, request in commands:
            result = await self._propose(command, request)
            if isinstance(result, Exception):
                raise result
            await self._sleep(1.0 / COMMANDS_PER_S)


def back_off_s(failed: int, rng: random.Random) -> float:
    """How long to wait after so many failures in a row: doubled each time up to a bound, half of it by chance."""
    base = min(2.0 ** min(failed, 16), BACK_OFF_MAX_S) / 2
    return base + rng.random() * base
