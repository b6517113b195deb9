"""The audit stream: what it says, what it never says, and that no line of it is torn or lost unsaid."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proconsul.agent.audit.door import AuditedDoor
from proconsul.agent.audit.sinks import RotatedFile, Sink
from proconsul.agent.config import ConfigError, load
from proconsul.engine.http.protocol import Application
from proconsul.engine.http.request import Deferred, Request, Response
from proconsul.features.acl.model import ACLToken
from proconsul.testing import AgentInLoop
from support.harness import Agent, Subject, eventually
from support.patience import PATIENCE_S

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
ACL = {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": ROOT}}


def settings(path: Path, **sink: Any) -> dict[str, Any]:
    return {"acl": ACL, "audit": {"enabled": True, "sink": {"main": {"type": "file", "path": str(path), **sink}}}}


def events(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n")
        event = json.loads(line)
        assert event["event_type"] == "audit"
        found.append(event["payload"])
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "audit.json"


def served(tmp_path: Path, path: Path, **sink: Any) -> Agent:
    """A process, since only what comes over a socket is audited."""
    config = tmp_path / "audit.json.config.json"
    config.write_text(json.dumps(settings(path, **sink)))
    return Agent(Subject.OURS, tmp_path / "agent", ["-config-file", str(config)])


def call(agent: Agent, method: str, target: str, body: str | None = None, token: str = ROOT) -> int:
    return agent.call(method, target, body, [("X-Consul-Token", token)] if token else []).status


def test_what_is_done_is_told_and_no_secret_is(tmp_path: Path, path: Path) -> None:
    agent = served(tmp_path, path)
    agent.start()
    try:
        eventually(lambda: call(agent, "GET", "/v1/acl/token/self") == 200, "access control is ready")
        policy = json.dumps({"Name": "p", "Rules": 'key_prefix "app/" { policy = "write" }'})
        assert call(agent, "PUT", "/v1/acl/policy", policy) == 200
        made = agent.call("PUT", "/v1/acl/token", json.dumps({"Policies": [{"Name": "p"}], "Description": "the app"}),
                          [("X-Consul-Token", ROOT)]).json()  # fmt: skip
        secret, accessor = made["SecretID"], made["AccessorID"]
        assert call(agent, "PUT", "/v1/kv/app/x?flags=1", "a value nobody may read", secret) == 200
        assert call(agent, "PUT", f"/v1/kv/other?token={secret}", "hidden too", "") == 403
        assert call(agent, "GET", "/v1/kv/app/x", None, "99999999-aaaa-4bbb-8ccc-222222222222") == 403
        assert call(agent, "GET", "/v1/agent/self", None, secret) == 403
        for wrong in (f"/v1/acl/token/{secret}", f"/v1/session/info/%{ord(secret[0]):x}{secret[1:]}"):
            call(agent, "GET", wrong)  # a secret in place of an id
        assert call(agent, "GET", "/v1/acl/tokens", None, secret) == 403
        assert call(agent, "GET", "/v1/nonsense", None, secret) == 404
        agent.signal(signal.SIGTERM)
        agent.wait_exit()
    finally:
        agent.kill()
    text = path.read_text()
    for hidden in (secret, ROOT, "nobody may read", "hidden too", "flags=1", "99999999-aaaa"):
        assert hidden not in text
    assert path.stat().st_mode & 0o777 == 0o600
    complete = [one for one in events(path) if one["stage"] == "OperationComplete"]
    by_path = {(one["request"]["operation"], one["request"]["endpoint"]): one for one in complete}
    written = by_path["PUT", "/v1/kv/app/x"]
    assert written["auth"] == {"accessor_id": accessor, "description": "the app", "method": ""}
    assert written["response"] == {"status": "200"}
    assert written["request"]["remote_addr"].startswith("127.0.0.1")
    assert written["decisions"] == [{
        "access": "key:write", "name": "app/x", "allowed": True, "policy": "p",
        "rule": 'key_prefix "app/" { policy = "write" }',
    }]  # fmt: skip
    refused = by_path["PUT", "/v1/kv/other"]
    assert refused["auth"]["accessor_id"] == accessor and refused["response"] == {"status": "403"}
    assert refused["decisions"] == [
        {"access": "key:write", "name": "other", "allowed": False, "policy": "", "rule": ""}
    ]
    unknown = [one for one in complete if one["auth"]["accessor_id"] == ""]
    assert [one["response"]["status"] for one in unknown if one["request"]["endpoint"] == "/v1/kv/app/x"] == ["403"]
    assert [one["allowed"] for one in by_path["GET", "/v1/agent/self"]["decisions"]] == [False]
    assert by_path["GET", "/v1/acl/tokens"]["decisions"][0]["access"] == "acl:read"
    assert by_path["GET", "/v1/nonsense"]["response"] == {"status": "404"}
    started = {one["id"] for one in events(path) if one["stage"] == "OperationStart"}
    assert {one["id"] for one in complete} <= started and len(started) >= len(complete)


def _longer(path: Path, size: int) -> bool:
    return path.stat().st_size > size


def test_no_line_is_torn_when_the_process_is_killed(tmp_path: Path, path: Path) -> None:
    agent = served(tmp_path, path)
    agent.start()
    try:
        eventually(lambda: call(agent, "GET", "/v1/acl/token/self") == 200, "access control is ready")
        for round_ in range(3):
            stop = threading.Event()

            def work(stop: threading.Event = stop) -> None:
                while not stop.is_set():
                    try:
                        call(agent, "PUT", "/v1/kv/" + "k" * 200, "x")
                    except OSError:
                        return

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            before = path.stat().st_size
            eventually(partial(_longer, path, before + 20_000), "some were written")
            agent.kill()
            stop.set()
            for thread in threads:
                thread.join()
            assert len(events(path)) > 20 * (round_ + 1)
            agent.start()
            eventually(lambda: call(agent, "GET", "/v1/acl/token/self") == 200, "it is back")
    finally:
        agent.kill()


# ------------------------------------------------------------------ files


def rotated(path: Path, clock: Callable[[], int], **options: Any) -> RotatedFile:
    given: dict[str, Any] = {"rotate_s": 0.0, "rotate_bytes": 0, "files_max": 0, "mode": 0o600, **options}
    file = RotatedFile(path, clock_ns=clock, **given)
    file.open()
    return file


def test_files_are_rotated_by_length_and_age_and_old_ones_go(path: Path) -> None:
    now = [10**18]

    def clock() -> int:
        now[0] += 1
        return now[0]

    file = rotated(path, clock, rotate_bytes=100, rotate_s=60.0, files_max=2)
    for number in range(20):
        file.write([b"%039d\n" % number])
    assert len(list(path.parent.iterdir())) == 3
    assert path.read_bytes() == b"%039d\n" % 18 + b"%039d\n" % 19
    now[0] += 61 * 10**9
    file.write([b"new\n"])
    assert path.read_bytes() == b"new\n"
    file.write([b"x" * 500 + b"\n"])  # longer than a file: in one of its own
    file.close()
    assert path.read_bytes() == b"x" * 500 + b"\n"


def test_a_rotation_touches_nothing_of_others(path: Path) -> None:
    """Names that begin like ours are files of other sinks; the stem is no pattern."""
    now = [10**18]

    def clock() -> int:
        now[0] += 1
        return now[0]

    path = path.with_name("a[b]c.json")
    others = [path.with_name(name) for name in ("a[b]c-2.json", "a[b]c-main.json", "abc-1000000000000000001.json")]
    path.parent.mkdir()
    for other in others:
        other.write_bytes(b"theirs\n")
    file = rotated(path, clock, rotate_bytes=10, files_max=1)
    for number in range(10):
        file.write([b"%07d\n" % number])
    file.close()
    assert all(other.read_bytes() == b"theirs\n" for other in others)
    assert len(list(path.parent.iterdir())) == len(others) + 2


def test_where_nothing_can_be_renamed_the_file_grows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10**18]
    file = rotated(path, lambda: now[0], rotate_bytes=10)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    for number in range(4):
        file.write([b"%07d\n" % number])
    assert len(path.read_bytes()) == 32
    monkeypatch.undo()
    now[0] += 61 * 10**9
    file.write([b"new\n"])
    assert path.read_bytes() == b"new\n"
    file.close()


@pytest.mark.parametrize("rest", [b"", b"torn", b"t" * 200_000])
def test_what_an_earlier_life_left_unfinished_is_taken_back(path: Path, rest: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(b"whole\n" + rest)
    file = rotated(path, lambda: 1)
    file.write([b"next\n"])
    assert path.read_bytes() == b"whole\nnext\n"


@pytest.mark.parametrize("partial", [True, False])
def test_a_full_disk_leaves_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch, partial: bool) -> None:
    file = rotated(path, lambda: 1)
    file.write([b"one\n"])
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if partial:
            return write(fd, data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        file.write([b"two\n"])
    monkeypatch.undo()
    file.write([b"three\n"])
    assert path.read_bytes() == b"one\nthree\n"


# ------------------------------------------------------------------ sinks


class Disk:
    """An output that can hang and fail."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.error: OSError | None = None

    def open(self) -> None:
        return

    def write(self, lines: list[bytes]) -> None:
        self.goes_on.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.lines += lines

    def close(self) -> None:
        return


