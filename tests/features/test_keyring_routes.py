"""/v1/operator/keyring and ``consul keyring``: the same answers as the original, on the same keys."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proconsul.engine.gossip.keyring import Keyring, KeyringError, format_key
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.endpoint import GossipKeys, KeySummary, require_success
from proconsul.features.keyring.http import KeyringRoutes
from proconsul.features.keyring.model import OPERATE, KeyOperation, KeyringRequest, KeyringResponse, KeyringResponses
from proconsul.testing import AgentInLoop
from support.harness import Agent, Client, Reply, Subject

ONE, TWO, THREE = format_key(bytes(16)), format_key(bytes(range(32))), format_key(bytes(range(24)))
PATH = "/v1/operator/keyring"


class OneMember:
    """A pool of one: what serf's internal queries do on the only member."""

    def __init__(self, name: str, keys: Keyring | None) -> None:
        self.name, self.keyring = name, keys

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        assert 0 <= relay_factor <= 5
        try:
            if self.keyring is None:
                listing = operation is KeyOperation.LIST
                what = "Keyring is empty" if listing else "No keyring to modify"
                raise KeyringError(f"{what} (encryption not enabled)")
            if operation is KeyOperation.INSTALL:
                self.keyring.install(key)
            elif operation is KeyOperation.USE:
                self.keyring.use(key)
            elif operation is KeyOperation.REMOVE:
                self.keyring.remove(key)
        except KeyringError as error:
            return KeySummary(1, 1, failures=1, messages={self.name: str(error)})
        held = self.keyring.keys() if operation is KeyOperation.LIST else []
        keys = {format_key(one): 1 for one in held}
        primary = {format_key(self.keyring.primary): 1} if keys else {}
        return KeySummary(1, 1, keys=keys, primary_keys=primary)


def serve(agent: AgentInLoop, key: bytes | None) -> None:
    """Give ``agent`` keyring routes over pools of one."""
    rings = [Keyring([key]) if key is not None else None for _ in range(2)]
    keys = GossipKeys("dc1", OneMember("n1", rings[0]), OneMember("n1.dc1", rings[1]))

    async def call(method: object, args: KeyringRequest) -> KeyringResponses:
        assert method is OPERATE
        return await keys.operation(args)

    KeyringRoutes(agent.agent.web, call).register(agent.agent.front.router)


def requests() -> list[tuple[str, str, str]]:
    """Method, query and body of requests in an order that has a meaning: keys come, are used and go."""
    found = [("GET", query, "") for query in (
        "", "?relay-factor=5", "?relay-factor=6", "?relay-factor=-1", "?relay-factor=x", "?relay-factor=",
        "?relay-factor=99999999999999999999", "?relay-factor=%2B5&local-only=T", "?local-only=1", "?local-only=x",
        "?local-only=", "?local-only=false", "?dc=zz", "?ns=x", "?index=abc", "?stale&consistent", "?token=foo",
    )]  # fmt: skip
    found += [("POST", "", body) for body in (
        "", "{}", "null", '{"Key":""}', "x", "[]", '"abc"', '{"Key":5}', '{"Key":"abc"}', '{"Key":"YWJj"}',
        json.dumps({"Key": TWO, "Foo": 1}),
    )]  # fmt: skip
    for query in ("?relay-factor=6", "?local-only=true", "?local-only=zz", "?local-only=zz&relay-factor=6"):
        found += [("POST", query, "x"), ("POST", query, json.dumps({"Key": TWO}))]
    found += [("POST", "?local-only=false&relay-factor=2", json.dumps({"key": TWO})), ("GET", "", "")]
    for method, key in (
        ("PUT", THREE), ("DELETE", ONE), ("DELETE", THREE), ("PUT", TWO), ("DELETE", ONE), ("DELETE", ""),
        ("DELETE", "YWJj"), ("PUT", "YWJj"), ("PUT", "%"),
    ):  # fmt: skip
        found += [(method, "", json.dumps({"Key": key})), ("GET", "", "")]
    return [*found, ("PATCH", "", ""), ("OPTIONS", "", ""), ("HEAD", "", ""), ("PUT", "", ""), ("DELETE", "", "")]


def shown(reply: Reply) -> str:
    headers = sorted(f"{key}: {value}" for key, value in reply.headers if key.lower() != "date")
    return "\n".join([str(reply.status), *headers, "", reply.text])


