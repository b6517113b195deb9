"""How an agent finds its pools: addresses tried once, or again and again (Consul docs: start_join, retry_join)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence

from proconsul.agent.config.runtime import JoinConfig
from proconsul.agent.systemd import notify
from proconsul.engine.lookup import lookup_error
from proconsul.engine.wire.goerrors import no_such_host
from proconsul.engine.wire.gostrconv import parse_uint
from proconsul.engine.wire.hostport import Address, split_host_port, with_port
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

# A name may have many addresses; joining a handful is as good as joining all.
ADDRESSES_MAX = 16

Join = Callable[[Sequence[str]], Awaitable[int]]


class ResolveError(ConsulError):
    """A join target is not an address and no name that is known."""


class StartJoinError(ConsulError):
    """Nobody of ``start_join`` let us in: the agent ends, which has run until then."""


async def resolve(target: str, default_port: int) -> list[Address]:
    """The addresses of a join target: ``host``, ``host:port``, ``[v6]:port``, each also behind ``node/``."""
    try:
        host, port = split_host_port(with_port(target.rpartition("/")[2], default_port))
        number = parse_uint(port, base=10, bits=16)
    except ValueError as error:
        raise ResolveError(f"Failed to resolve {target}: {error}") from None
    if not host:
        raise ResolveError(f"Failed to resolve {target}: {no_such_host(host)}")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ResolveError(f"Failed to resolve {target}: {lookup_error(host)}") from None
    return list(dict.fromkeys(Address(str(entry[4][0]), int(entry[4][1])) for entry in found))[:ADDRESSES_MAX]


class Joiner:
    """Joins one pool at the start. ``title`` is LAN or WAN; ``give_up`` ends the agent when retries are used up."""

    def __init__(self, title: str, config: JoinConfig, join: Join, give_up: Callable[[], None]) -> None:
        self._title, self._config, self._join, self._give_up = title, config, join, give_up
        # Templates and variables of scripts that turned out empty name nobody.
        self._at_start = [address for address in config.start_join if address.strip()]
        self._again = [address for address in config.retry_join if address.strip()]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Try ``start_join`` now, and ``retry_join`` in the background. Raises StartJoinError when the former fails."""
        if self._at_start:
            log.info("Joining cluster")
            try:
                joined = await self._join(self._at_start)
            except ConsulError as error:
                raise StartJoinError(str(error)) from None
            log.info("Join completed. Initial agents synced with: agent_count=%d", joined)
        if self._again:
            self._task = asyncio.create_task(self._retry())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _retry(self) -> None:
        config, attempts = self._config, 0
        while True:
            log.info("Joining cluster...: cluster=%s", self._title)
            try:
                joined = await self._join(self._again)
            except ConsulError as error:
                attempts += 1
                if config.retry_attempts_max and attempts > config.retry_attempts_max:
                    log.error("Retry join failed: error=%s", f"agent: max join {self._title} retry exhausted, exiting")
                    self._give_up()
                    return
                log.warning("Join cluster failed, will retry: cluster=%s retry_interval=%gs error=%s",
                            self._title, config.retry_interval_s, error)  # fmt: skip
                await asyncio.sleep(config.retry_interval_s)
            else:
                log.info("Join cluster completed. Synced with initial agents: cluster=%s num_agents=%d",
                         self._title, joined)  # fmt: skip
                return


def joined_lan(count: int) -> None:
    """The LAN pool was joined: a service manager that waits for it may go on."""
    log.info("(LAN) joined: number_of_nodes=%d", count)
    notify("READY=1")