def test_best_effort_drops_and_counts() -> None:
    disk = Disk()
    sink = Sink("s", disk, enforced=False, queued_max=10)
    sink.start()
    disk.goes_on.clear()
    for number in range(100):
        sink.put(b"%d\n" % number)
    assert not sink.refuses and sink.dropped >= 80
    disk.goes_on.set()
    sink.stop()
    assert len(disk.lines) + sink.dropped == 100
    assert [int(line) for line in disk.lines] == sorted(int(line) for line in disk.lines)


def test_enforced_refuses_and_loses_nothing() -> None:
    disk = Disk()
    sink = Sink("s", disk, enforced=True, queued_max=10)
    sink.start()
    disk.error = OSError(errno.ENOSPC, "No space left on device")
    for number in range(12):
        sink.put(b"%d\n" % number)
    assert sink.refuses
    disk.error = None
    eventually(lambda: not sink.refuses, "there is room again")
    sink.stop()
    assert [int(line) for line in disk.lines] == list(range(12)) and sink.dropped == 0


def test_a_stop_writes_what_is_queued_and_does_not_wait_for_a_dead_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proconsul.agent.audit.sinks.STOP_S", 0.2)
    disk = Disk()
    sink = Sink("s", disk, enforced=True)
    sink.start()
    sink.put(b"1\n")
    sink.stop()
    assert disk.lines == [b"1\n"]
    hanging = Disk()
    hanging.goes_on.clear()
    sink = Sink("s", hanging, enforced=True)
    sink.start()
    sink.put(b"1\n")
    sink.stop()
    hanging.goes_on.set()