@pytest.mark.reference
@pytest.mark.parametrize("encrypted", [True, False])
async def test_answers_equal_the_reference(
    reference_binary: Path, start_agent: Callable[..., Agent], encrypted: bool
) -> None:
    arguments = ["-encrypt", ONE] if encrypted else []
    reference = await asyncio.to_thread(start_agent, *arguments, subject=Subject.REFERENCE)
    async with AgentInLoop({"node_name": "n1"}, listen=True) as ours:
        serve(ours, bytes(16) if encrypted else None)
        host, _, port = ours.http_address.rpartition(":")

        def differences() -> list[str]:
            them, us = reference.client(), Client(host, int(port))
            found = []
            for method, query, body in requests():
                data = body.encode() if method in ("POST", "PUT", "DELETE") else None
                theirs, mine = shown(them.call(method, PATH + query, data)), shown(us.call(method, PATH + query, data))
                if theirs != mine:
                    found.append(f"{method} {query} {body}\n--- theirs\n{theirs}\n--- ours\n{mine}")
            return found

        found = await asyncio.to_thread(differences)
    assert found == [], "\n\n".join(found)


async def output(program: list[str], *arguments: str) -> tuple[int | None, list[list[str]]]:
    process = await asyncio.create_subprocess_exec(
        *program, "keyring", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    # The original lists keys in the random order of Go's maps.
    blocks = [sorted(block.splitlines()) for block in out.decode().split("\n\n")]
    return process.returncode, blocks


@pytest.mark.reference
async def test_both_command_lines_print_the_same(reference_binary: Path) -> None:
    ours = [sys.executable, "-m", "proconsul"]
    lines: list[list[str]] = [
        ["-list"], ["-list", "-local-only"], ["-list-primary", "-relay-factor=3"], ["-install", "abc"],
        ["-install", "YWJj"], ["-install", TWO], ["-list"], ["-use", "xx"], ["-use", TWO], ["-remove", TWO],
        ["-list-primary"], ["-remove", THREE], ["-install", "x", "-local-only"], ["-list", "-relay-factor=6"],
        ["-list", "-use", ONE], ["-list-primary", "-local-only"],
    ]  # fmt: skip
    settings = {"node_name": "n1"}
    async with AgentInLoop(settings, listen=True) as mine, AgentInLoop(settings, listen=True) as same:
        serve(mine, bytes(16))
        serve(same, bytes(16))
        for line in lines:
            expected = await output([str(reference_binary)], *line, f"-http-addr={same.http_address}")
            assert await output(ours, *line, f"-http-addr={mine.http_address}") == expected, line


class Answering:
    """A pool that gives a ready answer."""

    def __init__(self, summary: KeySummary) -> None:
        self.summary = summary
        self.asked: list[tuple[KeyOperation, bytes, int]] = []

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        self.asked.append((operation, key, relay_factor))
        return self.summary


async def test_pools_are_asked_and_shown() -> None:
    lan = Answering(KeySummary(3, 3, keys={ONE: 3, TWO: 1}, primary_keys={ONE: 3}, messages={"b": "truncated"}))
    wan = Answering(KeySummary(2, 2))
    keys = GossipKeys("dc7", lan, wan)
    args = KeyringRequest(Operation="install", Key=TWO, RelayFactor=2)
    found = (await keys.operation(args)).Responses or []
    assert [(one.WAN, one.NumNodes, one.Error) for one in found] == [(True, 2, ""), (False, 3, "")]
    assert lan.asked == wan.asked == [(KeyOperation.INSTALL, bytes(range(32)), 2)]
    found = (await keys.operation(KeyringRequest(LocalOnly=True))).Responses or []
    held, said = {ONE: 3, TWO: 1}, {"b": "truncated"}
    assert found == [
        KeyringResponse(Datacenter="dc7", Keys=held, PrimaryKeys={ONE: 3}, Messages=said, NumNodes=3)
    ]  # fmt: skip
    require_success(found)
    assert lan.asked[1:] == [(KeyOperation.LIST, b"", 0)]
    with pytest.raises(ConsulError, match="unknown keyring operation 'zap'"):
        await keys.operation(KeyringRequest(Operation="zap"))


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (KeySummary(3, 3), ""),
        (KeySummary(3, 2), "2/3 nodes reported success"),
        (KeySummary(3, 2, failures=1), "1/3 nodes reported failure"),
        (KeySummary(0, 0, error="query exceeds limit"), "query exceeds limit"),
    ],
)
def test_when_an_operation_has_failed(summary: KeySummary, text: str) -> None:
    assert summary.fault() == text


def test_one_text_tells_all_failures() -> None:
    wan = KeyringResponse(WAN=True, Datacenter="dc1", Error="1/2 nodes reported success")
    with pytest.raises(ConsulError) as caught:
        require_success([wan])
    assert str(caught.value) == "1 error occurred:\n\t* WAN error: 1/2 nodes reported success\n\n"
    lan = KeyringResponse(
        Datacenter="dc1", Segment="s", Error="2/3 nodes reported failure", Messages={"b": "no", "a": "never"}
    )
    with pytest.raises(ConsulError) as caught:
        require_success([KeyringResponse(WAN=True), lan])
    assert str(caught.value) == (
        "3 errors occurred:\n\t* dc1 (LAN) [s] error: 2/3 nodes reported failure\n\t* a: never\n\t* b: no\n\n"
    )
