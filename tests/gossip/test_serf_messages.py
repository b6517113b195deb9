"""User events and queries: limits, repetitions, filters, relays; the keyring's queries; whatever bytes may come."""

from __future__ import annotations

from typing import Any

import gossip_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serf_support import STRANGER, Bench, FakePool, address_of, record

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.config import VERSIONS
from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.gossip.keyring import Keyring, format_key, parse_keyring
from proconsul.engine.gossip.keys import KeyOp
from proconsul.engine.gossip.lamport import LTIME_MAX
from proconsul.engine.gossip.messages import (
    EventItem,
    EventSlot,
    KeyRequest,
    KeyResponse,
    MemberBody,
    NodeState,
    QueryMessage,
    QueryResponse,
    RelayAddress,
    RelayHeader,
    SerfKind,
    SerfPushPull,
    TagFilter,
    UserEventMessage,
)
from proconsul.engine.gossip.queries import FLAG_ACK, FLAG_NO_BROADCAST, RUNNING_MAX, QueryError
from proconsul.engine.gossip.query_filters import FILTERS_MAX, QueryFilterError, encode_filters, matches
from proconsul.engine.gossip.recent import PER_TIME_MAX, Recent, Verdict
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.serf_effects import (
    KeyringChanged,
    KeysFinished,
    QueryAcked,
    QueryAnswered,
    QueryFinished,
    QueryReceived,
    UserEvent,
)
from proconsul.engine.gossip.user_events import EventTooLarge
from proconsul.engine.wire.hostport import Address

KEY_A, KEY_B = bytes(range(32)), bytes(range(1, 33))


def event(ltime: int, name: str = "e", payload: bytes = b"") -> UserEventMessage:
    return UserEventMessage(ltime, name, payload, False)


def times(bench: Bench) -> list[int]:
    return [seen.ltime for seen in bench.effects(UserEvent)]


# ---------------------------------------------------------------------- what was seen


def test_a_ring_forgets_by_time() -> None:
    recent: Recent[str] = Recent(4)
    verdicts = [recent.admit(ltime, item, clock) for ltime, item, clock in [
        (1, "a", 2), (1, "a", 2), (1, "b", 2), (2, "a", 3), (5, "a", 6), (1, "a", 6), (2, "a", 6), (2, "z", 6),
        (LTIME_MAX, "a", 6),
    ]]  # fmt: skip
    new, again, old = Verdict.NEW, Verdict.AGAIN, Verdict.OLD
    assert verdicts == [new, again, new, new, new, old, again, new, Verdict.EXCESS]
    assert sorted(recent.slots()) == [(2, ["a", "z"]), (5, ["a"])]


def test_one_time_has_room_for_so_many() -> None:
    recent: Recent[int] = Recent(4)
    verdicts = {recent.admit(3, item, 4) for item in range(PER_TIME_MAX)}
    assert verdicts == {Verdict.NEW} and recent.admit(3, -1, 4) is Verdict.EXCESS


# ---------------------------------------------------------------------- user events


def test_an_event_reaches_everybody_once() -> None:
    pool = FakePool("a", "b", "c")
    assert pool["a"].serf.fire("deploy", b"v1", False, 100.0) == 1
    pool.settle()
    for bench in pool.benches.values():
        assert bench.effects(UserEvent) == [UserEvent(1, "deploy", b"v1", False)]
    assert pool["b"].serf.fire("deploy", b"v1", True, 100.0) == 2
    pool.settle()
    assert [bench.effects(UserEvent)[0].coalesce for bench in pool.benches.values()] == [True] * 3


def test_repeated_events_are_neither_delivered_nor_passed_on() -> None:
    bench = Bench()
    bench.tell(SerfKind.USER_EVENT, event(5))
    assert bench.queued() == [codec.encode(SerfKind.USER_EVENT, event(5))] and times(bench) == [5]
    bench.clear_queues()
    bench.tell(SerfKind.USER_EVENT, event(5))
    assert bench.queued() == [] and times(bench) == []
    for other in (event(5, "f"), event(5, payload=b"x"), event(6)):
        bench.tell(SerfKind.USER_EVENT, other)
    assert times(bench) == [5, 5, 6]


