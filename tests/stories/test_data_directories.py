"""Data directories that are damaged, incomplete or another program's: what starts, what refuses, and what it says."""

# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.harness import Agent, Subject, eventually
from support.pools import ConsulMember, Pool

KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
COMPACTING = 'raft_snapshot_interval = "1s" raft_snapshot_threshold = 20 raft_trailing_logs = 5'
ARGUMENTS = ["-hcl", COMPACTING, "-encrypt", KEY]

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a server that has snapshots, a log behind them, a service and a check."""
    agent = Agent(Subject.OURS, tmp_path_factory.mktemp("base"), ARGUMENTS, dev=False)
    agent.start()
    try:
        agent.wait_ready()
        body = '{"Name": "web", "Check": {"TTL": "900s"}}'
        assert agent.call("PUT", "/v1/agent/service/register", body).status == 200
        for number in range(60):
            assert agent.call("PUT", f"/v1/kv/k{number}", b"v").status == 200
        eventually(lambda: snapshots(agent.data_dir), "a snapshot")
        assert agent.call("PUT", "/v1/kv/last", b"v").status == 200
        agent.signal(signal.SIGTERM)  # after a kill the log is in two files, and one of them suffices
        agent.wait_exit()
    finally:
        agent.kill()
    agent.require_quiet()
    yield agent.data_dir


def snapshots(data_dir: Path) -> list[Path]:
    return [one for one in (data_dir / "raft/snapshots").iterdir() if not one.name.endswith(".tmp")]


def empty(name: str) -> Damage:
    return lambda data_dir: os.truncate(data_dir / name, 0)


def half(name: str) -> Damage:
    return lambda data_dir: os.truncate(data_dir / name, (data_dir / name).stat().st_size // 2)


def junk(name: str) -> Damage:
    return lambda data_dir: (data_dir / name).write_bytes(bytes(range(7, 256)) * 40)


def gone(name: str) -> Damage:
    def remove(data_dir: Path) -> None:
        for path in data_dir.glob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def directory(name: str) -> Damage:
    return lambda data_dir: (gone(name)(data_dir), (data_dir / name).mkdir())


def file(name: str) -> Damage:
    return lambda data_dir: (gone(name)(data_dir), (data_dir / name).write_text("x"))


def each_snapshot(change: Callable[[Path], object]) -> Damage:
    return lambda data_dir: [change(one) for one in snapshots(data_dir)]


def another_database(data_dir: Path) -> None:
    gone("raft/raft.sqlite*")(data_dir)
    with sqlite3.connect(data_dir / "raft/raft.sqlite") as database:
        database.execute("CREATE TABLE users (name)")


def consuls(data_dir: Path) -> None:
    shutil.rmtree(data_dir / "raft/raft.db")
    (data_dir / "raft/raft.db").write_bytes(b"bolt" * 1000)


LOST = "is missing or empty, but snapshots are there"
CUT = "the raft log begins at"
NO_ID = "failed to setup node ID: "

# What refuses to start: damage, and what is said of it.
REFUSED: dict[str, tuple[Damage, str]] = {
    "node id empty": (empty("node-id"), NO_ID),
    "node id cut": (half("node-id"), "does not hold a UUID"),
    "node id junk": (junk("node-id"), "does not hold a UUID"),
    "node id a directory": (directory("node-id"), NO_ID),
    "log empty": (empty("raft/raft.sqlite"), LOST),
    "log cut": (half("raft/raft.sqlite"), "cannot open raft log in"),
    "log junk": (junk("raft/raft.sqlite"), "file is not a database"),
    "log gone, snapshots kept": (gone("raft/raft.sqlite*"), LOST),
    "log a directory": (directory("raft/raft.sqlite"), "cannot open raft log in"),
    "log of another program": (another_database, LOST),
    "snapshots gone, log kept": (gone("raft/snapshots/*"), CUT),
    "snapshots a file": (file("raft/snapshots"), "cannot open snapshots in"),
    "states cut": (each_snapshot(lambda one: os.truncate(one / "state.bin", 10)), "failed to load any existing"),
    "states gone": (each_snapshot(lambda one: (one / "state.bin").unlink()), "failed to load any existing"),
    "metadata empty": (each_snapshot(lambda one: os.truncate(one / "meta.json", 0)), CUT),
    "metadata a directory": (
        each_snapshot(lambda one: ((one / "meta.json").unlink(), (one / "meta.json").mkdir())), CUT,
    ),
    "raft a file": (file("raft"), "raft"),
    "keyring empty": (empty("serf/local.keyring"), "Failed to configure keyring: unexpected end of JSON input"),
    "keyring junk": (junk("serf/local.keyring"), "Failed to configure keyring: "),
    "keyring a directory": (directory("serf/local.keyring"), "Failed to configure keyring: "),
    "members a directory": (directory("serf/local.snapshot"), "serf/local.snapshot"),
    "services a file": (file("services"), "Failed reading services dir"),
    "checks a file": (file("checks"), "Failed reading checks dir"),
    "Consul's log": (consuls, "carry the state over with 'consul snapshot save' and 'consul snapshot restore'"),
}  # fmt: skip
# Those that every run of the tests plays.
SHORT = {
    "node id empty",
    "node id junk",
    "log empty",
    "log junk",
    "log gone, snapshots kept",
    "snapshots gone, log kept",
    "states cut",
    "services a file",
    "Consul's log",
}
# What the others can give again, or what was not there before: everything is served as before.
SERVED: dict[str, Damage] = {
    "nothing": lambda data_dir: None,
    "members empty": empty("serf/local.snapshot"),
    "members cut": half("serf/local.snapshot"),
    "members junk": junk("serf/local.snapshot"),
    "wan members junk": junk("serf/remote.snapshot"),
    "serf gone": gone("serf"),
    "strange directories": lambda data_dir: [
        (data_dir / name).mkdir(parents=True)
        for name in ("raft/snapshots/foo", "raft/snapshots/1-2-3.tmp", "raft/zzz", "zzz", "services/zzz", "serf/zzz")
    ],
    "strange files": lambda data_dir: [
        (data_dir / name).write_bytes(b"junk")
        for name in ("raft/snapshots/foo", "raft/foo", "foo", "services/foo", "checks/foo", "checks/foo.tmp")
    ],
    "signs gone": gone("raft/raft.db"),
    "recovery notes gone": gone("raft/peers.info"),
}


def begun(stopped: Path, tmp_path: Path, damage: Damage, *arguments: str) -> Agent:
    agent = Agent(Subject.OURS, tmp_path / "agent", [*ARGUMENTS, *arguments], dev=False)
    shutil.copytree(stopped, agent.data_dir)
    damage(agent.data_dir)
    agent.start()
    return agent


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in REFUSED]
)
def test_refuses(name: str, stopped: Path, tmp_path: Path) -> None:
    """Exit code 1 within seconds, a sentence that names the file, and gossip that never began."""
    damage, said = REFUSED[name]
    agent = begun(stopped, tmp_path, damage)
    try:
        assert agent.wait_exit(60) == 1
    finally:
        agent.kill()
    log = agent.log()
    assert "==> Error starting agent: " in log and said in log, log
    assert str(agent.data_dir) in log or "keyring" in name, "the place is named"
    if "members" not in name:
        assert "EventMemberJoin" not in log, "nobody is told of a server that will not be"
    agent.require_quiet()


@pytest.mark.long
@pytest.mark.parametrize("name", SERVED)
def test_serves(name: str, stopped: Path, tmp_path: Path) -> None:
    agent = begun(stopped, tmp_path, SERVED[name])
    try:
        eventually(lambda: agent.call("GET", "/v1/kv/last?raw").body == b"v", f"{name}: what was behind the snapshot")
        assert len(agent.call("GET", "/v1/kv/?keys").json()) == 61
        eventually(lambda: "web" in agent.call("GET", "/v1/catalog/services").json(), "the service")
    finally:
        agent.kill()
    agent.require_quiet()


def test_a_lost_node_id_is_named(stopped: Path, tmp_path: Path) -> None:
    agent = begun(stopped, tmp_path, gone("node-id"), "-log-level=warn")
    try:
        eventually(lambda: "put its node id back into the file node-id" in agent.log(), "the reason nobody leads")
    finally:
        agent.kill()


def test_recovery_goes_on_from_the_snapshot_alone(stopped: Path, tmp_path: Path) -> None:
    """What the refusal names as the way, by hand: peers.json; and the start behind it needs nothing more."""
    agent = Agent(Subject.OURS, tmp_path / "agent", ARGUMENTS, dev=False)
    shutil.copytree(stopped, agent.data_dir)
    gone("raft/raft.sqlite*")(agent.data_dir)
    node_id = (agent.data_dir / "node-id").read_text()
    address = f"127.0.0.1:{agent.ports['server']}"
    (agent.data_dir / "raft/peers.json").write_text(f'[{{"id": "{node_id}", "address": "{address}"}}]')
    for _ in range(2):
        agent.start()
        try:
            eventually(lambda: agent.call("GET", "/v1/kv/k1?raw").body == b"v", "the state of the snapshot")
        finally:
            agent.kill()
    agent.require_quiet()


@pytest.mark.reference
def test_neither_program_starts_on_the_others_directory(stopped: Path, reference_binary: Path, tmp_path: Path) -> None:
    """Consul would take up our old snapshot and lose what is behind it; we would begin anew."""
    theirs = Agent(Subject.REFERENCE, tmp_path / "theirs", dev=False)
    theirs.start()
    try:
        theirs.wait_ready()
    finally:
        theirs.kill()
    ours = Agent(Subject.OURS, tmp_path / "ours", dev=False)
    shutil.copytree(theirs.data_dir, ours.data_dir)
    on_ours = Agent(Subject.REFERENCE, tmp_path / "on-ours", dev=False)
    shutil.copytree(stopped, on_ours.data_dir)
    for agent, said in ((ours, "raft.db is the raft log of Consul"), (on_ours, "raft.db: is a directory")):
        agent.start()
        try:
            assert agent.wait_exit(60) == 1
        finally:
            agent.kill()
        assert said in agent.log()
    assert "snapshot restore" in (on_ours.data_dir / "raft/raft.db/README").read_text()
    theirs.start()
    try:
        theirs.wait_ready()  # ours has changed nothing of what it refused
    finally:
        theirs.kill()


def test_a_refused_server_is_no_ghost_in_the_pool(tmp_path: Path) -> None:
    """A server comes back with a damaged log: the others never see it alive, however often it is started."""
    with Pool(tmp_path) as pool:
        first = pool.add_consul("a", Subject.OURS, server=True)
        second = pool.add_consul("b", Subject.OURS, "-retry-join", first.gossip)
        pool.join_all()
        pool.everybody_sees()
        second.kill()
        shutil.rmtree(second.data_dir / "raft", ignore_errors=True)
        pool.everybody_sees(b="failed")
        damaged = ConsulMember(
            "b", second.directory, host=second.host, ports=second.ports, arguments=[*second.arguments, "-server"]
        )
        (damaged.data_dir / "raft").mkdir()
        (damaged.data_dir / "raft/raft.sqlite").write_bytes(b"junk" * 1000)
        joins = first.log().count("EventMemberJoin: b ")
        for _ in range(3):
            damaged.start()
            assert damaged.wait_exit() == 1
        assert first.log().count("EventMemberJoin: b ") == joins
        assert first.members()["b"].status == "failed"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to mount a file system")
def test_a_file_system_that_turned_read_only_is_refused(stopped: Path, tmp_path: Path) -> None:
    agent = Agent(Subject.OURS, tmp_path / "agent", ARGUMENTS, dev=False)
    agent.data_dir.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(agent.data_dir)], capture_output=True).returncode:
        pytest.skip("cannot mount a file system here")
    try:
        shutil.copytree(stopped, agent.data_dir, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(agent.data_dir)], check=True)
        agent.start()
        assert agent.wait_exit(60) == 1
        assert "Error starting agent: " in agent.log() and str(agent.data_dir) in agent.log()
        assert "ead-only file system" in agent.log() or "readonly database" in agent.log(), agent.log()
    finally:
        agent.kill()
        subprocess.run(["umount", "-l", str(agent.data_dir)], check=True)
    agent.require_quiet()
