"""The HTTP and HTTPS listeners of an agent: their sockets, and another TLS context for them while they listen."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proconsul.agent.config.runtime import Endpoint, FixedConfig, HttpConfig
from proconsul.engine.streams import listener
from proconsul.engine.unix_sockets import require_unix, unix_family
from proconsul.engine.wire.goerrors import listening
from proconsul.engine.wire.hostport import Address

log = logging.getLogger("agent")

BACKLOG = 1024


class Listeners:
    """Listens where the configuration says, until closed."""

    def __init__(self, make: Callable[[], asyncio.Protocol], config: FixedConfig) -> None:
        self._make, self._config = make, config
        self._plain: list[asyncio.AbstractServer] = []
        self._secured: list[Any] = []
        self._sockets: list[Path] = []

    async def start(self, context: ssl.SSLContext | None) -> None:
        """``context``: of HTTPS, where that is configured. Raises OSError."""
        for endpoint in self._config.http_addrs:
            self._plain.append(await self._listen(endpoint, None))
        for endpoint in self._config.https_addrs:
            self._secured.append(await self._listen(endpoint, context))

    async def _listen(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> asyncio.AbstractServer:
        loop = asyncio.get_running_loop()
        options = self._options(context)
        if endpoint.network == "unix":
            path = Path(endpoint.path)
            with listening("unix", path):
                require_unix()
                path.unlink(missing_ok=True)
                server = await listener(loop.create_unix_server(self._make, str(path), **options))
            self._sockets.append(path)
            _own(path, self._config.http)
        else:
            with listening("tcp", Address(endpoint.host, endpoint.port)):
                making = loop.create_server(self._make, endpoint.host, endpoint.port, **options)
                server = await listener(making)
        kind = "HTTPS" if context is not None else "HTTP"
        log.info("Started %s server: address=%s network=%s", kind,
                 endpoint.path or str(Address(endpoint.host, endpoint.port)), endpoint.network)  # fmt: skip
        return server

    async def renew(self, context: ssl.SSLContext) -> None:
        """Secure new connections with another context. The sockets stay, so nobody who waits to be accepted is lost."""
        loop = asyncio.get_running_loop()
        fresh = []
        for old in self._secured:
            for held in old.sockets:
                sock = held.dup()
                create: Any = loop.create_unix_server if sock.family == unix_family() else loop.create_server
                fresh.append(await listener(create(self._make, sock=sock, **self._options(context))))
            old.close()
        self._secured = fresh

    def _options(self, context: ssl.SSLContext | None) -> dict[str, Any]:
        handshake_s = self._config.limits.https_handshake_timeout_s if context is not None else None
        return {"ssl": context, "backlog": BACKLOG, "ssl_handshake_timeout": handshake_s}

    def close(self) -> None:
        for server in (*self._plain, *self._secured):
            server.close()

    def remove_sockets(self) -> None:
        """Remove the files of unix sockets."""
        for path in self._sockets:
            path.unlink(missing_ok=True)
        self._sockets = []


def _own(path: Path, http: HttpConfig) -> None:
    """Apply unix_sockets{user,group,mode}."""
    if http.unix_socket_mode:
        path.chmod(int(http.unix_socket_mode, 8))
    if http.unix_socket_user or http.unix_socket_group:
        os.chown(path, _user_id(http.unix_socket_user), _group_id(http.unix_socket_group))


def _user_id(name: str) -> int:
    """Numeric ids are taken as they are; empty means unchanged."""
    if not name or name.isdigit():
        return int(name or -1)
    import pwd

    return pwd.getpwnam(name).pw_uid


def _group_id(name: str) -> int:
    if not name or name.isdigit():
        return int(name or -1)
    import grp

    return grp.getgrnam(name).gr_gid
