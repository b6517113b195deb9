"""The tables of the certificate authority and their commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.connect.model import (
    CA_LEAF_INCREMENT,
    CAConfiguration,
    CAConsulProviderState,
    CALeafRequest,
    CAOp,
    CARequest,
    CARoot,
)
from proconsul.features.errors import StateError
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command, row_restorer

ROOTS = "connect-ca-roots"
CONFIG = "connect-ca-config"
BUILTIN = "connect-ca-builtin"
# A row of the index table that is no index: the last serial number given out.
BUILTIN_SERIAL = "connect-ca-builtin-serial"


class ConnectState:
    """Roots by id, the configuration (one row, no row in the index table), and states of the built-in provider."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.roots: Table[CARoot] = Table(ROOTS, lambda row: row.ID)
        self.config: Table[CAConfiguration] = Table(CONFIG, lambda row: "")
        self.providers: Table[CAConsulProviderState] = Table(BUILTIN, lambda row: row.ID)
        for table in (self.roots, self.config, self.providers):
            store.add(table)
        self._operations: dict[str, Callable[[Transaction, CARequest], Any]] = {
            CAOp.SET_ROOTS: self._set_roots,
            CAOp.SET_CONFIG: self._set_config,
            CAOp.SET_PROVIDER_STATE: self._set_provider_state,
            CAOp.DELETE_PROVIDER_STATE: self._delete_provider_state,
            CAOp.SET_ROOTS_AND_CONFIG: self._set_roots_and_config,
            CAOp.INCREMENT_PROVIDER_SERIAL: self._increment_serial,
        }

    # ------------------------------------------------------------------ reads

    def configuration(self, watch: WatchSet | None) -> tuple[int, CAConfiguration | None]:
        """The configuration and its own index."""
        if watch is not None:
            watch.add(CONFIG)
        row = self.config.get("")
        return (row.ModifyIndex if row is not None else 0), row

    # ------------------------------------------------------------------ writes

    def apply(self, tx: Transaction, request: CARequest) -> Any:
        """Run one operation; changes of roots answer whether they were done. Raises StateError."""
        operation = self._operations.get(request.Op)
        if operation is None:
            raise StateError(f"Invalid CA operation '{request.Op}'")
        return operation(tx, request)

    def leaf(self, tx: Transaction, request: CALeafRequest) -> int:
        """Answer the entry's own index; it is kept nowhere."""
        if request.Op != CA_LEAF_INCREMENT:
            raise StateError(f"Invalid CA Leaf operation '{request.Op}'")
        return tx.index

    def _set_roots(self, tx: Transaction, request: CARequest) -> bool:
        """Replace all roots, if nobody else has since ``request.Index``."""
        roots = request.Roots or []
        if sum(root.Active for root in roots) != 1:
            raise StateError("there must be exactly one active CA root")
        if self.store.max_index(ROOTS) != request.Index:
            return False
        old = {row.ID: row for row in self.roots.all()}
        for key in old:
            tx.delete(self.roots, key)
        for root in roots:
            created = old[root.ID].CreateIndex if root.ID in old else tx.index
            tx.put(self.roots, replace(root, CreateIndex=created, ModifyIndex=tx.index))
        tx.bump(ROOTS)
        return True

    def _set_config(self, tx: Transaction, request: CARequest) -> bool | None:
        """Write the configuration; with a ModifyIndex only over the one that has it, and then say whether it was."""
        config = request.Config or CAConfiguration()
        if config.ModifyIndex:
            return self._check_and_set_config(tx, config, tx.index)
        self._put_config(tx, config, tx.index)
        return None

    def _check_and_set_config(self, tx: Transaction, config: CAConfiguration, index: int) -> bool:
        old = self.config.get("")
        if (old.ModifyIndex if old is not None else 0) != config.ModifyIndex:
            return False
        self._put_config(tx, config, index)
        return True

    def _put_config(self, tx: Transaction, config: CAConfiguration, index: int) -> None:
        old = self.config.get("")
        tx.put(self.config, replace(
            config, CreateIndex=old.CreateIndex if old is not None else index, ModifyIndex=index,
            ClusterID=config.ClusterID or (old.ClusterID if old is not None else ""),
        ))  # fmt: skip
        tx.touch(CONFIG)

    def _set_roots_and_config(self, tx: Transaction, request: CARequest) -> bool:
        """Two steps, as in the original: roots stay written when somebody else has changed the configuration.

        The configuration is written with the index after the entry's.
        """
        if not self._set_roots(tx, request):
            return False
        return self._check_and_set_config(tx, request.Config or CAConfiguration(), tx.index + 1)

    def _set_provider_state(self, tx: Transaction, request: CARequest) -> bool:
        state = request.ProviderState or CAConsulProviderState()
        old = self.providers.get(state.ID)
        created = old.CreateIndex if old is not None else tx.index
        tx.put(self.providers, replace(state, CreateIndex=created, ModifyIndex=tx.index))
        tx.bump(BUILTIN)
        return True

    def _delete_provider_state(self, tx: Transaction, request: CARequest) -> bool:
        """Remove one; as in the original the index of the table stays what it was."""
        if request.ProviderState is not None and tx.delete(self.providers, request.ProviderState.ID) is not None:
            tx.touch(BUILTIN)
        return True

    def _increment_serial(self, tx: Transaction, request: CARequest) -> int:
        """The next serial number; the first comes after the index of the provider states."""
        serial = (self.store.max_index(BUILTIN_SERIAL) or self.store.max_index(BUILTIN)) + 1
        tx.bump(BUILTIN_SERIAL, serial)
        return serial

    # ------------------------------------------------------------------ replication

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {
            MessageType.CONNECT_CA: command(CARequest, self.apply),
            MessageType.CA_LEAF: command(CALeafRequest, self.leaf),
        }

    def capture(self) -> list[SnapshotSection]:
        return [
            SnapshotSection(MessageType.CONNECT_CA, self.roots.snapshot()),
            SnapshotSection(MessageType.CA_PROVIDER_STATE, self.providers.snapshot()),
            SnapshotSection(MessageType.CA_CONFIG, self.config.snapshot()),
        ]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {
            MessageType.CONNECT_CA: row_restorer(put, self.roots, CARoot),
            MessageType.CA_PROVIDER_STATE: row_restorer(put, self.providers, CAConsulProviderState),
            MessageType.CA_CONFIG: row_restorer(put, self.config, CAConfiguration),
        }
