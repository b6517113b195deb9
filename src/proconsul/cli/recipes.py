"""Locks and semaphores over the KV store, as Consul's own clients build them.

Both rest on a session that somebody keeps alive and on the key/value operations ``acquire``, ``release`` and
``cas`` (Consul documentation, "Leader election" and "Distributed semaphore").

Everything here is synchronous; two daemon threads per held lock renew the session and watch for its loss.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from proconsul.cli.api import ApiError, Client, write_key
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.client.lock_keys import LOCK_FLAG, SEMAPHORE_FLAG, SEMAPHORE_KEY, join_path

SESSION_TTL_S = 15
SESSION_NAME = "Consul API Lock"
LOCK_WAIT_S = 15.0
LOCK_RETRY_S = 5.0
MONITOR_RETRY_S = 2.0

Pair = Mapping[str, Json]


class RecipeError(Exception):
    """The lock or semaphore cannot be had; ``str()`` is the Go client's text."""


class InUse(RecipeError):
    """Others still use the lock or semaphore, so it cannot be destroyed."""


def _decode(pair: Pair) -> bytes:
    return b64decode(cast("str | None", pair.get("Value")) or "")


class HeldSession:
    """A session which is renewed until it is closed."""

    def __init__(self, client: Client, name: str, ttl_s: int = SESSION_TTL_S) -> None:
        """Create it; raises :class:`ApiError`."""
        body: Json = {"Name": name, "TTL": f"{ttl_s}s"}
        answer = client.put("/v1/session/create", body=body).json()
        self.id = str(cast("Mapping[str, Json]", answer)["ID"])
        self._client = client
        self._ttl_s = ttl_s
        self._closed = threading.Event()
        threading.Thread(target=self._renew, name="session-renewal", daemon=True).start()

    def _renew(self) -> None:
        wait_s = self._ttl_s / 2
        last = time.monotonic()
        while not self._closed.wait(wait_s):
            try:
                response = self._client.request("PUT", f"/v1/session/renew/{self.id}", timeout_s=self._ttl_s)
                status = response.status
                response.close()
            except ApiError:
                status = 0
            if status == 404:
                return
            if status == 200:
                last = time.monotonic()
                wait_s = self._ttl_s / 2
            elif time.monotonic() - last > self._ttl_s:
                return
            else:
                wait_s = 1.0

    def close(self) -> None:
        """Stop renewing and destroy the session; it ends by itself if the agent cannot be reached."""
        self._closed.set()
        try:
            self._client.put(f"/v1/session/destroy/{self.id}").close()
        except ApiError:
            return


