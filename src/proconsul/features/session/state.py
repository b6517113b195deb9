"""The session tables: creation against live checks, and every way a session can end.

Ending a session releases or deletes the keys it holds and removes its prepared queries in the same transaction, and
reports the lock-delays to arm as transaction effects: delays are the leader's memory, never replicated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from proconsul.engine.store.table import Store, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import HEALTH_CRITICAL
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.errors import StateError
from proconsul.features.ids import check_uuid, uuid_key
from proconsul.features.kv.state import KVState
from proconsul.features.messages import MessageType
from proconsul.features.query.state import QueryState
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command
from proconsul.features.session.model import (
    BEHAVIOR_DELETE,
    BEHAVIOR_RELEASE,
    CREATE,
    DESTROY,
    LOCK_DELAY_MAX_NS,
    Session,
    SessionCheck,
    SessionRequest,
)
from proconsul.features.session.tables import SessionTables


class LockDelayArmed(NamedTuple):
    """Effect: ``key`` must not be acquired for ``delay_ns`` from now (the leader's clock)."""

    key: str
    delay_ns: int


class SessionStarted(NamedTuple):
    """Effect: a session exists; the leader starts its TTL timer."""

    session: Session


class SessionEnded(NamedTuple):
    """Effect: a session is gone; the leader drops its TTL timer."""

    session_id: str


class SessionState:
    """How sessions come to be and end."""

    def __init__(
        self, store: Store, tables: SessionTables, catalog: CatalogTables, kv: KVState, queries: QueryState
    ) -> None:  # fmt: skip
        self.store = store
        self.catalog = catalog
        self.kv = kv
        self.queries = queries
        self.sessions, self.session_checks = tables.sessions, tables.checks

    # ------------------------------------------------------------------ reads

    def get(self, watch: WatchSet | None, session_id: str) -> tuple[int, Session | None]:
        """One session. Raises StateError when the id is not a UUID."""
        check_uuid(session_id, "session")
        if watch is not None:
            watch.add(("session", uuid_key(session_id)))
            watch.index = self._index
        return self._index(), self.sessions.get(uuid_key(session_id))

    def _index(self) -> int:
        return self.store.max_index("sessions")

    def all(self, watch: WatchSet | None) -> tuple[int, list[Session]]:
        if watch is not None:
            watch.add("sessions")
        return self._index(), self.sessions.all()

    def of_node(self, watch: WatchSet | None, node: str) -> tuple[int, list[Session]]:
        if watch is not None:
            watch.add(("node-sessions", node.lower()))
            watch.index = self._index
        return self._index(), self.sessions.by("node", node.lower())

    # ------------------------------------------------------------------ writes

    def create(self, tx: Transaction, session: Session) -> None:
        """Insert a session whose node and checks exist and are not critical. Raises StateError."""
        if not session.ID:
            raise StateError("Missing session ID")
        if not session.Behavior:
            session = replace(session, Behavior=BEHAVIOR_RELEASE)
        if session.Behavior not in (BEHAVIOR_RELEASE, BEHAVIOR_DELETE):
            raise StateError(f"Invalid session behavior: {session.Behavior}")
        if self.catalog.nodes.get(session.Node.lower()) is None:
            raise StateError("Missing node registration")
        for check_id in session.check_ids():
            check = self.catalog.checks.get((session.Node.lower(), check_id.lower()))
            if check is None:
                raise StateError(f"Missing check '{check_id}' registration")
            if check.Status == HEALTH_CRITICAL:
                raise StateError(f"Check '{check_id}' is in critical state")
        self.insert(tx, replace(session, CreateIndex=tx.index, ModifyIndex=tx.index))
        tx.bump("sessions")

    def insert(self, tx: Transaction, session: Session) -> None:
        """Put the rows of ``session`` as they are (also used by restore)."""
        tx.put(self.sessions, session)
        for check_id in session.check_ids():
            tx.put(self.session_checks, SessionCheck(session.Node, check_id, session.ID))
        tx.touch(("session", uuid_key(session.ID)), ("node-sessions", session.Node.lower()))
        tx.effects.append(SessionStarted(session))

    def destroy(self, tx: Transaction, session_id: str) -> None:
        """End a session; unknown ids are no error. Raises StateError when the id is not a UUID."""
        check_uuid(session_id, "session")
        session = self.forget(tx, session_id)
        if session is not None:
            self._let_go_of_keys(tx, session)
            self.queries.end_by_session(tx, session.ID)

    def forget(self, tx: Transaction, session_id: str) -> Session | None:
        """Remove a session and nothing else: what it holds stays held. The original's transactions do so."""
        session = self.sessions.get(uuid_key(session_id))
        if session is None:
            return None
        tx.delete(self.sessions, uuid_key(session_id))
        tx.bump("sessions")
        tx.touch(("session", uuid_key(session_id)), ("node-sessions", session.Node.lower()))
        for row in self.session_checks.by("session", uuid_key(session_id)):
            tx.delete(self.session_checks, self.session_checks.primary_key(row))
        tx.effects.append(SessionEnded(session.ID))
        return session

    def _let_go_of_keys(self, tx: Transaction, session: Session) -> None:
        delay_ns = min(session.LockDelay, LOCK_DELAY_MAX_NS)
        for entry in self.kv.entries.by("session", uuid_key(session.ID)):
            if session.Behavior == BEHAVIOR_DELETE:
                self.kv.delete(tx, entry.Key)
            else:
                self.kv.set(tx, replace(entry, Session=""), update_session=True)
            if delay_ns > 0:
                tx.effects.append(LockDelayArmed(entry.Key, delay_ns))

    def end_by_check(self, tx: Transaction, node: str, check_id: str) -> None:
        """End the sessions bound to a check that became critical or was removed."""
        for row in self.session_checks.by("node_check", (node.lower(), check_id.lower())):
            self.destroy(tx, row.Session)

    def end_by_node(self, tx: Transaction, node: str) -> None:
        for session in self.sessions.by("node", node.lower()):
            self.destroy(tx, session.ID)

    # ------------------------------------------------------------------ commands and snapshots

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """See `Replicated`."""
        return {MessageType.SESSION: command(SessionRequest, self._apply)}

    def _apply(self, tx: Transaction, request: SessionRequest) -> str | None:
        if request.Op == CREATE:
            self.create(tx, request.Session)
            return request.Session.ID
        if request.Op == DESTROY:
            self.destroy(tx, request.Session.ID)
            return None
        raise StateError(f"Invalid session operation '{request.Op}'")

    def capture(self) -> list[SnapshotSection]:
        """See `Replicated`."""
        return [SnapshotSection(MessageType.SESSION, self.sessions.snapshot())]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """See `Replicated`."""
        read = msgpack.decoder_for(Session)

        def restore(value: Any) -> None:
            session = read(value)
            put(self.sessions, session)
            for check_id in session.check_ids():
                put(self.session_checks, SessionCheck(session.Node, check_id, session.ID))

        return {MessageType.SESSION: restore}
