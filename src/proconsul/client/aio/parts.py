"""The groups of a client that what is built over it calls."""

from __future__ import annotations

from typing import NamedTuple

from proconsul.client.aio.agent import AsyncAgent
from proconsul.client.aio.caller import AsyncCaller
from proconsul.client.aio.catalog import AsyncHealth
from proconsul.client.aio.kv import AsyncKV
from proconsul.client.aio.session import AsyncSessions

__all__ = ["AsyncParts"]


class AsyncParts(NamedTuple):
    """Of one client."""

    caller: AsyncCaller
    kv: AsyncKV
    session: AsyncSessions
    agent: AsyncAgent
    health: AsyncHealth
