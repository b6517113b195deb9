"""Our state machine against a real server: its log gives its state, and each takes the other's snapshots."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgpack as msgpack_c
import pytest

from proconsul.engine.raft.messages import LogEntry
from proconsul.engine.wire import msgpack
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.server.fsm import FSM, encode_command
from support.bolt import BoltFile
from support.fsm_records import (
    Records,
    canonical_record,
    parse_snapshot,
    read_archive,
    without_defects,
    write_archive,
)
from support.fsm_story import Teller, bootstrap, server, tell, wait_for_coordinates
from support.harness import Agent, eventually

pytestmark = pytest.mark.reference

# What a restored server must serve as the first one did. Left out: what a leader changes when it begins.
SERVED = (
    "/v1/kv/?recurse", "/v1/session/list", "/v1/catalog/service/web", "/v1/catalog/service/late",
    "/v1/health/checks/web", "/v1/coordinate/nodes", "/v1/acl/tokens", "/v1/acl/policies", "/v1/acl/roles",
    "/v1/acl/auth-methods", "/v1/acl/binding-rules", "/v1/query", "/v1/connect/intentions",
    "/v1/operator/autopilot/configuration",
    *(f"/v1/config/{kind}" for kind in (
        "proxy-defaults", "service-defaults", "service-resolver", "service-router", "service-splitter",
        "ingress-gateway", "terminating-gateway",
    )),
)  # fmt: skip


GATEWAYS = ("terminating-gateway", "ingress-gateway")
GatewayRows = set[tuple[str, str, int, int, bool]]


class Life(NamedTuple):
    """What is left of a real server: its log, its state after nearly every entry, and what it served at the end."""

    log: list[LogEntry]
    states: dict[int, bytes]
    archive: dict[str, bytes]
    served: dict[str, Any]
    gateways: GatewayRows
    token: str


class Witness(Teller):
    """Takes a snapshot after each request."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent)
        self.states: dict[int, bytes] = {}
        self.archive: dict[str, bytes] = {}
        self.on_answer = self.look

    def look(self) -> None:
        if self.token:
            reply = self.get("/v1/snapshot")
            self.archive = read_archive(reply.body)
            self.states[json.loads(self.archive["meta.json"])["Index"]] = self.archive["state.bin"]


def serve(teller: Teller) -> dict[str, Any]:
    return {path: teller.get(path).json() for path in SERVED}


def served_gateway_rows(teller: Teller) -> GatewayRows:
    return {
        (gateway, row["Service"]["Name"], row["CreateIndex"], row["ModifyIndex"], row.get("FromWildcard", False))
        for gateway in GATEWAYS for row in teller.get(f"/v1/catalog/gateway-services/{gateway}").json()
    }  # fmt: skip


def gateway_rows(machine: FSM) -> GatewayRows:
    return {
        (gateway, row.Service, row.CreateIndex, row.ModifyIndex, row.FromWildcard)
        for gateway in GATEWAYS for row in machine.state.gateway_services.of_gateway(None, gateway)[1]
    }  # fmt: skip


def read_log(path: Path) -> list[LogEntry]:
    entries = []
    for _, value in BoltFile(path).bucket(b"logs"):
        plain = msgpack_c.unpackb(value, raw=True)
        entries.append(LogEntry(
            index=plain[b"Index"], term=plain[b"Term"], type=plain[b"Type"], data=plain[b"Data"] or b"",
            extensions=plain[b"Extensions"] or b"",
        ))  # fmt: skip
    return entries


