"""``snapshot inspect`` and ``snapshot decode``: what is in a snapshot, from servers of both kinds, whole or damaged."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cli_archives as archives
import cli_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgpack import ExtType, Timestamp, packb

from proconsul.cli.contents import record, size
from proconsul.cli.main import main
from proconsul.engine.wire import msgpack
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.server import snapshot_contents
from proconsul.server.snapshot_contents import Contents, StateStream, kind_name
from proconsul.testing import ConsulProcess, DevAgent

HEADER = packb({"LastIndex": 5})
KEYS = {"app/a/1": b"one", "app/a/2": bytes(range(256)), "app/b": b"", "zz": b"x" * 2000, "odd\x1b[2J": b"y"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of ours with something of many kinds."""
    path = tmp_path_factory.mktemp("contents") / "ours.snap"
    with DevAgent({"acl": {"enabled": True, "tokens": {"initial_management": "root"}}}, token="root") as agent:
        for key, value in KEYS.items():
            operation = {"Verb": "set", "Key": key, "Value": base64.b64encode(value).decode()}
            agent.put("txn", [{"KV": operation}]).json()  # takes keys that no address can name
        agent.put("session/create", {"Name": "s"}).json()
        agent.request("POST", "/v1/query", {"Name": "q", "Service": {"Service": "web"}}).json()
        agent.put("acl/policy", {"Name": "p", "Rules": 'key "a" { policy = "read" }'}).json()
        agent.delete("kv/app/b").json()
        path.write_bytes(agent.get("snapshot").body)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_every_kind_of_a_server_is_named_and_read() -> None:
    """What a state can restore, this can count by name and print; only the plain ones have no record."""
    kinds = {kind for part in State().replicated() for kind in part.restorers(lambda table, row: None)}
    assert {kind for kind in kinds if kind_name(kind).startswith("Unknown")} == set()
    assert kinds - set(snapshot_contents._RECORDS) == {MessageType.ACL_BOOTSTRAP}


def test_the_table(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "snapshot", "inspect", "-kvdetails", str(saved))
    assert (code, err) == (0, "")
    head, kinds, keys = out.rstrip().split("\n\n")
    assert [line.split()[0] for line in head.splitlines()] == ["ID", "Size", "Index", "Term", "Version"]
    rows = {line.split()[0]: line.split()[1:] for line in kinds.splitlines()[2:-2]}
    assert rows["KVS"][0] == "4" and rows["Tombstone"][0] == "1" and rows["Session"][0] == "1"
    assert {"Register", "PreparedQuery", "ACLPolicy", "ACLToken", "Index"} <= set(rows)
    assert [line.split()[0] for line in keys.splitlines()[2:-2]] == ["zz", "app/a", '"odd\\x1b[2J"']
    assert keys.splitlines()[-1].split()[0] == kinds.splitlines()[-1].split()[0] == "Total"


