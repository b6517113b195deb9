"""User events as servers are asked for them."""

from __future__ import annotations

from proconsul.features.base import QueryMeta, QueryOptions
from proconsul.features.server import CallMethod


class EventFireRequest(QueryOptions, frozen=True, kw_only=True):
    """``Payload``: the event as it travels in the pool."""

    Datacenter: str = ""
    Name: str = ""
    Payload: bytes = b""


FIRE = CallMethod("Internal.EventFire", EventFireRequest, QueryMeta, anywhere=True)
