"""The KVS RPC methods: validate, consult the leader's lock-delays, propose or read."""

from __future__ import annotations

from functools import partial
from typing import Any

from proconsul.engine.completion import Completion, tell
from proconsul.engine.store.table import byte_text, from_byte_text
from proconsul.engine.store.watch import WatchSet
from proconsul.features.errors import StateError
from proconsul.features.kv.model import (
    DirEntry,
    IndexedDirEntries,
    IndexedKeyList,
    KeyListRequest,
    KeyRequest,
    KVOp,
    KVSRequest,
)
from proconsul.features.messages import MessageType
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, WriteMethod, Writes, or_empty

APPLY = WriteMethod("KVS.Apply", KVSRequest, bool, to_reply=bool)
GET = ReadMethod(
    "KVS.Get", KeyRequest, IndexedDirEntries, "Entries",
    to_field=lambda entry: None if entry is None else [entry], to_value=lambda entries: entries[0] if entries else None,
)  # fmt: skip
LIST = ReadMethod("KVS.List", KeyRequest, IndexedDirEntries, "Entries", to_value=or_empty)
LIST_KEYS = ReadMethod("KVS.ListKeys", KeyListRequest, IndexedKeyList, "Keys", to_value=or_empty)


class KVS(Endpoint):
    """KVS.Apply, KVS.Get, KVS.List and KVS.ListKeys."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {GET: self.get, LIST: self.list, LIST_KEYS: self.list_keys}
        self.writes: Writes = {APPLY: self.apply}

    def apply(self, waiter: Completion, args: KVSRequest) -> None:
        """Write. ``waiter`` is told True or False for conditional operations, None for others, or a ConsulError.

        Raises StateError for a missing key.
        """
        server = self._server
        if not args.DirEnt.Key and args.Op != KVOp.DELETE_TREE:
            raise StateError("Must provide key")
        if args.Op == KVOp.LOCK:
            server.locking(waiter, (args.DirEnt.Key,), partial(self._lock, args))
        else:
            server.propose_for(waiter, MessageType.KVS, args)

    def _lock(self, args: KVSRequest, waiter: Completion) -> None:
        """Acquire a key; what cannot succeed is not proposed.

        A lock of somebody else's could be let go of by its session's end on the way, and be taken within the delay.
        """
        server, entry, kv = self._server, args.DirEnt, self._server.state.kv
        if server.handed_on(waiter, APPLY, args):
            return  # no longer ours to do, after waiting for others
        held = kv.held_by_another(entry.Key, entry.Session) and kv.session(entry.Session) is not None
        if held or server.lock_delayed(entry):
            tell(waiter, False)
        else:
            server.propose_for(waiter, MessageType.KVS, args)

    def get(self, args: KeyRequest) -> Read:
        key, kv = args.Key, self._server.state.kv
        return Read((GET.name, key), lambda watch: kv.get(watch, key), GET, args, shared=False)

    def entry(self, key: str) -> tuple[int, DirEntry | None]:
        """One key with its index, at once."""
        return self._server.state.kv.get(None, key)

    def list(self, args: KeyRequest) -> Read:
        prefix, kv = args.Key, self._server.state.kv
        return Read((LIST.name, prefix), lambda watch: kv.below(watch, prefix), LIST, args)

    def list_keys(self, args: KeyListRequest) -> Read:
        """Key names below a prefix; with a separator, cut after its first occurrence and without repeats."""
        prefix, separator, kv = args.Prefix, args.Seperator, self._server.state.kv
        cut, first = byte_text(separator), len(byte_text(prefix))

        def run(watch: WatchSet) -> tuple[int, Any]:
            index, entries = kv.below(watch, prefix)
            if not separator:
                return index, [entry.Key for entry in entries]
            names: dict[str, None] = {}
            for entry in entries:
                key = byte_text(entry.Key)
                end = key.find(cut, first)
                names[key if end < 0 else key[: end + len(cut)]] = None
            return index, [from_byte_text(name) for name in names]

        return Read((LIST_KEYS.name, prefix, separator), run, LIST_KEYS, args)
