"""What is measured. A row has a name, a target, and a way to get one number from one subject."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.generator import Call, Watchers, Workload, rate, send_all
from benchmarks.subjects import BenchmarkError, Pair, Subject

DNS_LOAD = Path(__file__).resolve().parent / "dns_load.py"
KEYS = 5000
VALUE = "v" * 64
INSTANCES = 10
WATCHERS = 5000
# Registrations per burst: each new id stays, so bursts of a fixed size keep both subjects equally full.
REGISTRATIONS = 400
NODES, SERVICES_PER_NODE = 300, 100
DIFFERENT_VALUES = 2000
# After a fill or a start: let caches, collectors and background work of both come to rest.
SETTLE_S = 4.0


class Scale(NamedTuple):
    """How much time to spend."""

    seconds: float
    rounds: int


class Row(NamedTuple):
    """``target`` is how many times better than the reference, or for memory the largest share of it."""

    name: str
    title: str
    unit: str
    target: float
    higher_is_better: bool = True
    is_share: bool = False

    def ratio(self, ours: float, reference: float) -> float:
        """How many times better we are; for a share, our part of the reference's."""
        return ours / reference if self.higher_is_better or self.is_share else reference / ours

    def met(self, ratio: float) -> bool:
        return ratio <= self.target if self.is_share else ratio >= self.target


Measure = Callable[[Subject, Row, Scale], float]
Report = Callable[[Row, list[tuple[float, float]]], None]


class Group(NamedTuple):
    """Rows that share one pair of running subjects."""

    name: str
    rows: list[Row]
    run: Callable[[Pair, Sequence[Row], Scale, Report], None]
    # What both subjects are configured with for it.
    configuration: str = ""


def alternate(pair: Pair, row: Row, scale: Scale, measure: Measure) -> list[tuple[float, float]]:
    """(ours, reference) per round, both right after each other, and the other one first in every second round."""
    results: list[tuple[float, float]] = []
    for number in range(scale.rounds):
        order = pair.both() if number % 2 == 0 else pair.both()[::-1]
        values = {subject.name: measure(subject, row, scale) for subject in order}
        results.append((values[pair.ours.name], values[pair.reference.name]))
    return results


# ---------------------------------------------------------------------- requests

_PUTS = [Call("PUT", f"/v1/kv/bench/put/{n}", f"{n:064d}") for n in range(DIFFERENT_VALUES)]
_GET = Call("GET", "/v1/kv/bench/key")
_MIX = [_PUTS[n] if n % 10 == 0 else Call("GET", f"/v1/kv/bench/list/{n:04d}") for n in range(DIFFERENT_VALUES)]
WORKLOADS = {
    "kv-get": Workload([_GET], 32),
    "kv-put-32": Workload(_PUTS, 32),
    "kv-put-256": Workload(_PUTS, 256),
    "kv-mix": Workload(_MIX, 32),
    "kv-list": Workload([Call("GET", "/v1/kv/bench/list/?recurse")], 4),
    "health-service": Workload([Call("GET", "/v1/health/service/web")], 32),
    "catalog-services": Workload([Call("GET", "/v1/catalog/services")], 32),
    "query-3": Workload([Call("GET", "/v1/query/few/execute")], 32),
    "query-50": Workload([Call("GET", "/v1/query/many/execute")], 32),
}
# What is asked, and for which records.
_DNS = {
    "dns-a": ("web.service.consul", "A"), "dns-srv": ("web.service.consul", "SRV"),
    "dns-query": ("few.query.consul", "A"),
}  # fmt: skip
QUERIES = {"few": 3, "many": 50}


def register_instance(number: int, output: str = "200 OK", service: str = "web") -> Call:
    """One instance of a service on a node of its own, with a node check and a service check."""
    node = f"{service}-{number}"
    body = {
        "Node": node, "Address": f"127.0.1.{number}",
        "Service": {
            "ID": f"{service}-{number}", "Service": service, "Port": 8000 + number, "Tags": ["v1", "primary"],
            "Meta": {"version": "1.0"},
        },
        "Checks": [
            # Not serfHealth: a node with that check which is not in the gossip pool is removed after a minute.
            {"Node": node, "CheckID": "node-alive", "Name": "Node alive", "Status": "passing"},
            {"Node": node, "CheckID": f"service:{service}-{number}", "Name": f"{service} alive", "Status": "passing",
             "ServiceID": f"{service}-{number}", "Output": f"HTTP GET http://127.0.0.1/health: {output}"},
        ],
    }  # fmt: skip
    return Call("PUT", "/v1/catalog/register", json.dumps(body))


def prepare_requests(pair: Pair) -> None:
    calls = [Call("PUT", "/v1/kv/bench/key", VALUE), *_PUTS]
    calls += [Call("PUT", f"/v1/kv/bench/list/{n:04d}", VALUE) for n in range(KEYS)]
    calls += [register_instance(n) for n in range(1, INSTANCES + 1)]
    for query, instances in QUERIES.items():
        calls += [register_instance(n, service=query) for n in range(1, instances + 1)]
        calls.append(Call("POST", "/v1/query", json.dumps({"Name": query, "Service": {"Service": query}})))
    for name in range(50):
        service = {"ID": f"s{name}", "Service": f"service-{name}", "Tags": ["v1", f"tag-{name % 5}"], "Port": 80}
        body = {"Node": "web-1", "Address": "127.0.1.1", "SkipNodeUpdate": True, "Service": service}
        calls.append(Call("PUT", "/v1/catalog/register", json.dumps(body)))
    for subject in pair.both():
        send_all(subject.http_port, calls, 1)


