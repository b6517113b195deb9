"""Generated requests for every endpoint: bytes that are no text wherever text is, absurd values in every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

SERVICE = {
    "ID": "web", "Name": "web", "Tags": ["a"], "Meta": {"k": "v"}, "Port": 80, "Address": "1.1.1.1",
    "TaggedAddresses": {"lan": {"Address": "1.1.1.1", "Port": 80}}, "Weights": {"Passing": 1, "Warning": 1},
    "EnableTagOverride": False, "Token": "",
}  # fmt: skip
CHECK = {
    "ID": "c", "Name": "c", "Notes": "n", "TTL": "10s", "Interval": "10s", "Timeout": "1s", "Status": "passing",
    "SuccessBeforePassing": 1, "FailuresBeforeCritical": 1, "DeregisterCriticalServiceAfter": "90m", "OutputMaxSize": 9,
}  # fmt: skip
DEFINITION = {"Interval": "10s", "Timeout": "1s", "HTTP": "http://127.0.0.1:1/", "TCP": ""}
COORDINATE = {"Vec": [0.5] * 8, "Error": 1.5, "Adjustment": 0.5, "Height": 0.5}
SESSION_ID = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
# Method, path without its name, query parameters, and a right body.
ENDPOINTS: list[tuple[str, str, str, Any]] = [
    ("GET", "/v1/kv/*", "recurse keys separator raw dc ns index wait stale max_stale pretty token", None),
    ("PUT", "/v1/kv/*", "flags cas acquire release dc ns index token", None),
    ("PUT", "/v1/kv/*?cas=1&acquire=x", "flags release", None),
    ("DELETE", "/v1/kv/*", "cas recurse dc", None),
    ("PUT", "/v1/session/create", "dc ns", {
        "LockDelay": "15s", "Name": "n", "Node": "test", "NodeChecks": ["serfHealth"], "Behavior": "release",
        "TTL": "30s", "ServiceChecks": [{"ID": "c", "Namespace": ""}]}),
    ("PUT", "/v1/session/create", "", {"LockDelay": 15, "Checks": ["serfHealth"]}),
    ("PUT", "/v1/session/destroy/*", "dc", None), ("PUT", "/v1/session/renew/*", "dc", None),
    ("GET", "/v1/session/info/*", "dc", None), ("GET", "/v1/session/node/*", "dc", None),
    ("GET", "/v1/session/list", "dc index", None),
    ("PUT", "/v1/txn", "dc stale", [
        {"KV": {"Verb": "set", "Key": "k", "Value": "dg==", "Flags": 1, "Index": 1, "Session": SESSION_ID}}]),
    ("PUT", "/v1/txn", "", [{"KV": {"Verb": "get", "Key": "k"}}]),
    ("PUT", "/v1/txn", "", [{"Node": {"Verb": "set", "Node": {
        "ID": SESSION_ID, "Node": "n", "Address": "1.1.1.1", "Meta": {"a": "b"},
        "TaggedAddresses": {"lan": "1.1.1.1"}}}}]),
    ("PUT", "/v1/txn", "", [{"Service": {"Verb": "set", "Node": "test", "Service": {
        "ID": "t", "Service": "t", "Port": 1, "Tags": ["x"], "Weights": {"Passing": 1, "Warning": 1}}}}]),
    ("PUT", "/v1/txn", "", [{"Check": {"Verb": "set", "Check": {
        "Node": "test", "CheckID": "t", "Name": "t", "Status": "passing", "Output": "o", "Definition": DEFINITION}}}]),
    ("PUT", "/v1/catalog/register", "dc ns", {
        "ID": "", "Node": "n2", "Address": "1.1.1.2", "Datacenter": "dc1", "TaggedAddresses": {"lan": "1.1.1.2"},
        "NodeMeta": {"a": "b"}, "SkipNodeUpdate": False,
        "Service": {"ID": "s", "Service": "s", "Tags": ["a"], "Port": 1, "Address": "1.1.1.2", "Meta": {"a": "b"}},
        "Check": {"Node": "n2", "CheckID": "c", "Name": "c", "Status": "passing", "Output": "o", "ServiceID": "s",
                  "Definition": DEFINITION}}),
    ("PUT", "/v1/catalog/deregister", "dc", {"Node": "n2", "Datacenter": "dc1", "ServiceID": "s", "CheckID": "c"}),
    ("GET", "/v1/catalog/nodes", "dc near node-meta filter", None),
    ("GET", "/v1/catalog/services", "dc node-meta", None),
    ("GET", "/v1/catalog/service/*", "dc tag near node-meta filter cached", None),
    ("GET", "/v1/catalog/connect/*", "dc tag", None), ("GET", "/v1/catalog/node/*", "dc filter", None),
    ("GET", "/v1/catalog/node-services/*", "dc filter", None), ("GET", "/v1/health/node/*", "dc filter", None),
    ("GET", "/v1/health/checks/*", "dc near node-meta filter", None),
    ("GET", "/v1/health/service/*", "dc near tag node-meta passing filter", None),
    ("GET", "/v1/health/connect/*", "dc", None), ("GET", "/v1/health/state/*", "dc near node-meta filter", None),
    ("GET", "/v1/coordinate/nodes", "dc segment", None), ("GET", "/v1/coordinate/node/*", "dc segment", None),
    ("PUT", "/v1/coordinate/update", "dc", {"Node": "test", "Segment": "", "Coord": COORDINATE, "Datacenter": "dc1"}),
    ("PUT", "/v1/event/fire/*", "node service tag dc", None), ("GET", "/v1/event/list", "name", None),
    ("GET", "/v1/agent/members", "wan segment", None), ("GET", "/v1/agent/services", "filter", None),
    ("GET", "/v1/agent/checks", "filter", None), ("GET", "/v1/agent/service/*", "hash wait", None),
    ("GET", "/v1/agent/health/service/name/*", "format", None),
    ("GET", "/v1/agent/health/service/id/*", "format", None),
    ("GET", "/v1/agent/metrics", "format", None),
    ("PUT", "/v1/agent/service/register", "replace-existing-checks", {**SERVICE, "Check": CHECK}),
    ("PUT", "/v1/agent/service/register", "", {**SERVICE, "Checks": [CHECK], "Kind": "", "Connect": {"Native": True}}),
    ("PUT", "/v1/agent/service/register", "", {
        "Name": "p", "Kind": "connect-proxy", "Port": 1, "Proxy": {
            "DestinationServiceName": "web", "LocalServicePort": 1, "Config": {"a": 1},
            "Upstreams": [{"DestinationName": "db", "LocalBindPort": 1}]}}),
    ("PUT", "/v1/agent/service/deregister/*", "", None),
    ("PUT", "/v1/agent/service/maintenance/*?enable=true", "reason", None),
    ("PUT", "/v1/agent/service/maintenance/web", "enable reason", None),
    ("PUT", "/v1/agent/maintenance", "enable", None), ("PUT", "/v1/agent/maintenance?enable=false", "reason", None),
    ("PUT", "/v1/agent/check/register", "", {**CHECK, "ServiceID": "web"}),
    ("PUT", "/v1/agent/check/register", "", {**CHECK, "TTL": "", "HTTP": "http://127.0.0.1:1/", "Method": "GET",
                                              "Header": {"a": ["b"]}, "Body": "b", "TLSSkipVerify": True}),
    ("PUT", "/v1/agent/check/deregister/*", "", None), ("PUT", "/v1/agent/check/pass/*", "note", None),
    ("PUT", "/v1/agent/check/warn/*", "note", None), ("PUT", "/v1/agent/check/fail/*", "note", None),
    ("PUT", "/v1/agent/check/update/*", "", {"Status": "passing", "Output": "o"}),
    ("PUT", "/v1/agent/force-leave/*", "prune", None), ("PUT", "/v1/agent/token/*", "", {"Token": "t"}),
    ("GET", "/v1/operator/raft/configuration", "dc", None), ("DELETE", "/v1/operator/raft/peer", "id address", None),
    ("GET", "/v1/operator/autopilot/configuration", "dc", None), ("GET", "/v1/operator/autopilot/health", "", None),
    ("PUT", "/v1/operator/autopilot/configuration", "cas", {
        "CleanupDeadServers": True, "LastContactThreshold": "200ms", "MaxTrailingLogs": 250,
        "ServerStabilizationTime": "10s", "MinQuorum": 0}),
    ("GET", "/v1/operator/keyring", "relay-factor local-only", None),
    ("PUT", "/v1/operator/keyring", "relay-factor", {"Key": "k"}), ("GET", "/v1/status/leader", "dc", None),
]  # fmt: skip
NAMES = ["%FF", "a%FFb", "%00", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "%E2%80%A8", "%22%27%5C", "x" * 600, "%2E%2E",
         "%2F"]  # fmt: skip
VALUES = [*NAMES, "", "9" * 400, "-1", "1e400", "1.5", "0x10", "%EF%BC%91", "18446744073709551616",
          "9223372036854775808ns", "9" * 400 + "s", "1e5s", "-5ms", "true"]  # fmt: skip
TEXTS = [b'"\xff"', b'"\\ud800"', b'"\\u0000"', b'""', b'"a\\r\\nb: c"', b'"\xed\xa0\x80"', b'"' + b"9" * 400 + b'"',
         b'"1e400s"', b'"99999999h"', b'"-1s"', b'"0x10"', b'"500ns"']  # fmt: skip
NUMBERS = [b"1e20", b"1e308", b"1e400", b"-1e400", b"18446744073709551616", b"18446744073709551615",
           b"9223372036854775808", b"-9223372036854775809", b"9" * 400, b"-" + b"9" * 400,
           b"0." + b"1" * 400, b"1.5",
           b"-1", b"-0", b"0", b"1E-400", b"65536"]  # fmt: skip
OTHERS = [b"null", b"true", b"[]", b"{}", b"[null]", b"[[]]", b'{"a":null}', b'["\xff"]', b'{"\xff":"\xff"}']
_HOLE = "@hole@"


def requests(*, every: int = 1) -> Iterator[tuple[str, str, bytes | None]]:
    """Method, target and body of each; ``every`` thins them out, evenly."""
    for number, request in enumerate(_all()):
        if number % every == 0:
            yield request


def _all() -> Iterator[tuple[str, str, bytes | None]]:
    for method, path, parameters, body in ENDPOINTS:
        data = json.dumps(body).encode() if body is not None else b"v" if method == "PUT" else None
        plain = path.replace("*", "web")
        if "*" in path:
            yield from ((method, path.replace("*", name), data) for name in NAMES)
        joined = plain + ("&" if "?" in plain else "?")
        for parameter in parameters.split():
            yield from ((method, f"{joined}{parameter}={value}", data) for value in VALUES)
            yield method, f"{joined}%FF={parameter}&{parameter}=%FF&{parameter}", data
        if body is not None:
            yield from ((method, plain, changed) for changed in _bodies(body))


def _bodies(body: Any) -> Iterator[bytes]:
    """The body with each of its values replaced by each strange one, and with strange names."""
    for holed in _holed(body):
        before, after = json.dumps(holed).encode().split(f'"{_HOLE}"'.encode())
        for strange in (*TEXTS, *NUMBERS, *OTHERS):
            yield before + strange + after
    yield from (*TEXTS, *NUMBERS, *OTHERS)


def _holed(value: Any) -> Iterator[Any]:
    """``value`` with a hole in the place of each value inside it."""
    yield _HOLE
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: holed} for holed in _holed(item))
    elif isinstance(value, list) and value:
        yield from ([holed, *value[1:]] for holed in _holed(value[0]))