@pytest.fixture(scope="module")
def life(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The whole story, told once."""
    agent = server(tmp_path_factory.mktemp("first"))
    agent.start()
    try:
        witness = bootstrap(agent, Witness)
        tell(witness)
        wait_for_coordinates(witness)
        witness.look()
        served, gateways = serve(witness), served_gateway_rows(witness)
    finally:
        agent.kill()
    log = read_log(agent.data_dir / "raft" / "raft.db")
    yield Life(log, witness.states, witness.archive, served, gateways, witness.token)


def apply(machine: FSM, entry: LogEntry) -> None:
    if entry.type == 0 and entry.extensions:
        machine.apply_chunk(entry, None)
    elif entry.type == 0:
        machine.apply(entry.index, entry.term, 0, entry.data, None)


def records_of(machine: FSM) -> Records:
    return parse_snapshot(b"".join(machine.snapshot().persist()))[1]


def difference(ours: Records, theirs: Records) -> str:
    """What only one side has, as far as it fits into a report."""
    ours, theirs = without_defects(ours), without_defects(theirs)
    return "".join(f"\nours:   {key}" for key in ours - theirs) + "".join(f"\ntheirs: {key}" for key in theirs - ours)


def test_the_log_of_a_real_server_gives_its_state_at_every_step(life: Life) -> None:
    machine = FSM(State())
    compared = 0
    for entry in life.log:
        apply(machine, entry)
        if entry.index in life.states:
            _, theirs = parse_snapshot(life.states[entry.index])
            different = difference(records_of(machine), theirs)
            assert not different, f"after entry {entry.index} of type {entry.data[:1]!r}:{different[:4000]}"
            compared += 1
    assert compared > 150
    assert compared == len(life.states)
    assert gateway_rows(machine) == life.gateways


def test_the_story_has_every_command_and_every_record(life: Life) -> None:
    commands = {entry.data[0] & 0x7F for entry in life.log if entry.type == 0 and not entry.extensions}
    # Tombstones are reaped a quarter of an hour after their keys went.
    assert set(MessageType) - commands == {
        MessageType.TOMBSTONE, MessageType.CA_PROVIDER_STATE, MessageType.CA_CONFIG, MessageType.INDEX,
        MessageType.CHUNKING_STATE,
    }  # fmt: skip
    assert any(entry.extensions for entry in life.log)
    kinds = {kind for kind, _ in parse_snapshot(life.archive["state.bin"])[1]}
    assert {0, 2, 3, 5, 6, 7, 9, 12, 13, 14, 15, 16, 17, 19, 22, 23, 25, 27, 29, 30} == kinds


def test_restoring_and_writing_again_changes_no_record(life: Life) -> None:
    state = life.archive["state.bin"]
    machine = FSM(State())
    machine.restore(io.BytesIO(state))
    header, ours = parse_snapshot(b"".join(machine.snapshot().persist()))
    assert header == parse_snapshot(state)[0]
    assert not difference(ours, parse_snapshot(state)[1])


def test_commands_are_encoded_as_real_leaders_do(life: Life) -> None:
    commands = {kind: one for part in State().replicated() for kind, one in part.commands().items()}
    for entry in life.log:
        if entry.type == 0 and not entry.extensions:
            kind = MessageType(entry.data[0] & 0x7F)
            again = encode_command(kind, commands[kind].read(msgpack.unpack(entry.data[1:])))
            assert again[:1] == entry.data[:1]
            assert canonical_record(kind, again[1:]) == canonical_record(kind, entry.data[1:]), kind


def test_a_real_server_takes_our_snapshot_and_serves_the_same(
    life: Life, reference_binary: Path, tmp_path: Path
) -> None:
    machine = FSM(State())
    for entry in life.log:
        apply(machine, entry)
    state = b"".join(machine.snapshot().persist())
    archive = write_archive(life.archive["meta.json"], state)
    second = server(tmp_path / "second", dev=True)
    second.start()
    try:
        teller = bootstrap(second, Teller)
        headers = [("X-Consul-Token", teller.token)]
        teller.token = life.token

        def taken() -> bool:
            # A slow server may have taken it and say that it has not; then this token is known no more.
            reply = second.call("PUT", "/v1/snapshot", archive, headers)
            return reply.status == 200 or teller.get("/v1/kv/?keys").status == 200

        eventually(taken, "it takes the archive")
        eventually(lambda: "web" in teller.get("/v1/catalog/services").text, "the restored services")
        assert serve(teller) == life.served
        # What is derived is derived anew, with the indexes of the entries it comes from.
        restored = FSM(State())
        restored.restore(io.BytesIO(state))
        assert gateway_rows(restored) == served_gateway_rows(teller)
    finally:
        second.kill()
