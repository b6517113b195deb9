"""The page for Prometheus: always valid, whatever names and labels hold, with the names that Consul gives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from proconsul.agent.telemetry.metrics import Metrics
from proconsul.agent.telemetry.prometheus import Series, exposition
from proconsul.engine.meters import Sample
from proconsul.testing import ConsulProcess, DevAgent
from support.reference import require_reference


def sample(*values: float) -> Sample:
    found = Sample()
    for value in values:
        found.add(value)
    return found


def test_the_page() -> None:
    page = exposition([
        Series("counter", "consul.kvs.apply", (("node", "a\\b\n\"c\""), ("dc", "x")), 3.0),
        Series("gauge", "consul.raft.last-index", (), 0.25),
        Series("summary", "consul.a=b", (), sample(1.5, 2.0)),
        Series("gauge", "consul.kvs.apply", (), 7.0),  # one name has one kind
        Series("gauge", "consul.raft.last.index", (), 9.0),  # and one value
    ])  # fmt: skip
    assert page.decode() == (
        "# HELP consul_a_b consul_a_b\n# TYPE consul_a_b summary\nconsul_a_b_sum 3.5\nconsul_a_b_count 2\n"
        "# HELP consul_kvs_apply consul_kvs_apply\n# TYPE consul_kvs_apply counter\n"
        'consul_kvs_apply{dc="x",node="a\\\\b\\n\\"c\\""} 3\n'
        "# HELP consul_raft_last_index consul_raft_last_index\n# TYPE consul_raft_last_index gauge\n"
        "consul_raft_last_index 0.25\n"
    )


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
LABELS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=3).map(tuple)


@given(st.lists(st.tuples(st.sampled_from(["gauge", "counter", "summary"]), st.text(max_size=12), LABELS, NUMBERS)))
def test_any_names_labels_and_numbers_make_a_valid_page(
    found: list[tuple[str, str, tuple[tuple[str, str], ...], float]],
) -> None:
    """As a parser that is not ours reads it."""
    page = exposition(
        Series(kind, name, labels, sample(0.0) if kind == "summary" else value) for kind, name, labels, value in found
    ).decode()
    families = list(text_string_to_metric_families(page))
    assert page.count("\n") == sum(2 + len(family.samples) for family in families)
    assert len({family.name for family in families}) == page.count("# TYPE ")
    for family in families:
        assert len({(one.name, tuple(sorted(one.labels.items()))) for one in family.samples}) == len(family.samples)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert exposition([Series("gauge", "a", (), value)]).endswith(f"\na {text}\n".encode())


def test_what_does_not_change_is_forgotten() -> None:
    """After the retention time, as in the original; counters go on from the start until then."""
    clock = [1000.0]
    metrics = Metrics(clock=lambda: clock[0])
    metrics.count("old")
    metrics.gauge("old.gauge", 1.0)
    for _ in range(4):
        clock[0] += 20
        metrics.count("busy", 2.0)
        metrics.sample("busy.ms", 1.0)
    assert {"consul_old 1", "consul_busy 8", "consul_busy_ms_count 4"} <= set(
        metrics.prometheus(100).decode().splitlines()
    )
    assert "consul_old" not in metrics.prometheus(60).decode()
    assert "consul_old" not in metrics.prometheus(1000).decode(), "it is gone, not hidden"


@pytest.mark.reference
def test_names_and_kinds_are_those_of_the_original() -> None:
    """Of what both have after the same work, those of machines and of one value a summary apart."""
    settings = {"telemetry": {"prometheus_retention_time": "60s", "disable_hostname": True}, "node_name": "n"}
    kinds = []
    with ConsulProcess(settings, program=str(require_reference())) as theirs, DevAgent(settings) as ours:
        for agent in (theirs, ours):
            for _ in range(3):
                agent.put("kv/a", b"x")
                agent.get("catalog/services")
            answer = agent.get("agent/metrics", format="prometheus")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            lines = [line.split() for line in answer.text.splitlines() if line.startswith("# TYPE ")]
            kinds.append({line[2]: line[3] for line in lines})
    both = kinds[0].keys() & kinds[1].keys()
    assert {"consul_raft_apply", "consul_http_GET_v1_catalog_services"} <= both
    differing = {name: (kinds[0][name], kinds[1][name]) for name in both if kinds[0][name] != kinds[1][name]}
    assert set(differing.values()) <= {("summary", "counter")}, differing
