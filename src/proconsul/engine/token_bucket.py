"""How often something may happen: a bucket of tokens that fills at a rate; pure."""

from __future__ import annotations


class TokenBucket:
    """``rate`` tokens a second, at most ``burst`` of them kept. ``limited`` False: any number may be taken."""

    __slots__ = ("_at", "_burst", "_limited", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int, now: float, *, limited: bool = True) -> None:
        self._rate, self._burst, self._limited = rate, burst, limited
        self._tokens, self._at = float(burst), now

    def _fill(self, now: float) -> None:
        self._tokens = min(self._tokens + max(now - self._at, 0.0) * self._rate, float(self._burst))
        self._at = now

    def allow(self, now: float) -> bool:
        """Take a token if there is one now."""
        if not self._limited:
            return True
        self._fill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def reserve(self, now: float) -> float:
        """Take a token, also one that is not there yet; in how many seconds it will be."""
        if not self._limited:
            return 0.0
        self._fill(now)
        self._tokens -= 1.0
        return max(-self._tokens / self._rate, 0.0)
