"""How programs start and end is what is tested here, so they start in full."""

from __future__ import annotations

import pytest

from support.harness import Agent


@pytest.fixture(autouse=True)
def _started_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agent, "preloaded", False)
