"""The KV store as parts of the agent reach it, and that port on a server in the same process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from proconsul.features.kv.endpoint import APPLY, KVS
from proconsul.features.kv.model import DirEntry, KeyRequest, KVOp, KVSRequest
from proconsul.server.node import ConsulNode


class KVPort(Protocol):
    """Reads and locked writes of single keys. Both raise ConsulError when they cannot be done."""

    async def read(self, key: str) -> bytes | None:
        """The value of ``key``, None when there is none."""

    async def acquire(self, key: str, value: bytes, session: str) -> bool:
        """Write ``value`` under the lock of ``session``; False when another session has the key."""


class ServerKV:
    """Implements `KVPort` on a server in the same process. ``token`` gives the token for reads and writes."""

    def __init__(self, server: ConsulNode, token: Callable[[], str]) -> None:
        self._server = server
        self._token = token

    async def read(self, key: str) -> bytes | None:
        read = self._server.endpoint(KVS).get(KeyRequest(Key=key))
        entry: DirEntry | None = await self._server.gate.value(read, token=self._token())
        return None if entry is None else entry.Value or b""

    async def acquire(self, key: str, value: bytes, session: str) -> bool:
        request = KVSRequest(
            Datacenter=self._server.datacenter, Op=KVOp.LOCK, Token=self._token(),
            DirEnt=DirEntry(Key=key, Value=value, Session=session),
        )  # fmt: skip
        return bool(await self._server.gate.written(APPLY, request))
