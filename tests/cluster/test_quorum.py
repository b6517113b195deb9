"""Three servers that form a quorum, ours alone and with Consul 1.8.7's: whoever leads, all hold the same state."""

# mypy: disable-error-code="call-overload,untyped-decorator"

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.harness import Subject, eventually
from support.pools import ConsulMember
from support.reference import require_reference

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
MIXES = {"three-ours": (OURS, OURS, OURS), "one-theirs": (OURS, OURS, THEIRS), "two-theirs": (OURS, THEIRS, THEIRS)}
# What every server must hold alike, with the index of each.
READS = (
    "kv/?recurse", "catalog/nodes", "catalog/services", "health/state/any", "session/list", "catalog/service/web",
    "coordinate/nodes",
)  # fmt: skip


# The dead are not removed, or each would have to wait for its vote when it is back.
SETTINGS = 'retry_interval = "1s" autopilot { cleanup_dead_servers = false }'


class Quorum:
    """Servers that expect three, and the writes that were acknowledged."""

    def __init__(self, directory: Path, mix: tuple[Subject, ...]) -> None:
        self.servers = [
            ConsulMember(f"s{number}", directory / f"s{number}", subject=subject) for number, subject in enumerate(mix)
        ]
        for server in self.servers:
            server.arguments = ["-server", "-bootstrap-expect=3", "-hcl", SETTINGS]
            for other in self.servers:
                server.arguments += ["-retry-join", other.gossip] if other is not server else []
        self.acknowledged: dict[str, str] = {}

    def running(self) -> list[ConsulMember]:
        return [server for server in self.servers if server.running]

    def leader(self) -> ConsulMember:
        """Who leads, once all that run say the same."""

        def agreed() -> ConsulMember | None:
            said = {server.call("GET", "/v1/status/leader").text.strip().strip('"') for server in self.running()}
            named = [s for s in self.running() if said == {f"{s.host}:{s.ports['server']}"}]
            return named[0] if named else None

        found = eventually(agreed, "a leader")
        assert found is not None
        return found

    def write(self, server: ConsulMember, key: str, value: str) -> None:
        """Until it is acknowledged: while nobody leads, writes fail."""

        def written() -> bool:
            reply = server.call("PUT", f"/v1/kv/{key}", value.encode())
            return reply.text == "true"

        eventually(written, f"write {key}")
        self.acknowledged[key] = value

    def write_everything(self, tag: str) -> None:
        """Every kind of command, each through another server."""
        servers = self.running()
        for number, server in enumerate(servers):
            self.write(server, f"{tag}/{number}", f"{tag}{number}")
        self.write(servers[0], f"{tag}/large", "x" * 500_000)
        session = servers[-1].ok("PUT", "/v1/session/create", json.dumps({"TTL": "600s"}).encode()).json()["ID"]
        assert servers[0].ok("PUT", f"/v1/kv/{tag}/lock?acquire={session}", b"held").text == "true"
        assert servers[-1].ok("PUT", f"/v1/kv/{tag}/0?cas=1", b"no").text == "false"
        body: dict[str, Any] = {"Node": f"ext-{tag}", "Address": "10.0.0.1", "Service": {"Service": "web", "Port": 80}}
        servers[-1].ok("PUT", "/v1/catalog/register", json.dumps(body).encode())
        operation = {"KV": {"Verb": "set", "Key": f"{tag}/txn", "Value": "dHhu"}}
        servers[0].ok("PUT", "/v1/txn", json.dumps([operation]).encode())
        servers[0].ok("PUT", "/v1/catalog/deregister", json.dumps({"Node": f"ext-{tag}"}).encode())
        servers[-1].ok("PUT", "/v1/catalog/register", json.dumps(body | {"Node": f"stays-{tag}"}).encode())

    def state(self, server: ConsulMember) -> list[tuple[str, Any]]:
        found = []
        for path in READS:
            reply = server.call("GET", f"/v1/{path}{'&' if '?' in path else '?'}stale")
            rows = reply.json() if reply.status == 200 else reply.status
            if isinstance(rows, list):
                rows = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
            found.append((f"{path} {reply.header('X-Consul-Index')}", rows))
        return found

    def require_same(self) -> None:
        """Every server holds the same, indexes included, and all that was acknowledged."""

        def same() -> bool:
            states = [self.state(server) for server in self.running()]
            held = [
                server.call("GET", f"/v1/kv/{key}?raw&stale").text == value
                for server in self.running() for key, value in self.acknowledged.items()
            ]  # fmt: skip
            return all(held) and all(state == states[0] for state in states)

        eventually(same, "equal state, with all that was acknowledged, everywhere", 60.0)


@pytest.fixture(scope="module", params=MIXES.values(), ids=MIXES.keys())
def quorum(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quorum]:
    if THEIRS in request.param:
        require_reference()
    made = Quorum(tmp_path_factory.mktemp("quorum"), request.param)
    try:
        for server in made.servers:
            server.start()
        for server in made.servers:
            server.wait_ready()
        yield made
    finally:
        for server in made.servers:
            server.kill()


def test_every_server_takes_every_write(quorum: Quorum) -> None:
    quorum.leader()
    quorum.write_everything("first")
    quorum.require_same()


def test_reads_are_consistent_and_wait_wherever_they_are_asked(quorum: Quorum) -> None:
    quorum.leader()
    for server in quorum.running():
        quorum.write(quorum.running()[0], "seen", server.name)
        assert server.ok("GET", "/v1/kv/seen?raw").text == server.name
        assert server.ok("GET", "/v1/kv/seen?raw&consistent").text == server.name
        index = server.ok("GET", "/v1/kv/seen").header("X-Consul-Index")
        quorum.write(quorum.running()[-1], "seen", f"after {server.name}")
        woken = server.ok("GET", f"/v1/kv/seen?raw&index={index}&wait=20s")
        assert woken.text == f"after {server.name}"


def test_leaders_die_one_after_the_other_and_come_back(quorum: Quorum) -> None:
    """Until everybody has led, or three have died: nothing that was acknowledged is lost."""
    for number in range(3):
        leader = quorum.leader()
        leader.kill()
        quorum.write(quorum.running()[0], f"without/{number}", leader.name)
        quorum.write_everything(f"round{number}")
        leader.start()
        leader.wait_ready()
        quorum.leader()
        quorum.require_same()


def test_power_off(quorum: Quorum) -> None:
    quorum.leader()
    quorum.write(quorum.running()[1], "last", "words")
    for server in quorum.servers:
        server.kill()
    for server in quorum.servers:
        server.start()
    for server in quorum.servers:
        server.wait_ready()
    quorum.leader()
    quorum.write(quorum.running()[2], "again", "here")
    quorum.require_same()
