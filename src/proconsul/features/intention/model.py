"""Intentions: which service may connect to which (RPC reference, structures; HTTP API: connect/intentions)."""

from __future__ import annotations

from enum import StrEnum

from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import RaftIndexed
from proconsul.features.base import WriteRequest

DENY = "deny"
WILDCARD = "*"


class IntentionOp(StrEnum):
    """What a request does with its intention. The texts are on the wire: append only."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Intention(RaftIndexed, frozen=True, kw_only=True):
    """One rule. ``Precedence`` and ``Hash`` are made by the leader; names may be the wildcard."""

    ID: str = ""
    Description: str = ""
    SourceNS: str = ""
    SourceName: str = ""
    DestinationNS: str = ""
    DestinationName: str = ""
    SourceType: str = ""
    Action: str = ""
    DefaultAddr: str = ""
    DefaultPort: int = 0
    Meta: dict[str, str] | None = None
    Precedence: int = 0
    CreatedAt: GoTime = ZERO_TIME
    UpdatedAt: GoTime = ZERO_TIME
    Hash: bytes | None = None

    def __str__(self) -> str:
        """As error texts name it."""
        return (
            f"{self.Action.upper()} {self.SourceNS}/{self.SourceName} => {self.DestinationNS}/{self.DestinationName} "
            f"(ID: {self.ID}, Precedence: {self.Precedence})"
        )


class IntentionRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    Intention: Intention | None = None
