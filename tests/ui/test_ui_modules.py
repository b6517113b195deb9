"""The page's modules that need no browser, tried in node by the files in ``tests/ui/node``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.node import PAGE, require_node
from support.patience import PATIENCE_S

CASES = Path(__file__).resolve().parent / "node"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and its tests where node takes every file for a module, as a browser does; older ones must be told."""
    require_node()
    folder = tmp_path_factory.mktemp("node")
    shutil.copytree(PAGE, folder / "page")
    shutil.copytree(CASES, folder / "node")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("*.test.js")))
def test_module(copied: Path, name: str) -> None:
    done = subprocess.run(
        [require_node(), "--test", "--test-reporter=tap", f"node/{name}"],
        cwd=copied, capture_output=True, text=True, timeout=5 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "# pass 0" not in done.stdout
