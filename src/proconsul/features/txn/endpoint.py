"""Txn.Apply and Txn.Read."""

from __future__ import annotations

import asyncio
from typing import Any

from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import INVALID_ADDRESS, KEYS_NOT_TEXT, for_the_log, keys_not_text, reachable
from proconsul.features.catalog.model import Node
from proconsul.features.ids import UUID_LENGTH, is_uuid
from proconsul.features.kv.model import KVOp
from proconsul.features.messages import MessageType
from proconsul.features.server import Server, WriteMethod
from proconsul.features.txn.model import (
    TxnError,
    TxnOp,
    TxnReadRequest,
    TxnReadResponse,
    TxnRequest,
    TxnResponse,
    TxnResult,
)

APPLY = WriteMethod("Txn.Apply", TxnRequest, TxnResponse)
READ = WriteMethod("Txn.Read", TxnReadRequest, TxnReadResponse)


class Txn:
    """Runs transactions: through Raft, or for reads against the local state."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.writes = {APPLY: self.apply, READ: self.read}

    def apply(self, args: TxnRequest) -> asyncio.Future[Any] | TxnResponse:
        """Propose; refused without Raft when an operation cannot be allowed now. The result is a TxnResponse."""
        elsewhere = self._server.elsewhere(APPLY, args)
        if elsewhere is not None:
            return elsewhere
        errors = self._pre_check(args.Ops or [])
        if errors:
            return TxnResponse(None, errors)
        return self._server.propose(MessageType.TXN, replace(args, Ops=[_kept(op) for op in args.Ops or ()]))

    def _pre_check(self, ops: list[TxnOp]) -> list[TxnError]:
        errors = []
        for position, op in enumerate(ops):
            refusal = self._refusal(op)
            if refusal:
                errors.append(TxnError(position, refusal))
        return errors

    def _refusal(self, op: TxnOp) -> str:
        if op.KV is not None:
            key = op.KV.DirEnt.Key
            if not key and op.KV.Verb not in (KVOp.DELETE_TREE, KVOp.GET_TREE):
                return "Must provide key"
            if op.KV.Verb == KVOp.LOCK and self._server.lock_delays.remaining_s(key) > 0:
                return f"failed to lock key {quoted(key)} due to lock delay"
        if op.Node is not None and op.Node.Verb != "get":
            return _node_refusal(op.Node.Node)
        if op.Intention is not None and op.Intention.Intention is None:
            return "Missing Intention ID"  # servers of Consul 1.8.7, a leader too, end for good when they apply it
        if op.Service is not None and keys_not_text(op.Service.Service):
            return KEYS_NOT_TEXT
        if op.Service is not None and op.Service.Service.ID and not op.Service.Service.Service:
            return "Must provide service name with ID"
        if op.Service is not None and op.Service.Verb != "get" and not reachable(op.Service.Service.Address):
            return INVALID_ADDRESS
        if op.Service is not None and op.Service.Verb in ("set", "cas") and not op.Service.Service.ID:
            return "failed inserting service: object missing primary index" if op.Service.Node else ""
        return ""

    def read(self, args: TxnReadRequest) -> asyncio.Future[Any] | TxnReadResponse:
        """Evaluate a transaction that only reads; unless it may be stale, on the leader."""
        if not (args.AllowStale and self._server.answers("stale")):
            elsewhere = self._server.elsewhere(READ, args)
            if elsewhere is not None:
                return elsewhere
        results, errors = self._read(args.Ops or [])
        return TxnReadResponse(KnownLeader=self._server.known_leader(), Results=results, Errors=errors)

    def _read(self, ops: list[TxnOp]) -> tuple[list[TxnResult] | None, list[TxnError] | None]:
        keyless = [
            TxnError(position, "Must provide key")
            for position, op in enumerate(ops)
            if op.KV is not None and not op.KV.DirEnt.Key and op.KV.Verb != KVOp.GET_TREE
        ]
        if keyless:
            return None, keyless
        store = self._server.state.store
        return self._server.state.txn.run(store.begin(0), ops)


def _kept(op: TxnOp) -> TxnOp:
    """The operation as it goes into the log."""
    if op.Service is None:
        return op
    return replace(op, Service=replace(op.Service, Service=for_the_log(op.Service.Service)))  # type: ignore[no-any-return]


def _node_refusal(node: Node) -> str:
    """Why a node cannot be written or deleted."""
    if not node.Node:
        return "Must provide node"
    if node.ID and len(node.ID) != UUID_LENGTH:
        return "Bad node ID: uuid string is wrong length"
    return "Bad node ID: uuid is improperly formatted" if node.ID and not is_uuid(node.ID) else ""
