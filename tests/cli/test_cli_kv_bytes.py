"""Keys and values of any bytes on the command line, as the original writes, reads, exports and imports them."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli_reference as reference
import pytest

from proconsul.cli.main import main
from support.patience import PATIENCE_S

KEYS = [
    b"plain", b"a b", b"\xff\xfe", b"\xc3\xa9", b"x/\x80/y", b"new\nline", b"tab\t", b'quote"', b"back\\slash",
    b"<html>&", b"\x01\x7f", b"\xe2\x80\xa8",
    b"per%41cent", b"q?x=1#f", b"//double", b"/lead", b"a/../b", b"trail/", b"+plus",
    b"@at", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80",
]  # fmt: skip
VALUES = [b"", b"v", b"\x00\x01\xff", b"line\n", b"\xc3\xa9", bytes(range(256)), b"a\tb", b"\n", b"a\r\nb"]
VALUES.append(b"one\ttwo\nx")

Outcome = tuple[int, bytes, bytes]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reference.Agent]:
    running = reference.Agent(tmp_path_factory.mktemp("kv"), "")
    try:
        running.wait_until_ready("/v1/status/leader", b":")
        yield running
    finally:
        running.stop()


def _call(agent: reference.Agent, method: str, path: str, body: bytes | None = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", agent.http, timeout=PATIENCE_S)
    connection.request(method, path, body)
    text = connection.getresponse().read()
    connection.close()
    return json.loads(text) if text else None


def _stored(agent: reference.Agent) -> list[tuple[str, str, int]]:
    pairs = _call(agent, "GET", "/v1/kv/?recurse") or []
    return [(pair["Key"], pair["Value"], pair["Flags"]) for pair in pairs]


class Both:
    """Runs a command of the original and of ours, ours in this process."""

    def __init__(
        self, agent: reference.Agent, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes]
    ) -> None:
        monkeypatch.setenv("CONSUL_HTTP_ADDR", agent.address)
        self.monkeypatch, self.capture = monkeypatch, capture

    def theirs(self, arguments: list[bytes], given: bytes = b"") -> Outcome:
        done = subprocess.run(
            [reference.binary().encode(), *arguments], input=given, capture_output=True, timeout=30, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def ours(self, arguments: list[bytes], given: bytes = b"") -> Outcome:
        self.capture.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main([os.fsdecode(argument) for argument in arguments])
        shown = self.capture.readouterr()
        return code, shown.out, shown.err


@pytest.fixture
def both(agent: reference.Agent, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Both:
    return Both(agent, monkeypatch, capsysbinary)


def test_writing(agent: reference.Agent, both: Both) -> None:
    for number, key in enumerate(KEYS):
        value = VALUES[number % len(VALUES)]
        outcomes = []
        for run in (both.theirs, both.ours):
            _call(agent, "DELETE", "/v1/kv/?recurse")
            outcomes.append((run([b"kv", b"put", key, b"-"], value), _stored(agent)))
        assert outcomes[1] == outcomes[0], key


def test_reading_and_deleting(agent: reference.Agent, both: Both) -> None:
    _call(agent, "DELETE", "/v1/kv/?recurse")
    for number, key in enumerate(KEYS):
        _call(agent, "PUT", "/v1/kv/" + "".join(f"%{byte:02X}" for byte in key), VALUES[number % len(VALUES)])
    commands = [[b"export"], [b"get", b"-keys", b"-separator="], [b"get", b"-recurse", b"-detailed"]]
    commands += [[b"get", option, key] for key in KEYS for option in (b"-base64=false", b"-detailed")]
    for command in commands:
        assert both.ours([b"kv", *command]) == both.theirs([b"kv", *command]), command
    exported = both.theirs([b"kv", b"export"])[1]
    before = _stored(agent)
    _call(agent, "DELETE", "/v1/kv/?recurse")
    assert both.ours([b"kv", b"import", b"-"], exported)[0] == 0
    # Keys that start with a slash lose it, as the original's do.
    assert len(_stored(agent)) >= len(before) - 2


@pytest.mark.parametrize(
    "document",
    [
        b'[{"key":"\xff\xfe","flags":3,"value":"AAH/"}]', b'[{"key":"\\ud800x","value":""}]',
        b'[{"key":"\\ud83d\\ude00","value":"YQ=="}]', b'[{"key":"f","flags":-1,"value":""}]',
        b'[{"key":"f","flags":1.5,"value":""}]', b'[{"key":"f","flags":18446744073709551615,"value":"YQ=="}]',
        b'[{"key":"f","flags":"1","value":"YQ=="}]', b'[{"key":"f","value":"Y"}]', b'[{"key":"f","value":"Y\\nQ=="}]',
        b'[{"key":5,"value":"YQ=="}]', b'[{"key":"a","value":5}]', b'[{"key":"a","value":null}]', b'[{"value":"YQ=="}]',
        b'[{"KEY":"a","Value":"YQ==","x":1}]', b"[] x", b"{}", b'"x"', b'[{"key":"/a//b%20c d","value":"YQ=="}]',
    ],
)  # fmt: skip
def test_importing(document: bytes, agent: reference.Agent, both: Both) -> None:
    outcomes = []
    for run in (both.theirs, both.ours):
        _call(agent, "DELETE", "/v1/kv/?recurse")
        outcomes.append((run([b"kv", b"import", b"-"], document), _stored(agent)))
    assert outcomes[1] == outcomes[0]


def test_what_is_imported_from_a_file(agent: reference.Agent, both: Both, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(b'[{"key":"k\xff","flags":7,"value":"AP8="}]')
    _call(agent, "DELETE", "/v1/kv/?recurse")
    assert both.ours([b"kv", b"import", b"@" + os.fsencode(path)]) == (0, "Imported: k\ufffd\n".encode(), b"")
    assert _stored(agent) == [("k\ufffd", "AP8=", 7)]
