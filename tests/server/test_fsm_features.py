"""Laws of the state machine over the newer tables: all or nothing, and snapshots that lose nothing."""

# mypy: disable-error-code="union-attr"

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.raft.chunking import CHUNK_BYTES_MAX, split
from proconsul.engine.raft.messages import LogEntry
from proconsul.engine.wire import msgpack
from proconsul.features.acl import model as acl
from proconsul.features.catalog.model import RegisterRequest
from proconsul.features.config_entry.model import ConfigEntryRequest, ServiceDefaults
from proconsul.features.connect.model import CAConfiguration, CARequest, CARoot
from proconsul.features.errors import StateError
from proconsul.features.intention.model import Intention, IntentionRequest
from proconsul.features.kv.model import DirEntry, KVSRequest
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import AutopilotConfig, AutopilotSetConfigRequest
from proconsul.features.query.model import PreparedQuery, PreparedQueryRequest
from proconsul.features.session.model import Session, SessionRequest
from proconsul.features.state import State
from proconsul.features.txn.model import TxnKVOp, TxnOp, TxnRequest
from proconsul.server.fsm import FSM, encode_command

ID = "00000000-1111-2222-3333-44444444444{}"


def machine() -> FSM:
    return FSM(State())


def apply(fsm: FSM, index: int, kind: MessageType, request: Any) -> Any:
    """Apply as a follower would: from the bytes alone."""
    return fsm.apply(index, 1, 0, encode_command(kind, request), None)


def dump(fsm: FSM) -> dict[str, Any]:
    tables = {name: table.all() for name, table in fsm.state.store.tables.items()}
    return {**tables, "index": dict(fsm.state.store.indexes), "chunks": fsm.chunks.chunks}


def again(fsm: FSM) -> FSM:
    """A machine restored from ``fsm``'s snapshot."""
    restored = machine()
    restored.restore(io.BytesIO(b"".join(fsm.snapshot().persist())))
    return restored


# ---------------------------------------------------------------------------------------------- all or nothing

intention_ops = st.builds(
    lambda number, op, source: TxnOp(Intention=IntentionRequest(Op=op, Intention=Intention(
        ID=ID.format(number), SourceName=source, DestinationName="d", Action="allow",
    ))),
    st.integers(0, 4), st.sampled_from(["create", "update", "delete", "bogus"]), st.sampled_from("abc"),
)  # fmt: skip
key_ops = st.builds(
    lambda verb, key, index: TxnOp(KV=TxnKVOp(verb, DirEntry(Key=key, Value=b"v", ModifyIndex=index))),
    st.sampled_from(["set", "cas", "delete", "delete-cas", "check-not-exists", "get"]), st.sampled_from("xyz"),
    st.integers(0, 5),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.one_of(intention_ops, key_ops), min_size=1, max_size=5), max_size=8))
def test_a_transaction_happens_as_a_whole_or_not_at_all(transactions: list[list[TxnOp]]) -> None:
    fsm = machine()
    for index, ops in enumerate(transactions, 1):
        before = dump(fsm)
        result = apply(fsm, index, MessageType.TXN, TxnRequest(Ops=ops))
        if result.Errors:
            assert result.Results is None
            assert dump(fsm) == before
        pairs = [(row.SourceName, row.DestinationName) for row in fsm.state.intentions.table.all()]
        assert len(pairs) == len(set(pairs))
    assert dump(again(fsm)) == dump(fsm)


tokens = st.builds(
    lambda number, policy, method, accessor: acl.ACLToken(
        AccessorID=ID.format(number) if accessor else "", SecretID=f"secret{number}", AuthMethod=method,
        Policies=[acl.Link(ID.format(policy))] if policy else None,
    ),
    st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "", "m"]), st.sampled_from([True, True, True, False]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(
    acl.TokenSetRequest, st.lists(tokens, max_size=4), st.booleans(), st.booleans(), st.booleans(), st.booleans()
), max_size=5))  # fmt: skip
def test_a_set_of_tokens_is_written_as_a_whole_or_not_at_all(requests: list[acl.TokenSetRequest]) -> None:
    fsm = machine()
    apply(fsm, 1, MessageType.ACL_POLICY_SET, acl.PolicySetRequest([acl.ACLPolicy(ID=ID.format(1), Name="p")]))
    for index, request in enumerate(requests, 2):
        before = dump(fsm)
        if isinstance(apply(fsm, index, MessageType.ACL_TOKEN_SET, request), StateError):
            assert dump(fsm) == before
        for token in fsm.state.acl.tokens.all():
            assert fsm.state.acl.token(token.AccessorID) == token
            assert {link.Name for link in token.Policies or ()} <= {"p", ""}
    assert dump(again(fsm)) == dump(fsm)