class Recipe(ABC):
    """What locks and semaphores share: a session, waiting with a limit, and noticing the loss."""

    def __init__(
        self,
        client: Client,
        *,
        session_name: str = SESSION_NAME,
        value: bytes = b"",
        wait_s: float = LOCK_WAIT_S,
        try_once: bool = False,
        monitor_retries: int = 0,
        monitor_retry_s: float = MONITOR_RETRY_S,
    ) -> None:
        self._client = client
        self._session_name = session_name
        self._value = value
        self._wait_s = wait_s
        self._try_once = try_once
        self._monitor_retries = monitor_retries
        self._monitor_retry_s = monitor_retry_s
        self._session: HeldSession | None = None
        self._held = False
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask a waiting acquisition to give up; safe from signal handlers and other threads."""
        self._stop.set()

    def abandon(self) -> None:
        """End the session of an acquisition that is still waiting, so that nothing is left behind."""
        self._stop.set()
        self._drop_session()

    def _read(self, key: str, query: Mapping[str, str | int]) -> tuple[Sequence[Pair], int]:
        """Read keys; raises :class:`ApiError` as the Go client words it."""
        response = self._client.request("GET", f"/v1/kv/{key.removeprefix('/')}", query)
        index = response.index
        if response.status == 404:
            response.close()
            return (), index
        if response.status != 200:
            response.close()
            raise ApiError(f"Unexpected response code: {response.status}", response.status)
        return cast("Sequence[Pair] | None", response.json()) or (), index

    def _write(self, key: str, query: Mapping[str, str | int], body: bytes = b"") -> bool:
        return write_key(self._client, key, body, query)

    def _delete_cas(self, key: str, index: int) -> bool:
        return b"true" in self._client.ok("DELETE", f"/v1/kv/{key}", {"cas": index}).read()

    def _open_session(self) -> HeldSession:
        if self._session is None:
            try:
                self._session = HeldSession(self._client, self._session_name)
            except ApiError as error:
                raise RecipeError(f"failed to create session: {error}") from None
        return self._session

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def acquire(self) -> threading.Event | None:
        """Wait to hold it.  Returns an event that is set when it is lost, None if waiting ended without it.

        Raises :class:`RecipeError`.
        """
        if self._held:
            raise RecipeError(f"{type(self).__name__} already held")
        session = self._open_session()
        try:
            self._enter(session.id)
            locked = self._acquire(session.id)
        except BaseException:
            self._drop_session()
            raise
        if not locked:
            self._drop_session()
            return None
        self._held = True
        lost = threading.Event()
        self._watch(self._still_mine, lost)
        return lost

    def _enter(self, session_id: str) -> None:  # noqa: B027 - a lock has no list of waiters
        """Say that this session waits, where the recipe has its waiters written down."""

    @abstractmethod
    def _acquire(self, session_id: str) -> bool:
        """Wait until ``session_id`` holds it; False if waiting ended without it."""

    @abstractmethod
    def _still_mine(self, query: Mapping[str, str | int]) -> tuple[bool, int]:
        """Read, with ``query``, whether it is still held, and the index of the answer."""

    def _watch(self, check: Callable[[Mapping[str, str | int]], tuple[bool, int]], lost: threading.Event) -> None:
        """Hold a consistent blocking read open until ``check`` says the lock is gone; then set ``lost``."""

        def loop() -> None:
            index, retries = 0, self._monitor_retries
            while self._held:
                query: dict[str, str | int] = {"consistent": ""}
                if index:
                    query["index"] = index
                try:
                    holding, index = check(query)
                except ApiError as error:
                    # Only server errors are worth a retry, or "500"s in Consul's words.
                    if retries and error.status >= 500:
                        retries, index = retries - 1, 0
                        time.sleep(self._monitor_retry_s)
                        continue
                    break
                if not holding:
                    break
                retries = self._monitor_retries
            lost.set()

        threading.Thread(target=loop, name="lock-monitor", daemon=True).start()

    def _remaining_s(self, started: float, attempts: int) -> float | None:
        """Return how long the next read may wait, or None when a single try is used up."""
        if not self._try_once or not attempts:
            return self._wait_s
        left = self._wait_s - (time.monotonic() - started)
        return left if left > 0 else None

    def _wait_query(self, wait_s: float, index: int, query: Mapping[str, str | int]) -> dict[str, str | int]:
        parameters: dict[str, str | int] = {**query, "wait": f"{int(wait_s * 1000)}ms"}
        if index:
            parameters["index"] = index
        return parameters


class Lock(Recipe):
    """A mutual exclusion lock on one key."""

    def __init__(self, client: Client, key: str, **options: object) -> None:
        super().__init__(client, **options)  # type: ignore[arg-type]
        self.key = key

    def _acquire(self, session_id: str) -> bool:
        started, attempts, index = time.monotonic(), 0, 0
        while not self._stop.is_set():
            wait_s = self._remaining_s(started, attempts)
            if wait_s is None:
                return False
            attempts += 1
            try:
                pairs, last = self._read(self.key, self._wait_query(wait_s, index, {}))
            except ApiError as error:
                raise RecipeError(f"failed to read lock: {error}") from None
            holder = str(pairs[0].get("Session") or "") if pairs else ""
            if pairs and pairs[0]["Flags"] != LOCK_FLAG:
                raise RecipeError("Existing key does not match lock use")
            if holder == session_id:
                return True
            if holder:
                index = last
                continue
            try:
                if self._write(self.key, {"acquire": session_id, "flags": LOCK_FLAG}, self._value):
                    return True
                pairs, last = self._read(self.key, {})
            except ApiError as error:
                raise RecipeError(f"failed to acquire lock: {error}") from None
            index = 0
            if pairs and pairs[0].get("Session"):
                index = last
            elif self._stop.wait(LOCK_RETRY_S):  # lock-delay holds everybody off
                return False
        return False

    def _still_mine(self, query: Mapping[str, str | int]) -> tuple[bool, int]:
        pairs, index = self._read(self.key, query)
        mine = self._session is not None and bool(pairs) and pairs[0].get("Session") == self._session.id
        return mine, index

    def release(self) -> None:
        """Give the lock back and end the session; raises :class:`RecipeError`."""
        if not self._held:
            raise RecipeError("Lock not held")
        self._held = False
        session = self._open_session()
        try:
            self._write(self.key, {"release": session.id, "flags": LOCK_FLAG}, self._value)
        except ApiError as error:
            raise RecipeError(f"failed to release lock: {error}") from None
        finally:
            self._drop_session()

    def destroy(self) -> None:
        """Remove the key unless somebody uses it; raises :class:`InUse` or :class:`RecipeError`."""
        if self._held:
            raise RecipeError("Lock already held")
        try:
            pairs, _ = self._read(self.key, {})
        except ApiError as error:
            raise RecipeError(f"failed to read lock: {error}") from None
        if not pairs:
            return
        if pairs[0]["Flags"] != LOCK_FLAG:
            raise RecipeError("Existing key does not match lock use")
        if pairs[0].get("Session"):
            raise InUse("Lock in use")
        try:
            removed = self._delete_cas(self.key, cast(int, pairs[0]["ModifyIndex"]))
        except ApiError as error:
            raise RecipeError(f"failed to remove lock: {error}") from None
        if not removed:
            raise InUse("Lock in use")


class _Holders:
    """The content of a semaphore's key: its limit and who holds it."""

    def __init__(self, limit: int, holders: dict[str, bool], modify_index: int) -> None:
        self.limit = limit
        self.holders = holders
        self.modify_index = modify_index

    @classmethod
    def decode(cls, pair: Pair | None, limit: int) -> _Holders:
        if pair is None or not pair.get("Value"):
            return cls(limit, {}, cast(int, pair["ModifyIndex"]) if pair is not None else 0)
        try:
            document = gojson.loads(_decode(pair))
        except gojson.GoJsonError as error:
            raise RecipeError(f"lock decoding failed: {error}") from None
        block = document if isinstance(document, Mapping) else {}
        holders = block.get("Holders")
        names = {str(name): True for name in holders} if isinstance(holders, Mapping) else {}
        return cls(cast(int, block.get("Limit") or 0), names, cast(int, pair["ModifyIndex"]))

    def encode(self) -> bytes:
        holders = dict.fromkeys(sorted(self.holders), True)
        return gojson.dumps({"Limit": self.limit, "Holders": holders}).encode()


