"""Session types (RPC reference, structures; HTTP API: session)."""

from __future__ import annotations

from typing import ClassVar

from proconsul.engine.wire.record import Duration, RaftIndexed, Record
from proconsul.features.base import SECOND_NS, QueryMeta, QueryOptions, WriteRequest

BEHAVIOR_RELEASE = "release"
BEHAVIOR_DELETE = "delete"
LOCK_DELAY_DEFAULT_NS = 15 * SECOND_NS
# HTTP API: session. Longer delays are cut when they are used.
LOCK_DELAY_MAX_NS = 60 * SECOND_NS
TTL_MAX_NS = 86400 * SECOND_NS
# The contract is "not before TTL"; the timer runs for twice the TTL, after Chubby's grace period.
TTL_MULTIPLIER = 2

CREATE = "create"
DESTROY = "destroy"


class ServiceCheck(Record, frozen=True):
    ID: str = ""
    Namespace: str = ""


class Session(RaftIndexed, frozen=True, kw_only=True):
    """A session: a liveness contract that locks are bound to."""

    json_hidden: ClassVar[frozenset[str]] = frozenset({"Checks"})
    ID: str = ""
    Name: str = ""
    Node: str = ""
    LockDelay: Duration = 0
    Behavior: str = ""
    TTL: str = ""
    NodeChecks: list[str] | None = None
    ServiceChecks: list[ServiceCheck] | None = None
    Checks: list[str] | None = None

    def __json__(self) -> dict[str, object]:
        shown: dict[str, object] = {
            "ID": self.ID, "Name": self.Name, "Node": self.Node, "LockDelay": self.LockDelay,
            "Behavior": self.Behavior, "TTL": self.TTL, "NodeChecks": self.NodeChecks,
            "ServiceChecks": self.ServiceChecks,
        }  # fmt: skip
        if self.Checks:
            shown["Checks"] = self.Checks
        return shown | {"CreateIndex": self.CreateIndex, "ModifyIndex": self.ModifyIndex}

    def check_ids(self) -> list[str]:
        """Ids of all checks the session is bound to, without repeats."""
        ids = [*(self.NodeChecks or ()), *(c.ID for c in self.ServiceChecks or ()), *(self.Checks or ())]
        return list(dict.fromkeys(ids))


class SessionCheck(Record, frozen=True):
    """A row of session_checks: a session depends on a check of its node."""

    Node: str = ""
    CheckID: str = ""
    Session: str = ""


class SessionRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    Session: Session = Session()


class SessionSpecificRequest(QueryOptions, frozen=True, kw_only=True):
    """``SessionID`` and the older ``Session`` are both filled by clients."""

    Datacenter: str = ""
    SessionID: str = ""
    Session: str = ""


class IndexedSessions(QueryMeta, frozen=True, kw_only=True):
    Sessions: list[Session] | None = None
