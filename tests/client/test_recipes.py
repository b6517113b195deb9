"""What the client makes of its calls, with both clients and both servers."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from both import ROOT_TOKEN, client_of

from proconsul.client import AsyncClient, ConflictError, LockLost, PermissionDenied, ttl_check
from proconsul.client.watching import Added, Changed, Position, Removed
from support.harness import eventually as wait_for

PATIENCE_S = 60


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def eventually(probe: Any) -> Any:
    """Ask until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await probe()):
            await asyncio.sleep(0.02)
        return found


# ---------------------------------------------------------------------- watches


async def test_a_watch_tells_each_value_once(client: AsyncClient) -> None:
    key = unique("watched")
    seen = []
    watch = client.watch(client.kv.get, key)
    async with asyncio.timeout(PATIENCE_S):
        async for value in watch:
            seen.append(value)
            if value is None:
                await client.kv.put(f"{key}-other", b"x")
                await client.kv.put(key, b"1")
            elif value == b"1":
                await client.kv.put(key, b"1", flags=3)  # another index, the same value
                await client.kv.put(key, b"2")
            else:
                break
    assert seen == [None, b"1", b"2"]


async def test_changes_and_resuming(client: AsyncClient) -> None:
    prefix = unique("tree") + "/"
    await client.kv.put(f"{prefix}a", b"1")
    await client.kv.put(f"{prefix}b", b"1")
    changes = client.changes(client.kv.entries, prefix)
    told = [await changes.__anext__() for _ in range(2)]
    assert [(type(one), one.key) for one in told] == [(Added, f"{prefix}a"), (Added, f"{prefix}b")]
    await client.kv.put(f"{prefix}a", b"2")
    change = await changes.__anext__()
    assert isinstance(change, Changed)
    assert change.before is not None
    assert (change.value.Value, change.before.Value) == (b"2", b"1")
    position = changes.position()
    assert set(position.versions) == {f"{prefix}a", f"{prefix}b"}
    # What happens while nobody looks is told to who goes on from there.
    await client.kv.delete(f"{prefix}b")
    await client.kv.put(f"{prefix}c", b"1")
    again = client.changes(client.kv.entries, prefix, since=Position(dict(position.versions)))
    told = [await again.__anext__() for _ in range(2)]
    assert [(type(one), one.key) for one in told] == [(Removed, f"{prefix}b"), (Added, f"{prefix}c")]
    services = client.changes(client.catalog.services)
    assert (await services.__anext__()).key == "consul"


async def test_a_watch_can_be_closed_while_it_waits(client: AsyncClient) -> None:
    watch = client.watch(client.kv.get, unique("quiet"))
    assert await watch.__anext__() is None
    waiting = asyncio.ensure_future(watch.__anext__())
    await asyncio.sleep(0.05)
    watch.close()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(StopAsyncIteration):
            await waiting
    with pytest.raises(StopAsyncIteration):
        await watch.__anext__()


async def test_a_watch_tells_of_a_refusal_and_can_be_asked_on(client: AsyncClient, server: str) -> None:
    name = unique("short")
    policy = await client.acl.policies.create({"Name": name, "Rules": f'key "{name}" {{ policy = "read" }}'})
    token = await client.acl.tokens.create({"Policies": [{"ID": policy.ID}]})
    async with AsyncClient(server, token=token.SecretID) as other:
        watch = other.watch(other.kv.get, name)
        assert await watch.__anext__() is None
        await client.acl.tokens.delete(token.AccessorID)

        async def follow() -> None:
            async for _ in watch:  # the reference looks at a token when a question begins, not when it ends
                pass

        following = asyncio.ensure_future(follow())

        async def touched() -> bool:
            await client.kv.put(name, uuid.uuid4().hex)
            return following.done()

        await eventually(touched)
        with pytest.raises(PermissionDenied):
            await following
        assert isinstance(watch.last_error, PermissionDenied)
        with pytest.raises(PermissionDenied):
            await watch.__anext__()


# ---------------------------------------------------------------------- locks