def test_the_ring_of_events_wraps() -> None:
    bench = Bench()
    for ltime in range(1, 514):
        bench.tell(SerfKind.USER_EVENT, event(ltime))
    assert len(times(bench)) == 513
    bench.clear_queues()
    bench.tell(SerfKind.USER_EVENT, event(2))
    assert times(bench) == [] and bench.queued() == [], "the oldest that is remembered"
    bench.tell(SerfKind.USER_EVENT, event(1, "old"))
    assert times(bench) == [] and bench.queued() == []
    assert "serf: received old event old from time 1 (current: 514)" in bench.logs()
    assert bench.serf.counters["events_old"] == 1


@pytest.mark.parametrize(
    ("payload_bytes", "limit", "text"),
    [
        (509, 512, "user event exceeds configured limit of 512 bytes before encoding"),
        (500, 512, "encoded user event exceeds configured limit of 512 bytes after encoding"),
        (9300, 9216, "user event exceeds configured limit of 9216 bytes before encoding"),
    ],
)
def test_events_have_limits(payload_bytes: int, limit: int, text: str) -> None:
    bench = Bench(user_event_bytes_max=limit)
    with pytest.raises(EventTooLarge) as caught:
        bench.serf.fire("name", b"x" * payload_bytes, False, bench.now)
    assert str(caught.value) == text
    assert bench.queued() == [] and times(bench) == [] and bench.serf.stats()["event_time"] == 1


def test_the_limit_of_events_has_a_limit() -> None:
    with pytest.raises(ValueError, match="user event size limit exceeds limit of 9216 bytes"):
        SerfConfig("me", user_event_bytes_max=20_000)


def test_events_are_replayed_in_a_full_exchange_unless_they_happened_before_we_came() -> None:
    slots = [None, EventSlot(3, [EventItem("e", b"x"), EventItem("f", b"")]), None, EventSlot(4, [EventItem("e", b"")])]
    state = SerfPushPull(1, None, None, 5, slots, 1)
    replaying = Bench()
    replaying.merge(state, join=True)
    assert times(replaying) == [3, 3, 4] and replaying.queued() == []
    joining = Bench()
    joining.serf.joining(True)
    joining.merge(state, join=True)
    joining.tell(SerfKind.USER_EVENT, event(4, "late"))
    joining.tell(SerfKind.USER_EVENT, event(5, "new"))
    assert times(joining) == [5]
    meanwhile = Bench()
    meanwhile.serf.joining(True)
    meanwhile.merge(state)
    assert times(meanwhile) == [3, 3, 4], "an exchange that is not our join"


def test_what_we_tell_in_a_full_exchange_is_understood() -> None:
    pool = FakePool("a", "b")
    pool["a"].serf.fire("e", b"x", False, 100.0)
    pool["a"].clear_queues()
    pool.exchange("b", "a")
    assert pool["b"].effects(UserEvent) == [UserEvent(1, "e", b"x", False)]


def test_the_events_of_the_original_are_understood() -> None:
    bench = Bench()
    bench.give(gossip_vectors.wire("serf-user-event"))
    bench.give(gossip_vectors.wire("consul-user-event"))
    bench.give(gossip_vectors.wire("consul-new-leader"))
    first, second, third = bench.effects(UserEvent)
    assert first == UserEvent(1, "ev1", b"payload1", True)
    assert (second.ltime, second.name, second.coalesce) == (3, "consul:event:deploy", False)
    assert second.payload == gossip_vectors.decoded("consul-user-event")["Payload"]
    assert third == UserEvent(1, "consul:new-leader", b"s1", False)
    firing = Bench()
    firing.serf.fire("ev1", b"payload1", True, firing.now)
    assert firing.queued() == [gossip_vectors.wire("serf-user-event")]


# ---------------------------------------------------------------------- queries


def asked(**changes: Any) -> QueryMessage:
    fields: dict[str, Any] = {
        "LTime": 5, "ID": 77, "Addr": codec.encode_address(STRANGER.host), "Port": STRANGER.port, "SourceNode": "them",
        "Timeout": 2 * 10**9, "Name": "load", "Payload": b"?",
    }  # fmt: skip
    return QueryMessage(**(fields | changes))