# ---------------------------------------------------------------------------------------------- compare and set


def test_access_control_is_bootstrapped_once_unless_the_index_is_known() -> None:
    fsm = machine()

    def bootstrap(index: int, reset: int) -> Any:
        token = acl.ACLToken(AccessorID=ID.format(index), SecretID=f"s{index}")
        return apply(fsm, index, MessageType.ACL_BOOTSTRAP, acl.BootstrapRequest(token, reset))

    assert bootstrap(5, 0) is None
    assert str(bootstrap(6, 0)) == "ACL bootstrap no longer allowed"
    assert str(bootstrap(7, 6)) == "Invalid ACL bootstrap reset index"
    assert bootstrap(8, 5) is None
    assert again(fsm).state.acl.can_bootstrap() == (False, 8)


def test_roots_are_replaced_only_over_the_ones_they_were_made_from() -> None:
    fsm = machine()

    def roots(index: int, based_on: int, *names: str, config: CAConfiguration | None = None) -> Any:
        made = [CARoot(ID=name, Active=position == 0) for position, name in enumerate(names)]
        op = "set-roots" if config is None else "set-roots-config"
        return apply(fsm, index, MessageType.CONNECT_CA, CARequest(Op=op, Index=based_on, Roots=made, Config=config))

    assert roots(3, 0, "a") is True
    assert roots(4, 0, "b") is False
    assert str(roots(5, 3)) == "there must be exactly one active CA root"
    apply(fsm, 6, MessageType.CONNECT_CA, CARequest(Op="set-config", Config=CAConfiguration(ClusterID="c")))
    assert roots(7, 3, "b", "a", config=CAConfiguration(ModifyIndex=6)) is True
    rows = [(row.ID, row.Active, row.CreateIndex, row.ModifyIndex) for row in fsm.state.connect.roots.all()]
    assert rows == [("a", False, 3, 7), ("b", True, 7, 7)]
    config = fsm.state.connect.configuration(None)[1]
    assert config is not None
    assert (config.ClusterID, config.CreateIndex, config.ModifyIndex) == ("c", 6, 8)
    # Two steps: the roots are new although the configuration has changed meanwhile.
    assert roots(9, 7, "d", config=CAConfiguration(ModifyIndex=6)) is False
    assert [row.ID for row in fsm.state.connect.roots.all()] == ["d"]


def test_settings_of_autopilot_are_written_over_the_ones_that_were_read() -> None:
    fsm = machine()

    def write(index: int, based_on: int, *, cas: bool) -> Any:
        config = AutopilotConfig(MaxTrailingLogs=index, ModifyIndex=based_on)
        return apply(fsm, index, MessageType.AUTOPILOT, AutopilotSetConfigRequest(Config=config, CAS=cas))

    assert write(2, 0, cas=True) is False
    assert write(3, 0, cas=False) is None
    assert write(4, 2, cas=True) is False
    assert write(5, 3, cas=True) is True
    assert fsm.state.autopilot.get(None) == (5, AutopilotConfig(MaxTrailingLogs=5, CreateIndex=3, ModifyIndex=5))


def test_a_config_entry_is_written_over_the_one_that_was_read() -> None:
    fsm = machine()

    def write(index: int, based_on: int) -> Any:
        entry = ServiceDefaults(Kind="service-defaults", Name="web", Protocol="http", ModifyIndex=based_on)
        return apply(fsm, index, MessageType.CONFIG_ENTRY, ConfigEntryRequest(Op="upsert-cas", Entry=entry))

    assert [write(2, 1), write(3, 0), write(4, 0), write(5, 3)] == [False, True, False, True]


# ---------------------------------------------------------------------------------------------- the rest