async def test_locks_exclude_each_other(client: AsyncClient, server: str, kind: str) -> None:
    key = unique("lock")
    other = client_of(kind, server)
    async with client.lock(key, value=b"me", ttl=10, lock_delay=0.001) as held:
        assert held.held
        assert not held.lost.is_set()
        first = held.token
        assert (first.key, first.index) == (key, 1)
        rival = other.lock(key, ttl=10)
        assert await rival.acquire(timeout=0.2) is None
        holder = await rival.holder()
        assert holder is not None
        assert (holder.Value, holder.Session) == (b"me", first.session)
        assert not await rival.destroy()
        waiting = asyncio.ensure_future(rival.acquire())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    async with asyncio.timeout(PATIENCE_S):
        taken = await waiting
    assert taken is not None
    assert taken.token.index == first.index + 1
    assert not held.held
    await rival.release()
    assert await rival.holder() is None
    assert await rival.destroy()
    assert await client.kv.entry(key) is None
    assert not [one for one in await client.session.list() if one.Name == f"lock {key}"]
    await other.aclose()


async def test_the_loss_of_a_lock_is_told_at_once(client: AsyncClient, kind: str) -> None:
    key = unique("lost")
    cancelled = False
    with pytest.raises(LockLost, match=key):
        async with client.lock(key, ttl=10, lock_delay=0.001) as held:
            await client.session.destroy(held.token.session)
            async with asyncio.timeout(PATIENCE_S):
                try:
                    await (asyncio.sleep(PATIENCE_S) if kind == "async" else held.lost.wait())
                except asyncio.CancelledError:
                    cancelled = True
                    raise
            assert not held.held
            with pytest.raises(LockLost):
                held.check()
    assert cancelled == (kind == "async")
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()


async def test_a_key_of_something_else_is_no_lock(client: AsyncClient) -> None:
    key = unique("mine")
    await client.kv.put(key, b"data")
    with pytest.raises(ConflictError):
        await client.lock(key, ttl=10).acquire()
    assert await client.kv.get(key) == b"data"
    assert not [one for one in await client.session.list() if one.Name == f"lock {key}"]


async def test_semaphores_have_as_many_places_as_they_have(client: AsyncClient, server: str, kind: str) -> None:
    prefix = unique("places")
    semaphores = [client.semaphore(prefix, 2, ttl=10, lock_delay=0.001) for _ in range(3)]
    first, second = await semaphores[0].acquire(), await semaphores[1].acquire()
    assert first is not None
    assert second is not None
    assert second.token.index > first.token.index
    assert await semaphores[2].acquire(timeout=0.2) is None
    assert len(await client.kv.entries(f"{prefix}/")) == 3  # whoever has given up has left nothing behind
    waiting = asyncio.ensure_future(semaphores[2].acquire())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await semaphores[0].release()
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting is not None
    with pytest.raises(ConflictError, match="limit conflict"):
        await client.semaphore(prefix, 5, ttl=10).acquire()
    await semaphores[1].release()
    assert not await semaphores[1].destroy()
    await semaphores[2].release()
    assert await semaphores[2].destroy()
    assert await client.kv.entries(f"{prefix}/") == []


async def test_elections(server: str) -> None:
    client = client_of("async", server)
    key = unique("chief")
    election = client.election(key, value=b"one", ttl=10, lock_delay=0.001)
    assert await election.leader() is None
    terms = 0

    async def lead(held: Any) -> None:
        nonlocal terms
        terms += 1
        assert await election.leader() == b"one"
        if terms == 1:
            await client.session.destroy(held.token.session)
            await asyncio.sleep(PATIENCE_S)

    async with asyncio.timeout(PATIENCE_S):
        await election.run(lead)
    assert terms == 2
    leaders = election.watch()
    assert await leaders.__anext__() is None
    async with election.leadership():
        assert await leaders.__anext__() == b"one"
    await client.aclose()


async def test_an_election_in_a_thread(server: str) -> None:
    client = client_of("sync", server)
    election: Any = client.election(unique("chief"), value=b"one", ttl=10, lock_delay=0.001)
    terms: list[bool] = []

    def lead(held: Any) -> None:
        terms.append(held.held)
        if len(terms) == 1:
            election._inner._parts.session.destroy(held.token.session)
            held.lost.wait(PATIENCE_S)

    await election.run(lead)
    # The first term ended without an error, and what was done in it may not have been alone.
    assert terms == [True, True]
    rival = asyncio.ensure_future(election.run(lambda held: held.lost.wait(PATIENCE_S)))
    await eventually(election.leader)
    election.stop()
    async with asyncio.timeout(PATIENCE_S):
        await rival
    await client.aclose()


