"""A part of a real agent that cannot start, is cut short in its start, or cannot stop: nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.agent import Agent
from proconsul.agent.config import load
from proconsul.agent.part import Part
from proconsul.testing.ports import free_port
from support.patience import PATIENCE_S

NAMES = (
    "WebSettings", "LastConnections", "Opening", "PluginService", "Audit", "Pools", "Serving", "RegistrationService",
    "HttpService", "AntiEntropy", "DnsService", "Watches", "CoordinateSender", "RemoteExec", "CertificateWatch",
    "Measure", "MetricsSinks", "Reaper", "PidFile", "Joining",
)  # fmt: skip


class House:
    """What an agent takes of its machine."""

    def __init__(self, directory: Path) -> None:
        self.pid_file = directory / "pid"
        self.unix = directory / "http.sock"
        self.ports = {name: free_port() for name in ("http", "dns", "server", "serf_lan", "serf_wan")}
        self.config, _ = load({
            "node_name": "n1", "server": True, "bootstrap": True, "bind_addr": "127.0.0.1", "log_level": "err",
            "data_dir": str(directory / "data"), "ports": self.ports, "pid_file": str(self.pid_file),
            "performance": {"raft_multiplier": 1}, "addresses": {"http": f"127.0.0.1 unix://{self.unix}"},
            "service": {"name": "web", "check": {"tcp": "127.0.0.1:1", "interval": "1h"}},
            "watches": [{"type": "nodes", "args": ["true"]}],
        })  # fmt: skip

    async def left(self) -> list[str]:
        """What is still taken, when nothing changes any more."""
        async with asyncio.timeout(PATIENCE_S):
            while found := self._left():
                await asyncio.sleep(0.01)
                if found == self._left() and "tasks" not in "".join(found):
                    break
        return found

    def _left(self) -> list[str]:
        found = []
        for name, port in self.ports.items():
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind(("127.0.0.1", port))
                    except OSError:
                        found.append(name)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        found += [f"tasks {task.get_coro()}" for task in tasks if not task.done()]
        found += [thread.name for thread in threading.enumerate() if thread.name.startswith("files-")]
        return found + ([str(self.unix)] if self.unix.exists() else [])


def part_of(agent: Agent, name: str) -> Part:
    return next(part for part in agent._parts._parts if type(part).__name__ == name)


def broken_start(part: Part, how: str) -> asyncio.Event:
    """Have the part's start go wrong before it does anything, after it has done all, or never come to its end; then
    the event is set."""
    start: Any = part.start
    reached = asyncio.Event()

    async def replaced() -> None:
        if how != "before":
            await start()
        reached.set()
        if how == "hangs":
            await asyncio.Event().wait()
        raise OSError(5, "Input/output error")

    part.start = replaced  # type: ignore[method-assign]
    return reached


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_is_left_of_a_start_that_fails(name: str, tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pid_file.write_text("4711")  # of somebody else
    for how in ("before", "after", "hangs"):
        agent = Agent(house.config)
        reached = broken_start(part_of(agent, name), how)
        starting = asyncio.ensure_future(agent.start())
        if how == "hangs":
            async with asyncio.timeout(PATIENCE_S):
                await reached.wait()
            starting.cancel()
        with pytest.raises((OSError, asyncio.CancelledError)):
            await starting
        await agent.stop()
        assert await house.left() == [], how
        kept = "4711" if NAMES.index(name) < NAMES.index("PidFile") or (name, how) == ("PidFile", "before") else None
        assert (house.pid_file.read_text() if house.pid_file.exists() else None) == kept
        house.pid_file.write_text("4711")
    agent = Agent(house.config)  # the directory is free, and whole
    await agent.start()
    assert house.pid_file.read_text() == str(os.getpid())
    await agent.stop()
    assert await house.left() == [] and not house.pid_file.exists()


async def test_parts_that_cannot_stop_keep_no_other_from_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path)
    agent = Agent(house.config)
    await agent.start()
    for name in NAMES:
        part = part_of(agent, name)

        async def stop(real: Any = part.stop) -> None:
            await real()
            raise RuntimeError("no end")

        part.stop = stop  # type: ignore[method-assign]
    await agent.stop()
    assert await house.left() == []
    # In the reverse order of their start.
    said = [record.getMessage() for record in caplog.records if "failed to stop" in record.getMessage()]
    assert said == [f"failed to stop: part={name}" for name in reversed(NAMES)]


def test_the_list_of_parts_is_whole(tmp_path: Path) -> None:
    async def names() -> list[str]:
        agent = Agent(House(tmp_path).config)
        kinds = [type(part) for part in agent._parts._parts]
        return [kind.__name__ for kind in kinds if kind.start is not Part.start or kind.stop is not Part.stop]

    assert asyncio.run(names()) == list(NAMES)
