"""The same expressions asked of the reference agent and evaluated by us: same rows, same error texts."""

from __future__ import annotations

import http.client
import json
import random
import urllib.parse
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from proconsul.engine.filter import FilterError, compile_filter
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, Node, NodeService, ServiceNode
from support.harness import Agent, Subject
from support.patience import PATIENCE_S
from support.reference import require_reference

pytestmark = pytest.mark.reference

PREFIX = "Failed to create boolean expression evaluator: "

_REGISTRATIONS: list[dict[str, Any]] = [
    {
        "Node": "f1",
        "Address": "10.1.0.1",
        "NodeMeta": {"os": "linux", "a b": "c d", "num": "5"},
        "TaggedAddresses": {"lan": "10.1.0.1", "wan": "1.2.3.4"},
        "Service": {
            "ID": "web1", "Service": "web", "Tags": ["v1", "prod"], "Port": 80, "Address": "10.9.0.1",
            "Meta": {"k": "v"}, "Weights": {"Passing": 3, "Warning": 1}, "EnableTagOverride": True,
            "TaggedAddresses": {"lan": {"Address": "10.9.0.1", "Port": 81}},
        },
        "Checks": [
            {"Node": "f1", "CheckID": "c1", "Name": "alive", "Status": "passing", "Output": "all ok"},
            {"Node": "f1", "CheckID": "c2", "Name": "web check", "Status": "warning", "ServiceID": "web1"},
        ],
    },
    {
        "Node": "f2",
        "Address": "10.1.0.2",
        "NodeMeta": {"os": "darwin"},
        "Service": {"ID": "web2", "Service": "web", "Tags": ["v2"], "Port": 8080},
    },
    {
        "Node": "f3",
        "Address": "10.1.0.3",
        "Service": {
            "ID": "web-proxy", "Kind": "connect-proxy", "Service": "web", "Port": 9090,
            "Proxy": {
                "DestinationServiceName": "api", "LocalServicePort": 7000, "Config": {"x": "y"},
                "Upstreams": [
                    {"DestinationType": "service", "DestinationName": "db", "LocalBindPort": 7001},
                    {"DestinationType": "prepared_query", "DestinationName": "q", "LocalBindPort": 7002},
                ],
                "MeshGateway": {"Mode": "local"},
            },
        },
    },
]  # fmt: skip
_AGENT_SERVICES: list[dict[str, Any]] = [
    {
        "ID": "redis1", "Name": "redis", "Tags": ["primary", "v1"], "Port": 6379, "Meta": {"env": "production"},
        "Check": {"TTL": "1h", "Name": "redis ttl", "Notes": "n1"},
    },
    {"ID": "redis2", "Name": "redis", "Tags": ["secondary"], "Port": 6380, "Weights": {"Passing": 5, "Warning": 2}},
    {"ID": "nat", "Name": "nat", "Port": 1, "Connect": {"Native": True}},
]  # fmt: skip

SERVICE_ROWS = """
Bogus == 1|Node|Node ==|Node = f1|Node == f1 and|Node == "f1|Node == f1 x|(Node == f1|Node == f1)
ServiceTags contains v1|ServiceTags == v1|v1 in ServiceTags|v1 not in ServiceTags|ServicePort == 80|ServicePort == 80.5
ServicePort == abc|ServicePort == "0x50"|ServicePort == "0120"
ServicePort == "8_0"|ServicePort == 99999999999999999999|ServicePort == -1
ServicePort contains 80|ServicePort is empty|ServicePort matches 8|ServiceEnableTagOverride == true
ServiceEnableTagOverride == yes|ServiceMeta.k == v|ServiceMeta.nokey == v|ServiceMeta.nokey != v|ServiceMeta is empty
ServiceMeta.nokey matches x|ServiceMeta.nokey not matches x|x in ServiceMeta.nokey|x not in ServiceMeta.nokey
ServiceMeta == k|ServiceMeta.k is empty|NodeMeta["a b"] == `c d`|NodeMeta.os.x == 1|Node matches "^f[12]$"
Node matches "("|Node matches "a**"|Node matches "a{1001}"|Node matches `(?i)F1`|Node matches `[[:alpha:]]1`
Node matches `f1\\z`|Node matches `\\8`|Node contains f|f not in Node|Node is empty|ServiceProxy.Upstreams is empty
ServiceProxy.Upstreams.DestinationName == db|ServiceProxy.Upstreams.DestinationName != db
ServiceProxy.Upstreams.LocalBindPort == 7002|ServiceProxy.Upstreams contains db|ServiceProxy.Config.x == y
ServiceProxy.Expose.Checks == false|ServiceProxy.Expose.Paths is empty|ServiceProxy.Upstreams.IngressHosts is empty
ServiceProxy == 1|ServiceConnect.Native == false|CreateIndex == 5|ServiceTaggedAddresses.lan.Port == 81
ServiceTaggedAddresses.lan == 81|ServiceTaggedAddresses.zz.Port != 81|lan in ServiceTaggedAddresses
ServiceWeights.Passing == 3|not not Node == f1|not (Node == f1 or Node == f2)|NOT Node == f1|Node == "a\\"b"|Node == 05
Node == 5abc|80 in 90|5.5.5 in Node|NodeMeta["a|NodeMeta[os] == 1|NodeMeta["os" == 1|Node == é|0|5.5|in in in
"""
OTHER_ROWS: dict[str, tuple[Any, str]] = {
    "/v1/catalog/nodes": (
        Node,
        "Meta.os == linux|Meta is empty|os in Meta|TaggedAddresses.wan == `1.2.3.4`|Node == f1",
    ),
    "/v1/health/service/web": (
        CheckServiceNode,
        "Checks.Status == passing|Checks.Status != passing|Checks is empty|Checks.Name matches web"
        "|Node.Meta.os == linux|Service.Tags contains v2|Service.Weights.Passing == 3|Checks.Definition is empty"
        "|Checks.ServiceTags is empty|Service.Kind == `connect-proxy`|Node == f1"
        "|Service.Proxy.Upstreams.DestinationName == q",
    ),
    "/v1/health/node/f1": (HealthCheck, "Status == passing|ServiceID == ``|ServiceTags is empty|Definition is empty"),
    # Not Connect.Native: Consul 1.8.7 drops the connection there, for services that have no Connect block.
    "/v1/agent/services": (
        NodeService,
        "Service == redis|Meta.env == production|primary in Tags|Port == 6380|Weights.Passing == 5",
    ),
    "/v1/agent/checks": (HealthCheck, "ServiceName == redis|Name matches ttl|Notes == n1|primary in ServiceTags"),
}


