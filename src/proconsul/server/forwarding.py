"""Calls that another server has to answer: to the leader from its followers, to any server from a client agent.

What fails because nobody leads for a moment is tried again until rpc_hold_timeout is over (RPC reference, common parts:
consistency and forwarding). A request that may have been carried out is not repeated unless it only reads.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from proconsul.engine.rpc.dial import Address
from proconsul.engine.rpc.errors import ConnectionFailed, ConnectionLost, RpcError, RpcFailure, making_call
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.base import JITTER_FRACTION, MAX_QUERY_TIME_NS, SECOND_NS
from proconsul.features.errors import ConsulError, NoServers

log = logging.getLogger("agent.server.rpc")

# Beside the time a blocking query waits, its answer gets as much as any other call.
CALL_TIMEOUT_S = 30.0
NO_LEADER = "No cluster leader"
RESUBMIT = "please resubmit call for rechunking"

# Where to send the next call, None when nobody is known.
Choose = Callable[[], Address | None]


class Forwarding:
    """``choose`` names the server to ask; ``failed`` hears of those that did not answer."""

    def __init__(
        self, pool: ConnectionPool | None, choose: Choose, failed: Callable[[Address], None], *, hold_timeout_s: float,
        unavailable: Callable[[], ConsulError], rng: random.Random,
    ) -> None:  # fmt: skip
        self._pool, self._choose, self._failed = pool, choose, failed
        self._hold_timeout_s = hold_timeout_s
        self._unavailable = unavailable
        self._rng = rng

    async def call(
        self, method: str, args: Any, reply: Any, *, reads: bool, here: Callable[[], bool] | None = None
    ) -> Any:
        """The reply of another server. ``here``: whether this server has become the one to do it; then the result is
        None and nothing was asked. Raises ConsulError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._hold_timeout_s
        while True:
            if here is not None and here():
                return None
            address = self._choose()
            error: ConsulError
            if address is None or self._pool is None:
                error = self._unavailable()
                if isinstance(error, NoServers):
                    raise error  # servers are found by joining, which no request waits for
            else:
                try:
                    return await self._pool.call(address, method, args, reply, timeout_s=_timeout_s(args))
                except DecodeError as failure:
                    raise ConsulError(f"rpc error making call: {failure}") from None
                except RpcFailure as failure:
                    error = ConsulError(making_call(failure))
                    if not isinstance(failure, RpcError):
                        self._failed(address)
                    if not _may_repeat(failure, reads):
                        raise error from None
            if loop.time() >= until:
                raise error
            await asyncio.sleep(self._hold_timeout_s / JITTER_FRACTION * self._rng.random())


def _may_repeat(failure: RpcFailure, reads: bool) -> bool:
    text = str(failure)
    if NO_LEADER in text or RESUBMIT in text or isinstance(failure, ConnectionFailed):
        return True
    return reads and isinstance(failure, ConnectionLost)


def _timeout_s(args: Any) -> float:
    """How long an answer may take: blocking queries wait as long as they were asked to, and a little more."""
    if not getattr(args, "MinQueryIndex", 0):
        return CALL_TIMEOUT_S
    wait_s = min(args.MaxQueryTime or MAX_QUERY_TIME_NS, MAX_QUERY_TIME_NS) / SECOND_NS
    return wait_s * (1 + 1 / JITTER_FRACTION) + CALL_TIMEOUT_S
