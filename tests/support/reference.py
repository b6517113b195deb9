"""The real Consul: where it is, and what happens to tests that need it where it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parents[2]
MISSING = "NO REFERENCE: set PROCONSUL_REFERENCE to Consul 1.8.7, or run scripts/fetch_reference.py"


def reference_path() -> Path | None:
    """The program that $PROCONSUL_REFERENCE names, else the fetched one; None when it cannot be run."""
    path = Path(os.environ.get("PROCONSUL_REFERENCE") or REPOSITORY / ".reference" / "usr" / "bin" / "consul")
    return path if os.access(path, os.X_OK) else None


def require_reference() -> Path:
    """The program. Without it the test is skipped, or fails where $REQUIRE_REFERENCE is set."""
    path = reference_path()
    if path is None:
        without_reference(MISSING)
    return path


def without_reference(reason: str) -> NoReturn:
    """Skip a test for what it lacks to compare with; fail where $REQUIRE_REFERENCE says that it must be there."""
    import pytest  # not needed by those who only look for the program

    if os.environ.get("REQUIRE_REFERENCE"):
        pytest.fail(f"{reason} (REQUIRE_REFERENCE is set)", pytrace=False)
    pytest.skip(reason)
