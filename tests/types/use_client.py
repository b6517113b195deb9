"""The asynchronous client as users write it; a type checker reads this, nobody runs it."""

from dataclasses import dataclass
from typing import Any, assert_type

from proconsul.client import (
    JSON,
    Added,
    AsyncChanges,
    AsyncClient,
    AsyncElection,
    AsyncHeld,
    AsyncLiveSettings,
    AsyncLock,
    AsyncMapping,
    AsyncRegistration,
    AsyncResolver,
    AsyncSemaphore,
    AsyncTransaction,
    AsyncWatch,
    CheckServiceNode,
    DirEntry,
    FencingToken,
    Instance,
    Meta,
    Node,
    Position,
    Result,
    SettingsSnapshot,
    http_check,
    json_of,
)


@dataclass
class Limits:
    requests: int


async def calls(client: AsyncClient) -> None:
    assert_type(await client.kv.get("a", consistency="stale"), bytes | None)
    assert_type(await client.kv.put("a", "1", cas=3), bool)
    assert_type(await client.kv.entry("a"), DirEntry | None)
    assert_type(await client.kv.entries("a/", near="_agent"), list[DirEntry])
    assert_type(await client.kv.keys("a/", separator="/"), list[str])
    assert_type(await client.kv.delete_tree("a/"), bool)
    assert_type(client.kv.mapping("a/"), AsyncMapping[bytes])
    assert_type(client.kv.mapping("a/", JSON), AsyncMapping[Any])
    limits = client.kv.mapping("a/", json_of(Limits))
    assert_type(limits, AsyncMapping[Limits])
    assert_type(await limits.get("x"), Limits | None)
    assert_type(await limits.versioned("x"), tuple[Limits | None, int])
    assert_type(await limits.items(), dict[str, Limits])
    assert_type(await client.catalog.nodes(), list[Node])
    assert_type(await client.catalog.datacenters(), list[str])
    assert_type(await client.health.service("web", passing=True), list[CheckServiceNode])
    assert_type(await client.status.leader(), str)
    result = await client.with_meta(client.kv.get, "a")
    assert_type(result, Result[bytes | None])
    assert_type(result.meta, Meta)
    assert_type(result.meta.index, int)


async def recipes(client: AsyncClient) -> None:
    watch = client.watch(client.kv.get, "a")
    assert_type(watch, AsyncWatch[bytes | None])
    async for value in watch:
        assert_type(value, bytes | None)
    changes = client.changes(client.kv.entries, "a/")
    assert_type(changes, AsyncChanges[DirEntry])
    async for change in changes:
        if isinstance(change, Added):
            assert_type(change.value, DirEntry)
    assert_type(changes.position(), Position)
    lock = client.lock("a", ttl=15)
    assert_type(lock, AsyncLock)
    async with lock as held:
        assert_type(held, AsyncHeld)
        assert_type(held.token, FencingToken)
        assert_type(held.token.index, int)
    assert_type(client.semaphore("a", 3), AsyncSemaphore)
    election = client.election("a", value="me")
    assert_type(election, AsyncElection)
    assert_type(await election.leader(), bytes | None)
    async with client.registration("web", port=80, check=http_check("http://127.0.0.1/")) as registration:
        assert_type(registration, AsyncRegistration)
        registration.set("warning", "slow")
    async with client.resolver("web", strategy="nearest") as resolver:
        assert_type(resolver, AsyncResolver)
        assert_type(resolver.pick(), Instance)
        assert_type(resolver.pick().address, str)
    assert_type(client.transaction().set("a", "1"), AsyncTransaction)


async def settings(client: AsyncClient) -> None:
    async with client.live_settings("app/", {"size": 20, "beta": False, "tags": ["a"]}) as live:
        assert_type(live, AsyncLiveSettings)
        assert_type(live.integer("size"), int)
        assert_type(live.number("rate", 0.5), float)
        assert_type(live.flag("beta"), bool)
        assert_type(live.text("title", "none"), str)
        assert_type(live.json("tags", list[str]), list[str])
        assert_type(live.current, SettingsSnapshot)
        assert_type(live.current["size"], bytes)
