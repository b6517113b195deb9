"""Fixtures for pools in which our agents live with Consul 1.8.7 and serf 0.9.4."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.harness import Subject
from support.pools import KEYS, Pool, require_reference


def _begin_mixed(pool: Pool) -> None:
    """Three agents of each program, one of them a server, and serf."""
    for subject, name in ((Subject.REFERENCE, "ref"), (Subject.OURS, "our")):
        for number in (1, 2, 3):
            pool.add_consul(f"{name}{number}", subject, server=number == 1)
    pool.add_serf("serf1")
    pool.join_all()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool in the clear."""
    require_reference()
    with Pool(tmp_path_factory.mktemp("plain")) as pool:
        _begin_mixed(pool)
        yield pool


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool under one key."""
    require_reference()
    with Pool(tmp_path_factory.mktemp("encrypted"), KEYS[0]) as pool:
        _begin_mixed(pool)
        yield pool
