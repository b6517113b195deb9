"""A member may be made to leave by any name it has; the same node name in another datacenter is another member."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proconsul.agent.gossip.pools import Pools


class Pool:
    def __init__(self, *names: str) -> None:
        self.names = names
        self.left: list[tuple[str, bool]] = []

    def members(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self.names]

    async def force_leave(self, name: str, *, prune: bool) -> bool:
        self.left.append((name, prune))
        return name in self.names


@pytest.mark.parametrize(
    ("name", "lan", "wan"),
    [
        ("s1", "s1", "s1.dc1"),
        ("s1.dc1", "s1", "s1.dc1"),
        ("s1.dc2", None, "s1.dc2"),
        ("far.dc2", None, "far.dc2"),
        ("far", None, None),
        ("client", "client", None),
        ("client.dc1", "client", None),
        ("client.dc2", None, None),
        ("dotted.dc1", "dotted.dc1", "dotted.dc1.dc1"),  # a node may be called like this
        ("dotted.dc1.dc1", "dotted.dc1", "dotted.dc1.dc1"),
        ("s1.dc3", None, None),
        ("", None, None),
        (".dc1", None, None),
    ],
)
@pytest.mark.parametrize("is_server", [True, False])
async def test_names(name: str, lan: str | None, wan: str | None, is_server: bool) -> None:
    pools: Any = Pools.__new__(Pools)
    pools._config = SimpleNamespace(datacenter="dc1")
    pools.lan = Pool("s1", "client", "dotted.dc1")
    pools.wan = Pool("s1.dc1", "s1.dc2", "far.dc2", "dotted.dc1.dc1") if is_server else None
    wan = wan if is_server else None
    assert await pools.force_leave(name, prune=True) is (lan is not None or wan is not None)
    assert pools.lan.left == ([(lan, True)] if lan is not None else [])
    if pools.wan is not None:
        assert pools.wan.left == ([(wan, True)] if wan is not None else [])
