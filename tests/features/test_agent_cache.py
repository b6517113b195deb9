"""The agent's cache: what it answers, how old that is, who is told, when servers are asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.http.request import Request
from proconsul.engine.meters import Meters
from proconsul.engine.token_bucket import TokenBucket
from proconsul.features.agent_cache.cache import AgentCache, CacheAnswer, CacheSource, CacheWait, calling
from proconsul.features.agent_cache.entries import (
    ANEW_PER_S,
    ANY_AGE,
    IDLE_S,
    PAUSE_MAX_S,
    CacheControl,
    CacheEntries,
    CacheEntry,
    Waiting,
)
from proconsul.features.errors import BadRequest, ConsulError, PermissionDenied
from proconsul.features.options import read_consistency
from support.patience import PATIENCE_S

SECRET_GONE = ConsulError("rpc error making call: ACL not found")


class Value(NamedTuple):
    at: int
    text: str


class Servers:
    """Answers questions when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Completion, int, float]] = []
        self.given_up = 0

    def source(self) -> CacheSource:
        return CacheSource(self._begin, lambda value: value.at, lambda a, b: bool(a == b))

    def _begin(self, waiter: Completion, min_index: int, wait_s: float) -> Callable[[], object]:
        self.asked.append((waiter, min_index, wait_s))
        return self._gave_up

    def _gave_up(self) -> None:
        self.given_up += 1

    def answer(self, outcome: Value | Exception) -> None:
        waiter = self.asked[-1][0]
        if isinstance(outcome, Exception):
            tell_error(waiter, outcome)
        else:
            tell(waiter, outcome)

    async def asked_times(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.asked) < count:
                await asyncio.sleep(0.001)


def ask(cache: AgentCache, servers: Servers, key: object = "k", **how: Any) -> asyncio.Future[CacheAnswer]:
    """An answer that is there, or will be."""
    future: asyncio.Future[CacheAnswer] = asyncio.get_running_loop().create_future()
    got = cache.ask(future, key, servers.source(), refreshed=how.pop("refreshed", True), **how)
    if isinstance(got, CacheAnswer):
        future.set_result(got)
    return future


async def test_equal_questions_share_one_and_it_is_kept_current() -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    waiting = [ask(cache, servers) for _ in range(1000)]
    assert [question[1] for question in servers.asked] == [0]
    servers.answer(Value(7, "a"))
    assert {(one.result().value.text, one.result().hit) for one in waiting} == {("a", False)}
    assert ask(cache, servers).result() == CacheAnswer(Value(7, "a"), True, 0.0)
    await servers.asked_times(2)
    assert servers.asked[-1][1] == 7  # waits for a change
    blocked, content = ask(cache, servers, min_index=7, wait_s=PATIENCE_S), ask(cache, servers, min_index=6, wait_s=1)
    assert content.result().hit and not blocked.done()
    servers.answer(Value(9, "b"))
    assert blocked.result() == CacheAnswer(Value(9, "b"), False, 0.0)
    assert ask(cache, servers).result().value.text == "b"
    cache.close()


async def test_who_waits_too_long_is_told_what_there_is() -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    ask(cache, servers)
    servers.answer(Value(7, "a"))
    late = ask(cache, servers, min_index=7, wait_s=0.001)
    assert await late == CacheAnswer(Value(7, "a"), False, 0.0)
    given_up = asyncio.get_running_loop().create_future()
    pending = cache.ask(given_up, "k", servers.source(), refreshed=True, min_index=7, wait_s=PATIENCE_S)
    assert isinstance(pending, CacheWait)
    pending.cancel()
    await servers.asked_times(2)
    servers.answer(Value(8, "b"))
    assert not given_up.done()
    # An index that goes back is a restore: nobody waits for what will not come.
    behind = ask(cache, servers, min_index=100, wait_s=PATIENCE_S)
    await servers.asked_times(3)
    servers.answer(Value(2, "c"))
    assert behind.result().value.text == "c"
    cache.close()


async def test_keys_share_nothing() -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    keys = [(("m", "web"), dc, token) for dc in ("dc1", "dc2") for token in ("", "t1", "t2")]
    for number, key in enumerate(keys):
        future = ask(cache, servers, key)
        servers.answer(Value(1, str(number)))
        assert not (await future).hit
    assert [ask(cache, servers, key).result().value.text for key in keys] == [str(n) for n in range(len(keys))]
    cache.close()


@pytest.mark.parametrize("refusal", [SECRET_GONE, PermissionDenied(), ConsulError("Permission denied: no")])
async def test_what_a_token_may_not_see_any_more_goes(refusal: ConsulError) -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    ask(cache, servers)
    servers.answer(Value(7, "secret"))
    await servers.asked_times(2)
    blocked = ask(cache, servers, min_index=7, wait_s=PATIENCE_S)
    servers.answer(refusal)
    assert blocked.exception() is refusal and len(cache) == 0
    again = ask(cache, servers)
    assert not again.done() and servers.asked[-1][1] == 0
    servers.answer(refusal)
    assert again.exception() is refusal
    cache.close()


