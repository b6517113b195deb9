"""How far the catalog has what is registered with this agent, and why not: what ``/v1/agent/sync`` shows; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from proconsul.agent.local.local_state import CheckEntry, Entry, LocalState, Unsent
from proconsul.engine.wire.gojson import Object

# Whom a trouble is with that is no entry's.
SERVERS = "servers"


class Trouble(NamedTuple):
    """Why an entry could not be sent. blocked: for want of rights, so that it waits for the next full sync."""

    error: str
    blocked: bool


class Troubles:
    """The last attempt of each entry that failed. Bounded by those who are looked after."""

    def __init__(self) -> None:
        self._known: dict[str, Trouble] = {}

    def met(self, about: str, error: str, *, blocked: bool = False) -> None:
        """``about`` could not be sent."""
        self._known[about] = Trouble(error, blocked)

    def over(self, about: str) -> None:
        """It is sent, or tried anew."""
        self._known.pop(about, None)

    def of(self, about: str) -> Trouble | None:
        """The last failure of ``about``."""
        return self._known.get(about)

    def keep(self, those: Collection[str]) -> None:
        """Forget everybody else, except the servers."""
        self._known = {about: one for about, one in self._known.items() if about in those or about == SERVERS}


class SyncFacts(NamedTuple):
    """What is known of the whole. Times are texts; "" for never, or for one that is not known.

    unreachable: nobody could be asked when it was tried last. paused: a reload is under way.
    """

    troubles: Troubles
    paused: bool
    unreachable: bool
    compared_at: str
    next_full_at: str


class SyncReport:
    """Makes the report. ``at`` turns seconds of the state's clock into a time that people read."""

    def __init__(self, state: LocalState, facts: SyncFacts, at: Callable[[float], str]) -> None:
        self._state, self._facts, self._at = state, facts, at

    def whole(self, services: Collection[str], checks: Collection[str]) -> Object:
        """All of it, of these services and checks: those that may be seen."""
        state, facts = self._state, self._facts
        trouble = facts.troubles.of(SERVERS)
        node = facts.troubles.of(f"node {state.node}")
        return Object({
            "Node": Object({
                "Name": state.node, "InSync": state.node_in_sync and not (node and node.blocked),
                "LastError": node.error if node else "",
            }),
            "Paused": facts.paused,
            "ServersReachable": not facts.unreachable,
            "LastError": trouble.error if trouble else "",
            "LastComparison": facts.compared_at,
            "NextComparison": facts.next_full_at,
            "Services": self._of("service", state.services, state.unsynced_services, services),
            "Checks": self._of("check", state.checks, state.unsynced_checks, checks),
        })  # fmt: skip

    def _of(
        self, kind: str, entries: Mapping[str, Entry], unsynced: Mapping[str, Unsent], seen: Collection[str]
    ) -> Object:
        rows = {
            key: self._row(f"{kind} {key}", entries[key], unsynced.get(key)) for key in sorted(entries) if key in seen
        }
        return Object(rows)

    def _row(self, about: str, entry: Entry, pending: Unsent | None) -> Object:
        facts = self._facts
        trouble = facts.troubles.of(about)
        blocked = trouble is not None and trouble.blocked
        in_sync = pending is None and not blocked
        named = (
            {"Name": entry.check.Name, "ServiceID": entry.check.ServiceID}
            if isinstance(entry, CheckEntry) else {"Service": entry.service.Service}
        )  # fmt: skip
        return Object({
            **named,
            "InSync": in_sync,
            "Removing": entry.deleted,
            "Why": "" if in_sync else self._why(pending, blocked=blocked),
            "Since": self._at(pending.since) if pending else "",
            "LastError": trouble.error if trouble else "",
            "NextAttempt": "" if in_sync else self._next(trouble),
            # A check's new output alone may be sent later (check_update_interval).
            "OutputDeferred": isinstance(entry, CheckEntry) and entry.deferred,
        })  # fmt: skip

    def _why(self, pending: Unsent | None, *, blocked: bool) -> str:
        if blocked:
            return "access control refuses it: see the token it is registered with, or acl.tokens.default"
        reason = pending.why if pending else ""
        if self._facts.paused:
            return f"{reason}; nothing is sent while the agent reloads"
        if self._facts.unreachable:
            return f"{reason}; no server can be asked"
        return reason

    def _next(self, trouble: Trouble | None) -> str:
        if self._facts.paused:
            return "after the reload"
        if self._facts.unreachable:
            return "as soon as a server can be asked, which is tried about every second"
        return self._facts.next_full_at if trouble is not None else "now"
