"""The agent's cache at work: asks servers for its entries, and tells whoever waits (see `entries`)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.meters import Meters
from proconsul.engine.token_bucket import TokenBucket
from proconsul.features.agent_cache.entries import ANY_AGE, CacheControl, CacheEntries, CacheEntry, Waiting
from proconsul.features.errors import ConsulError, status_of

log = logging.getLogger("agent.cache")

SWEEP_S = 600.0
# What the original's metrics call entries, by method.
KINDS = {
    "Catalog.ListDatacenters": "catalog-datacenters", "Catalog.ListServices": "catalog-list-services",
    "Catalog.ServiceNodes": "catalog-services", "Health.ServiceNodes": "health-services",
    "PreparedQuery.Execute": "prepared-query",
}  # fmt: skip
# How long a background question waits for a change.
REFRESH_WAIT_S = 600.0


class CacheAnswer(NamedTuple):
    """What an agent's cache answers. hit: nothing had to be waited for. age_s: see `CacheEntry.age_s`."""

    value: Any
    hit: bool
    age_s: float


@dataclass(frozen=True, slots=True)
class CacheSource:
    """Where an entry's value is had.

    begin: asks for it as soon as its index has passed the second argument, at the latest after the seconds of the
    third one; tells the first argument, and returns what gives it up. May raise ConsulError. index: of a value. same:
    whether the second value is no other than the first.
    """

    begin: Callable[[Completion, int, float], Callable[[], object]]
    index: Callable[[Any], int] = lambda value: 0
    same: Callable[[Any, Any], bool] = lambda before, after: False


