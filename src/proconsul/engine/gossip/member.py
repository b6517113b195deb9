"""Members of a gossip pool as serf shows them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class MemberStatus(IntEnum):
    """serf's member states; the number is the Status of /v1/agent/members."""

    NONE = 0
    ALIVE = 1
    LEAVING = 2
    LEFT = 3
    FAILED = 4


class Member(NamedTuple):
    """One member of a gossip pool."""

    name: str
    address: str
    port: int
    tags: Mapping[str, str]
    status: MemberStatus = MemberStatus.ALIVE
    protocol: tuple[int, int, int] = (1, 5, 2)  # min, max, current
    delegate: tuple[int, int, int] = (2, 5, 4)