def answers(bench: Bench) -> list[tuple[Address, QueryResponse]]:
    sent = [(to, codec.decode(QueryResponse, body[1:])) for to, body, _ in bench.membership.sent if body[0] == 5]
    bench.membership.sent.clear()
    return sent


def test_a_query_collects_acknowledgements_and_answers() -> None:
    pool = FakePool("a", "b", "c")
    a = pool["a"]
    query = a.serf.query("load", b"?", a.now, ack=True, timeout_s=5.0)
    pool.settle()
    for bench in pool.benches.values():
        (received,) = bench.effects(QueryReceived)
        assert (received.query.name, received.query.payload, received.query.source_node) == ("load", b"?", "a")
        received.query.respond(bench.name.encode(), bench.now)
        with pytest.raises(QueryError, match="response already sent"):
            received.query.respond(b"", bench.now)
    pool.settle()
    assert query.acks == {"a", "b", "c"} and query.responses == {"a": b"a", "b": b"b", "c": b"c"}
    assert {ack.node for ack in a.effects(QueryAcked)} == query.acks
    assert {(answer.node, answer.payload) for answer in a.effects(QueryAnswered)} == set(query.responses.items())
    assert not query.finished
    a.advance(5.1)
    assert query.finished and a.effects(QueryFinished) == [QueryFinished(query)]


def test_answers_have_a_time_and_a_limit() -> None:
    bench = Bench()
    bench.tell(SerfKind.QUERY, asked())
    (received,) = bench.effects(QueryReceived)
    with pytest.raises(QueryError, match="response exceeds limit of 1024 bytes"):
        received.query.respond(b"x" * 1010, bench.now)
    with pytest.raises(QueryError, match="response is past the deadline"):
        received.query.respond(b"x", bench.now + 2.1)
    received.query.respond(b"x", bench.now + 1.9)
    assert answers(bench) == [(STRANGER, QueryResponse(5, 77, "me", 0, b"x"))]


def test_queries_have_limits() -> None:
    bench = Bench()
    with pytest.raises(QueryError, match="query exceeds limit of 1024 bytes"):
        bench.serf.query("q", b"x" * 1100, bench.now)
    with pytest.raises(QueryError, match="Queries cannot contain the '_serf_' prefix"):
        bench.serf.query("_serf_nope", b"", bench.now)
    with pytest.raises(QueryError, match="relay factor"):
        bench.serf.query("q", b"", bench.now, relay_factor=256)
    for _ in range(RUNNING_MAX):
        bench.serf.query("q", b"", bench.now)
    with pytest.raises(QueryError, match="running already"):
        bench.serf.query("q", b"", bench.now)


@pytest.mark.parametrize(("alive", "timeout_s"), [(1, 3.2), (9, 3.2), (10, 6.4), (99, 6.4), (100, 9.6)])
def test_queries_last_as_long_as_news_takes_to_spread(alive: int, timeout_s: float) -> None:
    bench = Bench()
    for at in range(alive - 1):
        bench.membership.known[f"n{at}"] = record(f"n{at}")
    query = bench.serf.query("q", b"", bench.now)
    assert query.deadline - bench.now == pytest.approx(timeout_s)


def test_repeated_and_late_answers_are_counted_and_dropped() -> None:
    bench = Bench()
    query = bench.serf.query("q", b"", bench.now, timeout_s=1.0)
    for payload in (b"one", b"two"):
        bench.tell(SerfKind.QUERY_RESPONSE, QueryResponse(query.ltime, query.id, "a", 0, payload))
    assert query.responses == {"a": b"one"}
    bench.tell(SerfKind.QUERY_RESPONSE, QueryResponse(query.ltime, query.id ^ 1, "b", 0, b""))
    bench.advance(2)
    bench.tell(SerfKind.QUERY_RESPONSE, QueryResponse(query.ltime, query.id, "c", 0, b""))
    assert set(query.responses) == {"a"}
    assert bench.serf.counters["responses_late"] == 2 and bench.serf.counters["responses_again"] == 1
    assert f"serf: reply for non-running query (LTime: 1, ID: {query.id} From: c)" in bench.logs()


