"""Commands and snapshots of the state machine, against bytes of the original where they are known."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from proconsul.engine.wire import msgpack
from proconsul.features.catalog.model import HealthCheck, NodeService, RegisterRequest
from proconsul.features.coordinate.model import Coord, Coordinate
from proconsul.features.errors import StateError
from proconsul.features.kv.model import DirEntry, KVSRequest
from proconsul.features.messages import MessageType
from proconsul.features.session.model import Session, SessionRequest
from proconsul.features.state import State
from proconsul.features.txn.model import TxnKVOp, TxnOp, TxnRequest
from proconsul.server.fsm import FSM, encode_command

S1 = "11111111-1111-1111-1111-111111111111"
# A KVS set command as a leader of the original wrote it to its log.
KVS_SET = bytes.fromhex(
    "0284aa4461746163656e746572a3646331a6446972456e7487ab437265617465496e64657800a5466c6167732aa34b6579a470792f61"
    "a94c6f636b496e64657800ab4d6f64696679496e64657800a753657373696f6ea0a556616c7565a500ff62696ea24f70a3736574a554"
    "6f6b656ea0"
)


def fsm() -> FSM:
    return FSM(State())


def apply(machine: FSM, index: int, kind: MessageType, request: Any) -> Any:
    """Apply as a follower would: from the bytes alone."""
    return machine.apply(index, 1, 0, encode_command(kind, request), None)


def test_commands_are_byte_for_byte_the_originals() -> None:
    request = msgpack.decode(KVSRequest, KVS_SET[1:])
    assert request.DirEnt == DirEntry(Key="py/a", Flags=42, Value=b"\x00\xffbin")
    assert encode_command(MessageType.KVS, request) == KVS_SET


def test_a_follower_and_the_proposer_get_the_same_state() -> None:
    follower, leader = fsm(), fsm()
    for index, request in enumerate(_requests(), 1):
        data = encode_command(*request)
        assert follower.apply(index, 1, 0, data, None) == leader.apply(index, 1, 0, data, request[1])
    assert _dump(follower) == _dump(leader)


def _requests() -> list[tuple[MessageType, Any]]:
    serf = HealthCheck(Node="n", CheckID="serfHealth", Status="passing")
    return [
        (MessageType.REGISTER, RegisterRequest(Node="n", Address="1.2.3.4", ID=S1, NodeMeta={"a": "b"}, Check=serf)),
        (MessageType.REGISTER, RegisterRequest(Node="n", Address="1.2.3.4", SkipNodeUpdate=True,
                                               Service=NodeService(ID="w1", Service="web", Tags=["t"], Port=80))),
        (MessageType.KVS, KVSRequest(Op="set", DirEnt=DirEntry(Key="a/\udcff", Value=b"\xff", Flags=2**64 - 1))),
        (MessageType.KVS, KVSRequest(Op="set", DirEnt=DirEntry(Key="b"))),
        (MessageType.SESSION, SessionRequest(Op="create", Session=Session(ID=S1, Node="n", NodeChecks=["serfHealth"],
                                                                          TTL="10s", LockDelay=5))),
        (MessageType.KVS, KVSRequest(Op="lock", DirEnt=DirEntry(Key="locked", Value=b"x", Session=S1))),
        (MessageType.KVS, KVSRequest(Op="delete", DirEnt=DirEntry(Key="b"))),
        (MessageType.COORDINATE_BATCH, [Coordinate("n", "", Coord([0.5] * 8, 1.5, 0.0, 1e-5))]),
        (MessageType.TXN, TxnRequest(Ops=[TxnOp(KV=TxnKVOp("set", DirEntry(Key="t", Value=b"1")))])),
    ]  # fmt: skip


def _filled() -> FSM:
    machine = fsm()
    for index, (kind, request) in enumerate(_requests(), 1):
        apply(machine, index, kind, request)
    return machine


def _dump(machine: FSM) -> dict[str, Any]:
    tables = {name: table.all() for name, table in machine.state.store.tables.items()}
    return {**tables, "index": dict(machine.state.store.indexes)}


def test_a_snapshot_restores_everything_indexes_included() -> None:
    machine = _filled()
    restored = fsm()
    restored.restore(io.BytesIO(b"".join(machine.snapshot().persist())))
    assert _dump(restored) == _dump(machine)
    # Secondary indexes and session bindings work on the restored state too.
    apply(restored, 50, MessageType.REGISTER, RegisterRequest(
        Node="n", Address="1.2.3.4", SkipNodeUpdate=True,
        Check=HealthCheck(Node="n", CheckID="serfHealth", Status="critical"),
    ))  # fmt: skip
    locked = restored.state.kv.entry("locked")
    assert locked is not None
    assert (locked.Session, locked.ModifyIndex) == ("", 50)


def test_a_snapshot_does_not_see_later_writes() -> None:
    machine = _filled()
    snapshot = machine.snapshot()
    before = _dump(machine)
    apply(machine, 99, MessageType.KVS, KVSRequest(Op="set", DirEnt=DirEntry(Key="later")))
    restored = fsm()
    restored.restore(io.BytesIO(b"".join(snapshot.persist())))
    assert _dump(restored) == before


def test_restoring_wakes_every_reader() -> None:
    machine = _filled()
    rung: list[bool] = []
    machine.on_restored = lambda: rung.append(True)
    machine.restore(io.BytesIO(b"".join(machine.snapshot().persist())))
    assert rung == [True]


@pytest.mark.parametrize("cut", [0, 1, 10, 50])
def test_a_damaged_snapshot_is_refused(cut: int) -> None:
    whole = b"".join(_filled().snapshot().persist())
    broken = whole[: len(whole) // 2 + cut] + b"\xc1" + whole[len(whole) // 2 + cut :]
    with pytest.raises(msgpack.DecodeError):
        fsm().restore(io.BytesIO(broken))


def test_an_operating_error_is_a_result_and_changes_nothing() -> None:
    machine = fsm()
    result = apply(machine, 1, MessageType.KVS, KVSRequest(Op="bogus", DirEnt=DirEntry(Key="a")))
    assert isinstance(result, StateError)
    assert str(result) == "Invalid KVS operation 'bogus'"
    assert _dump(machine)["kvs"] == []


def test_unknown_commands_stop_the_node_unless_they_may_be_skipped() -> None:
    with pytest.raises(AssertionError, match="unknown command type 77"):
        fsm().apply(1, 1, 0, bytes([77]) + b"\x80", None)
    assert fsm().apply(1, 1, 0, bytes([77 | 0x80]) + b"\x80", None) is None


def test_a_failed_transaction_changes_nothing() -> None:
    machine = _filled()
    before = _dump(machine)
    ops = [
        TxnOp(KV=TxnKVOp("set", DirEntry(Key="new", Value=b"1"))),
        TxnOp(KV=TxnKVOp("check-not-exists", DirEntry(Key="t"))),
        TxnOp(KV=TxnKVOp("get", DirEntry(Key="missing"))),
    ]
    result = apply(machine, 20, MessageType.TXN, TxnRequest(Ops=ops))
    assert result.Results is None
    assert [(error.OpIndex, error.What) for error in result.Errors] == [
        (1, 'key "t" exists'), (2, 'key "missing" doesn\'t exist'),
    ]  # fmt: skip
    assert _dump(machine) == before


def test_effects_reach_the_shell_only_for_commits() -> None:
    seen: list[Any] = []
    sink: Callable[[list[Any]], None] = seen.extend
    machine = FSM(State(), sink)
    apply(machine, 1, MessageType.SESSION, SessionRequest(Op="create", Session=Session(ID=S1, Node="nope")))
    assert seen == []
