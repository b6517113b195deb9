"""The whole replicated state: every feature's tables over one store."""

from __future__ import annotations

from proconsul.engine.store.table import Store
from proconsul.features.catalog.reads import CatalogReads
from proconsul.features.catalog.state import CatalogState
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.coordinate.state import CoordinateState
from proconsul.features.kv.state import KVState
from proconsul.features.session.state import SessionState
from proconsul.features.txn.state import TxnState


class State:
    """Composition of the features' states; the FSM writes to it, endpoints read from it."""

    def __init__(self) -> None:
        self.store = Store()
        self.tables = CatalogTables(self.store)
        self.kv = KVState(self.store)
        self.sessions = SessionState(self.store, self.tables, self.kv)
        self.coordinates = CoordinateState(self.store, self.tables)
        self.catalog = CatalogState(self.store, self.tables, self.sessions, self.coordinates)
        self.reads = CatalogReads(self.store, self.tables)
        self.txn = TxnState(self.kv, self.catalog, self.sessions)