# ------------------------------------------------------------------ the door


class Asked:
    """Whose requests are, once it was asked."""

    def __init__(self, answers: bool) -> None:
        self.answers, self.is_known = answers, False

    def known(self, request: Request) -> bool:
        return self.is_known

    async def learn(self, request: Request) -> None:
        if not self.answers:
            await asyncio.Event().wait()
        self.is_known = True

    def is_secret(self, text: str) -> bool:
        return False

    def token_of(self, request: Request) -> ACLToken | None:
        return ACLToken(AccessorID="accessor") if self.is_known else None


@pytest.mark.parametrize("answers", [True, False])
async def test_a_client_agent_asks_whose_it_was(monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:
    """Also when it only passes requests on, and when it is told to stop; nothing is lost when nobody says it."""
    monkeypatch.setattr("proconsul.agent.audit.door.SETTLE_S", 60.0 if answers else 0.01)
    disk = Disk()
    sink = Sink("s", disk, enforced=True)
    sink.start()
    response = Response(200, b"", {})
    inner = SimpleNamespace(handle=lambda request: response)
    door = AuditedDoor(cast(Application, inner), [sink], Asked(answers))
    assert door.handle(Request("GET", "/v1/kv/x", "/v1/kv/x", "", {})) is response
    await door.settle()
    sink.stop()
    told = [json.loads(line)["payload"] for line in disk.lines]
    assert [one["stage"] for one in told] == ["OperationStart", "OperationComplete"]
    assert [one["auth"]["accessor_id"] for one in told] == ["", "accessor" if answers else ""]


@pytest.mark.parametrize("deferred", [True, False])
async def test_who_does_not_wait_is_told_of(deferred: bool) -> None:
    """What it asked for may be done all the same."""
    disk = Disk()
    sink = Sink("s", disk, enforced=True)
    sink.start()
    inner = SimpleNamespace(handle=lambda request: Deferred() if deferred else asyncio.Event().wait())
    who = Asked(True)
    who.is_known = True
    answer = AuditedDoor(cast(Application, inner), [sink], who).handle(Request("PUT", "/v1/kv/x", "/v1/kv/x", "", {}))
    if isinstance(answer, Deferred):
        answer.cancel()
    else:
        task = asyncio.ensure_future(cast(Coroutine[Any, Any, Response], answer))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    sink.stop()
    told = [json.loads(line)["payload"] for line in disk.lines]
    assert [one["stage"] for one in told] == ["OperationStart", "OperationComplete"]
    assert told[1]["response"] == {"status": "", "error": "the client did not wait for it"}


# ------------------------------------------------------------------ configuration

BAD = [
    ({"enabled": True}, "audit.sink must be set when audit.enabled is true"),
    ({"enabled": True, "sink": {"a": {"type": "file"}}}, 'audit.sink["a"].path must be set for a file'),
    ({"enabled": True, "sink": {"a": {"type": "syslog"}}}, '.type must be one of "file", "stdout", "plugin"'),
    ({"enabled": True, "sink": {"a": {"type": "plugin"}}}, ".plugin must be the name of a plug-in"),
    ({"enabled": True, "sink": {"a": {"type": "plugin", "plugin": 1}}}, ".plugin must be the name of a plug-in"),
    ({"enabled": True, "sink": {"a": {"type": "plugin", "plugin": "x", "plugin_config": 1}}}, ".plugin_config must be"),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "plugin": "x"}}}, 'need the type "plugin"'),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "delivery_guarantee": "x"}}}, ".delivery_guarantee must be"),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "rotate_bytes": "many"}}}, ".rotate_bytes must be a number"),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "rotate_duration": "soon"}}}, "invalid duration"),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "mode": "rw"}}}, ".mode must be permissions"),
    ({"enabled": True, "sink": {"a": {"type": "stdout", "pat": ""}}}, 'has an unknown key "pat"'),
    ({"enabled": True, "sink": {"a": 5}}, "must be a block"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "text"), BAD)
def test_a_block_that_makes_no_sense_is_refused(block: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)):
        load({"dev": True, "audit": block})


def test_a_labelled_block_of_hcl(tmp_path: Path) -> None:
    file = tmp_path / "c.hcl"
    file.write_text('audit { enabled = true sink "My sink" { type = "file" path = "a.json" rotate_bytes = 5 } }')
    config, warnings = load({"dev": True, "config_files": [str(file)]})
    [sink] = config.fixed.audit.sinks
    assert (sink.name, sink.path, sink.rotate_bytes, sink.rotate_s) == ("My sink", "a.json", 5, 86400.0)
    assert not any("audit" in warning for warning in warnings)


async def test_a_file_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="failed to open the audit log: sink=main"):
        async with asyncio.timeout(PATIENCE_S):
            async with AgentInLoop(settings(tmp_path / "file" / "audit.json")):
                pass
