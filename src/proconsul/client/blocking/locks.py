# Made by scripts/make_blocking_client.py of ../aio/locks.py: change that one.
"""Locks, semaphores and leaders: sessions that are kept, and what is held with them.

None is believed to be held any longer than its session surely lives. What servers can take away earlier, as when a
node fails, is told at once, though not before it happens: that is what lock-delays and fencing tokens are for.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal

from proconsul.client.asking import Ask
from proconsul.client.blocking import kit
from proconsul.client.blocking.parts import Parts
from proconsul.client.errors import ConflictError, ConsulError, LockLost, NotFound, Unavailable
from proconsul.client.leases import FencingToken, Holders, Lease
from proconsul.client.lock_keys import LOCK_FLAG, SEMAPHORE_FLAG, SEMAPHORE_KEY, join_path
from proconsul.client.watching import IndexRules
from proconsul.features.kv.model import DirEntry

__all__ = ["Held", "Lock", "Semaphore", "SessionKeeper"]

# How long one question for a change waits.
_WAIT_S: Final = 15.0
# Whoever is kept off by a lock-delay tries again so often: nobody says when it is over.
_RETRY_S: Final = 1.0
# What is given back at the end may take so long; what is not given back ends by itself.
_END_S: Final = 3.0


class SessionKeeper:
    """A session that is renewed until it is closed, or lost."""

    id: str
    lost: kit.Flag
    reason: str

    def __init__(
        self, parts: Parts, *, ttl_s: float, name: str, lock_delay: float | None,
        behavior: Literal["release", "delete"] = "release", clock: Callable[[], float] = kit.lease_clock,
    ) -> None:  # fmt: skip
        self._parts, self._clock = parts, clock
        self._ttl_s, self._name, self._lock_delay = ttl_s, name, lock_delay
        self._behavior: Literal["release", "delete"] = behavior
        self._lease = Lease(ttl_s, 0.0)
        self._job: kit.Job | None = None
        self.id = ""
        self.lost = kit.Flag()
        # Why, where it was lost.
        self.reason = ""
        self.on_lost: Callable[[], None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the session surely lives."""
        return bool(self.id) and not self.lost.is_set() and self._clock() < self._lease.ends_at

    def open(self, timeout_s: float) -> None:
        """Begin it. Raises ConsulError."""
        sent_at = self._clock()
        self.id = self._parts.session.create(
            name=self._name, ttl=self._ttl_s, lock_delay=self._lock_delay, behavior=self._behavior,
            timeout=timeout_s,
        )  # fmt: skip
        self._lease.renewed(sent_at)
        self._job = kit.Job(self._renew, f"session {self._name}", self._broken)

    def _renew(self) -> None:
        rng = self._parts.caller.rng
        while True:
            kit.sleep(self._lease.pause_s(self._clock(), rng))
            sent_at = self._clock()
            left_s = self._lease.ends_at - sent_at
            if left_s <= 0:
                self.lose("its session was not renewed in time")
                return
            try:
                self._parts.session.renew(self.id, timeout=min(left_s, max(self._ttl_s / 3, 1.0)))
            except NotFound:
                self.lose("its session has ended")
                return
            except ConsulError:
                self._lease.failed()
            else:
                self._lease.renewed(sent_at)

    def _broken(self, error: BaseException) -> None:
        self.lose(f"renewing failed: {error}")

    def lose(self, reason: str) -> None:
        """It is over, whoever says so."""
        if not self.lost.is_set():
            self.reason = reason
            self.lost.set()
            if self.on_lost is not None:
                self.on_lost()

    def close(self) -> None:
        """Stop renewing, and end it: what it held is free at once. Never raises ConsulError."""
        self.on_lost = None
        job, self._job = self._job, None
        session, self.id = self.id, ""
        try:
            if job is not None:
                job.stop()
        finally:
            if session:
                try:
                    with kit.uninterrupted():
                        self._parts.session.destroy(session, timeout=_END_S)
                except ConsulError:
                    pass  # it ends by itself


class Held:
    """What somebody holds just now. ``token``: what stores that are written to meanwhile should be told."""

    def __init__(self, keeper: SessionKeeper, token: FencingToken) -> None:
        self._keeper = keeper
        self.token = token

    @property
    def held(self) -> bool:
        """Whether it is, surely: not lost, and its session alive by the clock."""
        return self._keeper.alive

    @property
    def lost(self) -> kit.Flag:
        """Set when it is lost."""
        return self._keeper.lost

    def check(self) -> None:
        """Raise LockLost unless it is held."""
        if not self.held:
            raise LockLost(f"{self.token.key} is lost: {self._keeper.reason or 'its session was not renewed in time'}")


