"""The sessions' tables, which keys and prepared queries look into, too."""

from __future__ import annotations

from proconsul.engine.store.table import Store, Table
from proconsul.features.ids import uuid_key
from proconsul.features.session.model import Session, SessionCheck


class SessionTables:
    """Sessions, and session_checks: which sessions die with which check."""

    def __init__(self, store: Store) -> None:
        self.sessions: Table[Session] = Table(
            "sessions", lambda row: uuid_key(row.ID), indexes={"node": lambda row: row.Node.lower()}
        )
        self.checks: Table[SessionCheck] = Table(
            "session_checks",
            lambda row: (row.Node.lower(), row.CheckID.lower(), uuid_key(row.Session)),
            indexes={
                "node_check": lambda row: (row.Node.lower(), row.CheckID.lower()),
                "session": lambda row: uuid_key(row.Session),
            },
        )
        for table in (self.sessions, self.checks):
            store.add(table)