class Semaphore(Recipe):
    """A lock which ``limit`` holders share, on the keys below a prefix."""

    def __init__(self, client: Client, prefix: str, limit: int, **options: object) -> None:
        assert limit > 0, "a semaphore without places is of no use"
        super().__init__(client, **options)  # type: ignore[arg-type]
        self.prefix = prefix
        self.limit = limit

    @property
    def _key(self) -> str:
        return join_path(self.prefix, SEMAPHORE_KEY)

    def _enter(self, session_id: str) -> None:
        contender = join_path(self.prefix, session_id)
        try:
            if not self._write(contender, {"acquire": session_id, "flags": SEMAPHORE_FLAG}, self._value):
                raise RecipeError("failed to make contender entry: <nil>")
        except ApiError as error:
            raise RecipeError(f"failed to make contender entry: {error}") from None

    def _acquire(self, session_id: str) -> bool:
        started, attempts, index = time.monotonic(), 0, 0
        while not self._stop.is_set():
            wait_s = self._remaining_s(started, attempts)
            if wait_s is None:
                return False
            attempts += 1
            try:
                pairs, last = self._list(self._wait_query(wait_s, index, {}))
            except ApiError as error:
                raise RecipeError(f"failed to read prefix: {error}") from None
            lock = self._lock_of(pairs)
            if lock.limit != self.limit:
                raise RecipeError(f"semaphore limit conflict (lock: {lock.limit}, local: {self.limit})")
            self._prune(lock, pairs)
            if len(lock.holders) >= lock.limit:
                index = last
                continue
            lock.holders[session_id] = True
            try:
                query: dict[str, str | int] = {"cas": lock.modify_index, "flags": SEMAPHORE_FLAG}
                if self._write(self._key, query, lock.encode()):
                    return True
            except ApiError as error:
                raise RecipeError(f"failed to update lock: {error}") from None
        return False

    def _list(self, query: Mapping[str, str | int]) -> tuple[Sequence[Pair], int]:
        return self._read(self.prefix, {**query, "recurse": ""})

    def _lock_of(self, pairs: Sequence[Pair]) -> _Holders:
        pair = next((entry for entry in pairs if entry["Key"] == self._key), None)
        if pair is not None and pair["Flags"] != SEMAPHORE_FLAG:
            raise RecipeError("Existing key does not match semaphore use")
        return _Holders.decode(pair, self.limit)

    def _prune(self, lock: _Holders, pairs: Sequence[Pair]) -> None:
        alive = {str(pair["Session"]) for pair in pairs if pair.get("Session")}
        lock.holders = {name: True for name in lock.holders if name in alive}

    def _still_mine(self, query: Mapping[str, str | int]) -> tuple[bool, int]:
        pairs, index = self._list(query)
        try:
            lock = self._lock_of(pairs)
        except RecipeError:
            return False, index
        self._prune(lock, pairs)
        return self._session is not None and self._session.id in lock.holders, index

    def release(self) -> None:
        """Give the place back and end the session; raises :class:`RecipeError`."""
        if not self._held:
            raise RecipeError("Semaphore not held")
        self._held = False
        session = self._open_session()
        try:
            while not self._leave(session.id):
                continue
            self._client.ok("DELETE", f"/v1/kv/{join_path(self.prefix, session.id)}").close()
        except ApiError as error:
            raise RecipeError(f"failed to remove contender entry: {error}") from None
        finally:
            self._drop_session()

    def _leave(self, session_id: str) -> bool:
        pairs, _ = self._read(self._key, {})
        lock = self._lock_of(pairs)
        if session_id not in lock.holders:
            return True
        del lock.holders[session_id]
        return self._write(self._key, {"cas": lock.modify_index, "flags": SEMAPHORE_FLAG}, lock.encode())

    def destroy(self) -> None:
        """Remove the semaphore's key unless somebody holds a place; raises :class:`InUse` or :class:`RecipeError`."""
        if self._held:
            raise RecipeError("Semaphore already held")
        try:
            pairs, _ = self._list({})
        except ApiError as error:
            raise RecipeError(f"failed to read prefix: {error}") from None
        lock = self._lock_of(pairs)
        if not lock.modify_index:
            return
        self._prune(lock, pairs)
        if lock.holders:
            raise InUse("Semaphore in use")
        try:
            removed = self._delete_cas(self._key, lock.modify_index)
        except ApiError as error:
            raise RecipeError(f"failed to remove semaphore: {error}") from None
        if not removed:
            raise InUse("Semaphore in use")
