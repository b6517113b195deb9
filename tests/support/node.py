"""Node and what `scripts/fetch_node_tools.py` has fetched from npm; and what happens to tests where they are not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "src" / "proconsul" / "ui" / "static"
# What it is built from.
PAGE = REPOSITORY / "src" / "proconsul" / "ui" / "page"
TOOLS = REPOSITORY / ".node"


def without_browser(reason: str) -> NoReturn:
    """Skip a test for what it lacks to try the page with; fail where $REQUIRE_BROWSER says that it must be there."""
    import pytest  # not needed by those who only look for the programs

    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"{reason} (REQUIRE_BROWSER is set)", pytrace=False)
    pytest.skip(reason)


def require_node() -> str:
    """The program. Without it the test is skipped, or fails where $REQUIRE_BROWSER is set."""
    path = shutil.which("node")
    if path is None:
        without_browser("NO NODE: install nodejs")
    return path


def require_packages() -> Path:
    """The folder of fetched packages; without it as `require_node`."""
    if not (TOOLS / "fetched").is_file():
        without_browser("NO PACKAGES OF NODE: run scripts/fetch_node_tools.py where npm is")
    return TOOLS / "node_modules"
