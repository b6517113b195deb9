"""Filter expressions by table: what matches, what is refused and with which text."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.filter import FilterError, compile_filter
from proconsul.engine.filter.compiler import CACHED_MAX, _cache
from proconsul.engine.filter.syntax import DEPTH_MAX, EXPRESSION_CHARS_MAX
from proconsul.engine.wire.goregexp import compile_go
from proconsul.features.catalog.model import (
    CheckServiceNode,
    ConnectProxyConfig,
    HealthCheck,
    Node,
    NodeService,
    ServiceAddress,
    ServiceNode,
    Upstream,
    Weights,
)
from support.work import calls

WEB = ServiceNode(
    Node="f1",
    Address="10.1.0.1",
    NodeMeta={"os": "linux", "a b": "c d"},
    ServiceID="web1",
    ServiceName="web",
    ServiceTags=["v1", "prod"],
    ServicePort=80,
    ServiceMeta={"k": "v"},
    ServiceEnableTagOverride=True,
    ServiceWeights=Weights(3, 1),
    ServiceTaggedAddresses={"lan": ServiceAddress("10.9.0.1", 81)},
)
PROXY = ServiceNode(
    Node="f3",
    ServiceID="proxy",
    ServiceName="web",
    ServiceProxy=ConnectProxyConfig(Upstreams=[Upstream(DestinationName="db"), Upstream(DestinationName="q")]),
)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Node == f1", "W"),
        ("Node==f1", "W"),
        ("Node != f1", "P"),
        ('Node == "f1" or Node == `f3`', "WP"),
        ("not Node == f1", "P"),
        ("not not Node == f1", "W"),
        ("( ( Node == f1 ) )", "W"),
        ("Node == f1 and not ServicePort == 80 or Node == f3", "P"),
        ("Node == f1 and (ServicePort == 81 or ServicePort == 80)", "W"),
        ("v1 in ServiceTags", "W"),
        ("ServiceTags contains v1", "W"),
        ("v1 not in ServiceTags", "P"),
        ("ServiceTags not contains prod", "P"),
        ("ServiceTags is empty", "P"),
        ("ServiceTags is not empty", "W"),
        ("ServiceMeta is empty", "P"),
        ("k in ServiceMeta", "W"),
        ("ServiceMeta.k == v", "W"),
        ("ServiceMeta.k != v", "P"),
        ("ServiceMeta.missing != v", "WP"),
        ("ServiceMeta.missing matches x", "WP"),
        ("x in ServiceMeta.missing", ""),
        ('NodeMeta["a b"] == "c d"', "W"),
        ("NodeMeta[`os`] == linux", "W"),
        ('ServicePort == "0x50"', "W"),
        ("ServiceEnableTagOverride == T", "W"),
        ("ServiceWeights.Passing == 3", "W"),
        ("ServiceTaggedAddresses.lan.Port == 81", "W"),
        ("ServiceTaggedAddresses.wan.Port != 81", "WP"),
        ("ServiceProxy.Upstreams is not empty", "P"),
        ("ServiceProxy.Upstreams.DestinationName == db", "P"),
        ("ServiceProxy.Upstreams.DestinationName != db", "P"),
        ("not ServiceProxy.Upstreams.DestinationName == db", "W"),
        ("Node matches `^f[12]$`", "W"),
        ("Node not matches `1`", "P"),
        ("Node contains f", "WP"),
        (r'Node == "\x661"', "W"),
    ],
)
def test_matches(expression: str, found: str) -> None:
    matches = compile_filter(expression, ServiceNode)
    assert "".join(name for name, row in (("W", WEB), ("P", PROXY)) if matches(row)) == found


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Bogus == 1", 'Selector "Bogus" is not valid'),
        ("ServiceProxy.Config.x == y", 'Selector "ServiceProxy.Config" is not valid'),
        ("CreateIndex == 1", 'Selector "CreateIndex" is not valid'),
        ("ServiceTags == v1", 'Invalid match operator "Equal" for selector "ServiceTags"'),
        ("ServicePort contains 8", 'Invalid match operator "In" for selector "ServicePort"'),
        ("Node is not empty", 'Invalid match operator "Is Not Empty" for selector "Node"'),
        (
            "ServicePort == abc",
            'Failed to coerce value "abc" for selector "ServicePort": strconv.ParseInt: parsing "abc": invalid syntax',
        ),
        (
            "ServiceEnableTagOverride == yes",
            'Failed to coerce value "yes" for selector "ServiceEnableTagOverride": '
            'strconv.ParseBool: parsing "yes": invalid syntax',
        ),
        (
            "Node matches `(`",
            'Failed to compile regular expression "(": error parsing regexp: missing closing ): `(`',
        ),
        ("Node", '1:5 (4): no match found, expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]'),
        ("Node == f1 x", '1:12 (11): no match found, expected: "and", "or", [ \\t\\r\\n] or EOF'),
        ("Node == f1 and", "1:15 (14): no match found, expected: [ \\t\\r\\n]"),
        ("(Node == f1", '1:12 (11): rule "grouping": Unmatched parentheses'),
        ('Node == "f1', '1:12 (11): rule "string": Unterminated string literal'),
        ("Node == 05", '1:10 (9): rule "number": Invalid number literal'),
        ("80 in 90", '1:7 (6): rule "match": Invalid selector'),
        (
            'NodeMeta["a',
            '1:12 (11): rule "string": Unterminated string literal\n1:10 (9): rule "index": Invalid index',
        ),
        ("Node ==\n\né", '3:1 (9): no match found, expected: "-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]'),
    ],
)
def test_refusals(expression: str, text: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(expression, ServiceNode)
    assert str(caught.value) == text


def test_nested_records_and_missing_pointers() -> None:
    row = CheckServiceNode(
        Node(Node="n", Meta={"k": "v"}),
        NodeService(Service="s"),
        [HealthCheck(Status="passing"), HealthCheck(Name="x")],
    )
    assert compile_filter("Checks.Status == passing and Node.Meta.k == v and Service.Service == s", CheckServiceNode)(
        row
    )
    assert not compile_filter("Service.Weights.Passing == 0", CheckServiceNode)(row)
    with pytest.raises(FilterError, match=r'Selector "Checks\.Definition" is not valid'):
        compile_filter("Checks.Definition.HTTP == x", CheckServiceNode)


def test_length_and_depth_are_bounded() -> None:
    with pytest.raises(FilterError, match="nested deeper"):
        compile_filter("(" * (DEPTH_MAX + 1) + "Node == a", Node)
    with pytest.raises(FilterError, match="longer than"):
        compile_filter("x" * (EXPRESSION_CHARS_MAX + 1), Node)
    assert compile_filter(" or ".join(f"Node == n{i}" for i in range(2000)), Node)(Node(Node="n1999"))


def test_compiled_filters_are_kept_up_to_a_bound() -> None:
    first = compile_filter("Node == kept", Node)
    assert compile_filter("Node == kept", Node) is first
    for number in range(CACHED_MAX + 10):
        compile_filter(f"Node == n{number}", Node)
    assert len(_cache) == CACHED_MAX
    assert compile_filter("Node == kept", Node) is not first


def test_a_row_is_little_work() -> None:
    rows = [ServiceNode(Node=f"n{i}", ServiceTags=["v1"], ServiceMeta={"i": str(i % 10)}) for i in range(10_000)]
    matches = compile_filter("v1 in ServiceTags and ServiceMeta.i == 3 or Node == n5", ServiceNode)
    found: list[int] = []
    assert calls(lambda: found.append(sum(map(matches, rows)))) < 20 * len(rows)
    assert found == [1001]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^a$", "a\n", False),
        (r"(?m)^a$", "a\n", True),
        (r"\d", "٣", False),
        (r"[[:alpha:]]1", "x1", True),
        (r"[^[:digit:]]", "5", False),
        (r"\Qa.b\E", "axb", False),
        (r"a(?i)b|c", "C", True),
        (r"a(?i:B)c", "abc", True),
        (r"(?P<n>x)", "x", True),
        (r"\x41\x{42}", "AB", True),
        (r"^+f", "f", True),
        (r"[a\]-]", "-", True),
    ],
)
def test_go_patterns(pattern: str, text: str, matches: bool) -> None:
    assert (compile_go(pattern).search(text) is not None) is matches


@given(st.text(alphabet='Node=! f1()"`[].inotadrsmpyc5-\n', max_size=60))
@settings(max_examples=300, deadline=None)
def test_noise_is_accepted_or_refused(text: str) -> None:
    try:
        result = compile_filter(text, Node)(Node(Node="f1"))
    except FilterError as error:
        assert str(error)
    else:
        assert result in (True, False)


@given(st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_noise_in_patterns_is_accepted_or_refused(text: str) -> None:
    try:
        pattern = compile_go(text)
    except ValueError as error:
        assert str(error).startswith("error parsing regexp: ")
    else:
        assert pattern.groups >= 0


@pytest.mark.parametrize("count", [1, 2, 59, 60, 61, 5000, 16001])
def test_any_number_of_not(count: int) -> None:
    kept = compile_filter("not " * count + "Node == f1", ServiceNode)
    assert kept(WEB) is (count % 2 == 0)
    with pytest.raises(FilterError):
        compile_filter("not " * count + "Node ==", ServiceNode)
