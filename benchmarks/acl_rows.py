"""The rows with access control on: default deny, and a token of twenty policies with fifty rules each."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.generator import Call, Watchers, Workload, rate, send_all
from benchmarks.rows import (
    DIFFERENT_VALUES,
    INSTANCES,
    SETTLE_S,
    VALUE,
    WATCHERS,
    Group,
    Report,
    Row,
    Scale,
    WatcherMeasure,
    alternate,
    measure_dns,
    register_instance,
)
from benchmarks.subjects import BenchmarkError, Pair, Subject

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
# Requests without a token are root's, so that subjects are prepared as they are without access control.
CONFIGURATION = f"""
acl {{ enabled = true default_policy = "deny" tokens {{ master = "{ROOT}" default = "{ROOT}" }} }}
"""
POLICIES, RULES = 20, 50
NEEDED = (
    'key_prefix "bench/" { policy = "write" } service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
)
# What the rows about many tokens make.
TOKENS_MADE, POLICIES_MADE = 10_000, 1_000
WATCHING_TOKENS = 500


def _made(subject: Subject, path: str, body: Any) -> Any:
    status, answer = subject.request("PUT", path, json.dumps(body).encode())
    if status != 200:
        raise BenchmarkError(f"{subject.name}: PUT {path}: {status} {answer[:200]!r}")
    return json.loads(answer)


def _start(pair: Pair) -> None:
    pair.start()
    for subject in pair.both():
        subject.wait_for("GET", "/v1/acl/token/self")


def _heavy_token(subject: Subject) -> str:
    """The secret of the token of the rows."""
    links = []
    for number in range(POLICIES):
        rules = " ".join(f'key_prefix "app-{number}-{rule}/" {{ policy = "read" }}' for rule in range(RULES - 3))
        _made(subject, "/v1/acl/policy", {"Name": f"p{number}", "Rules": rules + (NEEDED if number == 0 else "")})
        links.append({"Name": f"p{number}"})
    secret: str = _made(subject, "/v1/acl/token", {"Policies": links})["SecretID"]
    return secret


def run_requests(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    _start(pair)
    workloads: dict[str, dict[str, Workload]] = {}
    for subject in pair.both():
        send_all(subject.http_port, [Call("PUT", "/v1/kv/bench/key", VALUE)], 1)
        send_all(subject.http_port, [register_instance(n) for n in range(1, INSTANCES + 1)], 1)
        secret = _heavy_token(subject)
        subject.put("/v1/agent/token/default", json.dumps({"Token": secret}).encode())  # DNS asks with it
        puts = [Call("PUT", f"/v1/kv/bench/put/{n}?token={secret}", f"{n:064d}") for n in range(DIFFERENT_VALUES)]
        workloads[subject.name] = {
            "acl-kv-get": Workload([Call("GET", f"/v1/kv/bench/key?token={secret}")], 32),
            "acl-kv-put": Workload(puts, 32),
            "acl-health": Workload([Call("GET", f"/v1/health/service/web?token={secret}")], 32),
        }
    time.sleep(1.0)

    def measure(subject: Subject, row: Row, scale: Scale) -> float:
        if row.name == "acl-dns":
            return measure_dns(subject, "web.service.consul", "A", scale)
        return rate(subject.http_port, workloads[subject.name][row.name], scale.seconds)

    for row in rows:
        report(row, alternate(pair, row, scale, measure))


def run_watchers(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    _start(pair)
    crowds: dict[str, Watchers] = {}
    try:
        for subject in pair.both():
            send_all(subject.http_port, [register_instance(n) for n in range(1, INSTANCES + 1)], 1)
            _made(subject, "/v1/acl/policy", {"Name": "p", "Rules": NEEDED})
            body = {"Policies": [{"Name": "p"}]}
            tokens = [_made(subject, "/v1/acl/token", body)["SecretID"] for _ in range(WATCHING_TOKENS)]
            crowds[subject.name] = Watchers(subject.http_port, "/v1/health/service/web", WATCHERS, tokens)
        for row in rows:
            report(row, alternate(pair, row, scale, WatcherMeasure(crowds)))
    finally:
        for crowd in crowds.values():
            crowd.close()


def run_many_tokens(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    """Creation of the last tenth, reads of tokens when all are there, and the memory for them."""
    _start(pair)
    created: dict[str, float] = {}
    memory: dict[str, float] = {}
    reads: dict[str, Workload] = {}
    for subject in pair.both():
        policies = [
            Call("PUT", "/v1/acl/policy", json.dumps({"Name": f"m{n}", "Rules": f'key "m/{n}" {{ policy = "read" }}'}))
            for n in range(POLICIES_MADE)
        ]
        send_all(subject.http_port, policies, 8)
        tokens = [
            Call("PUT", "/v1/acl/token", json.dumps({"Policies": [{"Name": f"m{n % POLICIES_MADE}"}]}))
            for n in range(TOKENS_MADE)
        ]
        last = TOKENS_MADE // 10
        send_all(subject.http_port, tokens[last:], 8)
        created[subject.name] = last / send_all(subject.http_port, tokens[:last], 8)
        time.sleep(SETTLE_S)
        memory[subject.name] = subject.memory_mib()
        _, listed = subject.request("GET", "/v1/acl/tokens")
        accessors = [row["AccessorID"] for row in json.loads(listed)][:DIFFERENT_VALUES]
        reads[subject.name] = Workload([Call("GET", f"/v1/acl/token/{accessor}") for accessor in accessors], 32)
    for row in rows:
        if row.name == "acl-token-read":
            report(row, alternate(pair, row, scale, lambda subject, _, scale: rate(
                subject.http_port, reads[subject.name], scale.seconds
            )))  # fmt: skip
        else:
            found = created if row.name == "acl-token-create" else memory
            report(row, [(found[pair.ours.name], found[pair.reference.name])])


ACL_GROUPS = [
    Group("acl", [
        Row("acl-kv-get", "KV get with ACLs, a token of 20 policies with 50 rules", "req/s", 1.8),
        Row("acl-kv-put", "KV put, durable, with that token", "req/s", 2.0),
        Row("acl-health", "Health of a service, 10 instances, with that token", "req/s", 2.0),
        Row("acl-dns", "DNS A, 10 instances, with that token", "answers/s", 2.0),
    ], run_requests, CONFIGURATION),
    Group("acl-watchers", [
        Row("acl-watch", "5,000 watchers of a service with 500 tokens, write to last answer", "ms", 3.0, False),
    ], run_watchers, CONFIGURATION),
    Group("acl-tokens", [
        Row("acl-token-create", "Creating tokens when 9,000 and 1,000 policies are there, 8 clients", "req/s", 1.0),
        Row("acl-token-read", "Reading tokens among 10,000, 32 clients", "req/s", 1.0),
        Row("acl-tokens-memory", "Memory with 10,000 tokens and 1,000 policies", "MiB", 1.0, False, True),
    ], run_many_tokens, CONFIGURATION),
]  # fmt: skip
