"""The whole replicated state: every feature's tables over one store."""

from __future__ import annotations

from proconsul.engine.store.table import Store
from proconsul.features.acl.state import ACLState
from proconsul.features.catalog.reads import CatalogReads
from proconsul.features.catalog.state import CatalogState
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.config_entry.gateway_services import GatewayServices
from proconsul.features.config_entry.state import ConfigEntryState
from proconsul.features.connect.state import ConnectState
from proconsul.features.coordinate.state import CoordinateState
from proconsul.features.federation.state import FederationStates
from proconsul.features.intention.state import IntentionState
from proconsul.features.kv.state import KVState
from proconsul.features.operator.state import AutopilotState
from proconsul.features.query.state import QueryState
from proconsul.features.replicated import Replicated
from proconsul.features.session.state import SessionState
from proconsul.features.session.tables import SessionTables
from proconsul.features.txn.state import TxnState


class State:
    """Composition of the features' states; the FSM writes to it, endpoints read from it."""

    def __init__(self) -> None:
        self.store = Store()
        self.tables = CatalogTables(self.store)
        session_tables = SessionTables(self.store)
        self.kv = KVState(self.store, session_tables)
        self.queries = QueryState(self.store, session_tables.sessions)
        self.sessions = SessionState(self.store, session_tables, self.tables, self.kv, self.queries)
        self.coordinates = CoordinateState(self.store, self.tables)
        self.gateway_services = GatewayServices(self.store, self.tables)
        self.catalog = CatalogState(self.store, self.tables, self.sessions, self.coordinates, self.gateway_services)
        self.reads = CatalogReads(self.store, self.tables)
        self.acl = ACLState(self.store)
        self.autopilot = AutopilotState(self.store)
        self.intentions = IntentionState(self.store)
        self.connect = ConnectState(self.store)
        self.config_entries = ConfigEntryState(self.store, self.gateway_services)
        self.federation = FederationStates(self.store)
        self.txn = TxnState(self.kv, self.catalog, self.sessions, self.intentions)

    def replicated(self) -> list[Replicated]:
        """Every feature's commands and share of a snapshot, in the order in which the original writes one."""
        return [
            self.catalog, self.coordinates, self.sessions, self.acl, self.kv, self.txn, self.queries, self.autopilot,
            self.intentions, self.connect, self.config_entries, self.federation,
        ]  # fmt: skip

    def adopt(self, other: State) -> None:
        """Take over everything ``other`` has, in place, so that readers keep their store and watches.

        Quick, and every reader that waits is woken.
        """
        self.store.wipe()
        for name, table in other.store.tables.items():
            self.store.tables[name].adopt(table)
        self.store.indexes.update(other.store.indexes)
        self.store.spellings.update(other.store.spellings)
        # A snapshot does not say which deletions were forgotten before it, only that none were after this.
        self.kv.forgotten = self.store.max_index("tombstones")
