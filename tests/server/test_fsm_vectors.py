"""Every kind of command and snapshot record, against bytes that servers of the original wrote."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from proconsul.engine.wire import msgpack
from proconsul.features.messages import SKIPPABLE, MessageType
from proconsul.features.state import State
from proconsul.server.fsm import FSM, IGNORE_UNKNOWN, encode_command
from support.fsm_records import canonical_record, parse_snapshot

VECTORS = {
    name: bytes.fromhex(data)
    for name, data in json.loads((Path(__file__).parent / "fsm_vectors.json").read_text()).items()
}
COMMANDS = sorted(name for name in VECTORS if name.startswith("fsm-"))
RECORDS = sorted(name for name in VECTORS if name.startswith("snapshot-record-"))


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_read_and_written_as_the_original_does(name: str) -> None:
    data = VECTORS[name]
    kind = MessageType(data[0] & ~IGNORE_UNKNOWN)
    assert (data[0] & IGNORE_UNKNOWN != 0) == (kind in SKIPPABLE)
    command = next(part.commands()[kind] for part in State().replicated() if kind in part.commands())
    again = encode_command(kind, command.read(msgpack.unpack(data[1:])))
    assert again[:1] == data[:1]
    assert canonical_record(kind, again[1:]) == canonical_record(kind, data[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_can_be_applied(name: str) -> None:
    machine = FSM(State())
    machine.apply(7, 1, 0, VECTORS[name], None)
    assert machine.applied_index == 7
    assert machine.applied == {VECTORS[name][0]: 1}


@pytest.mark.parametrize("name", RECORDS)
def test_snapshot_records_survive_unchanged(name: str) -> None:
    kind, record = VECTORS[name][0], VECTORS[name][1:]
    machine = FSM(State())
    machine.restore(io.BytesIO(VECTORS["snapshot-header"] + VECTORS[name]))
    header, records = parse_snapshot(b"".join(machine.snapshot().persist()))
    assert header == VECTORS["snapshot-header"]
    assert records[kind, canonical_record(kind, record)] == 1


def test_every_type_of_the_original_is_there() -> None:
    commands = {kind for part in State().replicated() for kind in part.commands()}
    only_in_snapshots = {
        MessageType.CA_PROVIDER_STATE, MessageType.CA_CONFIG, MessageType.INDEX, MessageType.CHUNKING_STATE
    }  # fmt: skip
    assert commands | only_in_snapshots == set(MessageType)
    assert set(MessageType) == set(range(31)) - {10}
