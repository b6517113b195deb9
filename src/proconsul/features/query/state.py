"""The prepared-queries table and its command."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.ids import check_uuid, is_uuid, uuid_key
from proconsul.features.messages import MessageType
from proconsul.features.query.model import PreparedQuery, PreparedQueryRequest, QueryOp
from proconsul.features.query.template import check_template, rendered
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command, row_restorer
from proconsul.features.session.model import Session

TABLE = "prepared-queries"


class QueryState:
    """Queries by id. Names are unique, and there is one template without a name at most."""

    def __init__(self, store: Store, sessions: Table[Session]) -> None:
        self.store = store
        self._sessions = sessions
        self.table: Table[PreparedQuery] = Table(
            TABLE, lambda row: uuid_key(row.ID),
            indexes={
                "name": lambda row: row.Name.lower() or None,
                "template": lambda row: row.Name.lower() if row.Template.Type else None,
                "session": lambda row: uuid_key(row.Session) or None,
            },
        )  # fmt: skip
        store.add(self.table)

    def all(self, watch: WatchSet | None) -> tuple[int, list[PreparedQuery]]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.all()

    def get(self, watch: WatchSet | None, query_id: str) -> tuple[int, PreparedQuery | None]:
        """One query by id. Raises StateError for what cannot be one."""
        check_uuid(query_id, "prepared query")
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.get(uuid_key(query_id))

    def find(self, query_id: str) -> PreparedQuery | None:
        """One query by what may be its id."""
        return self.table.get(uuid_key(query_id))

    def resolve(self, watch: WatchSet | None, name: str, segment: str) -> PreparedQuery | None:
        """The query that an id or a name stands for: an id, else the exact name, else the template with the longest
        beginning of it, rendered. ``segment``: the network segment of the agent that was asked.

        Raises ConsulError for the id of a template, and for what cannot be rendered.
        """
        if watch is not None:
            watch.add(TABLE)
        if not name:
            raise ConsulError("Missing query ID")
        if is_uuid(name):
            found = self.table.get(uuid_key(name))
            if found is not None:
                if found.Template.Type:
                    raise ConsulError("prepared query templates can only be resolved up by name, not by ID")
                return found
        lower = name.lower()
        named = self.table.by("name", lower)
        if not named:
            starts = [start for start in self.table.keys("template") if lower.startswith(start)]
            named = self.table.by("template", max(starts, key=len)) if starts else []
        if not named:
            return None
        return rendered(named[0], name, segment) if named[0].Template.Type else named[0]

    def apply(self, tx: Transaction, request: PreparedQueryRequest) -> None:
        """Write or remove a query. Raises StateError."""
        query = request.Query or PreparedQuery()
        if request.Op in (QueryOp.CREATE, QueryOp.UPDATE):
            self._set(tx, query)
        elif request.Op == QueryOp.DELETE:
            self._delete(tx, query.ID)
        else:
            raise StateError(f"Invalid PreparedQuery operation '{request.Op}'")

    def _set(self, tx: Transaction, query: PreparedQuery) -> None:
        if not query.ID:
            raise StateError("Missing query ID")
        self._check_name(query)
        if query.Session:
            self._check_session(query.Session)
        check_template(query)
        old = self.table.get(uuid_key(query.ID))
        created = old.CreateIndex if old is not None else tx.index
        tx.put(self.table, replace(query, CreateIndex=created, ModifyIndex=tx.index))
        tx.bump(TABLE)

    def _check_name(self, query: PreparedQuery) -> None:
        """Refuse a name that another query answers to; ordinary queries and templates share their names."""
        if query.Name:
            taken = self.table.by("name", query.Name.lower())
            what = f"name '{query.Name}' aliases an existing query name"
        elif query.Template.Type:
            taken = self.table.by("template", "")
            what = "a query template with an empty name already exists"
        else:
            return
        if any(uuid_key(other.ID) != uuid_key(query.ID) for other in taken):
            raise StateError(what)
        if is_uuid(query.Name) and self.table.get(uuid_key(query.Name)) is not None:
            raise StateError(f"name '{query.Name}' aliases an existing query ID")

    def _check_session(self, session_id: str) -> None:
        try:
            check_uuid(session_id, "session")
        except StateError as error:
            raise StateError(error.text.replace("failed session lookup:", "invalid session:")) from None
        if self._sessions.get(uuid_key(session_id)) is None:
            raise StateError(f"invalid session {quoted(session_id)}")

    def _delete(self, tx: Transaction, query_id: str) -> None:
        check_uuid(query_id, "prepared query")
        if tx.delete(self.table, uuid_key(query_id)) is not None:
            tx.bump(TABLE)

    def end_by_session(self, tx: Transaction, session_id: str) -> None:
        """Remove the queries bound to a session that ends."""
        for query in self.table.by("session", uuid_key(session_id)):
            self._delete(tx, query.ID)

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {MessageType.PREPARED_QUERY: command(PreparedQueryRequest, self.apply)}

    def capture(self) -> list[SnapshotSection]:
        return [SnapshotSection(MessageType.PREPARED_QUERY, self.table.snapshot())]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {MessageType.PREPARED_QUERY: row_restorer(put, self.table, PreparedQuery)}
