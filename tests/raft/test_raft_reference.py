"""Snapshots on disk, exchanged with a real Consul 1.8.7 server."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from proconsul.engine.raft.snapshots import DirectorySnapshots, write_chunks
from support.harness import NODE_ID, Agent, Subject
from support.reference import require_reference

pytestmark = pytest.mark.reference


def reference(directory: Path) -> Agent:
    """A real server with a data directory."""
    require_reference()
    agent = Agent(Subject.REFERENCE, directory.parent / "agent", plain=True)
    config = {
        "server": True, "bootstrap": True, "data_dir": str(directory), "node_id": NODE_ID, "bind_addr": "127.0.0.1",
        "performance": {"raft_multiplier": 1}, "ports": {**agent.ports, "dns": -1, "grpc": -1},
    }  # fmt: skip
    file = agent.directory / "config.json"
    file.write_text(json.dumps(config))
    agent.arguments = ["-config-file", str(file)]
    agent.start()
    return agent


def stop(agent: Agent) -> None:
    agent.signal(signal.SIGTERM)
    agent.wait_exit()


def test_snapshots_of_consul_are_read_and_ours_are_loaded_by_consul(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    consul = reference(data_dir)
    try:
        consul.wait_for("/v1/status/leader", b":")
        consul.call("PUT", "/v1/kv/room", b"raft")
        consul.call("PUT", "/v1/snapshot", consul.call("GET", "/v1/snapshot").body)
        consul.wait_for("/v1/kv/room?raw", b"raft")
    finally:
        stop(consul)
    directory = data_dir / "raft/snapshots"
    store = DirectorySnapshots(directory, log=pytest.fail)
    (theirs, *_) = store.list()
    with store.open(theirs) as reader:
        state = reader.read()
    assert b"room" in state and theirs.configuration.voters == ("11111111-2222-3333-4444-555555555555",)
    written = (directory / theirs.id / "meta.json").read_bytes()
    assert theirs.to_json() == written

    # The other way: the real server starts from a snapshot that we wrote, with nothing else to go on.
    for kept in store.list():
        shutil.rmtree(directory / kept.id)
    sink = store.create(theirs.index + 5, theirs.term, theirs.configuration, theirs.configuration_index)
    write_chunks(sink, [state.replace(b"raft", b"ours")])
    sink.commit()
    consul = reference(data_dir)
    try:
        consul.wait_for("/v1/kv/room?raw", b"ours")
    finally:
        stop(consul)
