"""The small decisions of SWIM with Lifeguard (Dadgar, Phillips, Currey 2018): health, suspicion, retransmissions.

Pure functions and counters; intervals are seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

HEALTH_SCORE_MAX = 7
SUSPICION_MAX_MULT = 6
# Push/pull gets rarer in pools larger than this.
PUSH_PULL_SCALE_FROM = 32


@dataclass(slots=True)
class Awareness:
    """How healthy this node believes itself to be: 0 is well; unanswered probes make it slower to accuse others."""

    score: int = 0

    def apply(self, delta: int) -> None:
        self.score = min(max(self.score + delta, 0), HEALTH_SCORE_MAX)

    def scaled_s(self, interval_s: float) -> float:
        """A time-out of a node that may itself be the slow one (Lifeguard 4.1)."""
        return interval_s * (self.score + 1)


def suspicion_timeout_s(mult: int, members: int, probe_interval_s: float) -> float:
    """How long a suspect has at least to refute, growing with the size of the pool."""
    return mult * max(1.0, math.log10(max(1.0, float(members)))) * probe_interval_s


def expected_confirmations(mult: int, members: int) -> int:
    """How many other accusers shorten a suspicion to its minimum; none in pools too small to have them."""
    wanted = mult - 2
    return 0 if members - 2 < wanted else wanted


@dataclass(slots=True)
class Suspicion:
    """A suspect's remaining time: long at first, shorter with every independent accuser (Lifeguard 4.2)."""

    started: float
    expected: int
    minimum_s: float
    maximum_s: float
    accusers: set[str] = field(default_factory=set)
    confirmations: int = 0

    @classmethod
    def begin(cls, accuser: str, now: float, mult: int, members: int, probe_interval_s: float) -> Suspicion:
        minimum_s = suspicion_timeout_s(mult, members, probe_interval_s)
        expected = expected_confirmations(mult, members)
        return cls(now, expected, minimum_s, SUSPICION_MAX_MULT * minimum_s, {accuser})

    def confirm(self, accuser: str) -> bool:
        """Another accuser; True when it is a new one that counts, and so should be told to others."""
        if self.confirmations >= self.expected or accuser in self.accusers:
            return False
        self.accusers.add(accuser)
        self.confirmations += 1
        return True

    def deadline(self) -> float:
        """When the suspect is declared dead."""
        if self.expected < 1:
            return self.started + self.minimum_s
        share = math.log(self.confirmations + 1.0) / math.log(self.expected + 1.0)
        timeout_s = self.maximum_s - share * (self.maximum_s - self.minimum_s)
        return self.started + max(timeout_s, self.minimum_s)


def retransmit_limit(mult: int, members: int) -> int:
    """How often one broadcast is sent."""
    return mult * math.ceil(math.log10(members + 1.0))


def push_pull_interval_s(interval_s: float, members: int) -> float:
    """The full exchange gets rarer as the pool grows, so that its cost per member stays level."""
    if members <= PUSH_PULL_SCALE_FROM:
        return interval_s
    return interval_s * (math.ceil(math.log2(members) - math.log2(PUSH_PULL_SCALE_FROM)) + 1.0)
