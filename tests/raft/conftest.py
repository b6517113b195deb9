"""Servers that share a loop do not take its pauses for each other's silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from support.steady import SteadyLoop


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], SteadyLoop]]:
    return {"steady": SteadyLoop}
