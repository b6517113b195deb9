"""``consul exec``: jobs, what comes of them, and both command lines against both agents."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.hooks.events import UserEvent
from proconsul.agent.hooks.kv_port import ServerKV
from proconsul.agent.hooks.remote_exec import EVENT, JOBS_MAX, PIECE_BYTES, RemoteExec
from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop
from support.harness import Agent, Subject
from support.patience import PATIENCE_S

SESSION = "5a3ae8a3-4b7c-4b5f-9d58-0c6b0cf9b7b2"


class Store:
    """A KV store; ``holds`` says whether the session still does, ``fails`` that there is no leader."""

    def __init__(self, job: object = None) -> None:
        self.values: dict[str, bytes] = {}
        if job is not None:
            self.values[f"_rexec/{SESSION}/job"] = job if isinstance(job, bytes) else json.dumps(job).encode()
        self.written: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.holds, self.fails = True, False

    async def read(self, key: str) -> bytes | None:
        if self.fails:
            raise ConsulError("No cluster leader")
        return self.values.get(key)

    async def acquire(self, key: str, value: bytes, session: str) -> bool:
        assert session == SESSION
        if self.holds:
            self.written.put_nowait((key.removeprefix(f"_rexec/{SESSION}/n1/"), value))
        return self.holds

    async def until(self, name: str) -> list[tuple[str, bytes]]:
        """What is written until ``name`` is."""
        found = [await self.written.get()]
        while found[-1][0] != name:
            found.append(await self.written.get())
        return found


def event(payload: bytes | None = None) -> UserEvent:
    call = {"Prefix": "_rexec", "Session": SESSION, "Unknown": 1}
    return UserEvent(ID="e1", Name=EVENT, Payload=json.dumps(call).encode() if payload is None else payload)


async def answers(job: object) -> list[tuple[str, bytes]]:
    store = Store(job)
    remote = RemoteExec(store, "n1", enabled=True)
    remote.received(event())
    found = await store.until("exit")
    await remote.stop()
    return found


@pytest.mark.parametrize(
    ("job", "output", "code"),
    [
        ({"Command": "echo hi; echo bad >&2; exit 3", "Wait": 10**10}, b"hi\nbad\n", b"3"),
        ({"Args": ["printf", "%s-%s", "a b", "$HOME"], "Wait": 10**10}, b"a b-$HOME", b"0"),
        ({"Script": b64encode(b"#!/bin/sh\necho $#; exit 7\n").decode(), "Wait": 10**10}, b"0\n", b"7"),
        ({"Command": "kill -9 $$", "Wait": 10**10}, b"", b"-1"),
        ({"Args": ["/nonexistent"], "Unknown": [], "Wait": 10**10}, b"", b"255"),
        ({"Args": ["a\x00b"], "Wait": 10**10}, b"", b"255"),
        ({"Command": "cat; echo end", "Script": None, "Wait": 10**10}, b"end\n", b"0"),
    ],
)
async def test_jobs(job: object, output: bytes, code: bytes) -> None:
    found = await answers(job)
    assert found[0] == ("ack", b"")
    assert b"".join(value for name, value in found[1:-1]) == output
    assert found[-1] == ("exit", code)


async def test_output_goes_in_pieces_of_four_kibibytes() -> None:
    found = await answers({"Command": f"head -c {PIECE_BYTES * 17 + 5} /dev/zero", "Wait": 10**10})
    assert [name for name, _ in found[1:-1]] == [f"out/{number:05x}" for number in range(18)]
    assert [len(value) for _, value in found[1:-1]] == [PIECE_BYTES] * 17 + [5]


async def test_a_silent_program_is_reported_alive() -> None:
    found = await answers({"Command": "read line", "Wait": 0, "Args": ["sh", "-c", "sleep 0.35; echo end"]})
    pieces = [value for _, value in found[1:-1]]
    assert pieces[-1] == b"end\n"
    assert pieces[:-1] and set(pieces[:-1]) == {b""}


async def test_output_is_told_while_the_program_runs(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    store = Store({"Command": f"echo early; cat {fifo}", "Wait": 10**10})
    remote = RemoteExec(store, "n1", enabled=True)
    remote.received(event())
    assert (await store.until("out/00000"))[-1] == ("out/00000", b"early\n")
    await asyncio.to_thread(fifo.write_bytes, b"late\n")
    assert await store.until("exit") == [("out/00001", b"late\n"), ("exit", b"0")]


async def test_scripts_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = await answers({"Script": b64encode(b"#!/bin/sh\necho $0; stat -c %a $0").decode(), "Wait": 10**10})
    path, mode = found[1][1].decode().split()
    assert path.startswith(f"{tmp_path}/rexec") and mode == "750"
    assert list(tmp_path.iterdir()) == []


REFUSED: list[tuple[object, bytes | None, str]] = [
    (None, None, "remote exec aborted, job spec missing"),
    (None, b"{}", "remote exec aborted, job spec missing"),
    (None, b"x", "failed to decode remote exec event: "),
    (b"junk", None, "failed to decode remote exec spec: "),
    ({"Command": 5}, None, "failed to decode remote exec spec: "),
]


@pytest.mark.parametrize(("job", "payload", "text"), REFUSED)
async def test_what_is_no_job(job: object, payload: bytes | None, text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "agent")
    store = Store(job)
    remote = RemoteExec(store, "n1", enabled=True)
    remote.received(event(payload))
    while remote._running:
        await asyncio.sleep(0)
    assert store.written.empty()
    assert caplog.records[-1].getMessage().startswith(text)


async def test_without_leader_or_session_nothing_runs(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    store = Store({"Command": f"touch {tmp_path}/ran"})
    remote = RemoteExec(store, "n1", enabled=True)
    for store.holds, store.fails, text in (
        (True, True, 'failed to get remote exec job: error="No cluster leader"'),
        (False, False, 'failed to ack remote exec job: error="lock is taken"'),
    ):
        remote.received(event())
        while remote._running:
            await asyncio.sleep(0)
        assert caplog.records[-1].getMessage() == text
    assert list(tmp_path.iterdir()) == []


async def test_off_unless_configured(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "agent")
    remote = RemoteExec(Store({"Command": "true"}), "n1", enabled=False)
    remote.received(event())
    assert not remote._running
    assert [record.getMessage() for record in caplog.records] == [
        "ignoring remote exec event, disabled.: event_name=_rexec event_id=e1"
    ]


async def test_programs_are_bounded_and_end_with_the_agent(caplog: pytest.LogCaptureFixture) -> None:
    store = Store({"Command": "echo $$; sleep 100 & sleep 100", "Wait": 10**12})
    remote = RemoteExec(store, "n1", enabled=True)
    for _ in range(JOBS_MAX + 1):
        remote.received(event())
    assert "too many jobs are running" in caplog.records[-1].getMessage()
    groups = [int((await store.until("out/00000"))[-1][1]) for _ in range(JOBS_MAX)]
    assert all(os.getpgid(group) == group for group in groups)
    await remote.stop()
    for group in groups:
        async with asyncio.timeout(PATIENCE_S):
            while _alive(group):
                await asyncio.sleep(0.01)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(state not in "ZX" for state in _states(group))


def _states(group: int) -> list[str]:
    """The states of the group's processes: killed ones may wait for a parent that never asks."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append(fields[0])
    return found


