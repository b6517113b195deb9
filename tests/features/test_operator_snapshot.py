"""Snapshots over HTTP and the RPC port: the original's archives, texts and headers, in both directions."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.errors import ConsulError
from proconsul.features.snapshot.model import SnapshotRequest
from proconsul.server.snapshotting import _read_record
from proconsul.testing import AgentInLoop
from proconsul.testing.ports import free_ports
from support.harness import Agent, Subject, eventually, program

SNAPSHOT = "/v1/snapshot"


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if tar.extractfile(member)}  # type: ignore[union-attr]


def packed(files: dict[str, bytes], *, sums: bool = True) -> bytes:
    """An archive of these files; ``sums`` adds the right ones."""
    if sums:
        listing = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
        files = {**files, "SHA256SUMS": listing.encode()}
    out = b""
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        out += info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)
    return gzip.compress(out + bytes(1024))


def damaged(archive: bytes) -> dict[str, bytes]:
    """Archives that must be refused."""
    files = members(archive)
    wrong = {**files, "state.bin": files["state.bin"][:-1] + b"x"}
    return {
        "empty": b"", "short": b"junk", "junk": b"junk" * 10, "cut": archive[:500],
        "end of gzip": archive[:-4],
        "sums": packed(wrong, sums=False),
        "stranger": packed({**files, "other": b"x"}, sums=False),
        "no sums": packed({name: files[name] for name in ("meta.json", "state.bin")}, sums=False),
        "no state": packed({"meta.json": files["meta.json"]}),
        "trailing": gzip.compress(gzip.decompress(archive) + b"x" * 512),
    }  # fmt: skip


@pytest.mark.reference
def test_the_same_refusals(agents: list[Agent]) -> None:
    archive = agents[0].call("GET", SNAPSHOT).body
    for name, body in damaged(archive).items():
        reference, ours = (agent.call("PUT", SNAPSHOT, body) for agent in agents)
        if name == "no sums":  # which of the two files it misses first is chance in the original
            assert "file missing for" in ours.text and "file missing for" in reference.text
            continue
        assert (ours.status, ours.text) == (reference.status, reference.text), name
    for method, target in (
        ("PUT", f"{SNAPSHOT}?stale"), ("PUT", f"{SNAPSHOT}?dc=zz"), ("GET", f"{SNAPSHOT}?dc=zz"), ("POST", SNAPSHOT),
        ("GET", f"{SNAPSHOT}?stale&consistent"), ("GET", f"{SNAPSHOT}?index=x"),
    ):  # fmt: skip
        reference, ours = (agent.call(method, target) for agent in agents)
        assert ours.status == reference.status, target
        if ours.status != 200:  # archives differ
            assert ours.text == reference.text, target


@pytest.mark.reference
def test_archives_go_both_ways(agents: list[Agent]) -> None:
    for giver, taker in (agents, agents[::-1]):
        giver.call("PUT", "/v1/kv/from", giver.subject.value)
        reply = giver.call("GET", SNAPSHOT)
        assert reply.header("Content-Type") == "application/x-gzip"
        assert (reply.header("X-Consul-Knownleader"), reply.header("X-Consul-Lastcontact")) == ("true", "0")
        meta = json.loads(members(reply.body)["meta.json"])
        assert meta["Index"] == reply.index and "CRC" not in meta
        assert list(members(reply.body)) == ["meta.json", "state.bin", "SHA256SUMS"]
        restored = taker.call("PUT", SNAPSHOT, reply.body)
        assert (restored.status, restored.body) == (200, b"")
        assert taker.call("GET", "/v1/kv/from?raw").text == giver.subject.value
        assert taker.call("PUT", "/v1/kv/after", b"x").text.strip() == "true"


@pytest.mark.reference
@pytest.mark.parametrize("subject", list(Subject))
def test_client_agents_of_the_other_kind(subject: Subject, agents: list[Agent], tmp_path: Path) -> None:
    """Byte 5 of the RPC port, both ways: a client agent of the one at the server of the other."""
    server = agents[1] if subject is Subject.REFERENCE else agents[0]
    http, serf = free_ports(2)
    client = Agent(subject, tmp_path / "client", ports={"http": http, "server": 1, "serf_lan": serf, "serf_wan": 1})
    words = [*program(subject), "agent", "-node", "client", "-data-dir", str(tmp_path / "data"), "-bind", "127.0.0.1"]
    words += ["-serf-lan-port", str(serf), "-http-port", str(http), "-dns-port", "-1", "-grpc-port", "-1"]
    words += ["-join", f"127.0.0.1:{server.ports['serf_lan']}"]
    client.command = lambda: words  # type: ignore[method-assign]
    client.start()
    try:
        eventually(lambda: client.call("GET", "/v1/kv/none").status == 404, "the client knows a server")
        server.call("PUT", "/v1/kv/kept", b"1")
        saved = client.call("GET", SNAPSHOT)
        assert (saved.status, saved.header("Content-Type")) == (200, "application/x-gzip"), saved.text
        assert saved.index > 0
        server.call("PUT", "/v1/kv/kept", b"2")
        assert client.call("PUT", SNAPSHOT, saved.body).text == ""
        assert client.call("GET", "/v1/kv/kept?raw").text == "1"
        refused = client.call("PUT", SNAPSHOT, b"junk" * 10)
        assert (refused.status, refused.text) == (500, "failed to decompress snapshot: gzip: invalid header")
    finally:
        client.kill()


async def test_what_is_refused_changes_nothing() -> None:
    async with AgentInLoop() as agent:
        await agent.request("PUT", "/v1/kv/a", b"1")
        reply = await agent.request("GET", SNAPSHOT)
        archive = reply.body if reply.stream is None else b"".join([part async for part in reply.stream])
        await agent.request("PUT", "/v1/kv/a", b"2")
        files = members(archive)
        meta = json.loads(files["meta.json"])
        broken = files["state.bin"] + b"\x63\xc0"  # a record of a type that nobody knows
        unreadable = packed({"meta.json": json.dumps({**meta, "Size": len(broken)}).encode(), "state.bin": broken})
        wrong_size = packed({"meta.json": files["meta.json"], "state.bin": broken})
        no_meta = packed({"meta.json": b"{", "state.bin": files["state.bin"]})
        for body in (unreadable, wrong_size, no_meta, *damaged(archive).values()):
            refused = await agent.request("PUT", SNAPSHOT, body)
            assert refused.status == 500
            assert (await agent.request("GET", "/v1/kv/a?raw")).body == b"2"
        assert (await agent.request("PUT", SNAPSHOT, archive)).status == 200
        assert agent.server.leading
        assert (await agent.request("GET", "/v1/kv/a?raw")).body == b"1"


@pytest.mark.parametrize(
    "data", [b"\x81\x90\x01", b"\xc1", b"\x90", b"\x05", b"\xdb\xff\xff\xff\xff", b"\x91" * 5000, b""]
)
async def test_what_is_no_request_for_an_archive_is_refused(data: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    with pytest.raises((DecodeError, ConsulError)):
        await _read_record(reader, SnapshotRequest)
