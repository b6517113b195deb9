"""The client has a method for every route; and the one for threads is what the script makes of the other."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import proconsul.client
from proconsul.client import AsyncClient, Client, ConsulError, RetryPolicy
from proconsul.client.aio.group import AsyncGroup
from proconsul.client.wire import Call
from proconsul.engine.http.router import Router
from proconsul.features.coordinate.model import INITIAL
from proconsul.testing import AgentInLoop
from support.harness import run

ROOT = Path(__file__).parents[2]
# Routes that the client has no method for, each with the reason. `AsyncClient.call` asks for them.
WITHOUT_METHOD = {
    "/debug/pprof/": "for profilers, not for programs",
    "/ui/": "the web page, for people",
    "/robots.txt": "for those who search the web",
}
# Routes of Consul 1.8.7 that proconsul does not serve yet, and the client has methods for.
ONLY_REFERENCE = {
    "/v1/agent/connect/", "/v1/catalog/gateway-services/", "/v1/config", "/v1/connect/", "/v1/discovery-chain/",
    "/v1/health/ingress/",
}  # fmt: skip
# Arguments that are not what their type or name suggests.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "raft_remove_peer": {"id": "x"}, "update": {"coordinate": INITIAL}, "authorize": {"questions": [("a", "b", "c")]},
}  # fmt: skip


class Recorded(ConsulError):
    """Instead of an answer."""


class Recorder:
    """A transport that answers nothing and remembers all."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def send(self, place: int, call: Call, *_: Any) -> Any:
        self.calls.append(call)
        raise Recorded("seen")

    stream = send

    async def aclose(self) -> None:
        """Nothing."""


def groups(thing: Any) -> Iterator[AsyncGroup]:
    """The groups of a client or of a group."""
    names = vars(thing) if isinstance(thing, AsyncClient) else thing.__slots__
    for name in names:
        inner = getattr(thing, name)
        if isinstance(inner, AsyncGroup) and not name.startswith("_"):
            yield inner
            yield from groups(inner)


def argument(name: str, annotation: str) -> Any:
    """Something to call a method with."""
    if "Fields" in annotation or "Mapping" in annotation:
        return {}
    if annotation.startswith("bytes |"):
        return b""
    return {"bool": True, "int": 1, "float": 1.0}.get(annotation, "x")


async def called(method: Any) -> None:
    """Call it with what it needs."""
    known = ARGUMENTS.get(method.__name__, {})
    parameters = inspect.signature(method).parameters
    positional = [
        known[name] if name in known else argument(name, str(one.annotation))
        for name, one in parameters.items()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    keywords = {name: value for name, value in known.items()
                if name in parameters and parameters[name].kind is inspect.Parameter.KEYWORD_ONLY}  # fmt: skip
    with pytest.raises(Recorded):
        if inspect.isasyncgenfunction(method):
            async for _ in method(*positional, **keywords):
                pass
        else:
            await method(*positional, **keywords)


async def test_every_route_has_a_method() -> None:
    recorder = Recorder()
    client = AsyncClient(
        "127.0.0.1:1", transport=lambda _: recorder, retry=RetryPolicy(attempts=1)  # type: ignore[arg-type, return-value]
    )  # fmt: skip
    for group in groups(client):
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_") and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)):
                await called(method)
    with pytest.raises(Recorded):
        await client.transaction().get("a").commit()
    asked = {(call.method, call.path) for call in recorder.calls}
    async with AgentInLoop({"acl": {"enabled": True}}) as inside:
        router: Router = inside.agent.front.router
        table = {
            (method, route.pattern)
            for route in (*router._exact.values(), *router._below.values())
            for method in route.handlers
        }
        hit, missed = set(), set()
        for verb, path in asked:
            route, _ = router.route(verb, path, path)
            if route is None or verb not in route.handlers:
                missed.add(path)
            else:
                hit.add((verb, route.pattern))
    without = {one for one in table - hit if not one[1].startswith(tuple(WITHOUT_METHOD))}
    # Both do the same: the older spelling is for old clients.
    assert without == {("PUT", "/v1/operator/raft/transfer-leader")}
    assert {path for path in missed if not path.startswith(tuple(ONLY_REFERENCE))} == set()
    assert all(any(path.startswith(one) for path in missed) for one in ONLY_REFERENCE)


def test_the_client_for_threads_is_as_it_is_made() -> None:
    done = run([sys.executable, str(ROOT / "scripts/make_blocking_client.py"), "--check"], timeout_s=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_clients_have_the_same_calls() -> None:
    def names(kind: type) -> set[str]:
        return {name.replace("aclose", "close") for name in dir(kind) if not name.startswith("_")}

    assert names(AsyncClient) == names(Client)


def test_public_names_are_there() -> None:
    for name in proconsul.client.__all__:
        getattr(proconsul.client, name)
    assert set(proconsul.client.__all__) <= set(dir(proconsul.client))
    homes = [name for names in proconsul.client._HOMES.values() for name in names]
    assert sorted(homes) == sorted(proconsul.client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'wat'"):
        proconsul.client.wat  # noqa: B018


def test_the_client_for_threads_needs_no_event_loop() -> None:
    code = "import sys; from proconsul.client import Client; Client('127.0.0.1:1'); print('asyncio' in sys.modules)"
    assert run([sys.executable, "-c", code], timeout_s=60).stdout == "False\n"