def test_a_session_takes_its_queries_along() -> None:
    fsm = machine()
    apply(fsm, 1, MessageType.REGISTER, RegisterRequest(Node="n", Address="1.1.1.1"))
    apply(fsm, 2, MessageType.SESSION, SessionRequest(Op="create", Session=Session(ID=ID.format(1), Node="n")))
    for number, session in ((2, ID.format(1)), (3, "")):
        query = PreparedQuery(ID=ID.format(number), Name=f"q{number}", Session=session)
        request = PreparedQueryRequest(Op="create", Query=query)
        assert apply(fsm, number + 1, MessageType.PREPARED_QUERY, request) is None
    apply(again(fsm), 9, MessageType.SESSION, SessionRequest(Op="destroy", Session=Session(ID=ID.format(1))))
    apply(fsm, 9, MessageType.SESSION, SessionRequest(Op="destroy", Session=Session(ID=ID.format(1))))
    index, queries = fsm.state.queries.all(None)
    assert (index, [query.Name for query in queries]) == (9, ["q3"])


def test_half_a_command_survives_a_snapshot() -> None:
    value = bytes(range(256)) * 3000
    data = encode_command(MessageType.KVS, KVSRequest(Op="set", DirEnt=DirEntry(Key="large", Value=value)))
    assert len(data) > CHUNK_BYTES_MAX
    parts = list(split(data, (1 << 64) - 1))
    fsm = machine()
    for index, (piece, extensions) in enumerate(parts[:-1], 10):
        assert fsm.apply_chunk(LogEntry(index=index, term=4, type=0, data=piece, extensions=extensions), None) is None
    fsm = again(again(fsm))
    piece, extensions = parts[-1]
    fsm.apply_chunk(LogEntry(index=30, term=4, type=0, data=piece, extensions=extensions), None)
    row = fsm.state.kv.entry("large")
    assert row is not None
    assert (row.Value, row.CreateIndex) == (value, 30)
    assert not fsm.chunks.chunks


def test_all_auth_methods_are_in_a_snapshot() -> None:
    fsm = machine()
    methods = [acl.ACLAuthMethod(Name=name, Type="jwt", Config={"a": [1, 1.5, {"b": "c"}]}) for name in "abc"]
    apply(fsm, 1, MessageType.ACL_AUTH_METHOD_SET, acl.AuthMethodSetRequest(methods))
    assert [method.Name for method in again(fsm).state.acl.auth_methods.all()] == ["a", "b", "c"]


def test_a_tokens_accessor_stays() -> None:
    """Two leaders in turn each make the master token; what the second one proposes is refused everywhere."""
    fsm = machine()
    token = acl.ACLToken(AccessorID=ID.format(1), SecretID="master", Description="first")
    apply(fsm, 6, MessageType.ACL_TOKEN_SET, acl.TokenSetRequest([token]))
    other = acl.ACLToken(AccessorID=ID.format(2), SecretID="master", Description="second")
    refusal = apply(fsm, 8, MessageType.ACL_TOKEN_SET, acl.TokenSetRequest([other]))
    assert isinstance(refusal, StateError) and str(refusal) == "The ACL Token AccessorID field is immutable"
    kept = fsm.state.acl.tokens.get("master")
    assert (kept.AccessorID, kept.Description, kept.ModifyIndex) == (ID.format(1), "first", 6)


def test_tokens_of_old_snapshots_are_taken_over() -> None:
    record = bytes((MessageType.LEGACY_ACL,)) + msgpack.encode(acl.LegacyACL(
        ID="old", Name="name", Type="client", Rules="", CreateIndex=3, ModifyIndex=4))  # fmt: skip
    bootstrapped = bytes((MessageType.ACL_BOOTSTRAP,)) + msgpack.encode(acl.BootstrapRecord(ModifyIndex=2))
    fsm = machine()
    fsm.restore(io.BytesIO(msgpack.encode({"LastIndex": 9}) + record + bootstrapped))
    token = fsm.state.acl.tokens.get("old")
    assert token is not None
    assert (token.Description, token.Type, token.CreateIndex, token.ModifyIndex) == ("name", "client", 3, 4)
    assert fsm.state.acl.can_bootstrap() == (False, 2)


@pytest.mark.parametrize("at", range(0, 600, 37))
def test_a_snapshot_that_cannot_be_read_changes_nothing(at: int) -> None:
    fsm = machine()
    apply(fsm, 1, MessageType.REGISTER, RegisterRequest(Node="n", Address="1.1.1.1"))
    apply(fsm, 2, MessageType.KVS, KVSRequest(Op="set", DirEnt=DirEntry(Key="k", Value=b"v")))
    whole = b"".join(fsm.snapshot().persist())
    before = dump(fsm)
    at %= len(whole)
    with pytest.raises(msgpack.DecodeError):
        fsm.restore(io.BytesIO(whole[:at] + b"\xc1" + whole[at:]))
    assert dump(fsm) == before
