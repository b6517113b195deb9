"""What is asked of the next read beside its arguments, and what it said of itself. Pure.

So `with_meta` and `watch` work with every method that reads, whatever its arguments: they set an `Ask` for the calls
that are made while it is set, in this task or thread alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["ASKED", "Ask", "Meta", "Result", "meta_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Meta:
    """What an answer says of itself.

    ``index``: what a later read can wait for, 0 if none. ``last_contact_s``: how long ago the server that answered had
    heard from its leader. ``known_leader``: whether there is one. ``cache``: HIT, MISS or empty where no cache was
    asked, ``cache_age_s``: how old what it had is. ``consistency``: how servers of 1.10 and later have read.
    ``filtered``: whether rights hid something (1.11).
    """

    index: int = 0
    last_contact_s: float = 0.0
    known_leader: bool = True
    cache: str = ""
    cache_age_s: float = 0.0
    consistency: str = ""
    filtered: bool = False


class Result(NamedTuple, Generic[T]):
    """An answer with what it says of itself."""

    value: T
    meta: Meta


@dataclass(slots=True)
class Ask:
    """``index``: wait for something newer, 0 to not wait; ``wait_s``: how long. ``meta``: filled by the answer."""

    index: int = 0
    wait_s: float | None = None
    meta: Meta | None = None


ASKED: Final[ContextVar[Ask | None]] = ContextVar("proconsul_client_ask", default=None)


def meta_of(headers: Mapping[str, str]) -> Meta:
    """What the headers of an answer say, names in small letters; what is none of it counts as not said."""
    return Meta(
        _number(headers.get("x-consul-index", "")),
        _number(headers.get("x-consul-lastcontact", "")) / 1000,
        headers.get("x-consul-knownleader", "true") == "true",
        headers.get("x-cache", ""),
        float(_number(headers.get("age", ""))),
        headers.get("x-consul-effective-consistency", ""),
        headers.get("x-consul-results-filtered-by-acls", "") == "true",
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