def test_queries_are_answered_and_passed_on_once() -> None:
    bench = Bench()
    for _ in range(2):
        bench.tell(SerfKind.QUERY, asked(Flags=FLAG_ACK))
    assert len(bench.effects(QueryReceived)) == 1 and len(bench.queued()) == 1
    assert answers(bench) == [(STRANGER, QueryResponse(5, 77, "me", FLAG_ACK, b""))]
    bench.clear_queues()
    bench.tell(SerfKind.QUERY, asked(ID=78, Flags=FLAG_NO_BROADCAST))
    assert len(bench.effects(QueryReceived)) == 1 and bench.queued() == []
    bench.tell(SerfKind.QUERY, asked(LTime=1000))
    bench.tell(SerfKind.QUERY, asked(LTime=9, Name="old"))
    assert "serf: received old query old from time 9 (current: 1001)" in bench.logs()


@pytest.mark.parametrize(
    ("nodes", "tags", "wanted"),
    [
        ([], {}, True),
        (["me"], {}, True),
        (["x", "y"], {}, False),
        (["me"], {"role": "^we"}, True),
        ([], {"role": "eb"}, True),
        ([], {"role": "^eb"}, False),
        ([], {"role": "web", "dc": "east"}, False),
        ([], {"missing": "^$"}, True),
    ],
)
def test_filters(nodes: list[str], tags: dict[str, str], wanted: bool) -> None:
    assert matches(encode_filters(nodes, tags), "me", {"role": "web", "dc": "west"}) is wanted
    bench = Bench(tags={"role": "web", "dc": "west"})
    bench.tell(SerfKind.QUERY, asked(Filters=encode_filters(nodes, tags), Flags=FLAG_ACK))
    assert len(bench.effects(QueryReceived)) == wanted and len(answers(bench)) == wanted
    assert len(bench.queued()) == 1, "passed on whether it is for us or not"


BAD_FILTERS = [
    ([b""], "unrecognized filter type: -1"),
    ([b"\x07"], "unrecognized filter type: 7"),
    ([b"\x00\xc1"], "failed to decode filterNodeType"),
    ([b"\x01\xc1"], "failed to decode filterTagType"),
    ([b"\x01" + codec.encode_body(TagFilter("t", "("))], r"failed to compile filter regex \(\(\): error parsing"),
    ([b"\x00\x90"] * (FILTERS_MAX + 1), "limit is 64"),
]


@pytest.mark.parametrize(("filters", "text"), BAD_FILTERS)
def test_filters_that_cannot_be_read_are_nobodys(filters: list[bytes], text: str) -> None:
    # An empty filter ends serf 0.9.4.
    with pytest.raises(QueryFilterError, match=text):
        matches(filters, "me", {})
    bench = Bench()
    bench.tell(SerfKind.QUERY, asked(Filters=filters, Flags=FLAG_ACK))
    assert bench.effects(QueryReceived) == [] and answers(bench) == []
    assert bench.serf.counters["malformed"] == 1


def test_a_hostile_expression_costs_little() -> None:
    filters = encode_filters([], {"role": "(a*)*(a*)*(a|aa)+$"})
    assert matches(filters, "me", {"role": "a" * 400 + "b"}) is False


def test_the_query_of_the_original_is_answered() -> None:
    bench = Bench("pysf", tags={"role": "python"})
    bench.give(gossip_vectors.wire("serf-query-filters"))
    assert len(bench.effects(QueryReceived)) == 1
    assert answers(bench) == [(Address("127.0.0.1", 21600), QueryResponse(2, 854697744, "pysf", FLAG_ACK, b""))]


def test_answers_go_by_relays_too() -> None:
    bench = Bench()
    bench.sees("a")
    bench.sees("old", vsn=bytes((1, 4, 2, 2, 4, 4)))
    bench.tell(SerfKind.QUERY, asked(RelayFactor=2, Flags=FLAG_ACK))
    direct, relayed = bench.membership.sent
    assert direct[0] == STRANGER and relayed[0] == address_of("a")
    header, end = codec.decode_first(RelayHeader, relayed[1][1:])
    assert relayed[1][0] == SerfKind.RELAY and relayed[1][1 + end :] == direct[1]
    assert (header.DestAddr.IP, header.DestAddr.Port, header.DestName) == (asked().Addr, STRANGER.port, "them")
    few = Bench()
    few.sees("a")
    few.tell(SerfKind.QUERY, asked(RelayFactor=2, Flags=FLAG_ACK))
    assert len(few.membership.sent) == 1, "too few members for two relays"


