"""Services and checks of an agent: configuration against files, persistence, maintenance, sidecars, reaping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.checks import CheckStatus, RunnableCheck, runnable
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import PersistedState, Persistence, file_name
from proconsul.agent.local.plan import Rules
from proconsul.agent.local.registrations import Registrations
from proconsul.engine.wire import gojson
from proconsul.features.catalog.definition import CheckType, DefinitionError, ServiceDefinition
from proconsul.features.catalog.model import HealthCheck, NodeService
from proconsul.features.errors import ConsulError

SECOND = 10**9


class Runners:
    """Remembers which checks run."""

    def __init__(self, state: LocalState) -> None:
        self.state = state
        self.running: dict[str, RunnableCheck] = {}

    def start(self, check_id: str, check: RunnableCheck) -> None:
        self.running[check_id] = check

    def stop(self, check_id: str) -> None:
        self.running.pop(check_id, None)

    def hold(self, check_id: str) -> Any:
        return self.running.get(check_id)

    def put_back(self, check_id: str, held: Any) -> None:
        self.running[check_id] = held

    def report(self, check_id: str, status: CheckStatus, output: str) -> str:
        definition = self.running[check_id].definition
        shown = output[: definition.OutputMaxSize or None]
        self.state.update_check(check_id, status.value, shown)
        return shown

    def ttl_s(self, check_id: str) -> float | None:
        return self.running[check_id].definition.TTL / SECOND


RULES = Rules(sidecar_ports=(21000, 21001), remote_scripts=False)


class Agent:
    """One life of an agent over ``data_dir``."""

    def __init__(self, data_dir: Path | str = "", wall: float = 1000.0) -> None:
        self.now = 0.0
        self.wall = wall
        self.state = LocalState("n1", clock=lambda: self.now)
        self.runners = Runners(self.state)
        self.registrations = Registrations(
            Holdings(self.state, Persistence(str(data_dir)), self.runners), node="n1", wall_clock=lambda: self.wall,
            rules=RULES,
        )  # fmt: skip

    def load(self, services: list[dict[str, Any]] | None = None, checks: list[dict[str, Any]] | None = None) -> None:
        self.registrations.load(services or [], checks or [])

    def reload(self, services: list[dict[str, Any]] | None = None, checks: list[dict[str, Any]] | None = None) -> None:
        self.registrations.apply(self.registrations.plan(services or [], checks or [], RULES), RULES)

    def add(self, name: str, *checks: CheckType, **fields: Any) -> None:
        self.put(NodeService(ID=name, Service=name, **fields), [runnable(check) for check in checks])

    def put(self, service: NodeService, checks: list[RunnableCheck]) -> None:
        self.registrations.register([self.registrations.planner().service(service, checks)]).settle()

    def add_check(self, check: HealthCheck, definition: CheckType, token: str = "") -> None:
        planned = self.registrations.planner().check(check, runnable(definition), token=token)
        self.registrations.register_check(planned).settle()

    def files(self, data_dir: Path, folder: str) -> list[str]:
        path = data_dir / folder
        return sorted(item.name for item in path.iterdir() if item.is_file()) if path.exists() else []


TTL = CheckType(TTL=30 * SECOND)


def test_what_came_through_the_api_comes_back_after_a_restart(tmp_path: Path) -> None:
    first = Agent(tmp_path)
    first.add("web", TTL, Tags=["v1"], Port=80, Meta={"a": "b"})
    first.add_check(HealthCheck(CheckID="mem", Name="memory"), TTL, token="secret")
    second = Agent(tmp_path)
    second.load()
    service = second.state.service("web")
    assert service is not None
    assert (service.Tags, service.Port, service.Meta) == (["v1"], 80, {"a": "b"})
    assert sorted(second.runners.running) == ["mem", "service:web"]
    assert second.state.checks["mem"].token == "secret"


def test_configuration_is_never_written(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.load([{"Name": "web", "Check": {"TTL": "10s"}}], [{"Name": "mem", "TTL": "10s"}])
    assert agent.files(tmp_path, "services") == []
    assert agent.files(tmp_path, "checks") == []
    assert sorted(agent.runners.running) == ["mem", "service:web"]


def test_configuration_wins_for_good(tmp_path: Path) -> None:
    first = Agent(tmp_path)
    first.add("web", Port=1)
    first.add_check(HealthCheck(CheckID="mem", Name="from the api"), TTL)
    second = Agent(tmp_path)
    second.load([{"Name": "web", "Port": 2}], [{"Name": "from configuration", "ID": "mem", "TTL": "10s"}])
    service, check = second.state.service("web"), second.state.check("mem")
    assert service is not None and service.Port == 2
    assert check is not None and check.Name == "from configuration"
    assert agent_files(tmp_path) == []
    third = Agent(tmp_path)
    third.load()
    assert third.state.live_services() == {}
    assert third.state.live_checks() == {}


def agent_files(data_dir: Path) -> list[str]:
    return sorted(str(path.relative_to(data_dir)) for path in data_dir.rglob("*") if path.is_file())


def test_a_reload_leaves_the_files_and_removing_does_not(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.add("web", TTL)
    agent.reload()
    assert agent.files(tmp_path, "services") == [file_name("web")]
    assert agent.state.service("web") is not None
    assert list(agent.runners.running) == ["service:web"]
    agent.registrations.remove_service("web")
    assert agent_files(tmp_path) == []


def test_a_reload_keeps_status_and_output(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    configured = [{"Name": "web", "Check": {"TTL": "10s"}}]
    agent.load(configured)
    agent.registrations.update_ttl("service:web", "passing", "fine")
    agent.reload(configured)
    check = agent.state.check("service:web")
    assert check is not None
    assert (check.Status, check.Output) == ("passing", "fine")


@pytest.mark.parametrize(("later", "status"), [(29.0, "passing"), (30.0, "critical")])
def test_a_ttl_result_is_restored_until_it_runs_out(tmp_path: Path, later: float, status: str) -> None:
    first = Agent(tmp_path)
    first.add_check(HealthCheck(CheckID="mem", Name="mem"), TTL)
    first.registrations.update_ttl("mem", "passing", "fine")
    second = Agent(tmp_path, wall=1000.0 + later)
    second.load()
    check = second.state.check("mem")
    assert check is not None
    assert check.Status == status


DAMAGED = [b"", b"{", b"[]", b'{"Service": 5}', b"\xff\xfe", b'{"Service": {"ID": 5}}', b"[" * 200_000]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_skipped(tmp_path: Path, content: bytes) -> None:
    first = Agent(tmp_path)
    first.add("web")
    (tmp_path / "services" / "0123").write_bytes(content)
    second = Agent(tmp_path)
    second.load()
    assert list(second.state.live_services()) == ["web"]


def test_a_check_whose_service_is_gone_is_purged(tmp_path: Path) -> None:
    first = Agent(tmp_path)
    first.add("web", TTL)
    (tmp_path / "services" / file_name("web")).unlink()
    second = Agent(tmp_path)
    second.load()
    assert second.state.live_checks() == {}
    assert second.files(tmp_path, "checks") == []


def test_files_are_those_of_the_original(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.add("web", CheckType(HTTP="http://x", Interval=10 * SECOND))
    service = json.loads((tmp_path / "services" / file_name("web")).read_text())
    assert list(service) == ["LocallyRegisteredAsSidecar", "Service", "Source", "Token"]
    assert service["Service"]["Service"] == "web"
    check = json.loads((tmp_path / "checks" / file_name("service:web")).read_text())
    assert check["ChkType"]["HTTP"] == "http://x"
    assert (tmp_path / "services" / file_name("web")).stat().st_mode & 0o777 == 0o600


def test_state_files_expire_and_go(tmp_path: Path) -> None:
    persistence = Persistence(str(tmp_path))
    persistence.save_state("c", PersistedState("passing", "ok", 100.0))
    assert persistence.state("c", 99.0) == PersistedState("passing", "ok", 100.0)
    assert persistence.state("c", 100.0) is None
    assert agent_files(tmp_path) == []


def test_a_refused_check_leaves_no_half_registered_service(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    with pytest.raises(DefinitionError, match="Scripts are disabled"):
        agent.add("web", TTL, CheckType(ScriptArgs=["true"], Interval=SECOND))
    assert agent.state.live_services() == {}
    assert agent.state.live_checks() == {}
    assert agent_files(tmp_path) == []


def test_several_checks_are_numbered(tmp_path: Path) -> None:
    agent = Agent()
    agent.add("web", TTL, TTL, CheckType(TTL=SECOND, CheckID="own"))
    assert sorted(agent.runners.running) == ["own", "service:web:1", "service:web:2"]


@pytest.mark.parametrize(("replace", "left"), [(False, ["old", "service:web"]), (True, ["service:web"])])
def test_old_checks_stay_unless_replaced(replace: bool, left: list[str]) -> None:
    agent = Agent()
    agent.add("web", CheckType(TTL=SECOND, CheckID="old"))
    service = NodeService(ID="web", Service="web")
    planned = agent.registrations.planner().service(service, [runnable(TTL)])
    agent.registrations.register([planned], replace_existing_checks=replace)
    assert sorted(agent.state.live_checks()) == left


def test_maintenance_of_node_and_service_survives_a_restart(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.add("web")
    agent.registrations.node_maintenance(True, "why")
    agent.registrations.service_maintenance("web", True)
    again = Agent(tmp_path)
    again.load()
    node, service = again.state.check("_node_maintenance"), again.state.check("_service_maintenance:web")
    assert node is not None and (node.Status, node.Notes) == ("critical", "why")
    assert service is not None and (service.Status, service.ServiceName) == ("critical", "web")
    again.registrations.node_maintenance(False)
    again.registrations.service_maintenance("web", False)
    assert again.state.live_checks() == {}
    with pytest.raises(ConsulError, match='No service registered with ID "nope"'):
        again.registrations.service_maintenance("nope", True)


def sidecar(name: str, **fields: Any) -> ServiceDefinition:
    body = {"Name": name, "Port": 80, "Connect": {"SidecarService": fields}}
    definition: ServiceDefinition = gojson.from_plain(ServiceDefinition, body)
    return definition


def test_sidecars_take_the_lowest_free_port() -> None:
    agent = Agent()
    for name, port in (("a", 21000), ("b", 21001)):
        found = agent.registrations.planner().sidecar_of(sidecar(name))
        assert found is not None
        service, checks = found
        assert (service.ID, service.Service, service.Port) == (f"{name}-sidecar-proxy",) * 2 + (port,)
        assert service.Proxy.LocalServicePort == 80
        assert [check.kind.value for check in checks] == ["tcp", "alias"]
        agent.put(service, checks)
    with pytest.raises(DefinitionError, match="none left in the configured range"):
        agent.registrations.planner().sidecar_of(sidecar("c"))


def test_a_sidecar_goes_with_its_service() -> None:
    agent = Agent()
    agent.add("a")
    found = agent.registrations.planner().sidecar_of(sidecar("a"))
    assert found is not None
    agent.put(found[0], found[1])
    agent.registrations.remove_service("a")
    assert agent.state.live_services() == {}


@pytest.mark.parametrize(("critical_s", "reaped"), [(59.0, []), (61.0, ["web"])])
def test_services_critical_for_too_long_are_deregistered(critical_s: float, reaped: list[str]) -> None:
    agent = Agent()
    agent.add("web", CheckType(TTL=SECOND, DeregisterCriticalServiceAfter=SECOND))  # raised to a minute
    agent.add("other", TTL)
    agent.state.update_check("service:web", "critical", "TTL expired")
    assert agent.registrations.reap(critical_s) == reaped


def test_becoming_well_again_starts_the_time_over() -> None:
    agent = Agent()
    agent.add("web", CheckType(TTL=SECOND, DeregisterCriticalServiceAfter=60 * SECOND))
    agent.now = 50.0
    agent.state.update_check("service:web", "passing", "")
    agent.now = 55.0
    agent.state.update_check("service:web", "critical", "")
    assert agent.registrations.reap(100.0) == []
    assert agent.registrations.reap(116.0) == ["web"]
