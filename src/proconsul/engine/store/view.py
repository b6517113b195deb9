"""Views: one read, its answer and everybody who waits for it to change.

A thousand identical blocking queries share one view: it runs the read once, remembers which watch keys the read
touched, and when one of those changes it runs the read again once and answers all waiters with one value (and one
encoded body, which readers keep in ``rendered``). Between changes the answer also serves plain reads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from proconsul.engine.completion import undisturbed
from proconsul.engine.store.watch import WatchRegistry, WatchSet

Run = Callable[[WatchSet], tuple[int, Any]]

# Views nobody waits on are kept for reuse, least recently used first out. 4096 covers the distinct reads of a busy
# agent's clients; the byte bound keeps large encoded lists from pinning memory.
IDLE_VIEWS_MAX = 4096
RENDERED_BYTES_MAX = 64 << 20


class Waiter:
    """One reader that waits for the view's index to pass ``min_index``; ``wake`` is called once."""

    __slots__ = ("min_index", "view", "wake")

    def __init__(self, view: View, min_index: int, wake: Callable[[View], None]) -> None:
        self.view = view
        self.min_index = min_index
        self.wake = wake

    def cancel(self) -> None:
        self.view.waiters.pop(self, None)
        self.view.hub.release(self.view)


class View:
    """The current answer of one read. ``value`` is valid until a watched key changes."""

    __slots__ = (
        "_index", "_index_now", "error", "hub", "key", "keys", "rendered", "rendered_bytes", "run", "valid", "value",
        "waiters",
    )  # fmt: skip

    def __init__(self, hub: Views, key: Hashable, run: Run) -> None:
        self.hub = hub
        self.key = key
        self.run = run
        self._index = 0
        self._index_now: Callable[[], int] | None = None
        self.value: Any = None
        self.valid = False
        # Why the last evaluation for waiters failed; plain readers get the exception itself.
        self.error: Exception | None = None
        self.keys: set[Hashable] = set()
        self.waiters: dict[Waiter, None] = {}
        self.rendered: dict[Hashable, Any] = {}
        self.rendered_bytes = 0

    def changed(self) -> None:
        if self.valid:
            self.valid = False
            self.hub.mark_stale(self)

    def refresh(self) -> None:
        """Run the read if the last answer is no longer valid."""
        if self.valid:
            return
        watch = WatchSet()
        self._index, self.value = self.run(watch)
        self._index_now = watch.index
        self._forget_rendered()
        if watch.keys != self.keys:
            self.hub.watches.unsubscribe(self, self.keys - watch.keys)
            self.hub.watches.subscribe(self, watch.keys - self.keys)
            self.keys = watch.keys
        self.valid = True

    def reread(self) -> None:
        """`refresh` for those who wait: if the read itself refuses now, ``error`` says why, and all must hear it."""
        try:
            self.refresh()
            self.error = None
        except Exception as error:
            self.error = error

    @property
    def index(self) -> int:
        """The index of the answer; never below 1, so that clients can always wait for more."""
        return max(self._index if self._index_now is None else self._index_now(), 1)

    def render(self, form: Hashable, make: Callable[[Any], Any]) -> Any:
        """The encoded form (anything with a length) of the current value, made once for all readers of that form."""
        body = self.rendered.get(form)
        if body is None:
            body = self.rendered[form] = make(self.value)
            self.rendered_bytes += len(body)
            self.hub.rendered_bytes += len(body)
        return body

    def _forget_rendered(self) -> None:
        if self.rendered:
            self.hub.rendered_bytes -= self.rendered_bytes
            self.rendered = {}
            self.rendered_bytes = 0


class Views:
    """All views over one store. ``schedule`` runs a callback soon, after the writes now being applied."""

    def __init__(self, watches: WatchRegistry, schedule: Callable[[Callable[[], None]], object]) -> None:
        self.watches = watches
        self.rendered_bytes = 0
        self._schedule = schedule
        self._views: dict[Hashable, View] = {}
        self._idle: OrderedDict[Hashable, View] = OrderedDict()
        self._stale: list[View] = []
        self._scheduled = False

    def __len__(self) -> int:
        return len(self._views)

    @property
    def waiting(self) -> int:
        """How many readers wait (the gauge ``rpc.queries_blocking``)."""
        return sum(len(view.waiters) for view in self._views.values())

    def get(self, key: Hashable, run: Run) -> View:
        """The view for ``key`` with a valid answer; ``run`` is used only when there is none yet."""
        view = self._views.get(key)
        if view is None:
            view = View(self, key, run)
            view.refresh()
            self._views[key] = view
            self._idle[key] = view
            self._trim()
        else:
            if not view.valid:
                view.refresh()
            if key in self._idle:
                self._idle.move_to_end(key)
        return view

    def wait(self, view: View, min_index: int, wake: Callable[[View], None]) -> Waiter:
        """Call ``wake(view)`` once when the view's index is above ``min_index``."""
        waiter = Waiter(view, min_index, wake)
        view.waiters[waiter] = None
        self._idle.pop(view.key, None)
        return waiter

    def release(self, view: View) -> None:
        if not view.waiters and self._views.get(view.key) is view and view.key not in self._idle:
            self._idle[view.key] = view
            self._trim()

    def mark_stale(self, view: View) -> None:
        if view.waiters:
            self._stale.append(view)
            if not self._scheduled:
                self._scheduled = True
                self._schedule(self._wake_stale)
        else:
            # Nobody waits: let go of the encoded answer now, read again when somebody asks.
            view._forget_rendered()
            view.value = None

    def _wake_stale(self) -> None:
        self._scheduled = False
        stale, self._stale = self._stale, []
        for view in stale:
            view.reread()
            failed, index = view.error is not None, view.index
            woken = [waiter for waiter in view.waiters if failed or index > waiter.min_index]
            for waiter in woken:
                del view.waiters[waiter]
            for waiter in woken:
                undisturbed(waiter.wake, view)
            self.release(view)

    def abandon(self) -> None:
        """Answer every waiter with what is there now: the store was replaced, indexes may have gone back."""
        for view in list(self._views.values()):
            view.valid = False
            view.reread()
            woken, view.waiters = list(view.waiters), {}
            for waiter in woken:
                undisturbed(waiter.wake, view)
            self.release(view)

    def _trim(self) -> None:
        while self._idle and (len(self._idle) > IDLE_VIEWS_MAX or self.rendered_bytes > RENDERED_BYTES_MAX):
            _, view = self._idle.popitem(last=False)
            self._forget(view)

    def _forget(self, view: View) -> None:
        view._forget_rendered()
        self.watches.unsubscribe(view, view.keys)
        view.keys = set()
        view.valid = False
        del self._views[view.key]