class AgentCache:
    """The cache of one agent. ``meters``, if given, counts what TM-16 names, and how many entries there are."""

    def __init__(self, rng: random.Random, *, meters: Meters | None = None) -> None:
        self._rng, self._meters = rng, meters or Meters()
        self._entries = CacheEntries(self._evicted)
        self._asks: dict[CacheEntry, _Asking] = {}
        self._rate: tuple[float, int] | None = None
        self._sweep: asyncio.TimerHandle | None = None
        # Whoever has a token is shown nothing that they may not see for longer than tokens are believed in.
        self.refresh_wait_s = REFRESH_WAIT_S

    def configure(self, *, fetch_rate: float | None, fetch_burst: int) -> None:
        """How often a server may be asked for one entry, in times a second (None: any), from now on."""
        rate = None if fetch_rate is None else (fetch_rate, fetch_burst)
        if rate != self._rate:
            self._rate = rate
            for asking in list(self._asks.values()):
                asking.limit(self._bucket())

    def close(self) -> None:
        """Forget everything; nobody is told anything any more."""
        self._entries.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def __len__(self) -> int:
        return len(self._entries)

    # ------------------------------------------------------------------ for whoever asks

    def ask(
        self, waiter: Completion, key: Hashable, source: CacheSource, *, refreshed: bool,
        control: CacheControl = ANY_AGE, min_index: int = 0, wait_s: float = 0.0,
    ) -> CacheAnswer | CacheWait:  # fmt: skip
        """What there is, when that is what is asked for; else ``waiter`` is told `CacheAnswer` or a ConsulError.

        ``key``: the method, its arguments, the datacenter and the token, so that what one token may see is shown to no
        other. ``min_index`` and ``wait_s``: of a refreshed entry an index above that, waited for so long.
        """
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(key, now)
        if entry is not None and entry.answers(min_index, control, now):
            self._meters.count(f"cache.{key_name(key)}.hit")
            return CacheAnswer(entry.value, True, entry.age_s(now))
        self._meters.count(f"cache.{key_name(key)}.{'miss_new' if entry is None else 'miss_block'}")
        if entry is None:
            entry = CacheEntry(refreshed=refreshed, bucket=self._bucket(), now=now)
            self._entries.add(key, entry)
            self._asks[entry] = _Asking(self, key, entry, source)
            self._keep_swept()
        wait = CacheWait(entry, waiter)
        entry.waiting[wait] = Waiting(wait, min_index, control)
        self._asks[entry].now()
        if min_index and not wait.done():
            wait.until(wait_s)
        return wait

    async def answer(
        self, key: Hashable, source: CacheSource, *, refreshed: bool, control: CacheControl = ANY_AGE
    ) -> CacheAnswer:
        """As `ask`, for those who wait in a task. Raises ConsulError."""
        future: asyncio.Future[CacheAnswer] = asyncio.get_running_loop().create_future()
        asked = self.ask(future, key, source, refreshed=refreshed, control=control)
        if isinstance(asked, CacheAnswer):
            return asked
        try:
            return await future
        except asyncio.CancelledError:
            asked.cancel()
            raise

    def _bucket(self) -> TokenBucket:
        rate, burst = self._rate or (1.0, 1)
        now = asyncio.get_running_loop().time()
        return TokenBucket(rate, burst, now, limited=self._rate is not None)

    # ------------------------------------------------------------------ what comes

    def came(self, key: Hashable, entry: CacheEntry, source: CacheSource, value: Any, took_s: float) -> float | None:
        """A server answered; in how many seconds it is to be asked again, None for when somebody asks."""
        now = asyncio.get_running_loop().time()
        self._meters.count("cache.fetch_success")
        index = source.index(value)
        same = entry.refreshed and entry.value is not None and index == entry.index and source.same(entry.value, value)
        for one in entry.came(value, index, now, same=same):
            one.who.tell(CacheAnswer(entry.value, False, 0.0))
        if not entry.refreshed or not self._entries.holds(key, entry):
            return None
        return entry.pause_s(self._rng.random(), unchanged_after_s=took_s if same else None)

    def failed(self, key: Hashable, entry: CacheEntry, error: Exception) -> float | None:
        """As `came`, when nothing came."""
        now = asyncio.get_running_loop().time()
        self._meters.count("cache.fetch_error")
        told = entry.failed(now, refused=status_of(error) == 403)
        if entry.value is None and self._entries.holds(key, entry):
            # The next one who asks begins anew; whoever is told may be that one.
            self._entries.remove(key)
        for one in told:
            age_s = entry.age_s(now)
            if not entry.refreshed and entry.value is not None and one.control.consoled_by(age_s):
                one.who.tell(CacheAnswer(entry.value, True, age_s))
            else:
                one.who.tell_error(error)
        if not entry.refreshed or not self._entries.holds(key, entry):
            return None
        log.debug("cannot refresh: entry=%s error=%s", key_name(key), error)
        return entry.pause_s(self._rng.random(), others=len(self._entries) - 1)

    def _evicted(self, key: Hashable, entry: CacheEntry) -> None:
        asking = self._asks.pop(entry, None)
        if asking is not None:
            asking.end()
        for one in list(entry.waiting.values()):
            one.who.cancel()
        self._meters.gauge("cache.entries_count", len(self._entries))

    def _keep_swept(self) -> None:
        self._meters.gauge("cache.entries_count", len(self._entries))
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._swept)

    def _swept(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = None
        before = len(self._entries)
        self._entries.expire(loop.time())
        self._meters.count("cache.evict_expired", before - len(self._entries))
        if len(self._entries):
            self._keep_swept()


def key_name(key: Hashable) -> str:
    """What metrics call the method that a key begins with."""
    while isinstance(key, tuple) and key:
        key = key[0]
    return KINDS.get(str(key), str(key))


class CacheWait:
    """Somebody who waits for an entry. Implements `features.gate.Pending`."""

    __slots__ = ("_entry", "_timer", "_waiter")

    def __init__(self, entry: CacheEntry, waiter: Completion) -> None:
        self._entry, self._waiter = entry, waiter
        self._timer: asyncio.TimerHandle | None = None

    def until(self, wait_s: float) -> None:
        """Wait no longer than this for a change."""
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.hurry)

    def done(self) -> bool:
        """Whether the answer has been told already, or is not wanted."""
        return self not in self._entry.waiting

    def _release(self) -> None:
        self._entry.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hurry(self) -> None:
        """Tell what there is, if there is anything: else it will be told as soon as something comes."""
        waiting = self._entry.waiting.get(self)
        if waiting is None:
            return
        if self._entry.value is None:
            self._entry.waiting[self] = waiting._replace(min_index=0)
        else:
            self.tell(CacheAnswer(self._entry.value, False, 0.0))

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._release()

    def tell(self, answered: CacheAnswer) -> None:
        """Tell the answer."""
        self._release()
        tell(self._waiter, answered)

    def tell_error(self, error: Exception) -> None:
        """Tell why there is none."""
        self._release()
        tell_error(self._waiter, error)


