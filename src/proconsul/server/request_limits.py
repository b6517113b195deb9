"""How many reads and writes a second one server takes from agents and clients (Consul 1.15: limits.request_limits).

Asked for every call that comes to the gate of a server, its own agent's too. What servers do by themselves (Raft,
reconciling, sessions that end) does not come there, and who asks after the state of the cluster is always answered.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from proconsul.engine.token_bucket import TokenBucket
from proconsul.features.errors import RetryElsewhere, RetryLater
from proconsul.features.server import CallMethod, ReadMethod, WriteMethod

__all__ = ["Limiting", "RequestLimits"]

log = logging.getLogger("agent.server.rate-limiter")

# So many seconds' worth may come at once.
BURST_S = 10
_BURST_MAX = 1 << 53
# Lines of the log per second: who is over a limit asks often.
_LINES_RATE = 1.0
_EXEMPT = "Status."


class Limiting(StrEnum):
    """``limits.request_limits.mode``: not at all, only told of, or refused."""

    DISABLED = "disabled"
    PERMISSIVE = "permissive"
    ENFORCING = "enforcing"


class RequestLimits:
    """The two buckets of one server. Rates are per second; a negative one is no limit."""

    def __init__(
        self, mode: Limiting, read_rate: float, write_rate: float, clock: Callable[[], float],
        leads: Callable[[], bool], exceeded: Counter[tuple[str, str, str]],
    ) -> None:  # fmt: skip
        """``exceeded`` counts by limit, method and mode."""
        now = clock()
        self._mode, self._clock, self._leads, self.exceeded = mode, clock, leads, exceeded
        self._buckets = {"read": _bucket(read_rate, now), "write": _bucket(write_rate, now)}
        self._lines = TokenBucket(_LINES_RATE, 1, now)

    def spend(self, method: ReadMethod | WriteMethod | CallMethod) -> None:
        """One more call of ``method``. Raises RetryElsewhere, or RetryLater for what no other server can do."""
        writes = isinstance(method, WriteMethod) or (isinstance(method, CallMethod) and not method.reads)
        kind = "write" if writes else "read"
        now = self._clock()
        if method.name.startswith(_EXEMPT) or self._buckets[kind].allow(now):
            return
        enforced = self._mode is Limiting.ENFORCING
        self.exceeded[f"global/{kind}", method.name, self._mode.value] += 1
        if self._lines.allow(now):
            log.debug("RPC exceeded allowed rate limit: rpc=%s limit_type=%s limit_enforced=%s",
                      method.name, f"global/{kind}", str(enforced).lower())  # fmt: skip
        if enforced:
            raise RetryLater() if writes and self._leads() else RetryElsewhere()


def _bucket(rate: float, now: float) -> TokenBucket:
    at_once = int(min(max(rate, 0.0) * BURST_S, _BURST_MAX))
    return TokenBucket(rate, max(at_once, 1 if rate > 0 else 0), now, limited=rate >= 0)