async def test_without_servers_the_last_answer_grows_old_and_who_waits_is_told() -> None:
    cache, servers, meters = AgentCache(random.Random(1)), Servers(), Meters()
    cache = AgentCache(random.Random(1), meters=meters)
    failure = ConsulError("No known Consul servers")
    first = ask(cache, servers)
    servers.answer(failure)
    assert first.exception() is failure and len(cache) == 0  # and the next one asks anew
    ask(cache, servers)
    servers.answer(Value(7, "a"))
    await servers.asked_times(3)
    blocked = ask(cache, servers, min_index=7, wait_s=PATIENCE_S)
    servers.answer(failure)
    await servers.asked_times(4)
    assert servers.asked[-1][1] == 0  # at once when there is somebody again
    assert not blocked.done()  # it may have been that server's fault only
    servers.answer(failure)
    assert blocked.exception() is failure
    assert ask(cache, servers).result().hit
    await servers.asked_times(5)
    servers.answer(Value(7, "a"))
    assert ask(cache, servers).result().age_s == 0.0
    counts = meters.drain()[1]
    assert counts["cache.fetch_success"] == 2 and counts["cache.fetch_error"] == 3
    cache.close()


@pytest.mark.parametrize("refreshed", [True, False])
@pytest.mark.parametrize("before", [(), (Value(7, "a"),)])
async def test_who_asks_again_when_told_of_a_failure_is_answered(refreshed: bool, before: tuple[Value, ...]) -> None:
    """As pipelined requests do: what they ask begins while those before them are told."""
    cache, servers = AgentCache(random.Random(1)), Servers()
    how: dict[str, Any] = {"refreshed": refreshed, "control": CacheControl(must_revalidate=True)}

    class Again:
        second: asyncio.Future[CacheAnswer] | None = None

        def done(self) -> bool:
            return False

        def set_result(self, result: Any) -> None:
            raise AssertionError("it failed")

        def set_exception(self, error: Exception) -> None:
            self.second = ask(cache, servers, **how)

    for value in before:
        ask(cache, servers, **how)
        servers.answer(value)
    again = Again()
    cache.ask(again, "k", servers.source(), min_index=8 if refreshed else 0, wait_s=PATIENCE_S, **how)
    while again.second is None:
        count = len(servers.asked)
        servers.answer(PermissionDenied())
        if again.second is None:
            await servers.asked_times(count + 1)
    servers.answer(Value(9, "b"))
    assert (await asyncio.wait_for(again.second, PATIENCE_S)).value == Value(9, "b")
    cache.close()


async def test_nothing_is_asked_after_the_end() -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    ask(cache, servers)
    servers.answer(Value(7, "a"))
    await servers.asked_times(2)
    cache.close()
    assert servers.given_up == 1
    servers.answer(Value(8, "b"))
    assert len(cache) == 0 and len(servers.asked) == 2


async def test_a_simple_entry_is_asked_for_when_it_is_too_old() -> None:
    cache, calls, error = AgentCache(random.Random(1)), [0], [False]

    async def call() -> int:
        calls[0] += 1
        if error[0]:
            raise ConsulError("nobody")
        return calls[0]

    async def get(control: CacheControl = ANY_AGE) -> CacheAnswer:
        future: asyncio.Future[CacheAnswer] = asyncio.get_running_loop().create_future()
        got = cache.ask(future, "k", calling(call), refreshed=False, control=control)
        return got if isinstance(got, CacheAnswer) else await future

    together = await asyncio.gather(*(get() for _ in range(20)))
    assert {(one.value, one.hit) for one in together} == {(1, False)}
    assert (await get())[:2] == (1, True)
    assert (await get(CacheControl(max_age_s=3600)))[:2] == (1, True)
    assert (await get(CacheControl(must_revalidate=True)))[:2] == (2, False)
    error[0] = True
    for control in (CacheControl(must_revalidate=True), CacheControl(max_age_s=1e-9)):
        with pytest.raises(ConsulError, match="nobody"):
            await get(control)
        assert (await get(control._replace(stale_if_error_s=60)))[:2] == (2, True)
    assert (await get())[:2] == (2, True)
    cache.close()


async def test_how_often_is_limited_and_a_reload_changes_that() -> None:
    cache, servers = AgentCache(random.Random(1)), Servers()
    cache.configure(fetch_rate=0.001, fetch_burst=2)
    ask(cache, servers)
    servers.answer(Value(1, "a"))
    await servers.asked_times(2)
    servers.answer(Value(2, "b"))  # the burst is used up
    await asyncio.sleep(0)
    blocked = ask(cache, servers, min_index=2, wait_s=0.001)
    assert (await blocked).value.text == "b" and len(servers.asked) == 2
    cache.configure(fetch_rate=None, fetch_burst=2)
    await servers.asked_times(3)
    cache.close()