def test_relays_are_passed_on() -> None:
    bench = Bench()
    bench.give(gossip_vectors.wire("serf-relay"))
    ((to, body, name),) = bench.membership.sent
    assert (to, name) == (Address("127.0.0.1", 21600), "sf1")
    assert body == gossip_vectors.decoded("serf-relay")["forward"]
    bench.membership.sent.clear()
    bench.tell(SerfKind.RELAY, RelayHeader(RelayAddress(b"\x7f\0\0\1", 0), "x"))
    bench.give(codec.encode(SerfKind.RELAY, RelayHeader(RelayAddress(b"\x7f\0\0\1", 70_000), "x")) + b"\x05x")
    bench.give(codec.encode(SerfKind.RELAY, RelayHeader(RelayAddress(b"\x7f", 7), "x")) + b"\x05x")
    assert not bench.membership.sent and bench.serf.counters["malformed"] == 3


def test_intents_go_before_queries_and_those_before_events() -> None:
    bench = Bench()
    bench.sees("a")
    bench.serf.fire("event", b"x" * 100, False, bench.now)
    bench.serf.query("query", b"x" * 100, bench.now)
    bench.serf.announce_join(bench.now)
    intent, query, fired = bench.serf.broadcasts(3, 10_000)
    assert (intent[0], query[0], fired[0]) == (SerfKind.JOIN, SerfKind.QUERY, SerfKind.USER_EVENT)
    room = len(intent) + len(query) + 6
    assert bench.serf.broadcasts(3, room) == [intent, query] and bench.serf.has_broadcasts()
    bench.clear_queues()
    assert not bench.serf.has_broadcasts()


# ---------------------------------------------------------------------- internal queries


def test_a_ping_is_acknowledged_and_not_delivered() -> None:
    pool = FakePool("a", "b")
    query = pool["a"].serf.query("_serf_ping", b"", 100.0, ack=True)
    pool.settle()
    assert query.acks == {"a", "b"} and query.responses == {}
    assert all(bench.effects(QueryReceived) == [] for bench in pool.benches.values())


def test_unknown_internal_queries_are_left_alone() -> None:
    bench = Bench()
    bench.tell(SerfKind.QUERY, asked(Name="_serf_zork"))
    assert bench.effects(QueryReceived) == [] and answers(bench) == []
    assert bench.serf.counters["queries_unknown"] == 1 and "serf: Unhandled internal query 'zork'" in bench.logs()


def test_who_has_a_name() -> None:
    bench = Bench()
    bench.sees("a", tags={"role": "web"})
    bench.tell(SerfKind.QUERY, asked(Name="_serf_conflict", Payload=b"a"))
    bench.tell(SerfKind.QUERY, asked(ID=2, Name="_serf_conflict", Payload=b"nobody"))
    bench.tell(SerfKind.QUERY, asked(ID=3, Name="_serf_conflict", Payload=b"me"))
    known, unknown = (response.Payload for _, response in answers(bench))
    assert known[0] == unknown[0] == SerfKind.CONFLICT_RESPONSE and unknown[1:] == b"\xc0"
    address = address_of("a")
    assert codec.decode(MemberBody, known[1:]) == MemberBody(
        "a", codec.encode_address(address.host), address.port, {"role": "web"}, 1, *VERSIONS[:3], *VERSIONS[3:]
    )