def measure_requests(subject: Subject, row: Row, scale: Scale) -> float:
    if row.name in WORKLOADS:
        return rate(subject.http_port, WORKLOADS[row.name], scale.seconds)
    return measure_dns(subject, *_DNS[row.name], scale)


def measure_dns(subject: Subject, name: str, kind: str, scale: Scale) -> float:
    command = [
        sys.executable, str(DNS_LOAD), "--seconds", str(scale.seconds), "--rounds", "1", "--name",
        name, "--type", kind, f"127.0.0.1:{subject.dns_port}",
    ]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^best \S+: ([\d,]+)/s", output, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"no rate in:\n{output}")
    return float(found[1].replace(",", ""))


def run_requests(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    pair.start()
    prepare_requests(pair)
    time.sleep(1.0)
    for row in rows:
        report(row, alternate(pair, row, scale, measure_requests))
    _check_same_answers(pair)


def _check_same_answers(pair: Pair) -> None:
    """A subject that has lost the data would be measured answering nothing. Raises BenchmarkError."""
    for path in ("/v1/kv/bench/key?raw", "/v1/health/service/web", "/v1/catalog/services", "/v1/query/many/execute"):
        (status, ours), (_, reference) = (subject.request("GET", path) for subject in pair.both())
        if status != 200 or len(ours) != len(reference) or len(ours) < len(VALUE):
            raise BenchmarkError(f"GET {path} has {len(ours)} bytes here and {len(reference)} there")


# ---------------------------------------------------------------------- registrations


def registration(number: int) -> Call:
    body = {
        "ID": f"app-{number}",
        "Name": f"app-{number % 20}",
        "Port": 9000,
        "Tags": ["v1"],
        "Check": {"TTL": "10m", "Status": "passing"},
    }
    return Call("PUT", "/v1/agent/service/register", json.dumps(body))


def run_registrations(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    pair.start()
    begun: dict[str, int] = {}

    def measure(subject: Subject, row: Row, scale: Scale) -> float:
        first = begun.get(subject.name, 0)
        begun[subject.name] = first + REGISTRATIONS
        calls = [registration(n) for n in range(first, first + REGISTRATIONS)]
        took = send_all(subject.http_port, calls, 8)
        _await_catalog(subject, begun[subject.name])
        return REGISTRATIONS / took

    for row in rows:
        report(row, alternate(pair, row, scale, measure))


def _await_catalog(subject: Subject, count: int) -> None:
    """Let the catalog catch up with the agent, so that no burst pays for the one before."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status, body = subject.request("GET", "/v1/catalog/node/bench")
        if status == 200 and len(json.loads(body)["Services"]) > count:
            return
        time.sleep(0.1)
    raise BenchmarkError(f"{subject.name}: the catalog does not have {count} registrations after a minute")


# ---------------------------------------------------------------------- watchers


def run_watchers(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    pair.start()
    for subject in pair.both():
        subject.put("/v1/kv/bench/watched", b"0")
        send_all(subject.http_port, [register_instance(n) for n in range(1, INSTANCES + 1)], 1)
    for row in rows:
        path = "/v1/kv/bench/watched" if row.name == "watch-kv" else "/v1/health/service/web"
        crowds = {subject.name: Watchers(subject.http_port, path, WATCHERS) for subject in pair.both()}
        try:
            report(row, alternate(pair, row, scale, WatcherMeasure(crowds)))
        finally:
            for crowd in crowds.values():
                crowd.close()


class WatcherMeasure:
    """Milliseconds from the write to the last of the watchers' answers."""

    def __init__(self, crowds: dict[str, Watchers]) -> None:
        self._crowds = crowds

    def __call__(self, subject: Subject, row: Row, scale: Scale) -> float:
        crowd = self._crowds[subject.name]
        crowd.ask(crowd.first_index())
        # Every query has to be waiting before the change: nobody says when, so give the slower one ample time.
        time.sleep(SETTLE_S)
        if row.name == "watch-kv":
            change = Call("PUT", "/v1/kv/bench/watched", str(time.time_ns()))
        else:
            change = register_instance(1, f"200 OK, {time.time_ns()}")
        began = time.perf_counter()
        status, _ = subject.request(change.method, change.path, change.body.encode())
        if status != 200:
            raise BenchmarkError(f"{subject.name}: the change was refused with {status}")
        crowd.all_answered()
        return (time.perf_counter() - began) * 1000


# ---------------------------------------------------------------------- processes


def run_start(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    idle: dict[str, list[float]] = {subject.name: [] for subject in pair.both()}
    wants_memory = any(row.name == "memory-idle" for row in rows)

    def measure(subject: Subject, row: Row, scale: Scale) -> float:
        subject.wipe()
        took = subject.start_writable()
        if wants_memory:
            time.sleep(SETTLE_S)
            idle[subject.name].append(subject.memory_mib())
        subject.kill()
        return took * 1000

    start = next((row for row in rows if row.name == "start"), ROWS["start"])
    results = alternate(pair, start, scale, measure)
    for row in rows:
        memory = list(zip(idle[pair.ours.name], idle[pair.reference.name], strict=True))
        report(row, results if row.name == "start" else memory)


def filling() -> list[Call]:
    """30,000 services on 300 nodes and 5,000 keys."""
    calls: list[Call] = []
    for node in range(NODES):
        for number in range(SERVICES_PER_NODE):
            name = (node * SERVICES_PER_NODE + number) % 1000
            body = {
                "Node": f"node-{node:03d}", "Address": f"10.1.{node // 250}.{node % 250 + 1}",
                "SkipNodeUpdate": number > 0,
                "Service": {
                    "ID": f"service-{name}-{node}-{number}", "Service": f"service-{name}", "Port": 20000 + number,
                    "Tags": ["v1", "production"], "Meta": {"version": "1.2.3"},
                },
            }  # fmt: skip
            calls.append(Call("PUT", "/v1/catalog/register", json.dumps(body)))
    calls += [Call("PUT", f"/v1/kv/bench/list/{n:04d}", VALUE) for n in range(KEYS)]
    return calls


def run_loaded(pair: Pair, rows: Sequence[Row], scale: Scale, report: Report) -> None:
    calls = filling()
    memory: dict[str, float] = {}
    for subject in pair.both():
        subject.start_writable()
        took = send_all(subject.http_port, calls, 32)
        print(f"  {subject.name}: filled in {took:.1f} s", flush=True)
        time.sleep(SETTLE_S)
        memory[subject.name] = subject.memory_mib()
        subject.kill()
    after: dict[str, list[float]] = {subject.name: [] for subject in pair.both()}

    def restart(subject: Subject, row: Row, scale: Scale) -> float:
        took = subject.start_answering("/v1/catalog/service/service-999")
        time.sleep(SETTLE_S)
        after[subject.name].append(subject.memory_mib())
        subject.kill()
        return took * 1000

    by_name = {row.name: row for row in rows}
    if "memory-loaded" in by_name:
        report(by_name["memory-loaded"], [(memory[pair.ours.name], memory[pair.reference.name])])
    if "restart" in by_name or "memory-restarted" in by_name:
        results = alternate(pair, ROWS["restart"], scale, restart)
        if "restart" in by_name:
            report(by_name["restart"], results)
        if "memory-restarted" in by_name:
            pairs = list(zip(after[pair.ours.name], after[pair.reference.name], strict=True))
            report(by_name["memory-restarted"], pairs)


# ---------------------------------------------------------------------- the list

GROUPS = [
    Group("requests", [
        Row("kv-get", "KV get, default consistency, 32 clients", "req/s", 1.8),
        Row("kv-put-32", "KV put, durable, 32 clients", "req/s", 2.0),
        Row("kv-put-256", "KV put, durable, 256 clients", "req/s", 2.0),
        Row("kv-mix", "KV 90 % get, 10 % put, 32 clients", "req/s", 1.8),
        Row("kv-list", "KV recurse, 5,000 keys, 4 clients", "req/s", 1.0),
        Row("health-service", "Health of a service, 10 instances with 20 checks", "req/s", 2.0),
        Row("catalog-services", "Catalog services, 54 names", "req/s", 2.0),
        Row("query-3", "Execution of a prepared query, 3 instances", "req/s", 1.0),
        Row("query-50", "Execution of a prepared query, 50 instances", "req/s", 1.0),
        Row("dns-a", "DNS A, 10 instances", "answers/s", 1.7),
        Row("dns-srv", "DNS SRV, 10 instances", "answers/s", 1.7),
        Row("dns-query", "DNS A of a prepared query, 3 instances", "answers/s", 1.7),
    ], run_requests),
    Group("watchers", [
        Row("watch-kv", "5,000 watchers of a key, write to last answer", "ms", 4.0, False),
        Row("watch-health", "5,000 watchers of a service, write to last answer", "ms", 4.0, False),
    ], run_watchers),
    Group("registrations", [
        Row("register", "Register a service with a check on the agent, 8 clients", "req/s", 2.0),
    ], run_registrations),
    Group("start", [
        Row("start", "Start of the process to the first accepted write", "ms", 3.0, False),
        Row("memory-idle", "Memory when idle", "MiB", 1.0, False, True),
    ], run_start),
    Group("loaded", [
        Row("memory-loaded", "Memory after writing 30,000 services and 5,000 keys", "MiB", 0.6, False, True),
        Row("restart", "Restart with that data to the first answer", "ms", 2.0, False),
        Row("memory-restarted", "Memory after that restart", "MiB", 0.6, False, True),
    ], run_loaded),
]  # fmt: skip
ROWS = {row.name: row for group in GROUPS for row in group.rows}
