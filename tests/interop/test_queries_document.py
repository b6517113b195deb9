"""docs/queries.md is run as it stands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from support.pages import OURS, run_page

pytestmark = [
    pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs all of 127.0.0.0/8"),
    pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig"),
]


def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    run_page("queries.md", tmp_path, {"consul": OURS})
