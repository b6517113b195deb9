"""The key/value tables and the commands applied to them. Keys are bytes: they sort, begin and are cut as such.

All writes come from the FSM at a Raft index; nothing here knows time, tokens or HTTP. Reads return the index a blocking
query compares with: a key's own ModifyIndex, or the newest index below a prefix including tombstones, or the table's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from proconsul.engine.store.table import Store, Table, Transaction, byte_text
from proconsul.engine.store.watch import KeyChanged, Prefix, WatchSet
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.errors import StateError
from proconsul.features.ids import UUID_LENGTH, check_uuid, uuid_key
from proconsul.features.kv.model import DirEntry, KVOp, KVSRequest, Tombstone, TombstoneRequest
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command
from proconsul.features.session.model import Session
from proconsul.features.session.tables import SessionTables


class TombstoneMade(NamedTuple):
    """Effect: a deletion was remembered at ``index``; the leader will have it reaped later."""

    at: int


class KVState:
    """Keys (case-sensitive), and tombstones of deleted keys and prefixes. Locks are held by ``sessions``."""

    def __init__(self, store: Store, sessions: SessionTables) -> None:
        self.store = store
        self._sessions = sessions.sessions
        self.entries: Table[DirEntry] = Table(
            "kvs", lambda row: byte_text(row.Key), indexes={"session": lambda row: uuid_key(row.Session) or None}
        )
        self.tombstones: Table[Tombstone] = Table("tombstones", lambda row: byte_text(row.Key))
        # Deletions up to this index may be forgotten; what they said of lists is not taken back.
        self.forgotten = 0
        for table in (self.entries, self.tombstones):
            store.add(table)

    # ------------------------------------------------------------------ reads

    def table_index(self) -> int:
        return self.store.max_index("kvs", "tombstones")

    def get(self, watch: WatchSet | None, key: str) -> tuple[int, DirEntry | None]:
        """One key and its index; a missing key has the index of the whole table."""
        if not key.isascii():  # asked here too, since most keys are, and this is the most frequent read of all
            key = byte_text(key)
        if watch is not None:
            watch.add(KeyChanged("kvs", key))
        entry = self.entries.get(key)
        if entry is None and watch is not None:
            watch.index = self.table_index
        return (entry.ModifyIndex if entry is not None else self.table_index()), entry

    def below(self, watch: WatchSet | None, prefix: str) -> tuple[int, list[DirEntry]]:
        """Keys below ``prefix`` in order, with the newest index below it including deletions.

        That index never goes back. Where nothing is left it is that of the whole table: a prefix may have been emptied
        by a deletion further up, which left its mark there.
        """
        prefix = byte_text(prefix)
        if watch is not None:
            watch.add(Prefix("kvs", prefix))
        entries = list(self.entries.prefix(prefix))
        if not prefix or not entries:
            if watch is not None:
                watch.index = self.table_index
            return self.table_index(), entries
        newest = max(entry.ModifyIndex for entry in entries)
        buried = max((stone.Index for stone in self.tombstones.prefix(prefix)), default=0)
        return max(newest, buried, self.forgotten), entries

    def entry(self, key: str) -> DirEntry | None:
        """One key."""
        return self.entries.get(byte_text(key))

    def session(self, session_id: str) -> Session | None:
        """The session of an id in any spelling."""
        return self._sessions.get(uuid_key(session_id)) if len(session_id) == UUID_LENGTH else None

    def let_go_at(self, key: str) -> int:
        """The index at which a lock on ``key`` may have been let go of, or lost with the key; 0 when there was none."""
        entry = self.entry(key)
        if entry is not None:
            return entry.ModifyIndex if entry.LockIndex and not entry.Session else 0
        stone = self.tombstones.get(byte_text(key))
        return stone.Index if stone is not None else 0

    def held_by_another(self, key: str, session_id: str) -> bool:
        """Whether ``key`` is locked, and not by that session."""
        entry = self.entry(key)
        return entry is not None and entry.Session not in ("", session_id)

    # ------------------------------------------------------------------ writes

    def set(self, tx: Transaction, entry: DirEntry, *, update_session: bool = False) -> DirEntry:
        """Write a key. Without ``update_session`` the holder of a lock stays, its LockIndex does not."""
        old = self.entry(entry.Key)
        session = entry.Session if update_session else (old.Session if old is not None else "")
        if (
            old is not None
            and old.Value == (entry.Value or None)
            and old.Flags == entry.Flags
            and old.LockIndex == entry.LockIndex
            and old.Session == session
        ):
            return old
        row = DirEntry(
            entry.LockIndex, entry.Key, entry.Flags, entry.Value or None, session,
            old.CreateIndex if old is not None else tx.index, tx.index,
        )  # fmt: skip
        tx.put(self.entries, row)
        tx.bump("kvs")
        tx.touch(KeyChanged("kvs", byte_text(entry.Key)))
        return row

    def cas(self, tx: Transaction, entry: DirEntry) -> tuple[bool, DirEntry | None]:
        """Write if ``entry.ModifyIndex`` is the key's current index, or 0 and there is no key."""
        old = self.entry(entry.Key)
        if entry.ModifyIndex == 0 and old is not None:
            return False, None
        if entry.ModifyIndex != 0 and (old is None or entry.ModifyIndex != old.ModifyIndex):
            return False, None
        return True, self.set(tx, entry)

    def lock(self, tx: Transaction, entry: DirEntry) -> tuple[bool, DirEntry | None]:
        """Acquire for ``entry.Session``; True also when that session holds the key already."""
        if not entry.Session:
            raise StateError("missing session")
        check_uuid(entry.Session, "session")
        if self.session(entry.Session) is None:
            raise StateError(f"invalid session {quoted(entry.Session)}")
        old = self.entry(entry.Key)
        if old is None:
            lock_index = 1
        elif not old.Session:
            lock_index = old.LockIndex + 1
        elif old.Session == entry.Session:
            lock_index = old.LockIndex
        else:
            return False, None
        return True, self.set(tx, replace(entry, LockIndex=lock_index), update_session=True)

    def unlock(self, tx: Transaction, entry: DirEntry) -> tuple[bool, DirEntry | None]:
        """Release; only the holder can. The value is written too."""
        if not entry.Session:
            raise StateError("missing session")
        old = self.entry(entry.Key)
        if old is None or old.Session != entry.Session:
            return False, None
        return True, self.set(tx, replace(entry, LockIndex=old.LockIndex, Session=""), update_session=True)

    def delete(self, tx: Transaction, key: str) -> None:
        where = byte_text(key)
        if tx.delete(self.entries, where) is not None:
            self._bury(tx, key)
            tx.touch(KeyChanged("kvs", where))

    def delete_cas(self, tx: Transaction, key: str, index: int) -> bool:
        """Delete if the key's index is ``index``; a missing key counts as success."""
        old = self.entry(key)
        if old is not None and old.ModifyIndex != index:
            return False
        self.delete(tx, key)
        return True

    def delete_tree(self, tx: Transaction, prefix: str) -> None:
        keys = [byte_text(entry.Key) for entry in self.entries.prefix(byte_text(prefix))]
        if not keys:
            return
        for key in keys:
            tx.delete(self.entries, key)
            tx.touch(KeyChanged("kvs", key))
        if prefix:
            self._bury(tx, prefix)
        else:
            tx.bump("kvs")

    def _bury(self, tx: Transaction, key: str) -> None:
        tx.put(self.tombstones, Tombstone(key, tx.index))
        tx.bump("tombstones")
        tx.bump("kvs")
        tx.effects.append(TombstoneMade(tx.index))

    def reap_tombstones(self, tx: Transaction, index: int) -> None:
        """Forget deletions up to ``index``."""
        old = [stone for stone in self.tombstones.all() if stone.Index <= index]
        for stone in old:
            tx.delete(self.tombstones, byte_text(stone.Key))
        if old:
            tx.bump("tombstones")
            self.forgotten = max(self.forgotten, *(stone.Index for stone in old))

    # ------------------------------------------------------------------ commands and snapshots

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """See `Replicated`."""
        return {
            MessageType.KVS: command(KVSRequest, self._apply),
            MessageType.TOMBSTONE: command(TombstoneRequest, self._reap),
        }

    def _apply(self, tx: Transaction, request: KVSRequest) -> Any:
        operation = _OPERATIONS.get(request.Op)
        if operation is None:
            raise StateError(f"Invalid KVS operation '{request.Op}'")
        return operation(self, tx, request.DirEnt)

    def _reap(self, tx: Transaction, request: TombstoneRequest) -> None:
        if request.Op != "reap":
            raise StateError(f"Invalid Tombstone operation '{request.Op}'")
        self.reap_tombstones(tx, request.ReapIndex)

    def capture(self) -> list[SnapshotSection]:
        """See `Replicated`."""
        return [
            SnapshotSection(MessageType.KVS, self.entries.snapshot()),
            SnapshotSection(
                MessageType.TOMBSTONE, self.tombstones.snapshot(),
                lambda stone: (DirEntry(Key=stone.Key, ModifyIndex=stone.Index),),
            ),
        ]  # fmt: skip

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """See `Replicated`."""
        read = msgpack.decoder_for(DirEntry)

        def restore_tombstone(value: Any) -> None:
            entry = read(value)
            put(self.tombstones, Tombstone(entry.Key, entry.ModifyIndex))

        return {
            MessageType.KVS: lambda value: put(self.entries, read(value)),
            MessageType.TOMBSTONE: restore_tombstone,
        }


def _set(kv: KVState, tx: Transaction, entry: DirEntry) -> None:
    kv.set(tx, entry)


_OPERATIONS: dict[str, Callable[[KVState, Transaction, DirEntry], Any]] = {
    KVOp.SET: _set,
    KVOp.DELETE: lambda kv, tx, entry: kv.delete(tx, entry.Key),
    KVOp.DELETE_CAS: lambda kv, tx, entry: kv.delete_cas(tx, entry.Key, entry.ModifyIndex),
    KVOp.DELETE_TREE: lambda kv, tx, entry: kv.delete_tree(tx, entry.Key),
    KVOp.CAS: lambda kv, tx, entry: kv.cas(tx, entry)[0],
    KVOp.LOCK: lambda kv, tx, entry: kv.lock(tx, entry)[0],
    KVOp.UNLOCK: lambda kv, tx, entry: kv.unlock(tx, entry)[0],
}
