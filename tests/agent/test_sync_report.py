"""What ``/v1/agent/sync`` says: of every service and check whether the catalog has it, and why not."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_anti_entropy import OWN, World, check, service

from proconsul.agent.local.sync_report import SyncReport
from proconsul.features.errors import ConsulError
from support.clusters import Cluster
from support.harness import Subject, eventually, program, run


def report(world: World) -> Any:
    facts = world.sync.facts(lambda at: "then")
    shown = SyncReport(world.state, facts, lambda at: f"at {at:g}").whole(world.state.services, world.state.checks)
    return json.loads(json.dumps(shown))


def rows(world: World) -> dict[str, tuple[bool, bool, str, str, str, str]]:
    shown = report(world)
    return {
        key: (row["InSync"], row["Removing"], row["Why"], row["Since"], row["LastError"], row["NextAttempt"])
        for block in ("Services", "Checks") for key, row in shown[block].items()
    }  # fmt: skip


IN_SYNC = (True, False, "", "", "", "")


async def test_every_state_has_its_reason() -> None:
    now = [1.0]
    world = World()
    world.state._clock = lambda: now[0]
    world.state.add_service(service("web"))
    world.state.add_check(check("c", "web"))
    changed = (False, False, "it was registered or has changed here", "at 1", "", "now")
    assert rows(world) == {"web": changed, "c": changed}
    await world.sync.sync_full()
    assert rows(world) == {"web": IN_SYNC, "c": IN_SYNC} and report(world)["Node"]["InSync"]
    # Refused for a reason of its own: until when, and since when, it was tried before or not.
    now[0] = 5.0
    world.catalog.refused["db"] = ConsulError("no db here")
    world.state.add_service(service("db"))
    for _ in range(2):
        now[0] += 1
        await world.sync.sync_changes()
        assert rows(world)["db"] == (False, False, changed[2], "at 5", "no db here", "")
    world.catalog.refused.clear()
    await world.sync.sync_changes()
    assert rows(world)["db"] == IN_SYNC
    # By access control: waits for the next comparison, and is out of sync all the same.
    world.catalog.refusal = ConsulError("Permission denied")
    world.state.add_service(service("secret"))
    await world.sync.sync_changes()
    secret = rows(world)["secret"]
    assert secret[0] is False and "access control" in secret[2] and secret[4] == "Permission denied"
    world.catalog.refusal = None
    await world.sync.sync_full()
    assert rows(world)["secret"] == IN_SYNC
    # Nobody to ask.
    world.catalog.leader = False
    world.state.add_service(service("late"))
    with pytest.raises(ConsulError):
        await world.sync.sync_changes()
    late = rows(world)["late"]
    assert late[2].endswith("no server can be asked") and late[5].startswith("as soon as a server")
    whole = report(world)
    assert (whole["ServersReachable"], whole["LastError"]) == (False, "No cluster leader")
    world.catalog.leader, world.sync._unreachable = True, False
    world.state.remove_service("late")
    world.sync.pause()
    late = rows(world)["late"]
    assert late[1] and late[2] == "it was deregistered here; nothing is sent while the agent reloads"
    world.sync.resume()
    await world.sync.sync_changes()
    assert "late" not in rows(world) and report(world)["LastError"] == ""


@pytest.fixture
def warned() -> Iterator[list[str]]:
    """The agent's warnings, whatever another test's agent has made of its logger."""
    texts: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("agent").addHandler(handler)
    yield texts
    logging.getLogger("agent").removeHandler(handler)


@pytest.mark.parametrize("what", ["service", "check", "both", "node", "blocked"])
async def test_who_removed_it_is_said_once(what: str, warned: list[str]) -> None:
    """What somebody removes from the catalog comes back, with a line that says why; not what access control keeps out,
    nor a whole node."""
    world = World()
    world.state.add_service(service("web"))
    world.state.add_check(check("c", "web"))
    world.state.add_check(check("n"))
    if what == "blocked":
        world.catalog.refusal = ConsulError("Permission denied")
    await world.sync.sync_full()
    if what in ("service", "both", "node"):
        world.catalog.services.clear()
        world.catalog.checks.pop("c")
    if what in ("check", "both", "node"):
        world.catalog.checks.pop("n")
    world.catalog.node = None if what == "node" else OWN
    await world.sync.sync_full()
    said = [text.partition("what=")[2] for text in warned if "somebody else" in text]
    assert said == {
        "service": ['"service web"'], "check": ['"check n"'], "both": ['"service web"', '"check n"'], "node": [],
        "blocked": [],
    }[what]  # fmt: skip
    if what != "blocked":
        assert set(world.catalog.services) == {"web"} and set(world.catalog.checks) == {"c", "n"}
    await world.sync.sync_full()
    assert len([text for text in warned if "somebody else" in text]) == len(said)


async def test_what_is_sent_while_the_catalog_is_asked_was_not_removed(warned: list[str]) -> None:
    world = World()
    world.state.add_service(service("web"))
    await world.sync.sync_full()
    ask = world.catalog.own_checks

    async def meanwhile(node: str) -> Any:
        world.state.add_service(service("new"))
        world.state.add_service(service("web", Port=1))
        await world.sync.sync_changes()
        return await ask(node)

    world.catalog.own_checks = meanwhile  # type: ignore[method-assign]
    await world.sync.sync_full()
    assert set(world.catalog.services) == {"web", "new"} and not [text for text in warned if "somebody else" in text]


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs all of 127.0.0.0/8")
def test_a_service_is_removed_where_it_is_owned(tmp_path: Path) -> None:
    """From a server: at the agents of other nodes, in the catalog where there is none, and not where nobody answers."""
    with Cluster(tmp_path, ("s", Subject.OURS)) as cluster:
        [server] = cluster.servers()
        server.wait_ready()
        port = server.ports["http"]
        far = cluster._add("far", Subject.OURS, [])
        hidden = cluster._add("hidden", Subject.OURS, [])
        far.ports["http"] = port  # on an address of its own
        for member in (far, hidden):
            cluster.restart(member)
        body = json.dumps({"Name": "web", "ID": "web-1", "Port": 80}).encode()
        for member in (server, far, hidden):
            member.ok("PUT", "/v1/agent/service/register", body)
        external = {"Node": "printer", "Address": "10.0.0.9", "Service": {"Service": "lpd", "ID": "web-1"}}
        server.ok("PUT", "/v1/catalog/register", json.dumps(external).encode())

        def nodes() -> set[str]:
            found = (server.ok("GET", f"/v1/catalog/service/{name}").json() for name in ("web", "lpd"))
            return {str(row["Node"]) for several in found for row in several}

        eventually(lambda: nodes() == {"s", "far", "hidden", "printer"}, "all are registered")

        def consul(command: str, *words: str) -> Any:
            return run([*program(Subject.OURS), "services", command, f"-http-addr={server.host}:{port}", *words])

        done = consul("deregister", "-everywhere", "-id=web-1")
        assert done.returncode == 2
        assert sorted(done.stdout.splitlines()) == [
            f"far: deregistered at its agent, {far.host}:{port}",
            "printer: deregistered in the catalog, as that node has no agent in the pool",
            "s: deregistered at the agent that was asked",
        ]
        assert done.stderr.startswith("hidden: not deregistered, as the agent of that node owns it")
        assert "run there: consul services deregister -id=web-1" in done.stderr
        eventually(lambda: nodes() == {"hidden"}, "only where nobody answered is it left")
        hidden.ok("PUT", "/v1/agent/service/deregister/web-1")
        eventually(lambda: nodes() == set(), "it is gone")
        done = consul("deregister", "-everywhere", "-id=web-1")
        assert (done.returncode, done.stdout) == (0, "No node has a service of the ID web-1\n")
        assert consul("sync").returncode == 0
        # The header names the owner of what is changed in the catalog alone, also when a client agent is asked.
        for asked in (server, hidden):
            for method, request in (
                ("deregister", {"Node": "FAR", "ServiceID": "x"}), ("deregister", {"Node": "far", "CheckID": "x"}),
                ("register", {"Node": "far", "Address": "1.2.3.4", "SkipNodeUpdate": True}),
            ):  # fmt: skip
                reply = asked.ok("PUT", f"/v1/catalog/{method}", json.dumps(request).encode())
                assert reply.header("X-Proconsul-Owned-By") == request["Node"]
            free = {"Node": "printer", "Address": "10.0.0.9"}
            assert not asked.ok("PUT", "/v1/catalog/register", json.dumps(free).encode()).header("X-Proconsul-Owned-By")
            assert not asked.ok("PUT", "/v1/catalog/deregister", json.dumps(free).encode()).header(
                "X-Proconsul-Owned-By"
            )
        # Without servers a client says what hinders it.
        server.kill()
        hidden.ok("PUT", "/v1/agent/service/register", body)
        eventually(lambda: "no server can be asked" in hidden.ok("GET", "/v1/agent/sync").json()["Services"]["web-1"][
            "Why"], "it says why")  # fmt: skip
        assert hidden.call("PUT", "/v1/agent/sync").status == 500
