"""docs/access-control.md is run as it stands: its files are written, its commands are executed in their order."""

from __future__ import annotations

from pathlib import Path

from support.pages import run_page_of_one_agent


def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    run_page_of_one_agent("access-control.md", tmp_path)