class _Asking:
    """The questions to servers for one entry, one at a time."""

    __slots__ = ("_began", "_cache", "_entry", "_give_up", "_key", "_source", "_timer", "_turn")

    def __init__(self, cache: AgentCache, key: Hashable, entry: CacheEntry, source: CacheSource) -> None:
        self._cache, self._key, self._entry, self._source = cache, key, entry, source
        self._timer: asyncio.TimerHandle | None = None
        self._give_up: Callable[[], object] | None = None
        self._began = 0.0
        # Which question is under way: answers to those that were given up count for nothing.
        self._turn = 0

    def limit(self, bucket: TokenBucket) -> None:
        """Ask as often as ``bucket`` allows, also where it has to wait for its turn by the one before."""
        self._entry.limit(bucket)
        if self._entry.asking and self._timer is not None:
            self._entry.asking = False
            self.now()

    def now(self) -> None:
        """Ask, unless that has been done already: a pause after failures is over when somebody wants to know."""
        if self._entry.asking:
            return
        self._stop_timer()
        delay_s = self._entry.begin(asyncio.get_running_loop().time())
        if delay_s > 0:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._ask)
        else:
            self._ask()

    def end(self) -> None:
        """Ask no more."""
        self._turn += 1
        self._stop_timer()
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        self._timer = None
        self._turn += 1
        self._began = asyncio.get_running_loop().time()
        told = _Told(self, self._turn)
        try:
            give_up = self._source.begin(told, self._entry.wait_for(), self._cache.refresh_wait_s)
        except Exception as error:
            self.answered(self._turn, None, error)
            return
        if not told.done():
            self._give_up = give_up

    def is_wanted(self, turn: int) -> bool:
        """Whether that question's answer is still of use."""
        return turn == self._turn and self._entry.asking

    def answered(self, turn: int, value: Any, error: Exception | None) -> None:
        """The outcome of a question."""
        if not self.is_wanted(turn):
            return
        self._give_up = None
        loop = asyncio.get_running_loop()
        if error is None:
            pause_s = self._cache.came(self._key, self._entry, self._source, value, loop.time() - self._began)
        else:
            if not isinstance(error, ConsulError):
                log.error("Asking for an entry of the cache failed", exc_info=error)
            pause_s = self._cache.failed(self._key, self._entry, error)
        if pause_s is not None and not self._entry.asking and self._timer is None:
            self._timer = loop.call_later(pause_s, self.now)


class _Told:
    """Hears the outcome of one question."""

    __slots__ = ("_asking", "_turn")

    def __init__(self, asking: _Asking, turn: int) -> None:
        self._asking, self._turn = asking, turn

    def done(self) -> bool:
        """See `Completion`."""
        return not self._asking.is_wanted(self._turn)

    def set_result(self, result: Any) -> None:
        """See `Completion`."""
        self._asking.answered(self._turn, result, None)

    def set_exception(self, exception: Exception) -> None:
        """See `Completion`."""
        self._asking.answered(self._turn, None, exception)


def calling(call: Callable[[], Awaitable[Any]]) -> CacheSource:
    """The source of a simple entry: what ``call`` returns."""

    def begin(waiter: Completion, _index: int, _wait_s: float) -> Callable[[], object]:
        task = asyncio.ensure_future(call())
        task.add_done_callback(partial(_called, waiter))
        return task.cancel

    return CacheSource(begin)


def _called(waiter: Completion, task: asyncio.Future[Any]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, Exception):
        tell_error(waiter, error)
    else:
        tell(waiter, task.result())
