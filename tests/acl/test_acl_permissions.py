"""Every route, with no token, with exactly what it needs, and with everything but that; docs/permissions.md is true."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acl_locked import NOBODY, ROOT, Locked
from permissions import QUERIED, QUERY, REMOVED_QUERY, ROWS, RPC_ONLY, SESSION, Row, as_markdown

from proconsul.engine.http.router import Route
from proconsul.features.coordinate.endpoint import Coordinates
from proconsul.features.query.model import PreparedQuery, PreparedQueryRequest, QueryOp, ServiceQuery
from proconsul.features.session.model import Session
from proconsul.testing import AgentInLoop

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
NAMED = ("agent", "event", "key", "node", "query", "service", "session")
BARE = ("acl", "keyring", "operator")


def rules(needs: tuple[str, ...]) -> str:
    """Exactly these."""
    return "\n".join(_rule(*need.split(":")) for need in needs)


def _rule(resource: str, level: str, name: str | None = None) -> str:
    return f'{resource} = "{level}"' if name is None else f'{resource} "{name}" {{ policy = "{level}" }}'


def everything_but(need: str) -> str:
    """All rights there are, without one of them: where writing is needed reading stays."""
    resource, level, *name = need.split(":")
    less = "read" if level == "write" else "deny"
    lines = [f'{one} = "{less if one == resource else "write"}"' for one in BARE]
    lines += [f'{one}_prefix "" {{ policy = "write" }}' for one in NAMED]
    if resource == "query":  # who may write access control sees all queries
        lines = [line.replace('acl = "write"', 'acl = "read"') for line in lines]
    if name:
        lines.append(_rule(resource, less, name[0]))
    return "\n".join(lines)


class World:
    """An agent with something of everything, and what its permission was asked about."""

    def __init__(self, locked: Locked) -> None:
        self.locked = locked
        self.admitted: set[str] = set()
        permission: Any = locked.agent.node.gate.permission
        admit = permission.admit

        def watched(method: Any, args: Any, token: str) -> Any:
            self.admitted.add(method.name)
            return admit(method, args, token)

        permission.admit = watched

    async def fill(self) -> None:
        done = self.locked.done
        await done("PUT", "/v1/kv/a", b"x")
        for name in ("web", "web-2"):
            await done("PUT", "/v1/agent/service/register", {"ID": name, "Name": "web", "Check": {"TTL": "1h"}})
        await done("PUT", "/v1/agent/check/register", {"Name": "c-2", "TTL": "1h"})
        await done("PUT", "/v1/catalog/register", {"Node": "n8", "Address": "10.0.0.8"})
        coordinate = {"Node": "test", "Coord": {"Vec": [0.0] * 8, "Height": 1e-5}}
        await done("PUT", "/v1/coordinate/update", coordinate)
        await done("PUT", "/v1/event/fire/deploy", b"")
        while "service:web" not in str(await done("GET", "/v1/health/node/test")):
            await asyncio.sleep(0.01)
        self.locked.agent.node.endpoint(Coordinates).flush()
        while '"test"' not in str(await self.locked.call("GET", "/v1/coordinate/nodes")):
            await asyncio.sleep(0.01)
        state = self.locked.agent.node.state
        tx = state.store.begin(state.store.max_index("sessions") + 1000)
        state.sessions.create(tx, Session(ID=SESSION, Node="test", TTL="1h"))
        service = ServiceQuery(Service=QUERIED["Service"], IgnoreCheckIDs=QUERIED["IgnoreCheckIDs"])
        for query_id, name in ((QUERY, "q1"), (REMOVED_QUERY, "q3")):
            query = PreparedQuery(ID=query_id, Name=name, Service=service)
            state.queries.apply(tx, PreparedQueryRequest(Op=QueryOp.CREATE, Query=query))
        tx.commit()

    async def answer(self, row: Row, token: str) -> tuple[bool, str]:
        """Whether a request was refused, and its body."""
        status, text = await self.locked.call(row.method, row.target, row.data, token)
        # "ACL not found" is said of tokens that are nobody's, and of a policy or role that is not there.
        nobody = token in ("", NOBODY) and text == "ACL not found"
        refused = nobody or (status in (403, 500) and "denied" in text)
        return refused and "bootstrap no longer allowed" not in text, text

    async def check(self, row: Row) -> None:
        if row.how == "itself":
            return
        nobody, _ = await self.answer(row, "")
        exact = (await self.locked.token(rules(row.needs)))[0]
        if row.how == "anybody":
            assert not nobody
            assert not (await self.answer(row, NOBODY))[0]
        elif row.how == "somebody":
            assert not (await self.answer(row, exact))[0]
            assert (await self.answer(row, NOBODY))[0]
        else:
            await self._check_needs(row, exact, nobody)

    async def _check_needs(self, row: Row, exact: str, nobody: bool) -> None:
        assert nobody == (row.how != "filtered"), "without a token"
        for need in row.needs:
            without, _, _ = await self.locked.token(everything_but(need))
            refused, text = await self.answer(row, without)
            if row.how == "filtered":
                assert not refused and row.seen not in text, need
            else:
                assert refused, (need, text)
        if row.how == "filtered":
            assert row.seen not in (await self.answer(row, ""))[1]
        if row.how != "last":
            refused, text = await self.answer(row, exact)
            assert not refused, text
            assert row.seen in text


async def test_every_route_needs_what_the_document_says() -> None:
    methods: dict[str, set[str]] = defaultdict(set)
    async with AgentInLoop(Locked.SETTINGS) as agent:
        locked = Locked(agent)
        await locked.ready()
        world = World(locked)
        await world.fill()
        routes = {(method, route.pattern) for route in _routes(locked) for method in route.handlers}
        for row in ROWS:
            world.admitted.clear()
            try:
                await world.check(row)
            except AssertionError as error:
                raise AssertionError(f"{row.method} {row.target}") from error
            methods[f"{row.method} {row.target}"] = world.admitted - _SETUP if row.how != "last" else set()
        tried = {(row.method, _pattern(locked, row)) for row in ROWS}
        assert sorted(routes - tried) == [], "a route is missing from tests/acl/permissions.py"
        called = set().union(*methods.values()) | set(RPC_ONLY) | _SETUP
        known = {method.name for method in locked.agent.node.gate.methods}
        left = sorted(known - called - _BY_OTHERS)
        assert left == [], " ".join(left)
    _compare(as_markdown(methods))


# What the test itself asks for with every row, and what rows reach by other methods of the same name.
_SETUP = {"ACL.PolicySet", "ACL.TokenSet"}
_BY_OTHERS = {
    "ACL.Login", "ACL.Logout", "ACL.OIDCAuthURL", "ACL.OIDCCallback", "Txn.Apply", "Session.NodeSessions",
    "Operator.RaftRemovePeerByID",
}  # fmt: skip


def _routes(locked: Locked) -> Iterator[Route]:
    router: Any = locked.agent.front.router
    yield from router._exact.values()
    yield from router._below.values()


def _pattern(locked: Locked, row: Row) -> str:
    router: Any = locked.agent.front.router
    found = router.find(row.target.partition("?")[0])
    return str(found[0].pattern if isinstance(found, tuple) else found.pattern)


def _compare(table: str) -> None:
    head = DOCUMENT.read_text().partition("| --- |")[0] if DOCUMENT.exists() else ""
    if os.environ.get("WRITE_DOCUMENTS"):
        DOCUMENT.write_text(head + "| --- | --- | --- | --- |\n" + table)
    assert DOCUMENT.read_text().partition("| --- | --- | --- | --- |\n")[2] == table, "WRITE_DOCUMENTS=1 writes it anew"


@pytest.mark.parametrize("need", ["key:write:a", "operator:write", "acl:read"])
def test_everything_but_one_right_has_all_others(need: str) -> None:
    resource = need.partition(":")[0]
    for other in {*NAMED, *BARE} - {resource}:
        assert f'{other} = "write"' in everything_but(need) or f'{other}_prefix "" {{ policy = "write" }}' in (
            everything_but(need)
        )
    assert ROOT not in everything_but(need)