def test_a_key_is_installed_used_and_removed_everywhere() -> None:
    rings = {name: Keyring([KEY_A]) for name in "ab"}
    pool = FakePool("a", "b", keyrings=rings)

    def run(op: KeyOp, key: bytes = b"") -> Any:
        operation = pool["a"].serf.key_request(op, key, 0, pool["a"].now)
        pool.settle()
        assert operation.done and pool["a"].effects(KeysFinished) == [KeysFinished(operation)]
        assert operation.num_nodes == operation.num_resp == 2
        return operation

    a, b = format_key(KEY_A), format_key(KEY_B)
    assert run(KeyOp.INSTALL, KEY_B).error == ""
    listed = run(KeyOp.LIST)
    assert listed.keys == {a: 2, b: 2} and listed.primary_keys == {a: 2} and listed.messages == {}
    refused = run(KeyOp.REMOVE, KEY_A)
    assert refused.error == "2/2 nodes reported failure"
    assert refused.messages == dict.fromkeys("ab", "Removing the primary key is not allowed")
    assert run(KeyOp.USE, bytes(16)).messages["b"] == "Requested key is not in the keyring"
    assert run(KeyOp.INSTALL, b"abc").messages["a"] == "key size must be 16, 24 or 32 bytes"
    for name in "ab":
        pool[name].effects(KeyringChanged)
    assert run(KeyOp.USE, KEY_B).error == "" and run(KeyOp.REMOVE, KEY_A).error == ""
    assert run(KeyOp.LIST).keys == {b: 2} and rings["b"].keys() == [KEY_B]
    assert [parse_keyring(changed.text) for changed in pool["b"].effects(KeyringChanged)] == [[KEY_B, KEY_A], [KEY_B]]


def test_without_encryption_there_are_no_keys() -> None:
    pool = FakePool("a", "b")
    listed = pool["a"].serf.key_request(KeyOp.LIST, b"", 0, 100.0)
    installed = pool["a"].serf.key_request(KeyOp.INSTALL, KEY_A, 0, 100.0)
    pool.settle()
    assert listed.messages == dict.fromkeys("ab", "Keyring is empty (encryption not enabled)")
    assert installed.messages == dict.fromkeys("ab", "No keyring to modify (encryption not enabled)")


def test_members_that_do_not_answer_are_missed_at_the_deadline() -> None:
    bench = Bench(keyring=Keyring([KEY_A]))
    bench.sees("silent")
    operation = bench.serf.key_request(KeyOp.LIST, b"", 0, bench.now)
    assert not operation.done and operation.num_resp == 1
    bench.advance(3.3)
    assert operation.done and operation.error == "1/2 nodes reported success"


def test_answers_that_are_no_key_responses_are_failures() -> None:
    bench = Bench(keyring=Keyring([KEY_A]))
    for name in "xyz":
        bench.sees(name)
    operation = bench.serf.key_request(KeyOp.LIST, b"", 0, bench.now)
    (query,) = bench.serf._queries._running.values()
    for name, payload in (("x", b""), ("y", b"\x08\xc1"), ("z", codec.encode(8, KeyResponse(False, "no")))):
        bench.tell(SerfKind.QUERY_RESPONSE, QueryResponse(query.ltime, query.id, name, 0, payload))
    assert operation.error == "3/4 nodes reported failure" and operation.messages["z"] == "no"
    assert operation.messages["x"].startswith("Invalid key query response type")


def test_more_keys_than_an_answer_holds_are_cut() -> None:
    keys = [bytes([at]) * 32 for at in range(1, 41)]
    bench = Bench(keyring=Keyring(keys))
    bench.tell(SerfKind.QUERY, asked(Name="_serf_list-keys", Payload=codec.encode(7, KeyRequest())))
    ((_, body, _),) = bench.membership.sent
    assert len(body) <= 1024
    response = codec.decode(KeyResponse, codec.decode(QueryResponse, body[1:]).Payload[1:])
    shown = len(response.Keys or ())
    assert 15 <= shown < 40 and response.Keys == [format_key(key) for key in keys[:shown]]
    assert response.Message == f"truncated key list response, showing first {shown} of 40 keys"
    assert response.PrimaryKey == format_key(keys[0])


def test_the_key_queries_of_the_original_are_answered() -> None:
    ring = Keyring([KEY_A])
    bench = Bench(keyring=ring)
    bench.give(gossip_vectors.wire("serf-query-install-key"))
    assert len(ring.keys()) == 2
    bench.write_keys()
    bench.give(gossip_vectors.wire("serf-query-list-keys"))
    installed, listed = (codec.decode(KeyResponse, response.Payload[1:]) for _, response in answers(bench))
    assert installed == KeyResponse(True, "", installed.Keys, "")
    assert listed.Keys == list(map(format_key, ring.keys())) and listed.PrimaryKey == format_key(KEY_A)


