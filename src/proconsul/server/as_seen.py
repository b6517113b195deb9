"""Reads as they are seen by those who may not see everything."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from proconsul.features.filtering import Chosen
from proconsul.features.permission import Permission
from proconsul.features.server import Read


class AsSeen:
    """A read as some may see its value; ``left_out``: whether the last value was not all there is."""

    __slots__ = ("_permission", "_read", "_sees", "left_out")

    def __init__(self, permission: Permission, read: Read, sees: Hashable) -> None:
        self._permission, self._read, self._sees = permission, read, sees
        self.left_out = False

    def __call__(self, watch: Any) -> tuple[int, Any]:
        run = self._read.run
        index, value = run.rows(watch) if isinstance(run, Chosen) else run(watch)
        value, self.left_out = self._permission.visible(self._read.method, value, self._sees)
        return index, run.choose(value) if isinstance(run, Chosen) else value


def left_out(run: Any) -> bool:
    """Whether the last value of a read was not all there is."""
    return isinstance(run, AsSeen) and run.left_out
