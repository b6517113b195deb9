"""Whom an agent is told to join: addresses, and why something is none, in the words of Consul 1.8.7 (`consul join`)."""

from __future__ import annotations

import re

import pytest

from proconsul.agent.gossip.joining import ResolveError, resolve
from proconsul.engine.wire.hostport import Address

REFUSED = {
    "x:y": 'strconv.ParseUint: parsing "y": invalid syntax', "[::1": "address [::1: missing ']' in address",
    "[::1]x:1": "address [::1]x:1: missing port in address", "a:b:c": "lookup a:b:c: no such host",
    "127.0.0.1:99999": 'strconv.ParseUint: parsing "99999": value out of range',
    "127.0.0.1:": 'strconv.ParseUint: parsing "": invalid syntax',
    "[::1]]:1": "address [::1]]:1: missing port in address",
    "127.0.0.1:-1": 'strconv.ParseUint: parsing "-1": invalid syntax', "node/": "lookup : no such host",
    "127.0.0.1:+1": 'strconv.ParseUint: parsing "+1": invalid syntax', ":1": "lookup : no such host",
    "": "lookup : no such host",
}  # fmt: skip


@pytest.mark.parametrize("target", REFUSED)
async def test_targets_that_are_none(target: str) -> None:
    with pytest.raises(ResolveError, match=f"^{re.escape(f'Failed to resolve {target}: {REFUSED[target]}')}$"):
        await resolve(target, 8301)


@pytest.mark.parametrize(("target", "address"), [
    ("127.0.0.1", Address("127.0.0.1", 8301)), ("127.0.0.1:7", Address("127.0.0.1", 7)),
    ("[127.0.0.1]:7", Address("127.0.0.1", 7)), ("n1/127.0.0.1:7", Address("127.0.0.1", 7)),
    ("::1", Address("::1", 8301)), ("[::1]", Address("::1", 8301)), ("[::1]:7", Address("::1", 7)),
])  # fmt: skip
async def test_targets(target: str, address: Address) -> None:
    assert await resolve(target, 8301) == [address]
