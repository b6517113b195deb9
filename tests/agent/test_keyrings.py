"""Keyring files: made from the configuration once, then in charge; damage is fatal, in Consul's words."""

from __future__ import annotations

import json
import os
import stat
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from proconsul.agent.config import FixedConfig, load
from proconsul.agent.gossip.keyrings import FILE_BYTES_MAX, PoolKeys, load_keyrings
from proconsul.features.errors import ConsulError
from proconsul.testing.ports import free_ports
from support.harness import run
from support.reference import reference_path

ONE, TWO = bytes(16), bytes(range(32))
ONE_TEXT, TWO_TEXT = b64encode(ONE).decode(), b64encode(TWO).decode()
SIZES = "key size must be 16, 24 or 32 bytes"


def config(
    data_dir: Path | str, key: str = "", *, server: bool = True, memory: bool = False, wan: bool = True
) -> FixedConfig:
    ports = {} if wan else {"serf_wan": -1}
    found, _ = load({
        "node_name": "n1", "bind_addr": "127.0.0.1", "server": server, "disable_keyring_file": memory, "ports": ports,
        "data_dir": "/" if not data_dir else str(data_dir),
    })  # fmt: skip
    # Keys that are none are refused when the configuration is read, and here for those who did not read it so.
    return msgspec.structs.replace(found.fixed, encrypt_key=key, data_dir=str(data_dir))


def listed(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())


def test_the_first_key_makes_both_files(tmp_path: Path) -> None:
    found = load_keyrings(config(tmp_path / "data", ONE_TEXT))
    assert found.wan is not None
    assert found.lan.keys == found.wan.keys == (ONE,)
    assert listed(tmp_path) == ["data/serf/local.keyring", "data/serf/remote.keyring"]
    for name in ("local.keyring", "remote.keyring"):
        path = tmp_path / "data/serf" / name
        assert json.loads(path.read_text()) == [ONE_TEXT]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data/serf").stat().st_mode) == 0o700


@pytest.mark.parametrize(("server", "wan"), [(False, True), (True, False)])
def test_who_is_in_no_wan_pool_has_only_the_lan_keyring(tmp_path: Path, server: bool, wan: bool) -> None:
    found = load_keyrings(config(tmp_path, ONE_TEXT, server=server, wan=wan))
    assert found.wan is None
    assert listed(tmp_path) == ["serf/local.keyring"]


def test_without_key_and_file_nothing_is_encrypted(tmp_path: Path) -> None:
    assert load_keyrings(config(tmp_path)).lan.keys == ()
    assert listed(tmp_path) == []


def test_changes_are_kept_for_the_next_start(tmp_path: Path) -> None:
    load_keyrings(config(tmp_path, ONE_TEXT)).lan.save([TWO, ONE])
    found = load_keyrings(config(tmp_path))
    assert found.wan is not None
    assert (found.lan.keys, found.wan.keys) == ((TWO, ONE), (ONE,))
    assert listed(tmp_path) == ["serf/local.keyring", "serf/remote.keyring"]


def test_the_file_wins_over_the_configuration(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_keyrings(config(tmp_path, ONE_TEXT)).lan.save([ONE, TWO])
    found = load_keyrings(config(tmp_path, TWO_TEXT))
    assert found.wan is not None
    assert (found.lan.keys, found.wan.keys) == ((ONE, TWO), (ONE,))
    text = "keyring doesn't include key provided with -encrypt, using keyring: keyring=WAN"
    assert [record.getMessage() for record in caplog.records] == [text]


def test_keys_in_memory_only_ignore_files(tmp_path: Path) -> None:
    load_keyrings(config(tmp_path, ONE_TEXT))
    before = {name: (tmp_path / name).read_bytes() for name in listed(tmp_path)}
    found = load_keyrings(config(tmp_path, TWO_TEXT, memory=True))
    assert found.lan.keys == (TWO,)
    found.lan.save([ONE])
    assert {name: (tmp_path / name).read_bytes() for name in listed(tmp_path)} == before
    assert load_keyrings(config("", TWO_TEXT)).lan == PoolKeys((TWO,))


DAMAGED = [
    ("{bad", "invalid character 'b' looking for beginning of object key string"),
    ("x\n", "invalid character 'x' looking for beginning of value"),
    ("", "unexpected end of JSON input"),
    ('["AAAA', "unexpected end of JSON input"),
    ("null", "no keys present in keyring: {path}"),
    ("[]", "no keys present in keyring: {path}"),
    ("[5]", "json: cannot unmarshal number into Go value of type string"),
    ('{"a":1}', "json: cannot unmarshal object into Go value of type []string"),
    ('["%%"]', "illegal base64 data at input byte 0"),
    ('["YWJj"]', SIZES),
    (f'["{ONE_TEXT}","YWJj"]', SIZES),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), DAMAGED)
def test_a_damaged_file_is_fatal(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "serf/local.keyring"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConsulError) as caught:
        load_keyrings(config(tmp_path, ONE_TEXT))
    assert str(caught.value) == "Failed to configure keyring: " + reason.format(path=path)
    assert path.read_text() == text


def test_a_file_that_cannot_be_one(tmp_path: Path) -> None:
    path = tmp_path / "serf/local.keyring"
    path.mkdir(parents=True)
    with pytest.raises(ConsulError, match=f"^Failed to configure keyring: read {path}: is a directory$"):
        load_keyrings(config(tmp_path))
    path.rmdir()
    path.write_bytes(b" " * (FILE_BYTES_MAX + 1))
    with pytest.raises(ConsulError, match="larger than 65536 bytes"):
        load_keyrings(config(tmp_path))


def test_a_key_of_the_wrong_size(tmp_path: Path) -> None:
    with pytest.raises(ConsulError, match=f"^Failed to configure keyring: Invalid key: {SIZES}$"):
        load_keyrings(config(tmp_path, "YWJj"))
    with pytest.raises(ConsulError, match=f"^Failed to configure keyring: {SIZES}$"):
        load_keyrings(config(tmp_path, "YWJj", memory=True))


def test_a_refused_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = load_keyrings(config(tmp_path, ONE_TEXT)).lan

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        keys.save([TWO])
    assert load_keyrings(config(tmp_path)).lan.keys == (ONE,)
    assert listed(tmp_path) == ["serf/local.keyring", "serf/remote.keyring"]


@dataclass(frozen=True)
class _Case:
    text: str
    reason: str


@pytest.mark.reference
@pytest.mark.parametrize("case", [_Case(*one) for one in DAMAGED], ids=lambda case: case.text or "empty")
def test_the_original_says_the_same(reference_binary: Path, tmp_path: Path, case: _Case) -> None:
    assert reference_path() == reference_binary
    path = tmp_path / "serf/local.keyring"
    path.parent.mkdir()
    path.write_text(case.text)
    http, server, serf = map(str, free_ports(3))
    result = run(
        [str(reference_binary), "agent", "-data-dir", str(tmp_path), "-bind", "127.0.0.1", "-http-port", http,
         "-server-port", server, "-serf-lan-port", serf, "-dns-port", "-1", "-grpc-port", "-1"]
    )  # fmt: skip
    assert f'error="Failed to configure keyring: {case.reason.format(path=path)}"' in result.stdout
