"""Where it is tested how programs start and end, they start in full, at least the first time."""

from __future__ import annotations

import pytest

from support.harness import Agent

IN_FULL = ("test_faults_config.py", "test_faults_signals.py")


@pytest.fixture(autouse=True)
def _started_in_full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.name in IN_FULL:
        monkeypatch.setattr(Agent, "preloaded", False)
