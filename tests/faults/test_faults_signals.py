"""How an agent ends, reloads and what it leaves behind. Source: docs/agent and the exit codes of Consul 1.8.7."""

# mypy: disable-error-code="list-item,misc,no-untyped-call"

from __future__ import annotations

import json
import os
import signal
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from support.harness import Agent, Subject, eventually, run
from support.processes import is_alive

StartAgent = Callable[..., Agent]
# Who leaves serves on for five seconds by default, which is not the matter here.
SOON = ("-hcl", 'performance { leave_drain_time = "0s" }')


@pytest.mark.parametrize(
    ("setting", "number", "code"),
    [
        ("", signal.SIGINT, 1),
        ("", signal.SIGTERM, 1),
        ("skip_leave_on_interrupt=false", signal.SIGINT, 0),
        ("skip_leave_on_interrupt=true", signal.SIGINT, 1),
        ("leave_on_terminate=true", signal.SIGTERM, 0),
        ("leave_on_terminate=false", signal.SIGTERM, 1),
    ],
)
def test_signals_end_with_the_codes_of_the_reference(
    setting: str, number: signal.Signals, code: int, start_agent: StartAgent
) -> None:
    agent = start_agent(*SOON, *(["-hcl", setting] if setting else []))
    agent.signal(number)
    assert agent.wait_exit() == code
    assert "Traceback" not in agent.log()


@pytest.mark.reference
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_reference_ends_with_the_same_codes(
    number: signal.Signals, start_agent: StartAgent, reference_binary: Path
) -> None:
    agents = [start_agent(subject=subject) for subject in (Subject.REFERENCE, Subject.OURS)]
    for agent in agents:
        agent.signal(number)
    assert agents[0].wait_exit() == agents[1].wait_exit() == 1


def test_leave_over_the_api_ends_with_0(start_agent: StartAgent) -> None:
    agent = start_agent(*SOON)
    assert agent.call("PUT", "/v1/agent/leave").status == 200
    assert agent.wait_exit() == 0


def test_sigpipe_and_sigusr1_do_not_stop_it(start_agent: StartAgent) -> None:
    agent = start_agent()
    agent.signal(signal.SIGPIPE)
    agent.signal(signal.SIGUSR1)
    assert agent.call("PUT", "/v1/kv/alive", "x").status == 200


def test_pid_file_and_node_id(start_agent: StartAgent, tmp_path: Path) -> None:
    pid_file = tmp_path / "agent.pid"
    agent = start_agent("-pid-file", str(pid_file), dev=False)
    assert eventually(lambda: pid_file.exists() and pid_file.read_text(), "pid file") == str(agent.pid)
    node_id_file = agent.data_dir / "node-id"
    node_id = node_id_file.read_text()
    assert str(uuid.UUID(node_id)) == node_id
    assert stat.S_IMODE(node_id_file.stat().st_mode) == 0o600
    agent.signal(signal.SIGTERM)
    agent.wait_exit()
    assert not pid_file.exists()
    agent.restart()
    assert agent.call("GET", "/v1/agent/self").json()["Config"]["NodeID"] == node_id


def test_a_damaged_node_id_is_fatal_and_named(tmp_path: Path) -> None:
    agent = Agent(Subject.OURS, tmp_path / "agent", dev=False)
    agent.data_dir.mkdir()
    (agent.data_dir / "node-id").write_text("rubbish")
    done = run(agent.command())
    assert done.returncode == 1
    assert "node-id" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


class Watcher:
    """Sees every change of the catalog's services while a test runs."""

    def __init__(self, agent: Agent, name: str) -> None:
        self._agent, self._name = agent, name
        self._index = self.read().index

    def read(self):  # type: ignore[no-untyped-def]
        return self._agent.call("GET", f"/v1/health/service/{self._name}")

    def moved(self) -> bool:
        return bool(self.read().index != self._index)


def _config(path: Path, services: list[dict[str, object]]) -> None:
    path.write_text(json.dumps({"services": services}))


def test_reload_changes_config_services_and_keeps_the_rest(start_agent: StartAgent, tmp_path: Path) -> None:
    file = tmp_path / "services.json"
    web = {"name": "web", "check": {"ttl": "900s", "id": "web-ttl"}}
    _config(file, [web, {"name": "old"}])
    agent = start_agent("-config-file", str(file), dev=False)
    assert agent.call("PUT", "/v1/agent/service/register", json.dumps({"Name": "api", "Port": 7})).status == 200
    assert agent.call("PUT", "/v1/agent/check/pass/web-ttl?note=fine").status == 200
    eventually(lambda: agent.call("GET", "/v1/health/service/web?passing").json(), "web passes")
    watcher = Watcher(agent, "web")
    _config(file, [web, {"name": "new"}])
    agent.signal(signal.SIGHUP)
    eventually(lambda: "new" in agent.call("GET", "/v1/catalog/services").json(), "new appears")
    eventually(lambda: "old" not in agent.call("GET", "/v1/catalog/services").json(), "old disappears")
    assert {"web", "new", "api"} <= set(agent.call("GET", "/v1/agent/services").json())
    check = agent.call("GET", "/v1/agent/checks").json()["web-ttl"]
    assert (check["Status"], check["Output"]) == ("passing", "fine")
    assert not watcher.moved(), "a reload must not make unchanged services flap"


