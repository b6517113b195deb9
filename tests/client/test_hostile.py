"""Servers that break off, lie and dawdle: each call ends in time with an answer or its error, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator

import pytest
from both import client_of
from hostile import Hostile, answer, hostile, in_turn, pieces

from proconsul.client import (
    AsyncClient,
    BadAnswer,
    CallTimeout,
    ConsulError,
    RateLimited,
    Redirected,
    RetryPolicy,
    ServerError,
    Unavailable,
)

pytestmark = pytest.mark.filterwarnings("error")

ENTRY = answer(b'[{"Key": "a", "Value": "eA=="}]', "200 OK", "X-Consul-Index: 5")
QUICK = RetryPolicy(attempts=3, first_s=0.001, most_s=0.01)


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    """No task, no thread of ours, no socket."""
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    yield
    async with asyncio.timeout(30):
        while left := asyncio.all_tasks() - tasks - {asyncio.current_task()}:
            await asyncio.wait(left)
        # Workers of to_thread are the tests' own.
        while [one for one in set(threading.enumerate()) - threads if "asyncio" not in one.name]:
            await asyncio.sleep(0.01)
    gc.collect()


def make(kind: str, *servers: Hostile, timeout: float = 20) -> AsyncClient:
    return client_of(kind, [one.address for one in servers], retry=QUICK, timeout=timeout)


ALWAYS = [
    ("half a JSON", answer(b'[{"Key": "a"'), BadAnswer),
    ("no JSON", answer(b"hello", "200 OK", "Content-Type: x/y"), BadAnswer),
    ("a page", answer(b"<html><title>Log in</title>", "200 OK", "Content-Type: text/html"), BadAnswer),
    ("another JSON", answer(b'{"a": 1}'), BadAnswer), ("nothing", answer(b""), BadAnswer),
    ("no HTTP", b"SSH-2.0-OpenSSH\r\n", (BadAnswer, Unavailable)),
    ("half a head", b"HTTP/1.1 200 OK\r\nConte\0END", BadAnswer),
    ("half a body", answer(b'[{"Key"', length=99) + b"\0END", Unavailable), ("no answer", None, Unavailable),
    ("a bad chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", BadAnswer),
    ("a 500 with a page", answer(b"<html><h1>Oops " + b"x" * 9999, "500 Oops", "Content-Type: text/html"), ServerError),
    ("a 503", answer(b"", "503 No"), Unavailable), ("a 429", answer(b"slow", "429 Slow"), RateLimited),
    ("a redirect", answer(b"", "301 There", "Location: http://evil.example/"), Redirected),
    ("a redirect to nowhere", answer(b"", "307 There"), Redirected),
    ("a status that is none", answer(b"", "999 What"), ServerError), ("two lengths",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", BadAnswer),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind_of_error"), [one[1:] for one in ALWAYS], ids=[one[0] for one in ALWAYS])
async def test_what_is_always_wrong_is_an_error(
    kind: str, data: bytes | None, kind_of_error: type[ConsulError]
) -> None:
    async with hostile(in_turn(data)) as server, make(kind, server) as client:
        with pytest.raises(kind_of_error) as failure:
            await client.kv.get("a")
        assert len(str(failure.value)) < 500
        assert failure.value.__notes__ if not isinstance(failure.value, BadAnswer) else True


RECOVERS = [one for one in ALWAYS if one[0] in (
    "no HTTP", "half a head", "half a body", "no answer", "a bad chunk", "a 503", "a 429", "two lengths",
)]  # fmt: skip


@pytest.mark.parametrize("data", [one[1] for one in RECOVERS], ids=[one[0] for one in RECOVERS])
async def test_a_read_is_tried_again(kind: str, data: bytes | None) -> None:
    async with hostile(in_turn(data, ENTRY)) as server, make(kind, server) as client:
        assert await client.kv.get("a") == b"x"
        assert len(server.requests) == 2


@pytest.mark.parametrize("data", [one[1] for one in RECOVERS], ids=[one[0] for one in RECOVERS])
async def test_a_write_is_not_done_twice(kind: str, data: bytes | None) -> None:
    async with hostile(in_turn(data, answer())) as server, make(kind, server) as client:
        if data is not None and b"429" in data:
            assert await client.kv.put("a", b"x")  # nothing was done the first time
            return
        with pytest.raises((Unavailable, BadAnswer)) as failure:
            await client.kv.put("a", b"x")
        assert not isinstance(failure.value, Unavailable) or failure.value.sent
        assert len(server.requests) == 1


@pytest.mark.parametrize(("second", "done"), [(b"true", True), (b"false", False)])
async def test_a_write_with_cas_is_never_told_to_have_failed_when_it_may_not(
    kind: str, second: bytes, done: bool
) -> None:
    async with hostile(in_turn(None, answer(second))) as server, make(kind, server) as client:
        if done:
            assert await client.kv.put("a", b"x", cas=7)
        else:
            with pytest.raises(Unavailable) as failure:
                await client.kv.put("a", b"x", cas=7)
            assert failure.value.sent
        assert len(server.requests) == 2


async def test_an_answer_in_pieces_is_one(kind: str) -> None:
    async def drip(number: int, writer: asyncio.StreamWriter) -> None:
        for piece in pieces(ENTRY, 1):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async with hostile(drip) as server, make(kind, server) as client:
        assert await client.kv.get("a") == b"x"


async def test_who_never_ends_does_not_keep_a_call_beyond_its_time(kind: str) -> None:
    async def drip(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"A: b\r\n")
            await asyncio.sleep(0.01)

    async with hostile(drip) as server, make(kind, server, timeout=0.2) as client:
        begin = time.monotonic()
        with pytest.raises(CallTimeout) as failure:
            await client.kv.get("a")
        assert time.monotonic() - begin < 10
        assert failure.value.sent
        assert isinstance(failure.value, TimeoutError)


async def test_silence_ends_with_the_time(kind: str) -> None:
    async def silent(number: int, writer: asyncio.StreamWriter) -> None:
        return

    async with hostile(silent) as server, make(kind, server, timeout=0.1) as client:
        with pytest.raises(CallTimeout):
            await client.kv.get("a")
        with pytest.raises(CallTimeout):
            await client.kv.put("a", b"")
        with pytest.raises(CallTimeout):
            await client.kv.get("a", index=7, wait=0.05)
        assert len(server.requests) == 3


async def test_connections_are_kept_and_used_again(kind: str) -> None:
    async with hostile(in_turn(ENTRY)) as server, make(kind, server) as client:
        for _ in range(5):
            assert await client.kv.get("a") == b"x"
        assert server.connections == 1


@pytest.mark.parametrize("data", [
    ENTRY + b"HTTP/1.1 200 OK\r\n", ENTRY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ENTRY.replace(b"HTTP/1.1", b"HTTP/1.0"),
], ids=["more than an answer", "told to be closed", "of HTTP/1.0"])  # fmt: skip
async def test_connections_that_are_not_clean_are_not_used_again(kind: str, data: bytes) -> None:
    async with hostile(in_turn(data)) as server, make(kind, server) as client:
        for _ in range(3):
            assert await client.kv.get("a") == b"x"
        assert server.connections == 3


async def test_a_connection_that_was_closed_meanwhile_costs_no_write(kind: str) -> None:
    async with hostile(in_turn(ENTRY, answer())) as server, make(kind, server) as client:
        assert await client.kv.get("a") == b"x"
        for writer in list(server.open):
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert await client.kv.put("a", b"x")
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_another_agent_is_asked(kind: str) -> None:
    async with hostile(in_turn(None)) as broken, hostile(in_turn(ENTRY)) as sound:
        gone = Hostile()
        gone.address = "127.0.0.1:1"
        async with make(kind, gone, broken, sound) as client:
            assert await client.kv.get("a") == b"x"
            assert len(broken.requests) == 1
            assert await client.kv.get("a") == b"x"  # and goes on being asked
            assert (len(broken.requests), len(sound.requests)) == (1, 2)


async def test_nobody_there(kind: str) -> None:
    gone = Hostile()
    gone.address = "127.0.0.1:1"
    async with make(kind, gone) as client:
        with pytest.raises(Unavailable, match="connection refused") as failure:
            await client.kv.put("a", b"")
        assert not failure.value.sent
        assert failure.value.__notes__ == ["PUT /v1/kv/a at 127.0.0.1:1"]


async def test_a_call_that_is_cancelled_spoils_no_connection() -> None:
    async def late(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 0:
            await asyncio.sleep(0.1)
        writer.write(answer(b'[{"Key": "a", "Value": "%s"}]' % (b"bGF0ZQ==" if number == 0 else b"eA==")))

    async with hostile(late) as server, make("async", server) as client:
        asking = asyncio.ensure_future(client.kv.get("a"))
        await asyncio.sleep(0.02)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0.15)
        assert await client.kv.get("a") == b"x"  # and not the answer to the question before
        assert server.connections == 2


async def test_closing_a_client_ends_its_calls(kind: str) -> None:
    async def silent(number: int, writer: asyncio.StreamWriter) -> None:
        return

    async with hostile(silent) as server:
        client = make(kind, server)
        asking = asyncio.ensure_future(client.kv.get("a"))
        while not server.requests:
            await asyncio.sleep(0.01)
        await client.aclose()
        with pytest.raises(Unavailable):
            await asking
        with pytest.raises(Unavailable, match="closed"):
            await client.kv.get("a")


# ---------------------------------------------------------------------- watches


def entry(value: bytes, index: object) -> bytes:
    return answer(b'[{"Key": "a", "Value": "%s"}]' % value, "200 OK", f"X-Consul-Index: {index}")


async def test_a_watch_goes_on_through_everything(kind: str) -> None:
    """An index that goes back, one that is none, failures of all kinds: all values are told, none twice."""
    answers: list[bytes | None] = [
        entry(b"MQ==", 50), None, entry(b"MQ==", 50), entry(b"Mg==", 7), entry(b"Mg==", 7), answer(b"", "500 Oops"),
        answer(b"{", "200 OK", "X-Consul-Index: 9"), answer(b"slow", "429 Slow"), entry(b"Mw==", 8), b"nonsense",
        entry(b"NA==", 9),
    ]  # fmt: skip
    async with hostile(in_turn(*answers)) as server, make(kind, server) as client:
        watch = client.watch(client.kv.get, "a")
        watch.wait_s = 0.05
        errors: list[ConsulError] = []
        watch.on_error = errors.append
        seen: list[bytes | None] = []
        async with asyncio.timeout(60):
            while len(seen) < 4:
                seen.append(await watch.__anext__())
        assert seen == [b"1", b"2", b"3", b"4"]
        asked = [int(one.partition(b"index=")[2].partition(b"&")[0] or 0) for one in
                 (request.split(b"\r\n")[0].replace(b" HTTP/1.1", b"") for request in server.requests)]  # fmt: skip
        assert asked[:2] == [0, 50]
        # After one that went back it is asked without an index.
        back = next(place for place, one in enumerate(server.requests) if place >= 4)
        assert asked[back] == 0
        assert errors


@pytest.mark.parametrize("index", ["0", "-5", "soon", ""])
async def test_a_watch_of_what_has_no_index_asks_now_and_then(kind: str, index: str) -> None:
    async with hostile(in_turn(entry(b"MQ==", index))) as server, make(kind, server) as client:
        watch = client.watch(client.kv.get, "a")
        assert await watch.__anext__() == b"1"
        waiting = asyncio.ensure_future(watch.__anext__())
        await asyncio.sleep(0.2)
        assert len(server.requests) == 1
        watch.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_watch_of_a_server_that_answers_at_once_does_not_ask_all_the_time(kind: str) -> None:
    async with hostile(in_turn(entry(b"MQ==", 5))) as server, make(kind, server) as client:
        watch = client.watch(client.kv.get, "a")
        assert await watch.__anext__() == b"1"
        waiting = asyncio.ensure_future(watch.__anext__())
        await asyncio.sleep(0.5)
        assert len(server.requests) < 100
        watch.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
