"""Who waits with which token, so that they are told when what it may do changes."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Protocol

from proconsul.engine.completion import undisturbed
from proconsul.engine.store.watch import WatchRegistry, WatchSet
from proconsul.features.permission import Permission


class Bearer(Protocol):
    """Somebody who waits with a token."""

    def rights_changed(self) -> None:
        """What the token may do may be something else now."""


class Bearers:
    """All who wait. However many have one token, it is watched once."""

    def __init__(self, permission: Permission, watches: WatchRegistry) -> None:
        self.permission, self.watches = permission, watches
        self._groups: dict[str, _Group] = {}

    def join(self, token: str, bearer: Bearer) -> None:
        """Tell ``bearer`` from now on."""
        group = self._groups.get(token)
        if group is None:
            group = self._groups[token] = _Group(self, token)
        group.bearers[bearer] = None

    def leave(self, token: str, bearer: Bearer) -> None:
        """It does not wait any more."""
        group = self._groups.get(token)
        if group is None or bearer not in group.bearers:
            return
        del group.bearers[bearer]
        if not group.bearers:
            group.end()
            del self._groups[token]


class _Group:
    """Those with one token."""

    __slots__ = ("_hub", "_keys", "_scheduled", "_token", "bearers")

    def __init__(self, hub: Bearers, token: str) -> None:
        self._hub, self._token = hub, token
        self.bearers: dict[Bearer, None] = {}
        self._scheduled = False
        self._keys: set[Hashable] = set()
        self._subscribe()

    def _subscribe(self) -> None:
        watch = WatchSet()
        self._hub.permission.watch(self._token, watch)
        self._hub.watches.unsubscribe(self, self._keys - watch.keys)
        self._hub.watches.subscribe(self, watch.keys - self._keys)
        self._keys = watch.keys

    def end(self) -> None:
        self._hub.watches.unsubscribe(self, self._keys)
        self._keys = set()

    def changed(self) -> None:
        """See `engine.store.watch.Watcher`: the write that is being applied comes to its end first."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._scheduled = False
        if not self.bearers:
            return
        self._subscribe()
        for bearer in list(self.bearers):
            undisturbed(bearer.rights_changed)
