"""Shared views: one evaluation and one encoding for all who wait on the same read."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.engine.store import view as view_module
from proconsul.engine.store.table import Store
from proconsul.engine.store.view import View, Views
from proconsul.engine.store.watch import WatchSet


class Later:
    """Collects callbacks, as an event loop's call_soon would."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def run(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Counter:
    """A read of one number, counting how often it is evaluated."""

    def __init__(self, store: Store) -> None:
        self.store, self.evaluations, self.value = store, 0, 0

    def __call__(self, watch: WatchSet) -> tuple[int, int]:
        self.evaluations += 1
        watch.add("number")
        return self.store.max_index("number"), self.value

    def write(self, value: int, index: int) -> None:
        self.value = value
        tx = self.store.begin(index)
        tx.bump("number")
        tx.commit()


def setup() -> tuple[Views, Counter, Later]:
    store, later = Store(), Later()
    return Views(store.watches, later), Counter(store), later


def test_a_thousand_waiters_cost_one_evaluation_and_one_encoding() -> None:
    views, read, later = setup()
    read.write(1, 5)
    answers: list[bytes] = []
    encodings = 0

    def encode(value: int) -> bytes:
        nonlocal encodings
        encodings += 1
        return b"%d" % value

    for _ in range(1000):
        view = views.get("key", read)
        views.wait(view, 5, lambda view: answers.append(view.render("json", encode)))
    assert read.evaluations == 1
    assert views.waiting == 1000
    read.write(2, 6)
    read.write(3, 7)
    later.run()
    assert answers == [b"3"] * 1000
    assert (read.evaluations, encodings, views.waiting) == (2, 1, 0)


def test_plain_reads_share_an_answer_until_it_changes() -> None:
    views, read, _ = setup()
    read.write(1, 5)
    assert views.get("key", read).value == 1
    assert views.get("key", read).value == 1
    assert read.evaluations == 1
    read.write(2, 6)
    assert (views.get("key", read).value, views.get("key", read).index) == (2, 6)
    assert read.evaluations == 2


def test_a_waiter_wakes_only_past_its_index() -> None:
    views, read, later = setup()
    read.write(1, 5)
    woken: list[View] = []
    views.wait(views.get("key", read), 9, woken.append)
    read.write(2, 8)
    later.run()
    assert woken == []
    read.write(3, 10)
    later.run()
    assert len(woken) == 1


def test_a_cancelled_waiter_is_forgotten() -> None:
    views, read, later = setup()
    woken: list[View] = []
    waiter = views.wait(views.get("key", read), 1, woken.append)
    waiter.cancel()
    read.write(2, 8)
    later.run()
    assert (woken, views.waiting) == ([], 0)


def test_abandon_answers_everybody() -> None:
    views, read, _ = setup()
    read.write(1, 50)
    woken: list[int] = []
    views.wait(views.get("key", read), 50, lambda view: woken.append(view.value))
    views.abandon()
    assert woken == [1]


def test_a_failing_read_reaches_its_waiters() -> None:
    views, read, later = setup()
    read.write(1, 5)
    woken: list[Exception | None] = []
    view = views.get("key", read)
    views.wait(view, 5, lambda view: woken.append(view.error))

    def refuse(watch: WatchSet) -> tuple[int, int]:
        raise ValueError("no longer allowed")

    view.run = refuse
    read.write(2, 6)
    later.run()
    assert [str(error) for error in woken] == ["no longer allowed"]


def test_an_unchanged_answer_still_tells_the_index_of_now() -> None:
    store, later = Store(), Later()
    views = Views(store.watches, later)

    def read(watch: WatchSet) -> tuple[int, None]:
        watch.add("this key only")
        watch.index = lambda: store.max_index("table")
        return store.max_index("table"), None

    assert views.get("key", read).index == 1
    tx = store.begin(42)
    tx.bump("table")
    tx.commit()
    assert views.get("key", read).index == 42


def test_idle_views_are_bounded() -> None:
    views, read, _ = setup()
    for number in range(view_module.IDLE_VIEWS_MAX + 100):
        views.get(number, read)
    assert len(views) == view_module.IDLE_VIEWS_MAX