@pytest.mark.parametrize("held_by", ["consul lock", "us"])
async def test_locks_of_consul_and_ours_exclude_each_other(
    client: AsyncClient, server: str, held_by: str, reference_binary: Path, tmp_path: Path
) -> None:  # fmt: skip
    prefix, done = unique("shared"), tmp_path / "done"
    command = [str(reference_binary), "lock", f"-http-addr={server}", f"-token={ROOT_TOKEN}"]
    if held_by == "us":
        async with client.lock(f"{prefix}/.lock", ttl=10, lock_delay=0.001):
            refused = await asyncio.create_subprocess_exec(*command, "-timeout=300ms", prefix, f"touch {done}")
            assert await refused.wait() != 0
            assert not done.exists()
        later = await asyncio.create_subprocess_exec(*command, prefix, f"touch {done}")
        assert await later.wait() == 0
        assert done.exists()
        return
    ready, go = tmp_path / "ready", tmp_path / "go"
    holder = await asyncio.create_subprocess_exec(
        *command, prefix, f"touch {ready}; while [ ! -e {go} ]; do sleep 0.05; done"
    )  # fmt: skip
    await asyncio.to_thread(wait_for, ready.exists, "the lock is held")
    lock = client.lock(f"{prefix}/.lock", ttl=10)
    assert await lock.acquire(timeout=0.3) is None
    go.touch()
    assert await lock.acquire(timeout=PATIENCE_S) is not None
    await lock.release()
    assert await holder.wait() == 0


async def test_semaphores_of_consul_and_ours_share_their_places(
    client: AsyncClient, server: str, reference_binary: Path, tmp_path: Path
) -> None:
    prefix, done = unique("shared"), tmp_path / "done"
    command = [str(reference_binary), "lock", f"-http-addr={server}", f"-token={ROOT_TOKEN}", "-n=2"]
    async with client.semaphore(prefix, 2, ttl=10, lock_delay=0.001):
        second = await asyncio.create_subprocess_exec(*command, prefix, f"touch {done}")
        assert await second.wait() == 0
        assert done.exists()
        done.unlink()
        async with client.semaphore(prefix, 2, ttl=10, lock_delay=0.001):
            third = await asyncio.create_subprocess_exec(*command, "-timeout=300ms", prefix, f"touch {done}")
            assert await third.wait() != 0
            assert not done.exists()


# ---------------------------------------------------------------------- services


async def test_a_registration_lives_as_long_as_its_block(client: AsyncClient) -> None:
    name = unique("web")
    async with client.registration(name, port=80, ttl=10, tags=["a"], meta={"v": "1"}) as registration:
        (instance,) = await eventually(lambda: client.health.service(name, passing=True))
        assert (instance.Service.Port, instance.Service.Tags) == (80, ["a"])
        registration.set("warning", "tired")

        async def tired() -> bool:
            checks = await client.agent.checks.list()
            return checks[registration.check_id].Status == "warning"

        await eventually(tired)
        for status, output in (("well", ""), (None, ""), ("passing", b"x"), ("passing", None)):
            with pytest.raises((ValueError, TypeError)):
                registration.set(status, output)  # type: ignore[arg-type]
        registration.set("warning", "half a \ud800 character")  # and the reports go on

        async def half() -> bool:
            checks = await client.agent.checks.list()
            return checks[registration.check_id].Output == "half a ? character"

        await eventually(half)
        # An agent that knows nothing of it, as after a start, is told again.
        await client.agent.services.deregister(name)
        registration.set("passing")
        await eventually(lambda: client.agent.services.get(name))
    assert await client.agent.services.get(name) is None
    assert registration.last_error is None


async def test_a_registration_with_a_check_of_the_agent(client: AsyncClient) -> None:
    name = unique("db")
    async with client.registration(name, id=f"{name}-1", port=5432, check=ttl_check(60, name="c", id=f"{name}-c")):
        assert f"{name}-c" in await client.agent.checks.list()
        assert await client.agent.services.get(f"{name}-1") is not None
    assert await client.agent.services.get(f"{name}-1") is None


async def test_a_resolver_follows_a_service(client: AsyncClient, kind: str) -> None:
    name = unique("api")
    await client.agent.services.register(name, id=f"{name}-1", address="10.0.0.1", port=1)
    async with client.resolver(name) as resolver:
        assert resolver.pick().address == "10.0.0.1:1"
        await client.agent.services.register(name, id=f"{name}-2", address="10.0.0.2", port=2)

        async def both() -> bool:
            return len(resolver.instances) == 2

        await eventually(both)
        assert {resolver.pick().id for _ in range(100)} == {f"{name}-1", f"{name}-2"}
        assert not resolver.is_stale
        await client.agent.services.deregister(f"{name}-1")
        await client.agent.services.deregister(f"{name}-2")

        async def none() -> bool:
            return not resolver.instances

        await eventually(none)
