"""Operations of a history as Consul's requests, and its answers as what the history records of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from proconsul.features.kv.model import DirEntry, KVSRequest
from proconsul.features.txn.model import TxnKVOp, TxnOp, TxnReadResponse, TxnRequest, TxnResponse
from proconsul.testing.history import Operation, Row

__all__ = ["entry_of", "kv_request", "row_of", "txn_request", "with_rows", "with_txn_answer"]


def entry_of(operation: Operation) -> DirEntry:
    """The key as a request names it."""
    return DirEntry(
        Key=operation.key, Value=operation.value.encode() or None, Flags=operation.flags, Session=operation.session,
        ModifyIndex=operation.index,
    )  # fmt: skip


def kv_request(operation: Operation, datacenter: str = "dc1") -> KVSRequest:
    """A single write."""
    return KVSRequest(Datacenter=datacenter, Op=operation.kind, DirEnt=entry_of(operation))


def txn_request(operation: Operation, datacenter: str = "dc1") -> TxnRequest:
    """A transaction."""
    steps = [TxnOp(KV=TxnKVOp(step.kind, entry_of(step))) for step in operation.steps]
    return TxnRequest(Datacenter=datacenter, Ops=steps)


def row_of(entry: DirEntry, *, in_txn: bool = False) -> Row:
    """A key as an answer shows it. Those to writes within transactions come without values, so none says nothing."""
    value = None if in_txn and entry.Value is None else (entry.Value or b"").decode()
    return Row(
        entry.Key, entry.ModifyIndex, entry.CreateIndex, value, entry.Flags, entry.LockIndex, entry.Session
    )  # fmt: skip


def with_rows(operation: Operation, entries: Iterable[DirEntry], **fields: Any) -> Operation:
    """A read that was answered: one of a key is refused when there is none."""
    rows = tuple(row_of(entry) for entry in entries)
    done = bool(rows) or operation.kind.endswith("-tree")
    answered: Operation = msgspec.structs.replace(operation, rows=rows, done=done, **fields)
    return answered


def with_txn_answer(operation: Operation, answer: TxnResponse | TxnReadResponse, **fields: Any) -> Operation:
    """A transaction that was answered."""
    rows = tuple(row_of(one.KV, in_txn=True) for one in answer.Results or () if one.KV is not None)
    answered: Operation = msgspec.structs.replace(operation, rows=rows, done=not answer.Errors, **fields)
    return answered
