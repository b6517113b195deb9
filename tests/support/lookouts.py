"""Thousands of watchers, and a resolver, that look whether services are there: on an event loop in a thread.

Watchers hold blocking queries at agents, connect again when their agent ends, and note every answer that shows nothing.
The resolver asks agents for addresses, as programs do: where one does not answer, or cannot, it asks another one. What
counts as a miss is an answer that says that nothing is there.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from support.dns_packets import query

# Who lost its agent, or was told of an error, comes again after up to this long.
AGAIN_S = 1.0
WAIT_S = 60
DNS_TIMEOUT_S = 2.0
DNS_TRIES = 5
_INDEX = re.compile(rb"\r\nX-Consul-Index: (\d+)")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
_RCODES = {2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
_NOTHING = (b"[]", b"null", b"{}")


class Place(NamedTuple):
    """Where an agent is."""

    name: str
    host: str
    http: int
    dns: int


@dataclass
class Seen:
    """What all of them saw."""

    answers: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    slowest_dns_s: float = 0.0

    def missed(self, how: str) -> None:
        self.misses.append(f"{time.strftime('%H:%M:%S')} {how}")


class Watcher(asyncio.Protocol):
    """One blocking query at one agent, again and again."""

    def __init__(self, place: Place, path: str, seen: Seen, rng: random.Random) -> None:
        self._place, self._path, self._seen, self._rng = place, path, seen, rng
        self._data = b""
        self.index = 0
        self._transport: asyncio.Transport | None = None
        self.over = False

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.over:
            try:
                await loop.create_connection(lambda: self, self._place.host, self._place.http)
                return
            except OSError:
                self._seen.answers["watch: no connection"] += 1
                await asyncio.sleep(AGAIN_S * self._rng.random())

    def close(self) -> None:
        self.over = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._data = cast(asyncio.Transport, transport), b""
        self._ask()

    def _ask(self) -> None:
        if self._transport is not None and not self.over:
            sign = "&" if "?" in self._path else "?"
            target = f"{self._path}{sign}index={self.index}&wait={WAIT_S}s"
            self._transport.write(f"GET {target} HTTP/1.1\r\nHost: {self._place.host}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n")):
            return
        self._data = b""
        status = head[9:12]
        if status != b"200":
            self._seen.answers[f"watch: {status.decode()} {body[:80].decode(errors='replace').strip()}"] += 1
            self.index = 0
            asyncio.get_running_loop().call_later(AGAIN_S * self._rng.random(), self._ask)
            return
        self._seen.answers["watch: answered"] += 1
        if body.strip() in _NOTHING:
            self._seen.missed(f"{self._place.name} answers {self._path} after index {self.index} with nothing")
        found = _INDEX.search(head)
        index = int(found[1]) if found else 0
        self.index = index if index >= self.index else 0
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.over:
            self._seen.answers["watch: connection lost"] += 1
            loop = asyncio.get_running_loop()
            loop.call_later(AGAIN_S * self._rng.random(), lambda: asyncio.ensure_future(self.connect()))


class _Answers(asyncio.DatagramProtocol):
    """Answers of DNS by the number of their question."""

    def __init__(self) -> None:
        self.waiting: dict[bytes, asyncio.Future[bytes]] = {}

    def datagram_received(self, data: bytes, addr: Any) -> None:
        future = self.waiting.pop(data[:2], None)
        if future is not None and not future.done():
            future.set_result(data)


class Resolver:
    """Asks for one of ``names`` after the other, ``per_second`` of them, each time at an agent by chance."""

    def __init__(
        self, places: Sequence[Place], names: Sequence[str], per_second: float, seen: Seen, rng: random.Random
    ) -> None:  # fmt: skip
        self._places, self._names, self._seen, self._rng = places, names, seen, rng
        self._pause_s = 1 / per_second
        self._answers = _Answers()
        self._number = 0
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self._answers, local_addr=("127.0.0.1", 0)
        )  # fmt: skip
        due = loop.time()
        while True:
            task = asyncio.ensure_future(self._resolve(self._rng.choice(self._names)))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            due = max(due + self._pause_s, loop.time() - 1)
            await asyncio.sleep(max(due - loop.time(), 0))

    async def _resolve(self, name: str) -> None:
        began = time.monotonic()
        tried = []
        for _ in range(DNS_TRIES):
            place = self._rng.choice(self._places)
            outcome = await self._once(place, name)
            self._seen.answers[f"dns: {outcome}"] += 1
            if outcome == "answered":
                self._seen.slowest_dns_s = max(self._seen.slowest_dns_s, time.monotonic() - began)
                return
            tried.append(f"{place.name} {outcome}")
            if outcome in ("NXDOMAIN", "nothing"):
                break
        self._seen.missed(f"{name}: {', '.join(tried)}")

    async def _once(self, place: Place, name: str) -> str:
        self._number = (self._number + 1) % 65536
        key = self._number.to_bytes(2, "big")
        self._answers.waiting[key] = future = asyncio.get_running_loop().create_future()
        packet = query(f"{name}.service.consul", 1, query_id=self._number)
        self._transport.sendto(packet, (place.host, place.dns))
        try:
            async with asyncio.timeout(DNS_TIMEOUT_S):
                answer = await future
        except TimeoutError:
            self._answers.waiting.pop(key, None)
            return "no answer"
        code = answer[3] & 15
        if code:
            return _RCODES.get(code, str(code))
        return "answered" if answer[6:8] != b"\0\0" else "nothing"


class Lookouts:
    """All of them, on a loop of their own, until the end of the ``with`` block."""

    def __init__(self, rng: random.Random) -> None:
        self.seen = Seen()
        self._rng = rng
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lookouts", daemon=True)
        self._watchers: list[Watcher] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def __enter__(self) -> Lookouts:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _end(self) -> None:
        for watcher in self._watchers:
            watcher.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """How many watchers have had an answer, and wait for the next one."""
        return sum(watcher.index > 0 for watcher in self._watchers)

    def watch(self, count: int, places: Sequence[Place], path: Callable[[int], str]) -> None:
        """Have ``count`` more watchers, spread over ``places``."""
        more = [Watcher(places[n % len(places)], path(n), self.seen, self._rng) for n in range(count)]
        self._watchers += more
        asyncio.run_coroutine_threadsafe(self._connect(more), self._loop).result(300)

    async def _connect(self, watchers: list[Watcher]) -> None:
        for start in range(0, len(watchers), 100):
            await asyncio.gather(*[watcher.connect() for watcher in watchers[start : start + 100]])

    def resolve(self, places: Sequence[Place], names: Sequence[str], per_second: float) -> None:
        """Ask for ``names`` until the end."""
        resolver = Resolver(places, names, per_second, self.seen, self._rng)

        async def begin() -> None:
            self._tasks.append(asyncio.ensure_future(resolver.run()))

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(60)