def test_a_reload_that_cannot_be_read_changes_nothing(start_agent: StartAgent, tmp_path: Path) -> None:
    file = tmp_path / "services.json"
    _config(file, [{"name": "web"}])
    agent = start_agent("-config-file", str(file))
    file.write_text('{"services": [{"nam')
    reply = agent.call("PUT", "/v1/agent/reload")
    assert reply.status == 500
    agent.signal(signal.SIGHUP)
    eventually(lambda: "reload" in agent.log().lower(), "the failure is in the log")
    assert "web" in agent.call("GET", "/v1/agent/services").json()
    assert "Traceback" not in agent.log()


def test_config_wins_over_what_was_persisted(start_agent: StartAgent, tmp_path: Path) -> None:
    file = tmp_path / "services.json"
    _config(file, [])
    agent = start_agent("-config-file", str(file), dev=False)
    for name in ("both", "api"):
        body = json.dumps({"Name": name, "Port": 1, "Check": {"TTL": "900s", "CheckID": f"{name}-ttl"}})
        assert agent.call("PUT", "/v1/agent/service/register", body).status == 200
        assert agent.call("PUT", f"/v1/agent/check/pass/{name}-ttl?note=kept").status == 200
    assert len(list((agent.data_dir / "services").iterdir())) == 2
    agent.kill()
    _config(file, [{"name": "both", "port": 2}])
    agent.restart()
    services = agent.call("GET", "/v1/agent/services").json()
    assert (services["both"]["Port"], services["api"]["Port"]) == (2, 1)
    assert len(list((agent.data_dir / "services").iterdir())) == 1, "the persisted counterpart is erased"
    check = agent.call("GET", "/v1/agent/checks").json()["api-ttl"]
    assert (check["Status"], check["Output"]) == ("passing", "kept"), "the TTL state is restored"
    agent.kill()
    _config(file, [])
    agent.restart()
    assert set(agent.call("GET", "/v1/agent/services").json()) == {"api"}


def test_damaged_and_unfinished_registrations_are_skipped(start_agent: StartAgent) -> None:
    agent = start_agent(dev=False)
    assert agent.call("PUT", "/v1/agent/service/register", '{"Name":"good"}').status == 200
    agent.kill()
    folder = agent.data_dir / "services"
    (folder / "ffffffffffffffffffffffffffffffff").write_text("{half")
    (folder / "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee").write_text("")
    (folder / "dddddddddddddddddddddddddddddddd.tmp").write_text("{half")
    (folder / "directory").mkdir()
    agent.restart()
    assert "good" in agent.call("GET", "/v1/agent/services").json()
    assert "Traceback" not in agent.log()


def test_maintenance_and_ttl_results_survive_a_restart(start_agent: StartAgent) -> None:
    agent = start_agent(dev=False)
    assert agent.call("PUT", "/v1/agent/maintenance?enable=true&reason=repair").status == 200
    assert agent.call("PUT", "/v1/agent/check/register", '{"Name":"long","TTL":"900s"}').status == 200
    assert agent.call("PUT", "/v1/agent/check/register", '{"Name":"short","TTL":"1s"}').status == 200
    for name in ("long", "short"):
        assert agent.call("PUT", f"/v1/agent/check/warn/{name}?note=so").status == 200
    eventually(lambda: agent.call("GET", "/v1/agent/checks").json()["short"]["Status"] == "critical", "short expires")
    agent.kill()
    agent.restart()
    checks = agent.call("GET", "/v1/agent/checks").json()
    assert checks["_node_maintenance"]["Notes"] == "repair"
    assert (checks["long"]["Status"], checks["short"]["Status"]) == ("warning", "critical")


def _children(pid: int) -> set[int]:
    return {int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_scripts_die_with_the_agent_and_do_not_hold_its_output(
    number: signal.Signals, start_agent: StartAgent, tmp_path: Path
) -> None:
    marker = tmp_path / "pid"
    agent = start_agent("-hcl", "enable_script_checks=true")
    script = ["sh", "-c", f"echo $$ > {marker}; sleep 300"]
    body = json.dumps({"Name": "hang", "Args": script, "Interval": "1s", "Timeout": "600s"})
    assert agent.call("PUT", "/v1/agent/check/register", body).status == 200
    child = int(eventually(lambda: marker.exists() and marker.read_text().strip(), "the script runs"))
    outputs = {os.readlink(f"/proc/{child}/fd/{fd}") for fd in (0, 1, 2)}
    assert str(agent.log_path) not in outputs
    grandchildren = _children(child)
    agent.signal(number)
    agent.wait_exit()
    for pid in {child, *grandchildren}:
        eventually(lambda pid=pid: not is_alive(pid), f"script process {pid} ends", 10)
