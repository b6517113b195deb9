"""Snapshots on disk, exchanged with a real Consul 1.8.7 server."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from proconsul.engine.raft.snapshots import DirectorySnapshots, write_chunks
from support.ports import free_ports
from support.reference import require_reference

pytestmark = pytest.mark.reference


class Reference:
    """A real server with a data directory."""

    def __init__(self, directory: Path) -> None:
        http, server, lan, wan, dns = free_ports(5)
        self.http = f"127.0.0.1:{http}"
        config = {
            "server": True,
            "bootstrap": True,
            "data_dir": str(directory),
            "node_id": "11111111-2222-3333-4444-555555555555",
            "bind_addr": "127.0.0.1",
            "performance": {"raft_multiplier": 1},
            "ports": {"http": http, "server": server, "serf_lan": lan, "serf_wan": wan, "dns": dns, "grpc": -1},
        }
        file = directory.parent / "config.json"
        file.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [require_reference(), "agent", "-config-file", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(f"http://{self.http}{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            data: bytes = response.read()
        return data

    def wait(self, path: str, expected: bytes) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if expected in self.call("GET", path):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        pytest.fail(f"{path} never answered {expected!r}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


def test_snapshots_of_consul_are_read_and_ours_are_loaded_by_consul(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    consul = Reference(data_dir)
    try:
        consul.wait("/v1/status/leader", b":")
        consul.call("PUT", "/v1/kv/room", b"raft")
        consul.call("PUT", "/v1/snapshot", consul.call("GET", "/v1/snapshot"))
        consul.wait("/v1/kv/room?raw", b"raft")
    finally:
        consul.stop()
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
    consul = Reference(data_dir)
    try:
        consul.wait("/v1/kv/room?raw", b"ours")
    finally:
        consul.stop()
