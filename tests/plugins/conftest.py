"""Distributions with plug-ins, for one test each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.distributions import FakeDistributions


@pytest.fixture
def distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDistributions]:
    folder = tmp_path / "site"
    folder.mkdir()
    found = FakeDistributions(folder, monkeypatch)
    yield found
    found.forget()
