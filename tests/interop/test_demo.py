"""``make demo``: it starts, what it offers to try can be tried, and it leaves nothing behind."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.harness import eventually
from support.processes import is_alive

DEMO = Path(__file__).parents[2] / "scripts" / "demo.py"
START_TIMEOUT_S = 180.0
COMMAND_TIMEOUT_S = 120.0


class Demo:
    """The program, and what it has printed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(DEMO)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines += []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def ready(self) -> bool:
        assert self.process.poll() is None, "\n".join(self.lines)
        return any("Ctrl-C ends" in line for line in self.lines)


@contextmanager
def running() -> Iterator[tuple[Demo, list[int]]]:
    """The demonstration, up, and the processes of its agents; then it is ended, and must leave nothing behind."""
    demo, pids, text = Demo(), [], ""
    try:
        eventually(demo.ready, "everything is up", START_TIMEOUT_S)
        text = "\n".join(demo.lines)
        pids = [int(found) for found in re.findall(r"^\S+ +(?:east|west) +http\S+ +\S+ +(\d+) ", text, re.MULTILINE)]
        assert len(pids) == 8 and all(map(is_alive, pids)), text
        yield demo, pids
    finally:
        demo.process.send_signal(signal.SIGINT)
        code = demo.process.wait(60)
    assert code == 0
    eventually(lambda: not any(map(is_alive, pids)), "nothing is left")
    folder = re.search(r"logs are in (\S+)", text)
    assert folder is not None and not Path(folder[1]).exists()


@pytest.mark.long
def test_it_starts_and_ends_and_leaves_nothing() -> None:
    with running() as (demo, _):
        assert len([line for line in demo.lines if re.match(r"[1-6]\. ", line)]) == 6


@pytest.mark.long
def test_what_it_offers_can_be_tried() -> None:
    with running() as (demo, _):
        said = {}
        for command in [line[2:] for line in demo.lines if line.startswith("$ ")]:
            if command.startswith("dig ") and shutil.which("dig") is None:
                continue
            done = subprocess.run(
                command, shell=True, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said[command] = done.stdout
        answers = "\n".join(said.values())
        for expected in ("from the east", "I have the lock", '"Datacenter": "west"', '"Failovers": 1', "failed"):
            assert expected in answers, f"{expected} is nowhere in {said}"
