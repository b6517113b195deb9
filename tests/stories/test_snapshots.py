"""Backups: what `snapshot save` gives can be restored, of any size, through any agent, and nothing else can."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from proconsul.engine.raft.archive import ArchiveError, read_archive
from proconsul.engine.raft.errors import SnapshotCorruptError
from proconsul.engine.raft.snapshots import SnapshotMeta
from support.big_state import archive
from support.clusters import AcknowledgedWrites, Cluster
from support.harness import Agent, Subject, eventually, program, run
from support.pools import ConsulMember

SNAPSHOT = "/v1/snapshot"
MIB = 1 << 20

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    one = Agent(Subject.OURS, tmp_path_factory.mktemp("agent"), dev=False)
    one.start()
    try:
        one.wait_ready()
        yield one
    finally:
        one.kill()
    one.require_quiet()


def taken_apart(data: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]


def with_sums(files: Files, line: str = "{sum}  {name}\n") -> Files:
    listing = "".join(line.format(sum=hashlib.sha256(data).hexdigest(), name=name) for name, data in files.items())
    return {**files, "SHA256SUMS": listing.encode()}


def tarred(files: Files, form: int = tarfile.USTAR_FORMAT, *, prefix: str = "", root: bool = False) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        if root:
            entry = tarfile.TarInfo("./")
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size, info.mtime = len(data), 1.5 if form == tarfile.PAX_FORMAT else 1
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layouts(files: Files) -> dict[str, bytes]:
    """Archives of ``files`` as usual tools make them."""
    whole = with_sums(files)
    plain = tarred(whole)
    return {
        "padded": gzip.compress(plain),
        "not padded": gzip.compress(plain.rstrip(b"\0") + bytes(1024 + -len(plain.rstrip(b"\0")) % 512)),
        "another order": gzip.compress(tarred(dict(reversed(whole.items())))),
        "gnu": gzip.compress(tarred(whole, tarfile.GNU_FORMAT)),
        "pax": gzip.compress(tarred(whole, tarfile.PAX_FORMAT)),
        "of a directory": gzip.compress(tarred(whole, prefix="./", root=True)),
        "binary sums": gzip.compress(tarred(with_sums(files, "{sum} *{name}\n"))),
        "upper case": gzip.compress(tarred({**files, "SHA256SUMS": upper(whole["SHA256SUMS"])})),
        "two members": gzip.compress(plain[:700]) + gzip.compress(plain[700:]),
        "stored": gzip.compress(plain, 0),
    }


def upper(listing: bytes) -> bytes:
    return b"".join(line[:64].upper() + line[64:] for line in listing.splitlines(keepends=True))


def test_archives_by_hand_from_the_directory(agent: Agent) -> None:
    """An operator has nothing but the data directory: its snapshot with sums is an archive, in any layout of tar."""
    agent.call("PUT", "/v1/kv/by-hand", b"kept")
    files = taken_apart(agent.call("GET", SNAPSHOT).body)
    del files["SHA256SUMS"]
    # As it is on the disk, with a checksum of its own.
    meta = SnapshotMeta.from_json(files["meta.json"])
    on_disk = json.loads(meta.to_json()) | {"CRC": "AAAAAAAAAAA="}
    by_hand = {"meta.json": json.dumps(on_disk).encode(), "state.bin": files["state.bin"]}
    for name, data in layouts(by_hand).items():
        agent.call("PUT", "/v1/kv/by-hand", b"changed")
        reply = agent.call("PUT", SNAPSHOT, data)
        assert (reply.status, reply.text) == (200, ""), name
        assert agent.call("GET", "/v1/kv/by-hand?raw").body == b"kept", name


def test_tar_and_sha256sum_of_this_machine(agent: Agent, tmp_path: Path) -> None:
    files = taken_apart(agent.call("GET", SNAPSHOT).body)
    for name in ("meta.json", "state.bin"):
        (tmp_path / name).write_bytes(files[name])
    three = "meta.json state.bin SHA256SUMS"
    for number, words in enumerate((three, f"--format=pax {three}", ".")):
        target = tmp_path.parent / f"by-tar-{number}.tgz"
        script = f"sha256sum meta.json state.bin > SHA256SUMS && tar -czf {target} {words}"
        if subprocess.run(script, shell=True, cwd=tmp_path).returncode:
            pytest.skip("needs tar and sha256sum")
        assert agent.call("PUT", SNAPSHOT, target.read_bytes()).status == 200, words


def unpacked(data: bytes) -> tuple[bytes, bytes]:
    state = io.BytesIO()
    meta = read_archive(io.BytesIO(data), state.write)
    SnapshotMeta.from_json(meta)
    return meta, state.getvalue()


def test_no_damage_of_an_archive_goes_unseen() -> None:
    """Every bit flipped, every length cut: refused, or it still says the same."""
    whole = archive(20)
    right = unpacked(whole)
    for bit in range(0, 8 * len(whole), 3):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert unpacked(bytes(damaged)) == right, bit
        except (ArchiveError, SnapshotCorruptError):
            continue
    for length in range(len(whole)):
        with pytest.raises((ArchiveError, SnapshotCorruptError)):
            unpacked(whole[:length])


def test_damaged_and_foreign_archives_change_nothing(agent: Agent) -> None:
    agent.call("PUT", "/v1/kv/here", b"before")
    whole = archive(50)
    files = taken_apart(whole)
    rng = Random(11)
    bad = {
        "nothing": b"", "zeros": bytes(1000), "random": rng.randbytes(5000), "text": b"{}" * 100,
        "plain tar": gzip.decompress(whole), "another tar": gzip.compress(tarred({"etc/passwd": b"root"})),
        "no sums": gzip.compress(tarred({name: files[name] for name in ("meta.json", "state.bin")})),
        "wrong state": gzip.compress(tarred({**files, "state.bin": files["state.bin"][:-1]})),
        "state twice": gzip.compress(tarred(files)[:-10240].rstrip(b"\0") + tarred({"state.bin": files["state.bin"]})),
        "behind the end": gzip.compress(gzip.decompress(whole) + b"x" * 512), "garbage": whole + b"x" * 20,
        "records nobody knows": gzip.compress(tarred(with_sums({
            "meta.json": SnapshotMeta("1-1-1", 1, 1, size=len(files["state.bin"]) + 2).to_json(),
            "state.bin": files["state.bin"] + b"\x63\xc0",
        }))),
        **{f"cut at {length}": whole[:length] for length in (3, 9, 10, 11, 100, len(whole) // 2, len(whole) - 1)},
    }  # fmt: skip
    index = agent.call("GET", "/v1/kv/here").json()[0]["ModifyIndex"]
    for name, data in bad.items():
        reply = agent.call("PUT", SNAPSHOT, data)
        assert reply.status == 500 and reply.text, name
        assert "Traceback" not in reply.text
    assert agent.call("GET", "/v1/kv/here").json()[0]["ModifyIndex"] == index
    assert agent.call("GET", "/v1/kv/big/0000001").status == 404


def memory_mib(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) // 1024


def sent_slowly(host: str, port: int, parts: Callable[[], Iterator[bytes]], *, chunked: bool) -> bytes:
    """PUT /v1/snapshot with a body of many parts; the answer's first line."""
    import socket

    with socket.create_connection((host, port), timeout=60) as connection:
        size = sum(map(len, parts()))
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        connection.sendall(b"PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
        for part in parts():
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        return connection.recv(4096).split(b"\r\n")[0]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload_above_every_limit_takes_no_memory(agent: Agent, chunked: bool) -> None:
    """300 MiB that are no archive: received to the end, refused, and never in memory."""

    def parts() -> Iterator[bytes]:
        yield gzip.compress(b"")[:10]
        block = os.urandom(MIB)
        for _ in range(300):
            yield block

    before = memory_mib(agent.pid, "VmHWM")
    assert b" 500 " in sent_slowly(agent.host, agent.ports["http"], parts, chunked=chunked)
    assert memory_mib(agent.pid, "VmHWM") - before < 60
    assert agent.call("PUT", "/v1/kv/after", b"x").status == 200


def test_uploads_that_end_early_are_answered_and_change_nothing(agent: Agent) -> None:
    import socket

    head = b"PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\n"
    for request, said in (
        (head + b"Content-Length: 100000\r\n\r\nabc", b"failed to read snapshot: unexpected EOF"),
        (head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", b"failed to read snapshot: unexpected EOF"),
        (head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n", b"failed to read snapshot: malformed chunked"),
        (head + b"Content-Length: 0\r\n\r\n", b"failed to decompress snapshot: EOF"),
        (head.replace(b" HTTP", b"?stale HTTP") + b"Content-Length: 3\r\n\r\nabc", b"stale not allowed for restore"),
        (head.replace(b" HTTP", b"?dc=zz HTTP") + b"Content-Length: 999999\r\n\r\nabc", b"No path to datacenter"),
    ):
        with socket.create_connection((agent.host, agent.ports["http"]), timeout=30) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while data := connection.recv(4096):
                answer += data
        assert answer.startswith(b"HTTP/1.1 500 ") and said in answer, (request, answer)
    # The client is gone before its answer; behind a request that waits; told to go on.
    with socket.create_connection((agent.host, agent.ports["http"]), timeout=30) as connection:
        connection.sendall(head + b"Content-Length: 100000\r\n\r\nabc")
    with socket.create_connection((agent.host, agent.ports["http"]), timeout=30) as connection:
        body = archive(3)
        connection.sendall(b"GET /v1/kv/none?index=1&wait=1ms HTTP/1.1\r\nHost: x\r\n\r\n" + head)
        connection.sendall(b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        answer = b""
        while not answer.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 404 ")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /v1/kv/big/0000002 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 "), "the connection goes on behind a whole upload"


def cli(agent: Agent, subject: Subject, *words: str) -> None:
    done = run([*program(subject), "snapshot", words[0], "-http-addr", agent.address, *words[1:]], timeout_s=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_saves_and_restores_through_everybody_under_writes(tmp_path: Path) -> None:
    """Each archive is whole, says its index, and holds everything acknowledged before it was asked for."""
    with Cluster(
        tmp_path, *((f"s{number}", Subject.OURS) for number in range(3)), clients=[("c", Subject.OURS)]
    ) as cluster:
        assert isinstance(cluster, Cluster)
        leader = cluster.settled()
        follower = next(one for one in cluster.servers() if one is not leader)
        askers = [leader, follower, cluster.everybody()[3]]
        with AcknowledgedWrites(cluster, "w") as writes:
            for turn in range(9):
                writes.more(5)
                before = set(writes.acknowledged)
                reply = askers[turn % 3].ok("GET", SNAPSHOT)
                meta, state = unpacked(reply.body)
                assert json.loads(meta)["Index"] == reply.index
                assert all(key.encode() in state for key in before), askers[turn % 3].name
        for asker in askers:
            leader.ok("PUT", "/v1/kv/mark", asker.name.encode())
            kept = asker.ok("GET", SNAPSHOT).body
            leader.ok("PUT", "/v1/kv/mark", b"changed")
            asker.ok("PUT", SNAPSHOT, kept)
            assert asker.ok("GET", "/v1/kv/mark?raw").text == asker.name
        cluster.same_state()


class Probes:
    """Asks every server, and writes through one, all the time; remembers the longest wait and every refusal."""

    def __init__(self, asked: dict[str, tuple[ConsulMember, str, str]]) -> None:
        self.longest_s = dict.fromkeys(asked, 0.0)
        self.refused: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(name, *what)) for name, what in asked.items()]

    def __enter__(self) -> Probes:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, name: str, member: ConsulMember, method: str, target: str) -> None:
        client = member.client(120)
        while not self._over.wait(0.05):
            began = time.monotonic()
            reply = client.call(method, target, b"x" if method == "PUT" else None)
            self.longest_s[name] = max(self.longest_s[name], time.monotonic() - began)
            if reply.status not in (200, 404):
                self.refused.append(f"{name}: {reply.status} {reply.text}")
        client.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_restore_of_60_megabytes_stops_nobody(tmp_path: Path) -> None:
    data = archive(120, 500_000)
    # As it is by default: with the small cluster's timing an election at any pause would be the story.
    patient = ["-hcl", "performance { raft_multiplier = 5 }"]
    with Cluster(
        tmp_path, *((f"s{number}", Subject.OURS) for number in range(3)), clients=[("c", Subject.OURS)], extra=patient
    ) as cluster:
        assert isinstance(cluster, Cluster)
        leader = cluster.settled()
        client = cluster.everybody()[3]
        asked = {f"{one.name} for itself": (one, "GET", "/v1/agent/self") for one in cluster.servers()}
        asked |= {f"{one.name} stale": (one, "GET", "/v1/kv/big/0000001?stale") for one in cluster.servers()}
        asked["writes"] = client, "PUT", "/v1/kv/probe"
        with Probes(asked) as probes:
            for asker in (leader, client):
                leader.ok("DELETE", "/v1/kv/big/0000119")
                asker.ok("PUT", SNAPSHOT, data)
                for one in cluster.servers():
                    key = "/v1/kv/big/0000119?stale"
                    eventually(lambda one=one, key=key: one.call("GET", key).status == 200, f"{one.name} has it", 60)
        # A second on a machine of its own; here others share it.
        assert {name: seconds for name, seconds in probes.longest_s.items() if seconds > 10} == {}
        assert not probes.refused
        assert client.ok("GET", "/v1/kv/big/0000119?raw").body


@pytest.mark.long
@pytest.mark.reference
@pytest.mark.timeout(900)
def test_300_megabytes_of_random_values_go_both_ways(reference_binary: Path, tmp_path: Path) -> None:
    """Saved by our server and restored by both programs into both, each by its own command line and the other's."""
    agents = [Agent(subject, tmp_path / subject.value) for subject in Subject]
    kept = tmp_path / "kept.snap"
    try:
        for one in agents:
            one.start()
        for one in agents:
            one.wait_ready()
        ours = next(one for one in agents if one.subject is Subject.OURS)
        client = ours.client(60)
        values = {f"big/{number}": os.urandom(512 * 1024) for number in range(600)}
        for key, value in values.items():
            assert client.call("PUT", f"/v1/kv/{key}", value).status == 200
        cli(ours, Subject.OURS, "save", str(kept))
        assert kept.stat().st_size > 300 * MIB
        for target in agents:
            for subject in Subject:
                assert target.call("PUT", "/v1/kv/big/0", b"changed").status == 200
                cli(target, subject, "restore", str(kept))
                for key in ("big/0", "big/599"):
                    assert target.call("GET", f"/v1/kv/{key}?raw").body == values[key]
    finally:
        for one in agents:
            one.kill()
        kept.unlink(missing_ok=True)
    for one in agents:
        one.require_quiet()
