"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import os

import pytest

from proconsul.testing import DevAgent
from support.reference import reference_path

pytest_plugins = ["pytester"]

QUIETLY = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
SUITE = """
import http.client, pytest

@pytest.fixture
def consul_settings():
    return {"node_name": "n1", "datacenter": "east"}

def test_settings_by_fixture(consul_agent):
    assert consul_agent.get("agent/self").json()["Config"]["Datacenter"] == "east"

@pytest.mark.consul(settings={"node_name": "n2"})
def test_settings_by_marker_come_on_top(consul_agent, consul_agent_address):
    connection = http.client.HTTPConnection(consul_agent_address)
    connection.request("GET", "/v1/agent/self")
    assert b'"n2"' in connection.getresponse().read()
    connection.close()
    assert consul_agent.get("agent/self").json()["Config"]["Datacenter"] == "east"
"""
SHARED = """
import pytest
pytestmark = pytest.mark.consul(scope="module")
seen = []

@pytest.mark.parametrize("number", range(5))
def test_each_finds_it_empty(consul_agent, number):
    seen.append(consul_agent)
    assert seen[0] is consul_agent
    assert consul_agent.get("kv/a").status == 404
    assert consul_agent.put("kv/a", "1").json() is True
    consul_agent.put("agent/service/register", {"Name": "web"})
    assert list(consul_agent.get("agent/services").json()) == ["web"]
"""
ASYNC = """
import pytest

@pytest.mark.asyncio
@pytest.mark.consul(frozen=True)
async def test_time(async_consul_agent):
    session = (await async_consul_agent.put("session/create", {"TTL": "10s"})).json()["ID"]
    await async_consul_agent.advance(21)
    assert (await async_consul_agent.get(f"session/info/{session}")).json() == []
"""
BOTH = """
import pytest

@pytest.fixture(params=["", "consul"])
def consul_reference(request):
    return request.param

def test_a_lock(consul_agent):
    session = consul_agent.put("session/create", {"Name": "mine"}).json()["ID"]
    assert consul_agent.put("kv/lock", "me", acquire=session).json() is True
    assert consul_agent.get("kv/lock").json()[0]["Session"] == session
    consul_agent.put("agent/service/register", {"Name": "web"})
    consul_agent.settle()
    assert len(consul_agent.get("catalog/service/web").json()) == 1
    consul_agent.reset()
    assert consul_agent.get("kv/lock").status == 404
    assert consul_agent.get("agent/services").json() == {}

def test_time(consul_agent):
    consul_agent.advance(1)
"""
FAILING = """
def test_that_fails(consul_agent):
    assert consul_agent.put("session/create", {}).json()["ID"] == "?"
"""


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """What is imported already is not imported again by each run of pytest within this one."""
    with DevAgent() as agent:
        agent.put("kv/a", "1")


def run(pytester: pytest.Pytester, text: str, *arguments: str, **outcomes: int) -> pytest.RunResult:
    pytester.makepyfile(text)
    result = pytester.runpytest_inprocess(*QUIETLY, *arguments)
    result.assert_outcomes(**outcomes)
    return result


def test_settings_come_from_fixtures_and_markers(pytester: pytest.Pytester) -> None:
    run(pytester, SUITE, passed=2)


def test_a_wider_scope_shares_one_agent_that_is_reset(pytester: pytest.Pytester) -> None:
    run(pytester, SHARED, passed=5)


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_asynchronous_fixture_works_in_both_modes(pytester: pytest.Pytester, mode: str) -> None:
    run(pytester, ASYNC, f"--asyncio-mode={mode}", passed=1)


def test_one_suite_runs_on_ours_and_on_the_real_one(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = reference_path()
    if reference is None:
        monkeypatch.setenv("CONSUL_BIN", os.fspath(pytester.path / "nothing"))
        run(pytester, BOTH, passed=2, skipped=2)
    else:
        monkeypatch.setenv("CONSUL_BIN", os.fspath(reference))
        run(pytester, BOTH, passed=3, skipped=1)


def test_a_program_that_is_missing_is_a_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_BIN", os.fspath(pytester.path / "nothing"))
    run(pytester, BOTH, passed=2, skipped=2)


def test_a_failure_names_its_seed_and_the_seed_replays_it(pytester: pytest.Pytester) -> None:
    def course(*arguments: str) -> tuple[str, str]:
        lines = run(pytester, FAILING, *arguments, failed=1).outlines
        seed = next(line for line in lines if line.startswith("replay: "))
        return seed, next(line for line in lines if line.startswith("E  ") and "== '?'" in line)

    seed, error = course()
    assert course(seed.split()[1]) == (seed, error)
    assert course("--consul-seed=1") != (seed, error)


@pytest.mark.parametrize("marker", ["colour=1", "scope='galaxy'", "3"])
def test_a_marker_that_means_nothing_is_refused(pytester: pytest.Pytester, marker: str) -> None:
    text = f"import pytest\n@pytest.mark.consul({marker})\ndef test_it(consul_agent): pass\n"
    run(pytester, text, errors=1).stdout.fnmatch_lines(["*consul*"])


@pytest.mark.long
def test_workers_do_not_take_each_others_ports(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    text = SUITE + "\n@pytest.mark.parametrize('n', range(4))\ndef test_n(consul_agent, n):\n"
    text += "    assert consul_agent.http_port\n"
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider").assert_outcomes(passed=6)


def test_every_public_name_is_there() -> None:
    from proconsul import testing

    for name in testing.__all__:
        assert getattr(testing, name).__module__.startswith("proconsul.testing."), name
        assert name in dir(testing)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = testing.nothing