async def _printed(
    program: list[str], address: str, line: list[str], script: bytes | None
) -> tuple[int | None, list[str]]:
    process = await asyncio.create_subprocess_exec(
        *program, "exec", "-wait", "1500ms", *line, env={**os.environ, "CONSUL_HTTP_ADDR": address},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate(script)
    # Whether the exit code is read along with the last piece of output, and then before it, is a matter of luck.
    return process.returncode, sorted(out.decode().splitlines())


LINES: list[tuple[list[str], bytes | None]] = [
    (["echo hi; echo bad >&2; exit 3"], None),
    (["-shell=false", "echo", "a  b", "$HOME"], None),
    (["-"], b"#!/bin/sh\necho from a script; exit 1\n"),
    (["-shell=false", "/nonexistent"], None),
    (["sleep 3.2; echo late"], None),
    (["head -c 10000 /dev/zero | tr '\\0' x"], None),
    (["kill -9 $$"], None),
    (["-node", "other", "true"], None),
]


@pytest.mark.reference
async def test_both_command_lines_with_both_agents(reference_binary: Path, start_agent: Callable[..., Agent]) -> None:
    theirs = await asyncio.to_thread(start_agent, "-hcl", "disable_remote_exec = false", subject=Subject.REFERENCE)
    async with AgentInLoop({"node_name": "n1"}, listen=True) as ours:
        remote = RemoteExec(ServerKV(ours.agent.node, lambda: ""), "n1", enabled=True)
        ours.agent.events.divert(EVENT, remote.received)
        programs = ([str(reference_binary)], [sys.executable, "-m", "proconsul"])

        async def differences(line: list[str], script: bytes | None) -> list[Any]:
            found = await asyncio.gather(*(
                _printed(program, address, line, script)
                for program in programs for address in (theirs.address, ours.http_address)
            ))  # fmt: skip
            return [] if found == [found[0]] * 4 else [line, *found]

        # All at once, as they only listen most of the time. How long they do is real time, so that what differs on a
        # busy machine is asked again, alone.
        shown = await asyncio.gather(*(differences(line, script) for line, script in LINES))
        for different, (line, script) in zip(shown, LINES, strict=True):
            for _ in range(3):
                if different:
                    different = await differences(line, script)
            assert not different
        body = (await ours.request("GET", "/v1/event/list")).body
        await remote.stop()
    assert json.loads(body) == []
