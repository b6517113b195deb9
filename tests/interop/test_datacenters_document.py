"""docs/datacenters.md is run as it stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.pages import OURS, run_page

pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs all of 127.0.0.0/8")


def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    run_page("datacenters.md", tmp_path, {"consul": OURS})