# ----------------------------------------------------------------------------------------------- pure


def entry(now: float = 0.0) -> CacheEntry:
    return CacheEntry(refreshed=True, bucket=TokenBucket(1, 1, now, limited=False), now=now)


def test_pauses_after_failures() -> None:
    one = entry()
    one.came("v", 1, 0.0, same=False)
    pauses = []
    for _ in range(12):
        one.failed(5.0, refused=False)
        pauses.append((one.pause_s(0.0), one.pause_s(1.0)))
    longest = [(base, 2 * base) for base in (0, 0, 0, 2, 4, 8, 16, 32, *[PAUSE_MAX_S] * 4)]
    assert pauses == longest
    assert (one.age_s(5.0), one.age_s(65.0)) == (0.0, 60.0)
    one.came("v", 1, 70.0, same=True)
    assert one.age_s(99.0) == 0.0 and one.pause_s(0.5) == 0.0
    assert one.pause_s(0.5, unchanged_after_s=0.0) == 1.0 and one.pause_s(0.5, unchanged_after_s=30.0) == 0.0


@given(st.integers(1, 5), st.integers(0, 50_000), st.floats(0, 1))
def test_what_is_lost_together_is_not_asked_for_at_once(failures: int, others: int, share: float) -> None:
    one = entry()
    one.came("v", 1, 0.0, same=False)
    for _ in range(failures):
        one.failed(5.0, refused=False)
    alone_s = one.pause_s(share)
    assert one.pause_s(share, others=others) == max(alone_s, share * others / ANEW_PER_S)
    one.waiting = {1: Waiting(1, 1, ANY_AGE)}
    assert one.pause_s(share, others=others) == alone_s, "somebody waits for it"
    one.came("v", 1, 6.0, same=True)
    assert one.pause_s(share, others=others) == 0.0


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=30), st.lists(st.integers(0, 20), max_size=10))
def test_whoever_waits_is_told_as_soon_as_there_is_more(came: list[tuple[int, bool]], waits: list[int]) -> None:
    """Never of less than they have, unless the index went back, and once."""
    one = entry()
    one.waiting = {number: Waiting(number, index, ANY_AGE) for number, index in enumerate(waits)}
    told: list[int] = []
    before = 0
    for index, fails in came:
        heard = one.failed(1.0, refused=False) if fails else one.came("v", index, 1.0, same=False)
        for waiting in heard:
            assert fails or waiting.min_index == 0 or index > waiting.min_index or index < before
            told.append(waiting.who)
        before = before if fails else index
        if not fails:
            assert all(waiting.min_index >= index for waiting in one.waiting.values())
    assert len(told) == len(set(told))


def test_what_nobody_asks_for_goes_and_the_oldest_first() -> None:
    gone: list[object] = []
    entries = CacheEntries(lambda key, _: gone.append(key), entries_max=3)
    for number in range(4):
        entries.add(number, entry(float(number)))
    assert gone == [0]
    entries.get(1, 10.0)
    entries.expire(IDLE_S + 3.0)
    assert gone == [0, 2, 3] and list(entries) == [1]


@given(st.floats(0.1, 100), st.integers(1, 10), st.lists(st.floats(0, 5), max_size=50))
def test_no_more_than_the_rate_and_the_burst(rate: float, burst: int, gaps: list[float]) -> None:
    bucket, now, allowed = TokenBucket(rate, burst, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        allowed += bucket.allow(now)
        assert allowed <= burst + rate * now + 1e-6
    late = TokenBucket(rate, burst, 0.0)
    assert [late.reserve(0.0) for _ in range(burst)] == [0.0] * burst
    assert late.reserve(0.0) == pytest.approx(1 / rate)


@pytest.mark.parametrize(
    ("header", "control"),
    [
        ("max-age=5", CacheControl(5)), ("MAX-AGE=5, stale-if-error=9", CacheControl(5, False, 9)),
        ("max-age=0", CacheControl(0, True)), ("must-revalidate", CacheControl(0, True)), ("max-age", ANY_AGE),
        ("must-revalidate=5", ANY_AGE), ("max-age = 1", ANY_AGE), ("no-cache", ANY_AGE),
        ("max-age=-1", CacheControl(-1)),
        ("max-age=", None), ("max-age=1.5", None), ("max-age=1; x", None), ("stale-if-error=x", None),
    ],
)  # fmt: skip
def test_cache_control(header: str, control: CacheControl | None) -> None:
    request = Request("GET", "/", "/", "cached", {"cache-control": header})
    if control is None:
        with pytest.raises(BadRequest, match=r"^Invalid Cache-Control header\.$"):
            read_consistency(request, discovery_max_stale_ns=0, use_cache=True)
    else:
        assert read_consistency(request, discovery_max_stale_ns=0, use_cache=True).control == control
    assert CacheControl(-1).satisfied_by(1e9) and not CacheControl(5).satisfied_by(6)
