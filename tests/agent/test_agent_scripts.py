"""Golden scripts: ``AGENT_REWRITE=1 pytest tests/agent/test_agent_scripts.py`` writes the traces anew.

A changed trace must be explained in the commit which changes it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from agent_script import Script
from part_script import PartScript

HERE = Path(__file__).parent / "testdata"
SCRIPTS = sorted(path for path in HERE.glob("*.txt") if not path.stem.startswith("parts"))
PARTS = sorted(HERE.glob("parts*.txt"))


async def replay(path: Path, run: Callable[[str], Awaitable[str]]) -> None:
    blocks = [block.partition("\n----\n") for block in path.read_text().strip("\n").split("\n\n")]
    traces = []
    for commands, _, _ in blocks:
        code = "\n".join(line for line in commands.split("\n") if not line.startswith("#") and line != "----")
        traces.append((commands.removesuffix("\n----"), await run(code)))
    written = "\n\n".join(f"{commands}\n----\n{trace}" for commands, trace in traces) + "\n"
    if os.environ.get("AGENT_REWRITE"):
        path.write_text(written)
    assert path.read_text() == written


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_what_is_registered(path: Path, tmp_path: Path) -> None:
    await replay(path, Script(tmp_path).run)


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
async def test_what_parts_go_through(path: Path) -> None:
    await replay(path, PartScript().run)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 5 and len(PARTS) >= 3
