"""Test agents hand out clients: of a socket for threads, of none for asyncio."""

from __future__ import annotations

import asyncio

import pytest

from proconsul.client import CallTimeout, PermissionDenied
from proconsul.testing import AsyncDevAgent, DevAgent


def test_threads_get_a_client() -> None:
    with DevAgent() as agent, agent.client() as client:
        client.kv.put("a", "1")
        assert client.kv.get("a") == b"1"
        assert agent.get("kv/a", raw=True).body == b"1"


async def test_asyncio_gets_a_client_without_a_socket() -> None:
    async with AsyncDevAgent() as agent, agent.client(timeout=10) as client:
        await client.kv.put("a", "1")

        async def write() -> None:
            await client.kv.put("a", "2")

        async for value in client.watch(client.kv.get, "a"):
            if value == b"2":
                break
            writing = asyncio.ensure_future(write())
        await writing


async def test_its_calls_end_in_time() -> None:
    async with AsyncDevAgent() as agent, agent.client() as client:
        agent.slow_answers(3_600)
        with pytest.raises(CallTimeout):
            await client.kv.get("a", timeout=0.05)


async def test_a_token_is_sent() -> None:
    acl = {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": "root"}}
    async with AsyncDevAgent({"acl": acl}) as agent:
        async with agent.client(token="root") as client:
            await client.kv.put("a", "1")
        async with agent.client() as client:
            with pytest.raises(PermissionDenied):
                await client.kv.put("a", "2")