class Lock:
    """A lock on a key. Made by `client.lock`; one at a time can be held with it.

    ``with`` it, which gives an `Held`. Where it is lost inside, the task is cancelled there and then, and
    LockLost is raised at the end of the block; threads are not cancelled, and have to look at ``held``.
    """

    key: str

    flag = LOCK_FLAG
    # What becomes of keys that its session holds.
    behavior: Literal["release", "delete"] = "release"

    def __init__(
        self, parts: Parts, key: str, *, value: bytes | str, ttl_s: float, lock_delay: float | None, name: str,
        cancels: bool, clock: Callable[[], float] = kit.lease_clock,
    ) -> None:  # fmt: skip
        self._parts, self.key = parts, key
        self._value = value.encode() if isinstance(value, str) else value
        self._ttl_s, self._lock_delay, self._name = ttl_s, lock_delay, name
        self._cancels, self._clock = cancels, clock
        self._keeper: SessionKeeper | None = None
        self._monitor: kit.Job | None = None
        self._held: Held | None = None
        self._scope: kit.Scope | None = None

    # ------------------------------------------------------------------ holding it

    def acquire(self, timeout: float | None = None) -> Held | None:
        """Wait to hold it, so many seconds at most; None when they were over.

        Raises ConflictError when the key is used for something else, ConsulError when nobody can be asked.
        """
        if self._keeper is not None:
            raise RuntimeError(f"{self.key} is held, or waited for, already")
        ends_at = None if timeout is None else kit.now() + timeout
        keeper = self._keeper = SessionKeeper(
            self._parts, ttl_s=self._ttl_s, name=self._name, lock_delay=self._lock_delay, behavior=self.behavior,
            clock=self._clock,
        )  # fmt: skip
        token = None
        try:
            keeper.open(self._ttl_s)
            token = self._acquired(keeper, ends_at)
            if token is not None:
                self._held = Held(keeper, token)
                self._monitor = kit.Job(self._watch, f"lock {self.key}", self._monitor_broken)
        finally:
            if token is None:
                self._give_up()
        return self._held

    def _acquired(self, keeper: SessionKeeper, ends_at: float | None) -> FencingToken | None:
        """Wait until the key is our session's; None when the time is over."""
        index = 0
        while True:
            if keeper.lost.is_set():
                raise LockLost(f"{self.key} was not acquired: {keeper.reason}")
            left_s = _WAIT_S if ends_at is None else min(ends_at - kit.now(), _WAIT_S)
            if left_s <= 0 and index:
                return None
            entry, index = self._looked(index, max(left_s, 0.01))
            if entry is not None and entry.Flags != self.flag:
                raise ConflictError(f"the key {self.key!r} is not that of a lock", 409)
            if entry is not None and entry.Session == keeper.id:
                return FencingToken(self.key, entry.LockIndex, keeper.id)
            if entry is not None and entry.Session:
                continue
            if self._parts.kv.put(self.key, self._value, flags=self.flag, acquire=keeper.id):
                index = 0
                continue  # to learn the index of the lock
            entry, index = self._looked(0, 0.0)
            if entry is None or not entry.Session:  # nobody's, and yet not ours: a lock-delay
                if ends_at is not None and kit.now() >= ends_at:
                    return None
                kit.sleep(_RETRY_S if ends_at is None else max(min(_RETRY_S, ends_at - kit.now()), 0.01))
                index = 0

    def _looked(self, index: int, wait_s: float) -> tuple[DirEntry | None, int]:
        """The key as the leader has it, with the index to wait for the next look."""
        ask = Ask(index, wait_s)
        entry = self._parts.caller.asked(ask, self._parts.kv.entry, self.key, consistency="consistent")
        found = ask.meta.index if ask.meta is not None else 0
        return entry, 0 if found < index else found

    def release(self) -> None:
        """Give it back. Nothing is raised where it was lost already, or nobody can be asked: then it ends by itself."""
        if self._keeper is None:
            raise RuntimeError(f"{self.key} is not held")
        held, keeper = self._held, self._keeper
        try:
            self._stop_watching()
            if held is not None and keeper.alive:
                with kit.uninterrupted():
                    self._leave(keeper.id)
        except ConsulError:
            pass
        finally:
            self._give_up()

    def _leave(self, session: str) -> None:
        self._parts.kv.put(self.key, self._value, flags=self.flag, release=session, timeout=_END_S)

    def _give_up(self) -> None:
        """Nothing is held or waited for any more."""
        keeper, self._keeper, self._held = self._keeper, None, None
        try:
            self._stop_watching()
        finally:
            if keeper is not None:
                keeper.close()

    def _stop_watching(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop()

    # ------------------------------------------------------------------ losing it

    def _watch(self) -> None:
        """See whether the key is still ours, until it is not. Failures say nothing: the session's time is another's."""
        rules, keeper = IndexRules(self._parts.caller.rng), self._keeper
        while keeper is not None and not keeper.lost.is_set():
            ask = Ask(rules.index, _WAIT_S)
            try:
                ours = self._is_ours(ask, keeper.id)
            except ConsulError as error:
                pause_s = min(rules.failed(error), self._ttl_s / 6)
            else:
                if not ours:
                    keeper.lose("it is another's, or nobody's")
                    return
                pause_s = rules.answered(ask.meta.index if ask.meta is not None else 0, kit.now())
            if pause_s:
                kit.sleep(pause_s)

    def _is_ours(self, ask: Ask, session: str) -> bool:
        entry: DirEntry | None = self._parts.caller.asked(
            ask, self._parts.kv.entry, self.key, consistency="consistent"
        )  # fmt: skip
        return entry is not None and entry.Session == session

    def _monitor_broken(self, error: BaseException) -> None:
        if self._keeper is not None:
            self._keeper.lose(f"watching failed: {error}")

    # ------------------------------------------------------------------ as a block

    def __enter__(self) -> Held:
        held = self.acquire()
        assert held is not None
        assert self._keeper is not None
        if self._cancels:
            self._scope = kit.Scope()
            self._keeper.on_lost = self._scope.cancel
            if self._keeper.lost.is_set():
                self._scope.cancel()
        return held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        scope, self._scope = self._scope, None
        keeper = self._keeper
        if keeper is not None:
            keeper.on_lost = None
        cancelled = scope is not None and scope.leave(error)
        lost = keeper is None or not keeper.alive
        reason = "" if keeper is None else keeper.reason
        self._finish()
        if cancelled or (lost and error is None):
            raise LockLost(f"{self.key} was lost: {reason or 'its session was not renewed in time'}") from error

    def _finish(self) -> None:
        if self._keeper is not None:
            self.release()

    def holder(self) -> DirEntry | None:
        """The key with the session that holds it; None when nobody does."""
        entry = self._parts.kv.entry(self.key)
        return entry if entry is not None and entry.Session else None

    def destroy(self) -> bool:
        """Remove the key; whether it was done, as it is not while somebody holds it."""
        entry = self._parts.kv.entry(self.key)
        if entry is None:
            return True
        if entry.Session or entry.Flags != self.flag:
            return False
        return self._parts.kv.delete(self.key, cas=entry.ModifyIndex)


class Semaphore(Lock):
    """A lock that ``limit`` can hold at once, on the keys below a prefix. Made by `client.semaphore`.

    The index of its token is that of the list of holders: larger for each who comes later.
    """

    prefix: str
    limit: int

    flag = SEMAPHORE_FLAG
    # A contender's key goes with it.
    behavior: Literal["release", "delete"] = "delete"

    def __init__(
        self, parts: Parts, prefix: str, limit: int, *, value: bytes | str, ttl_s: float,
        lock_delay: float | None, name: str, cancels: bool, clock: Callable[[], float] = kit.lease_clock,
    ) -> None:  # fmt: skip
        if limit < 1:
            raise ValueError("a semaphore has at least one place")
        super().__init__(
            parts, join_path(prefix, SEMAPHORE_KEY), value=value, ttl_s=ttl_s, lock_delay=lock_delay, name=name,
            cancels=cancels, clock=clock,
        )  # fmt: skip
        self.prefix, self.limit = prefix, limit

    def _acquired(self, keeper: SessionKeeper, ends_at: float | None) -> FencingToken | None:
        contender = join_path(self.prefix, keeper.id)
        while not self._parts.kv.put(contender, self._value, flags=self.flag, acquire=keeper.id):
            if ends_at is not None and kit.now() >= ends_at:
                return None
            kit.sleep(_RETRY_S)
        index = 0
        while True:
            if keeper.lost.is_set():
                raise LockLost(f"{self.prefix} was not acquired: {keeper.reason}")
            left_s = _WAIT_S if ends_at is None else min(ends_at - kit.now(), _WAIT_S)
            if left_s <= 0 and index:
                return None
            ask = Ask(index, max(left_s, 0.01))
            holders = self._holders(ask)
            if keeper.id in holders.sessions:
                return FencingToken(self.key, holders.version, keeper.id)
            index = ask.meta.index if ask.meta is not None else 0
            if len(holders.sessions) >= self.limit:
                continue
            wanted = holders._replace(sessions=holders.sessions | {keeper.id})
            try:
                self._parts.kv.put(self.key, wanted.encode(), flags=self.flag, cas=holders.version)
            except Unavailable as error:
                if not error.sent:
                    raise
            index = 0  # whether it was done is seen, and with which version

    def _holders(self, ask: Ask) -> Holders:
        """Who holds it, without those whose sessions have ended."""
        entries: list[DirEntry] = self._parts.caller.asked(
            ask, self._parts.kv.entries, f"{self.prefix.rstrip('/')}/", consistency="consistent"
        )  # fmt: skip
        own = next((one for one in entries if one.Key == self.key), None)
        alive = frozenset(one.Session for one in entries if one.Session)
        return Holders.of(own, self.limit).alive(alive)

    def _is_ours(self, ask: Ask, session: str) -> bool:
        return session in (self._holders(ask)).sessions

    def _leave(self, session: str) -> None:
        while True:
            holders = self._holders(Ask())
            if session not in holders.sessions:
                break
            left = holders._replace(sessions=holders.sessions - {session})
            if self._parts.kv.put(
                self.key, left.encode(), flags=self.flag, cas=holders.version, timeout=_END_S
            ):  # fmt: skip
                break

    def destroy(self) -> bool:
        """Remove the semaphore's key; whether it was done, as it is not while somebody holds a place."""
        holders = self._holders(Ask())
        if holders.sessions:
            return False
        return not holders.version or self._parts.kv.delete(self.key, cas=holders.version)