def test_the_table_as_json(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("-kvdetails", "-kvdepth", "1", "-kvfilter", "app", "-format", "json")
    _, out, _ = run(capsys, "snapshot", "inspect", *arguments, str(saved))
    found = json.loads(out)
    [state] = [data for name, data in members(saved) if name == "state.bin"]
    assert found["Meta"]["Size"] == len(state)
    header = len(msgpack.encode({"LastIndex": found["Meta"]["Index"]}))
    assert found["TotalSize"] == sum(one["Sum"] for one in found["Stats"]) == len(state) - header
    assert [(one["Name"], one["Count"]) for one in found["StatsKV"]] == [("app", 2)]
    assert found["Stats"] == sorted(found["Stats"], key=lambda one: -one["Sum"])


def test_every_record_is_printed(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "snapshot", "decode", str(saved))
    records: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and records[0]["Type"] == "SnapshotHeader" and records[0]["Data"]["Version"] == 1
    keys = {one["Data"]["Key"]: one["Data"] for one in records if one["Type"] == "KVS"}
    assert set(keys) == set(KEYS) - {"app/b"}
    assert keys["app/a/1"]["Value"] == "b25l"
    assert {"PreparedQuery", "Session", "ACLPolicy", "ACLToken", "Register"} <= {one["Type"] for one in records}


@pytest.mark.reference
def test_a_snapshot_of_the_original(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "theirs.snap"
    with ConsulProcess({"connect": {"enabled": True}}, program=reference.binary()) as agent:
        agent.put("config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}).json()
        agent.put("connect/intentions", {"SourceName": "a", "DestinationName": "b", "Action": "allow"})
        path.write_bytes(agent.get("snapshot").body)
    code, out, err = run(capsys, "snapshot", "decode", str(path))
    records = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    [entry] = [one["Data"] for one in records if one["Type"] == "ConfigEntry"]
    assert (entry["Kind"], entry["Name"], entry["Protocol"]) == ("service-defaults", "web", "http")
    assert {"ConnectCA", "ConnectCAProviderState", "ConnectCAConfig", "Index"} <= {one["Type"] for one in records}
    _, out, _ = run(capsys, "snapshot", "inspect", "-format=json", str(path))
    assert sum(one["Count"] for one in json.loads(out)["Stats"]) == len(records) - 1


def members(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as tar:
        return [(one.name, tar.extractfile(one).read()) for one in tar if one.isfile()]  # type: ignore[union-attr]


def test_a_servers_own_snapshot(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """state.bin with meta.json beside it, as they are in raft/snapshots."""
    for name, data in members(saved):
        (tmp_path / name).write_bytes(data)
    _, whole, _ = run(capsys, "snapshot", "inspect", str(saved))
    code, out, err = run(capsys, "snapshot", "inspect", str(tmp_path / "state.bin"))
    assert (code, out, err) == (0, whole, "")
    (tmp_path / "meta.json").unlink()
    code, out, err = run(capsys, "snapshot", "inspect", str(tmp_path / "state.bin"))
    assert code == 1 and "no such file or directory" in err


@pytest.mark.parametrize("cut", [0, 1, 13, 40, 200, -1])
def test_a_state_that_ends_early(saved: Path, tmp_path: Path, cut: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Sums that are right for it do not make it whole: what there is is counted, and that there was more is said."""
    files = dict(members(saved))
    cut_files = {"meta.json": files["meta.json"], "state.bin": files["state.bin"][:cut]}
    path = tmp_path / "cut.snap"
    path.write_bytes(archives.pack({**cut_files, "SHA256SUMS": archives.sums(cut_files)}))
    code, out, err = run(capsys, "snapshot", "inspect", str(path))
    assert code == 0 and out.startswith("ID ") and err.startswith("The table is not complete: snapshot is damaged")
    code, out, err = run(capsys, "snapshot", "decode", str(path))
    assert code == 1 and "snapshot is damaged" in err
    assert all(json.loads(line) for line in out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("-format", "yaml"), "invalid format"), (("-kvdepth", "0"), "must be 1 or more"),
        (("-kvdepth", "-3"), "must be 1 or more"),
    ],
)  # fmt: skip
def test_flags_that_make_no_sense(
    saved: Path, arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "snapshot", "inspect", *arguments, str(saved))
    assert (code, out) == (1, "") and text in err


@pytest.mark.parametrize("command", ["inspect", "decode"])
@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:100], lambda data: gzip.compress(b"x")])
def test_what_is_no_archive(
    saved: Path, tmp_path: Path, command: str, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.snap"
    path.write_bytes(damage(saved.read_bytes()))
    code, out, err = run(capsys, "snapshot", command, str(path))
    assert (code, out) == (1, "") and err.startswith("Error verifying snapshot: ")


# ------------------------------------------------------------------------------------------------- the pure core


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300)), max_size=20), st.integers(1, 64))
def test_pieces_of_any_size_make_the_same_records(entries: list[tuple[str, bytes]], piece: int) -> None:
    stream = io.BytesIO()
    stream.write(msgpack.encode({"LastIndex": 7}))
    for key, value in entries:
        stream.write(bytes([MessageType.KVS]) + msgpack.encode(DirEntry(Key=key, Value=value)))
    data, table, reader = stream.getvalue(), Contents(depth=1), StateStream()
    for start in range(0, len(data), piece):
        for found in reader.feed(data[start : start + piece]):
            table.add(found)
    reader.end()
    assert sum(part.count for part in table.keys.values()) == len(entries)
    assert sum(part.size for part in table.kinds.values()) == len(data) - len(msgpack.encode({"LastIndex": 7}))


@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_damaged(data: bytes) -> None:
    reader = StateStream()
    try:
        for found in reader.feed(data):
            kind_name(found.kind)
        reader.end()
    except msgpack.DecodeError as error:
        assert "snapshot is damaged" in str(error)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1KB"),
        (1536, "1.5KB"),
        (12600, "12.3KB"),
        (1 << 20, "1MB"),
        (1 << 70, "1024EB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


VALUES = st.recursive(
    st.one_of(
        st.none(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=3), st.binary(max_size=3),
        st.builds(ExtType, st.integers(0, 127), st.binary(max_size=3)),
        st.builds(Timestamp, st.integers(-(2**63), 2**63 - 1), st.integers(0, 999_999_999)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.none(), st.integers(0, 9), st.binary(max_size=2), st.text(max_size=2)), inner,
                        max_size=3),
        st.fixed_dictionaries({"Key": inner, "Value": inner}),
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from([MessageType.KVS, MessageType.ACL_BOOTSTRAP, MessageType.CONFIG_ENTRY, 77]), VALUES)
def test_whatever_a_record_is_it_is_a_line_of_json(kind: int, value: Any) -> None:
    """Records of kinds that we have are odd, too, where somebody else wrote them."""
    data = HEADER + bytes([kind]) + packb(value, use_bin_type=False, unicode_errors="surrogateescape")
    for found in StateStream().feed(data):
        line = record(found)
        assert "\n" not in line and line.encode().decode() == line
        assert json.loads(line)["Type"] == kind_name(kind)


def test_keys_that_are_no_text_make_json_that_can_be_read(tmp_path: Path, capfdbinary: Any) -> None:
    state = HEADER + bytes([MessageType.KVS]) + packb({b"Key": b"a\xff\x00/b"}, use_bin_type=False)
    (tmp_path / "state.bin").write_bytes(state)
    (tmp_path / "meta.json").write_text("{}")
    assert main(["snapshot", "inspect", "-kvdetails", "-format=json", str(tmp_path / "state.bin")]) == 0
    out, _ = capfdbinary.readouterr()
    assert json.loads(out.decode())["StatsKV"][0]["Name"] == "a\ufffd\x00/b"
