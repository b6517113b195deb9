"""The client's rules that need no server, by tables and by chance."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.client import ClientConfig, SettingsError, errors
from proconsul.client.asking import Meta, meta_of
from proconsul.client.choosing import Instance, chooser, instances_of
from proconsul.client.codecs import JSON, TEXT, json_of
from proconsul.client.decoding import decode, encode
from proconsul.client.leases import Holders, Lease
from proconsul.client.lock_keys import join_path
from proconsul.client.options import ReadOptions, encode_query, go_duration, read_query, write_query
from proconsul.client.retry import Agents, RetryPolicy, backoff_s
from proconsul.client.settings import Place, place_of
from proconsul.client.types import Token
from proconsul.client.watching import Added, Changed, IndexRules, Removed, Version, differences, rows_of, version_of
from proconsul.client.wire import AnswerReader, Call, fixed_fields, path_of, quick_answer, request_bytes
from proconsul.engine.http.client import HttpClientError
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, Node, NodeService, Weights
from proconsul.features.kv.model import DirEntry

# ---------------------------------------------------------------------- errors

HTML = b"<html><head><title>502 Bad Gateway</title></head><body>" + b"x" * 5000
DENIED = (
    b"Permission denied: token with AccessorID 'a1' lacks permission 'key:write' on \"app/\\\"x\\\"\". Decided by the "
    b'default, as no rule speaks of it; to be allowed it needs: key "app" { policy = "write" }'
)


@pytest.mark.parametrize(("status", "body", "kind", "text"), [
    (400, b"Bad", errors.BadRequest, "Bad"),
    (401, b"ACL support disabled", errors.AccessControlDisabled, "ACL support"),
    (403, b"Permission denied", errors.PermissionDenied, "Permission denied"),
    (403, b"ACL not found", errors.TokenNotFound, "ACL not found"),
    (500, b"rpc error making call: Permission denied", errors.PermissionDenied, "Permission denied"),
    (404, b"", errors.NotFound, "no reason given for status 404"), (409, b"x", errors.ConflictError, "x"),
    (413, b"big", errors.TooLarge, "big"), (429, b"slow", errors.RateLimited, "slow"),
    (500, b"No cluster leader", errors.Unavailable, "No cluster leader"),
    (500, b"rpc error getting client: failed to get conn", errors.Unavailable, "getting client"),
    (500, b'Unknown service "x"', errors.NotFound, "Unknown service"),
    (500, b'CheckID "x" does not have associated TTL', errors.NotFound, "associated TTL"),
    (500, b"Failed to create boolean expression evaluator: x", errors.BadRequest, "boolean"),
    (500, b"oops", errors.ServerError, "oops"), (500, HTML, errors.ServerError, "502 Bad Gateway"),
    (502, HTML, errors.Unavailable, "502 Bad Gateway"), (503, b"", errors.Unavailable, "no reason given"),
    (500, b"<!doctype html><p>half", errors.ServerError, "half"), (418, b"tea", errors.ResponseError, "tea"),
    (500, b"\xff" * 9000, errors.ServerError, "\ufffd..."), (301, b"", errors.Redirected, "leads to"),
])  # fmt: skip
def test_what_an_answer_stands_for(status: int, body: bytes, kind: type[Exception], text: str) -> None:
    headers = {"content-type": "text/html"} if body is HTML else {}
    found = errors.error_of(status, headers, body)
    assert type(found) is kind
    assert text in str(found)
    assert len(str(found)) < 400


def test_the_parts_of_a_denial() -> None:
    found = errors.error_of(403, {}, DENIED)
    assert isinstance(found, errors.PermissionDenied)
    assert (found.accessor, found.resource, found.access, found.name) == ("a1", "key", "write", 'app/"x"')
    assert found.rule == 'key "app" { policy = "write" }'
    bare = errors.error_of(403, {}, b"Permission denied: anonymous token lacks permission 'operator:read'. The")
    assert isinstance(bare, errors.PermissionDenied)
    assert (bare.accessor, bare.resource, bare.access, bare.name, bare.rule) == ("", "operator", "read", "", "")


@pytest.mark.parametrize(("text", "wanted"), [("3", 3.0), ("", None), ("soon", None), ("-1", None), ("9" * 30, None)])
def test_when_to_come_again(text: str, wanted: float | None) -> None:
    found = errors.error_of(429, {"retry-after": text}, b"")
    assert isinstance(found, errors.RateLimited)
    assert found.retry_after_s == wanted


@given(st.integers(200, 999), st.dictionaries(st.sampled_from(["content-type", "location", "retry-after"]), st.text()),
       st.binary(max_size=200))  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_every_answer_stands_for_something(status: int, headers: dict[str, str], body: bytes) -> None:
    found = errors.error_of(status, headers, body)
    assert isinstance(found, errors.ConsulError)
    assert found.text


# ---------------------------------------------------------------------- settings and requests


@pytest.mark.parametrize(("address", "scheme", "wanted"), [
    ("a:1", "http", ("http", "a:1", "")), ("https://a:1", "http", ("https", "a:1", "")),
    ("unix:///run/c", "http", ("http", "/run/c", "/run/c")), ("a", "https", ("https", "a", "")),
])  # fmt: skip
def test_places(address: str, scheme: str, wanted: tuple[str, str, str]) -> None:
    assert place_of(address, scheme) == Place(*wanted)


@pytest.mark.parametrize(("address", "wanted"), [
    ("http://a:1", ("a", 1)), ("http://a", ("a", 80)), ("https://a", ("a", 443)), ("[::1]:8500", ("::1", 8500)),
])  # fmt: skip
def test_hosts_and_ports(address: str, wanted: tuple[str, int]) -> None:
    assert place_of(address).host_and_port == wanted


def test_settings_of_the_environment() -> None:
    config = ClientConfig({
        "CONSUL_HTTP_ADDR": "a:1", "CONSUL_HTTP_TOKEN": "t", "CONSUL_HTTP_SSL": "true",
        "CONSUL_HTTP_SSL_VERIFY": "0", "CONSUL_HTTP_AUTH": "me:secret",
    })  # fmt: skip
    assert (config.address, config.read_token(), config.scheme, config.verify) == ("a:1", "t", "https", False)
    with pytest.raises(SettingsError, match="Unknown protocol"):
        place_of("ftp://a")
    config.token_file = "/nowhere/at/all"
    with pytest.raises(SettingsError, match="no such file"):
        config.read_token()
    config.client_cert = "/a"
    with pytest.raises(SettingsError, match="both client cert"):
        config.check_tls()


@pytest.mark.parametrize(("options", "defaults", "wanted"), [
    ({}, {}, ""), ({"consistency": "stale"}, {}, "stale"), ({}, {"consistency": "stale", "dc": "d"}, "dc=d&stale"),
    ({"consistency": "default"}, {"consistency": "stale"}, ""),
    ({"index": 7, "wait": 1.5}, {}, "index=7&wait=1500ms"), ({"index": 0}, {}, ""),
    ({"near": "_agent", "filter": 'a == "b"'}, {}, "near=_agent&filter=a+%3D%3D+%22b%22"),
    ({"node_meta": {"a": "b"}, "cached": True}, {}, "cached&node-meta=a%3Ab"),
    ({"max_stale": 0.0000015, "consistency": "stale"}, {}, "stale&max_stale=1500ns"),
])  # fmt: skip
def test_options_of_reads(options: ReadOptions, defaults: ReadOptions, wanted: str) -> None:
    assert encode_query(read_query(options, defaults)[0]) == wanted


def test_what_no_call_may_ask() -> None:
    for options in ({"consistency": "maybe"}, {"cached": True, "consistency": "consistent"}):
        with pytest.raises(ValueError, match="consisten"):
            read_query(options, {})  # type: ignore[arg-type]
    for wrong in (lambda: read_query({"a": 1}, {}), lambda: write_query({"index": 1}, {})):  # type: ignore[typeddict-unknown-key]
        with pytest.raises(TypeError, match="unknown"):
            wrong()
    assert write_query({}, {"dc": "d", "consistency": "stale"}) == [("dc", "d")]
    assert read_query({"max_age": 3.7}, {})[1] == {"Cache-Control": "max-age=3"}
    assert (go_duration("5m"), go_duration(0), go_duration(1e-9)) == ("5m", "0ms", "1ns")


@pytest.mark.parametrize(("name", "wanted"), [
    ("a/b", "a/b"), ("a//b", "a%2F%2Fb"), ("a/../b", "a%2F%2E%2E%2Fb"), ("..", "%2E%2E"), ("a b?#%", "a%20b%3F%23%25"),
    ("ü\udcff", "%C3%BC%FF"), ("a.b", "a.b"),
])  # fmt: skip
def test_paths(name: str, wanted: str) -> None:
    assert path_of("/v1/kv/", name) == f"/v1/kv/{wanted}"


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "\x00", "a\x7f"])
def test_what_would_break_out_of_a_header_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        request_bytes(Call("GET", "/"), b"", value)
    with pytest.raises(ValueError, match="header"):
        request_bytes(Call("GET", "/", header={"A": value}), b"", "")
    with pytest.raises(ValueError, match="header"):
        fixed_fields(value, {})


# ---------------------------------------------------------------------- answers

ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Consul-Index: 7\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\n\r\nok", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nA: b\r\n c\r\n\r\nok",
]  # fmt: skip


@pytest.mark.parametrize("data", ANSWERS)
def test_answers_in_pieces_are_answers(data: bytes) -> None:
    """Whole, byte by byte, and with something behind it."""
    seen = []
    for size in (len(data), 1, 3):
        reader = AnswerReader("GET")
        for begin in range(0, len(data), size):
            reader.feed(data[begin : begin + size])
        if not reader.done:
            reader.end()
        seen.append((reader.answer(), reader.reusable))
    assert len({(one.status, tuple(sorted(one.headers.items())), one.body, kept) for one, kept in seen}) == 1
    more = AnswerReader("GET")
    try:
        more.feed(data + b"HTTP/1.1 200 OK\r\n")
    except HttpClientError:
        return
    assert not more.reusable


@given(st.binary(max_size=60), st.sampled_from(ANSWERS), st.integers(0, 40))
@settings(deadline=None)
def test_the_quick_reader_agrees_with_the_real_one(noise: bytes, data: bytes, at: int) -> None:
    damaged = data[:at] + noise + data[at:]
    found = quick_answer(damaged, "GET")
    if found is None:
        return
    parts: list[bytes] = []
    from proconsul.engine.http.client import ResponseReader

    reader = ResponseReader("GET", parts.append)
    reader.feed(damaged)
    assert reader.done
    assert reader.head is not None
    assert (reader.head.status, b"".join(parts)) == (found.status, found.body)
    assert {name: value.strip() for name, value in found.headers.items()}.items() >= {
        (name, value) for name, value in reader.head.headers.items() if name == "content-length"
    }


@pytest.mark.parametrize(("headers", "wanted"), [
    ({}, Meta()), ({"x-consul-index": "7", "x-consul-lastcontact": "1500", "x-consul-knownleader": "false"},
                   Meta(7, 1.5, False)),
    ({"x-consul-index": "-7"}, Meta()), ({"x-consul-index": "x", "age": "3", "x-cache": "HIT"}, Meta(cache="HIT",
                                                                                                  cache_age_s=3)),
    ({"x-consul-index": "9" * 40}, Meta()), ({"x-consul-results-filtered-by-acls": "true"}, Meta(filtered=True)),
])  # fmt: skip
def test_what_answers_say_of_themselves(headers: dict[str, str], wanted: Meta) -> None:
    assert meta_of(headers) == wanted


# ---------------------------------------------------------------------- records


def test_reading_is_lenient() -> None:
    body = b'{"node": "a", "Definition": {"Interval": "10s", "TTL": 5}, "New": {"x": 1}, "Notes": null}'
    row = decode(body, HealthCheck)
    assert (row.Node, row.Definition.Interval, row.Definition.TTL, row.Notes) == ("a", 10_000_000_000, 5, "")
    assert decode(b'{"Token": 1}', NodeService) == NodeService()
    assert decode(b'[{"Node": {"Node": "a"}}]', list[CheckServiceNode])[0].Service == NodeService()
    assert decode(b"null", list[DirEntry]) == []
    assert decode(b'[{"Key": "a", "Value": null}, null]', list[DirEntry]) == [DirEntry(Key="a"), DirEntry()]
    assert decode(b'{"CreateTime": "2026-01-02T03:04:05.123456789Z"}', Token).CreateTime.year == 2026
    assert decode(b'{"a": null, "b": ["x"]}', dict[str, list[str]]) == {"a": [], "b": ["x"]}


@pytest.mark.parametrize("body", [
    b"", b"<html>", b'{"Key": ', b'"a"', b"[1, 2]", b'[{"Flags": "many"}]', b"\xff", b"[" * 9000,
])  # fmt: skip
def test_what_is_no_answer_is_one_error(body: bytes) -> None:
    with pytest.raises(errors.BadAnswer):
        decode(body, list[DirEntry])


_names = st.sampled_from(["Key", "Value", "Flags", "Node", "Service", "Checks", "x"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner), max_leaves=9,
)  # fmt: skip


@given(_json)
@settings(deadline=None)
def test_any_json_is_an_answer_or_one_error(value: Any) -> None:
    import json

    for kind in (list[DirEntry], list[CheckServiceNode], dict[str, NodeService], Token):
        try:
            decode(json.dumps(value).encode(), kind)
        except errors.BadAnswer:
            pass


def test_writing_leaves_out_what_is_as_usual() -> None:
    assert encode(HealthCheck(Node="a", CheckID="b")) == b'{"Node":"a","CheckID":"b"}'
    assert encode({"Value": b"\x00", "n": [Weights(1, 2)]}) == b'{"Value":"AA==","n":[{"Passing":1,"Warning":2}]}'


def test_codecs() -> None:
    assert JSON.read(JSON.write({"a": [1]})) == {"a": [1]}
    assert TEXT.read("ü".encode()) == "ü"
    for read, data in ((TEXT.read, b"\xff"), (JSON.read, b"{"), (json_of(list[int]).read, b'["a"]')):
        with pytest.raises(errors.BadAnswer):
            read(data)


# ---------------------------------------------------------------------- trying again


@pytest.mark.parametrize(("error", "repeatable", "again"), [
    (errors.Unavailable("x"), False, True), (errors.Unavailable("x", sent=True), False, False),
    (errors.Unavailable("x", sent=True), True, True), (errors.RateLimited("x"), False, True),
    (errors.BadAnswer("x"), True, True), (errors.BadAnswer("x"), False, False), (errors.CallTimeout("x"), True, False),
    (errors.ServerError("x", 500), True, False), (errors.PermissionDenied("x"), True, False),
])  # fmt: skip
def test_what_is_tried_again(error: errors.ConsulError, repeatable: bool, again: bool) -> None:
    policy, rng = RetryPolicy(), random.Random(1)
    assert (policy.pause_s(error, 1, 30, repeatable=repeatable, rng=rng) is not None) == again
    assert policy.pause_s(error, policy.attempts, 30, repeatable=repeatable, rng=rng) is None
    assert policy.pause_s(error, 1, 0.001, repeatable=repeatable, rng=rng) is None


def test_pauses_grow_and_end() -> None:
    rng = random.Random(1)
    for failures in range(1, 2000):
        assert 0 < backoff_s(failures, 0.1, 5.0, rng) <= 5.0
    slow = errors.RateLimited("x", retry_after_s=7)
    assert RetryPolicy().pause_s(slow, 1, 30, repeatable=False, rng=rng) == 7
    assert RetryPolicy().pause_s(slow, 1, 5, repeatable=False, rng=rng) is None


def test_another_agent_is_asked_while_one_rests() -> None:
    agents = Agents(3)
    assert agents.choose(0) == 0
    agents.failed(0, 0)
    assert agents.choose(0) == 1
    agents.failed(1, 0)
    agents.failed(2, 0.5)
    assert agents.choose(0.6) in (0, 1)  # whose rest ends first
    assert agents.choose(1.1) in (0, 1)
    agents.answered(agents.choose(1.1))
    stays = agents.choose(9)
    assert agents.choose(100) == stays


# ---------------------------------------------------------------------- watching


@given(st.lists(st.tuples(st.integers(-3, 50), st.floats(0, 0.2))), st.integers())
@settings(deadline=None)
def test_indexes_never_mislead(answers: list[tuple[int, float]], seed: int) -> None:
    rules, now = IndexRules(random.Random(seed)), 0.0
    for index, passed in answers:
        now += passed
        before = rules.index
        pause_s = rules.answered(index, now)
        assert rules.index == (index if index > 0 and index >= before else 0)
        assert 0 <= pause_s <= 10
        now += pause_s


def test_a_server_that_answers_at_once_is_not_asked_all_the_time() -> None:
    rules, now, asked = IndexRules(random.Random(1)), 0.0, 0
    while now < 60:
        asked += 1
        now += rules.answered(5, now)
    assert asked < 60 * 16 + 40


def test_after_failures_it_is_asked_afresh_and_later() -> None:
    rules = IndexRules(random.Random(1))
    rules.answered(7, 0)
    pauses = [rules.failed(errors.Unavailable("x")) for _ in range(20)]
    assert rules.index == 0
    assert pauses[0] < 0.3 < pauses[-1] <= 30
    assert rules.failed(errors.RateLimited("x", retry_after_s=99)) >= 99
    rules.answered(3, 1)
    assert rules.failures == 0


_rows = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3))


@given(_rows, _rows, st.sets(st.sampled_from("abcd")))
@settings(deadline=None)
def test_differences_lead_from_one_to_the_other(
    before: dict[str, int], after: dict[str, int], unknown: set[str]
) -> None:
    known: dict[str, Any] = {
        key: Version(version_of(value)) if key in unknown else value for key, value in before.items()
    }
    result = dict(before)
    for change in differences(known, after):
        if isinstance(change, Removed):
            assert change.before in (None, result.pop(change.key))
        elif isinstance(change, Changed):
            assert change.before in (None, result[change.key])
            assert result[change.key] != change.value
            result[change.key] = change.value
        else:
            assert isinstance(change, Added)
            assert change.key not in result
            result[change.key] = change.value
    assert result == after


def test_rows_are_told_apart() -> None:
    node, service = Node(Node="n"), NodeService(ID="s")
    row = CheckServiceNode(node, service, None)
    assert rows_of([row]) == {"n/s": row}
    assert rows_of({"a": 1}) == {"a": 1}
    assert rows_of(None) == {}
    assert rows_of(b"x") == {"": b"x"}
    assert set(rows_of([HealthCheck(Node="n", CheckID="c"), DirEntry(Key="k"), node, "x"])) == {"n/c", "k", "n", "x"}
    with pytest.raises(TypeError, match="tells"):
        rows_of([object()])


# ---------------------------------------------------------------------- leases


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=60), st.floats(10, 100), st.integers())
@settings(deadline=None)
def test_a_lease_is_renewed_in_time_and_never_believed_in_beyond_its_end(
    steps: list[tuple[float, bool]], ttl_s: float, seed: int
) -> None:
    rng, now = random.Random(seed), 100.0
    lease = Lease(ttl_s, now)
    renewed_at = now
    for late_s, answered in steps:
        pause_s = lease.pause_s(now, rng)
        assert 0 <= pause_s <= ttl_s / 3
        assert now + pause_s <= lease.ends_at or pause_s == 0
        now += pause_s
        sent_at = now
        now += late_s  # the answer, or its absence
        if answered:
            lease.renewed(sent_at)
            renewed_at = sent_at
        else:
            lease.failed()
        assert lease.ends_at == renewed_at + ttl_s


def test_what_a_semaphore_says() -> None:
    holders = Holders(2, frozenset({"b", "a"}), 0)
    assert holders.encode() == b'{"Limit":2,"Holders":{"a":true,"b":true}}'
    entry = DirEntry(Key="k", Flags=0xE0F69A2BAA414DE0, Value=holders.encode(), ModifyIndex=9)
    assert Holders.of(entry, 2) == Holders(2, frozenset({"a", "b"}), 9)
    assert Holders.of(entry, 2).alive(frozenset({"a", "z"})).sessions == {"a"}
    for wrong, text in ((DirEntry(Flags=1), "not that of"), (entry, "limit conflict"),
                        (DirEntry(Flags=entry.Flags, Value=b"{"), "cannot be read")):  # fmt: skip
        with pytest.raises(errors.ConflictError, match=text):
            Holders.of(wrong, 3)
    assert join_path("a/b/", "", "c") == "a/b/c"


# ---------------------------------------------------------------------- choosing


def _row(name: str, *statuses: str, weights: Weights | None = None, address: str = "") -> CheckServiceNode:
    checks = [HealthCheck(Status=status) for status in statuses]
    service = NodeService(ID=name, Weights=weights, Address=address)
    return CheckServiceNode(Node(Node=name, Address="n"), service, checks)


def test_instances() -> None:
    found = instances_of([
        _row("a", "passing", weights=Weights(10, 1), address="::1"),
        _row("b", "passing", "warning", weights=Weights(10, 1)),
        _row("c", "passing", "critical"), _row("d"),
    ])  # fmt: skip
    assert [(one.id, one.host, one.weight) for one in found] == [("a", "::1", 10), ("b", "n", 1), ("d", "n", 1)]
    assert [one.address for one in found[:2]] == ["[::1]:0", "n:0"]


@pytest.mark.parametrize(
    ("strategy", "share"), [("weighted", 0.8), ("random", 0.5), ("round_robin", 0.5), ("nearest", 1)]
)
def test_strategies(strategy: Any, share: float) -> None:
    several = [Instance("a", 1, 8, "n", "a"), Instance("b", 1, 2, "n", "b"), Instance("c", 1, 0, "n", "c")]
    choose = chooser(strategy, random.Random(3))
    picked = [choose(several if strategy == "weighted" else several[:2]).id for _ in range(4000)]
    assert abs(picked.count("a") / 4000 - share) < 0.05
    assert strategy != "weighted" or "c" not in picked
    assert choose([several[2]]).id == "c"


def test_no_such_strategy() -> None:
    with pytest.raises(ValueError, match=re.escape("no strategy: 'best'")):
        chooser("best", random.Random())  # type: ignore[arg-type]
