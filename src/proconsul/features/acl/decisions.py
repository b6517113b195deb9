"""Decisions as they are made, for those who keep record of them; nothing is kept where nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from proconsul.features.acl.authorizer import Authorizer, Decision
from proconsul.features.acl.rules import Level

# What one request may add; a list of ten thousand keys is one decision, a transaction as many as it has operations.
DECIDED_MAX = 128


class Decided(NamedTuple):
    """What was asked for, and the answer."""

    resource: str
    access: str
    name: str
    decision: Decision


_collecting: ContextVar[list[Decided] | None] = ContextVar("decided", default=None)


@contextmanager
def collecting(into: list[Decided] | None = None) -> Iterator[list[Decided]]:
    """Collect the decisions that are made within, also by tasks that are begun within."""
    found: list[Decided] = [] if into is None else into
    token = _collecting.set(found)
    try:
        yield found
    finally:
        _collecting.reset(token)


def recorded(authorizer: Authorizer) -> Authorizer:
    """``authorizer``, keeping record of what it decides where decisions are collected."""
    found = _collecting.get()
    return authorizer if found is None else _Recorded(authorizer, found)


class _Recorded(Authorizer):
    """The same decisions, with a record."""

    __slots__ = ("_found",)

    def __init__(self, authorizer: Authorizer, found: list[Decided]) -> None:
        self.everything = authorizer.everything
        self._default, self._bare, self._names = authorizer._default, authorizer._bare, authorizer._names
        self._found = found

    def decide(self, resource: str, need: Level, name: str = "") -> Decision:
        return self._record(resource, need.name.lower(), name, super().decide(resource, need, name))

    def decide_tree(self, prefix: str) -> Decision:
        return self._record("key", "write-prefix", prefix, super().decide_tree(prefix))

    def _record(self, resource: str, access: str, name: str, decision: Decision) -> Decision:
        if len(self._found) < DECIDED_MAX:
            self._found.append(Decided(resource, access, name, decision))
        return decision
