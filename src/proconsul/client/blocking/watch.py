# Made by scripts/make_blocking_client.py of ../aio/watch.py: change that one.
"""Reads that go on: values as they change, and what changed in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from proconsul.client.asking import Ask
from proconsul.client.blocking import kit
from proconsul.client.blocking.caller import Caller
from proconsul.client.errors import ConsulError, Unavailable
from proconsul.client.watching import (
    Added,
    Change,
    Changed,
    IndexRules,
    Position,
    Version,
    differences,
    ends_watch,
    rows_of,
    version_of,
)

__all__ = ["Changes", "Watch"]

T = TypeVar("T")
R = TypeVar("R")

_NOTHING = object()
# How long one question waits: as long as a peer that is gone without a word may go unnoticed.
WAIT_S = 60.0


class Watch(Generic[T]):
    """What a read gives, now and each time that it is something else: ``for value in client.watch(...)``.

    It goes on through failures of servers and connections, waiting longer each time; ``last_error`` is why it does so
    just now, None while all is well, and ``on_error`` is told of each. What waiting does not cure is raised: a refusal
    (PermissionDenied, as of a token that has expired), BadRequest. The watch can be asked on after that.

    Values in between may be left out, never the last one.
    """

    def __init__(self, caller: Caller, read: Callable[..., T], args: Any, kwargs: Any) -> None:
        self._caller, self._read, self._args, self._kwargs = caller, read, args, kwargs
        self._rules = IndexRules(caller.rng)
        self._value: Any = _NOTHING
        self._pause_s = 0.0
        self._handle = kit.Handle()
        # How long each question may wait, in seconds.
        self.wait_s = WAIT_S
        self.last_error: ConsulError | None = None
        self.on_error: Callable[[ConsulError], None] | None = None

    @property
    def index(self) -> int:
        """The index of the last answer, 0 before there is one and after a failure."""
        return self._rules.index

    def __iter__(self) -> Watch[T]:
        return self

    def __next__(self) -> T:
        """Wait for the next value. Ends when it was closed."""
        with self._handle:
            while not self._handle.stopped:
                try:
                    if self._pause_s:
                        # Whoever is cancelled here has not slept, and does when it asks again.
                        kit.sleep(self._pause_s)
                        self._pause_s = 0.0
                    ask = Ask(self._rules.index, self.wait_s)
                    value = self._caller.asked(ask, self._read, *self._args, **self._kwargs)
                except ConsulError as error:
                    self._failed(error)
                    continue
                except kit.Stopped:
                    break
                self.last_error = None
                self._pause_s = self._rules.answered(ask.meta.index if ask.meta is not None else 0, kit.now())
                if self._value is _NOTHING or value != self._value:
                    self._value = value
                    return value  # type: ignore[no-any-return]
        raise StopAsyncIteration

    def _failed(self, error: ConsulError) -> None:
        if self._handle.stopped:
            return
        self.last_error = error
        self._pause_s = self._rules.failed(error)
        if self.on_error is not None:
            self.on_error(error)
        if ends_watch(error) or (isinstance(error, Unavailable) and self._caller.is_closed):
            raise error

    def close(self) -> None:
        """End it: whoever waits for the next value is told that there is none."""
        self._handle.stop()


class Changes(Generic[R]):
    """What changes in what a read gives, piece by piece: ``for change in client.changes(...)``.

    The first answer is all `Added`. Errors are as of `Watch`, which is ``watch``.
    """

    def __init__(self, watch: Watch[Any], since: Position | None = None) -> None:
        self.watch = watch
        self._told: dict[str, Any] = {}
        if since is not None:
            self._told = {key: Version(text) for key, text in since.versions.items()}
        self._left: deque[Change[R]] = deque()

    def __iter__(self) -> Changes[R]:
        return self

    def __next__(self) -> Change[R]:
        """Wait for the next change."""
        while not self._left:
            self._left.extend(differences(self._told, rows_of(self.watch.__next__())))
        change = self._left.popleft()
        if isinstance(change, (Added, Changed)):
            self._told[change.key] = change.value
        else:
            self._told.pop(change.key, None)
        return change

    def position(self) -> Position:
        """How far the changes were told: for ``since`` of another `client.changes` of the same read."""
        return Position({
            key: value.text if isinstance(value, Version) else version_of(value) for key, value in self._told.items()
        })  # fmt: skip

    def close(self) -> None:
        """As of `Watch`."""
        self.watch.close()
