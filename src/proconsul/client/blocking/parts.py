# Made by scripts/make_blocking_client.py of ../aio/parts.py: change that one.
"""The groups of a client that what is built over it calls."""

from __future__ import annotations

from typing import NamedTuple

from proconsul.client.blocking.agent import Agent
from proconsul.client.blocking.caller import Caller
from proconsul.client.blocking.catalog import Health
from proconsul.client.blocking.kv import KV
from proconsul.client.blocking.session import Sessions

__all__ = ["Parts"]


class Parts(NamedTuple):
    """Of one client."""

    caller: Caller
    kv: KV
    session: Sessions
    agent: Agent
    health: Health
