"""docs/access-control.md is run as it stands."""

from __future__ import annotations

from pathlib import Path

from support.documents import run_page


def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    run_page("access-control.md", tmp_path, "server.log")