class Reference:
    """A running reference agent, asked over one connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        self.connection.request(method, path, json.dumps(body) if body is not None else None)
        response = self.connection.getresponse()
        return response.status, response.read()

    def rows(self, path: str, expression: str = "") -> Any:
        """The rows, or the error's text."""
        query = "?" + urllib.parse.urlencode({"filter": expression}) if expression else ""
        status, body = self.call("GET", path + query)
        if status != 200:
            return body.decode()
        rows = json.loads(body)
        return list(rows.values()) if isinstance(rows, dict) else rows


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    require_reference()
    with Agent(Subject.REFERENCE, tmp_path_factory.mktemp("filter")) as process:
        process.wait_ready()
        agent = Reference(process.ports["http"])
        for registration in _REGISTRATIONS:
            assert agent.call("PUT", "/v1/catalog/register", registration)[0] == 200
        for service in _AGENT_SERVICES:
            assert agent.call("PUT", "/v1/agent/service/register", service)[0] == 200
        yield agent


def _ours(rows: list[Any], row_type: Any, expression: str) -> Any:
    try:
        matches = compile_filter(expression, row_type)
    except FilterError as error:
        return f"{PREFIX}{error}"
    return [row for row in rows if matches(msgspec.convert(row, row_type, strict=False))]


def _compare(reference: Reference, path: str, row_type: Any, expressions: list[str]) -> list[str]:
    rows = reference.rows(path)
    for row in rows:
        # Read-only forms of durations, which are not part of any filter.
        row.pop("Definition", None)
        for check in row.get("Checks") or ():
            check.pop("Definition", None)
    different = []
    for expression in expressions:
        theirs = reference.rows(path, expression)
        ours = _ours(rows, row_type, expression)
        if not isinstance(theirs, str):
            theirs = sorted(_name(row) for row in theirs)
        if not isinstance(ours, str):
            ours = sorted(_name(row) for row in ours)
        if theirs != ours:
            different.append(f"{expression!r}: {theirs} but ours {ours}")
    return different


def _name(row: dict[str, Any]) -> str:
    service = row.get("Service")
    parts = (row.get("ServiceID"), row.get("CheckID"), row.get("ID"), row.get("Node"), service)
    return json.dumps([part if isinstance(part, str) else (part or {}).get("ID") for part in parts])


def test_service_rows(reference: Reference) -> None:
    expressions = [part for line in SERVICE_ROWS.strip().split("\n") for part in line.split("|")]
    assert len(expressions) >= 60
    assert _compare(reference, "/v1/catalog/service/web", ServiceNode, expressions) == []


@pytest.mark.parametrize("path", OTHER_ROWS)
def test_rows_of_other_endpoints(reference: Reference, path: str) -> None:
    row_type, expressions = OTHER_ROWS[path]
    assert _compare(reference, path, row_type, expressions.split("|")) == []


def test_mutilated_expressions_are_refused_alike(reference: Reference) -> None:
    """Random damage to good expressions: positions and expectations of the error texts agree."""
    rng = random.Random(7)
    good = [
        "Node == f1",
        "v1 in ServiceTags",
        "ServiceMeta.k == v",
        "not Node == f2",
        "(ServicePort == 80)",
        "and",
        "or",
    ]
    parts = [*'()[]."` -05é\n', "not ", " in ", " is ", "empty", "==", "matches", "contains"]
    expressions = []
    for _ in range(300):
        text = " ".join(rng.choice(good) for _ in range(rng.randint(1, 5)))
        at = rng.randrange(len(text) + 1)
        expressions.append(text[:at] + rng.choice(parts) + text[at + rng.randint(0, 3) :])
    assert _compare(reference, "/v1/catalog/service/web", ServiceNode, expressions) == []
