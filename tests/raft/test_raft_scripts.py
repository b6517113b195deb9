"""Golden interaction scripts: ``RAFT_REWRITE=1 pytest tests/raft/test_raft_scripts.py`` writes the traces anew.

A changed trace must be explained in the commit which changes it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from raft_script import Script

SCRIPTS = sorted((Path(__file__).parent / "testdata").glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    blocks = [block.partition("\n----\n") for block in path.read_text().strip("\n").split("\n\n")]
    script = Script()
    traces = []
    for commands, _, _ in blocks:
        code = "\n".join(line for line in commands.split("\n") if not line.startswith("#") and line != "----")
        traces.append((commands.removesuffix("\n----"), script.run(code)))
    written = "\n\n".join(f"{commands}\n----\n{trace}" for commands, trace in traces) + "\n"
    if os.environ.get("RAFT_REWRITE"):
        path.write_text(written)
    assert path.read_text() == written


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 8
