"""What servers tell each other about their part in Raft."""

from __future__ import annotations

from proconsul.engine.wire.record import Record


class ServerStats(Record, frozen=True):
    """What autopilot asks a server; ``LastContact`` is a duration, ``never`` or ``0``."""

    LastContact: str = ""
    LastTerm: int = 0
    LastIndex: int = 0