# ---------------------------------------------------------------------- coordinates


def test_coordinates_come_with_acknowledgements() -> None:
    bench = Bench()
    bench.sees("a")
    assert codec.decode_ping_payload(bench.serf.ack_payload()) == Coordinate()
    bench.serf.ping_completed(record("a"), 0.02, gossip_vectors.wire("serf-ping-payload"), bench.now)
    assert bench.serf.coordinate() != Coordinate()
    assert bench.serf.cached_coordinate("a") == codec.decode_ping_payload(gossip_vectors.wire("serf-ping-payload"))
    assert bench.serf.cached_coordinate("me") == bench.serf.coordinate()
    bench.sees("a", NodeState.DEAD)
    bench.serf.force_leave("a", True, bench.now)
    assert bench.serf.cached_coordinate("a") is None


@pytest.mark.parametrize(
    ("payload", "rtt_s"),
    [
        (b"\x02\x80", 0.01),
        (b"\x01\xc1", 0.01),
        (codec.encode_ping_payload(Coordinate(vec=(0.0,) * 3)), 0.01),
        (codec.encode_ping_payload(Coordinate(height=float("nan"))), 0.01),
        (codec.encode_ping_payload(Coordinate()), 11.0),
    ],
)
def test_coordinates_that_cannot_be_are_rejected(payload: bytes, rtt_s: float) -> None:
    bench = Bench()
    bench.sees("a")
    bench.serf.ping_completed(record("a"), rtt_s, payload, bench.now)
    assert bench.serf.coordinate() == Coordinate() and bench.serf.cached_coordinate("a") is None
    assert bench.serf.counters["coordinates_rejected"] == 1


# ---------------------------------------------------------------------- whatever may come


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "serf: Received message of unknown type: -1"),
        (b"\x63", "serf: Received message of unknown type: 99"),
        (b"\x07junk", "serf: Received message of unknown type: 7"),
        (b"\x03\xc1", "serf: Error decoding user event message: "),
        (b"\x09\xc1", "serf: Error decoding relay header: "),
    ],
)
def test_messages_that_are_none_are_named(body: bytes, text: str) -> None:
    bench = Bench()
    bench.give(body)
    assert any(line.startswith(text) for line in bench.logs()) and bench.serf.counters["malformed"] == 1


BODIES = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 10), st.binary(max_size=200)),
    st.builds(
        lambda name, at, byte: (lambda wire: wire[: at % len(wire)] + bytes([byte]) + wire[at % len(wire) + 1 :])(
            gossip_vectors.wire(name)
        ),
        st.sampled_from([name for name in gossip_vectors.names("serf") if name != "serf-pushpull"]),
        st.integers(0, 500),
        st.integers(0, 255),
    ),
)


@given(st.lists(BODIES, max_size=8))
@settings(deadline=None, max_examples=300)
def test_no_bytes_do_harm(bodies: list[bytes]) -> None:
    bench = Bench(tags={"role": "web"}, keyring=Keyring([KEY_A]), snapshot="")
    for body in bodies:
        before = bench.serf.counters["malformed"]
        bench.give(body)
        if body[:1] > b"\x09" or not body:
            assert bench.serf.counters["malformed"] == before + 1
        bench.serf.merge_state(body, True, bench.now)
    assert bench.status("me") is not None
    bench.queued()
    assert codec.decode(SerfPushPull, bench.serf.local_state(False)[1:]).LTime >= 1
    bench.advance(0.6)


def test_a_change_of_keys_is_answered_when_it_is_written() -> None:
    """Acknowledged and not on the disk, it would be lost with the process; what cannot be written is refused."""
    bench = Bench(keyring=Keyring([KEY_A]))
    asked = bench.serf.key_request(KeyOp.INSTALL, KEY_B, 0, bench.now)
    (changed,) = bench.effects(KeyringChanged)
    assert not asked.done and asked.num_resp == 0
    changed.written("Failed to write keyring file: no space left on device")
    assert asked.done and asked.error == "1/1 nodes reported failure"
    assert asked.messages == {"me": "Failed to write keyring file: no space left on device"}
