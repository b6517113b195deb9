"""What a client agent knows of tokens: asked, kept, forgotten, and used when no server answers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace as dc_replace
from typing import Any

import pytest
from acl_world import World

from proconsul.engine.store.watch import WatchSet
from proconsul.features.acl import model
from proconsul.features.acl.model import Link
from proconsul.features.acl.requests import (
    PolicyBatchResponse,
    RoleListResponse,
    TokenResponse,
)
from proconsul.features.acl.resolver import ACLNotFound, Resolver
from proconsul.features.acl.rules import Level
from proconsul.features.acl.settings import AclSettings
from proconsul.features.acl.token_rights import AskedTokenRights
from proconsul.features.errors import ACLDisabled, ConsulError, NoServers, PermissionDenied
from proconsul.features.state import State

SETTINGS = AclSettings(True, False, token_ttl_s=30.0, policy_ttl_s=20.0, role_ttl_s=10.0)
NEVER = "99999999-aaaa-4bbb-8ccc-222222222222"


class Client:
    """A client agent whose servers have the state of ``world``; ``abroad``: a server whose primary has it."""

    def __init__(self, *, abroad: bool = False, **settings: Any) -> None:
        self.world, self.state, self.now_s = World(), State(), 100.0
        self.asked: Counter[str] = Counter()
        self.error: ConsulError | None = None
        self.delay: asyncio.Event | None = None
        self.settings = dc_replace(SETTINGS, **settings)
        resolver = Resolver(
            self.state.acl, enabled=True, default_allow=self.settings.default_allow, datacenter="dc1",
            wall_clock_ns=lambda: self.world.now_ns,
        )  # fmt: skip
        self.rights = AskedTokenRights(
            self.state.acl, resolver, self.settings, self._ask, lambda: self.now_s, datacenter="dc1", abroad=abroad
        )  # fmt: skip

    async def _ask(self, method: Any, args: Any) -> Any:
        self.asked[method.name.removeprefix("ACL.")] += 1
        if self.delay is not None:
            await self.delay.wait()
        if self.error is not None:
            raise self.error
        acl = self.world.state.acl
        try:
            token = self.world.resolver.resolve(args.Token).token
        except ACLNotFound as error:
            raise ConsulError(f"rpc error making call: {error}") from None
        if method.name == "ACL.TokenRead":
            return TokenResponse(Token=token)
        if method.name == "ACL.RoleResolve":
            return RoleListResponse(Roles=[row for key in args.RoleIDs if (row := acl.roles.get(key)) is not None])
        return PolicyBatchResponse(Policies=[found for key in args.PolicyIDs if (found := acl.policies.get(key))])

    async def may(self, secret: str, resource: str, name: str) -> bool:
        await self.rights.learn(secret)
        return self.rights.allows(secret, resource, Level.WRITE, name)

    def questions(self) -> dict[str, int]:
        asked, self.asked = dict(self.asked), Counter()
        return asked


WEB = 'service "web" { policy = "write" }'


async def test_what_was_told_is_kept_for_its_time() -> None:
    client = Client()
    role = client.world.role("r", Policies=[client.world.policy("p", WEB)])
    token = client.world.token('key "a" { policy = "write" }', Roles=[role])
    for _ in range(3):
        assert await client.may(token.SecretID, "service", "web")
        assert not await client.may(token.SecretID, "service", "db")
    assert await client.may(token.SecretID, "key", "a") == (token.Policies is not None)
    assert client.questions() == {"TokenRead": 1, "RoleResolve": 1, "PolicyResolve": 1}
    client.now_s += 10.0  # the role's time is over
    assert await client.may(token.SecretID, "service", "web")
    assert client.questions() == {"RoleResolve": 1}
    client.now_s += 10.0
    assert await client.may(token.SecretID, "service", "web")
    assert client.questions() == {"RoleResolve": 1, "PolicyResolve": 1}
    client.now_s += 10.0
    assert await client.may(token.SecretID, "service", "web")
    assert client.questions() == {"TokenRead": 1, "RoleResolve": 1}


async def test_policies_are_shared_between_tokens() -> None:
    client = Client()
    link = client.world.policy("p", WEB)
    for token in [client.world.token(Policies=[link]) for _ in range(5)]:
        assert await client.may(token.SecretID, "service", "web")
    assert client.questions() == {"TokenRead": 5, "PolicyResolve": 1}


async def test_tokens_of_the_primary_alone_are_nobodys_elsewhere() -> None:
    client = Client(abroad=True)
    local, everywhere = client.world.token(WEB, Local=True), client.world.token(WEB)
    with pytest.raises(ACLNotFound):
        await client.may(local.SecretID, "service", "web")
    assert client.rights.token(local.SecretID) is None
    assert await client.may(everywhere.SecretID, "service", "web")


async def test_a_server_that_asks_goes_by_the_policies_it_has_copied() -> None:
    client, here = Client(abroad=True), World(datacenter="dc2")
    here.resolver.asked = client.rights
    link = client.world.policy("p", WEB)
    token = client.world.token(Policies=[link])

    def may(name: str) -> bool:
        return here.resolver.resolve(token.SecretID).authorizer.write("service", name)

    assert not may("web"), "nobody was asked yet, and the default holds"
    await client.rights.learn(token.SecretID)
    assert may("web"), "what is not copied yet was told"
    here.policy("p", 'service "db" { policy = "write" }', policy_id=link.ID)
    assert may("db") and not may("web"), "what was copied is newer"
    watch = WatchSet()
    here.resolver.watch(token.SecretID, watch)
    assert {("acl-tokens", token.SecretID), ("acl-policies", link.ID)} <= watch.keys
    assert here.resolver.known(token.SecretID) == token
    # Without the primary, with down_policy deny, what was known does not count any more.
    strict = Client(abroad=True, down_policy="deny")
    strict.world, here.resolver.asked = client.world, strict.rights
    await strict.rights.learn(token.SecretID)
    assert may("db")
    strict.error = ConsulError("no path")
    strict.now_s += 1000.0
    await strict.rights.learn(token.SecretID)
    assert not may("db")


async def test_that_a_token_is_nobodys_is_kept_too() -> None:
    client = Client()
    for _ in range(3):
        with pytest.raises(ACLNotFound):
            await client.may(NEVER, "service", "web")
    assert client.questions() == {"TokenRead": 1}
    client.world.token(WEB, SecretID=NEVER)
    client.now_s += 30.0
    assert await client.may(NEVER, "service", "web")


async def test_anonymous_before_there_is_such_a_token_and_after() -> None:
    client = Client()
    assert not await client.may("", "service", "web")
    client.world.token(WEB, SecretID=model.ANONYMOUS_SECRET, AccessorID=model.ANONYMOUS_ACCESSOR_ID)
    client.now_s += 30.0
    assert await client.may("", "service", "web")


async def test_tokens_that_go_and_policies_that_change_hold_after_the_time() -> None:
    client = Client()
    link = client.world.policy("p", WEB)
    token = client.world.token(Policies=[link])
    assert await client.may(token.SecretID, "service", "web")
    client.world.policy("p", 'service "db" { policy = "write" }', policy_id=link.ID)
    assert await client.may(token.SecretID, "service", "web")
    client.now_s += 20.0
    assert not await client.may(token.SecretID, "service", "web")
    assert await client.may(token.SecretID, "service", "db")
    client.world.write(lambda tx: client.world.state.acl.delete_policies(tx, model.PolicyDeleteRequest([link.ID])))
    client.now_s += 20.0
    assert not await client.may(token.SecretID, "service", "db")
    request = model.TokenDeleteRequest(TokenIDs=[token.AccessorID])
    client.world.write(lambda tx: client.world.state.acl.delete_tokens(tx, request))
    client.now_s += 30.0
    with pytest.raises(ACLNotFound):
        await client.may(token.SecretID, "service", "db")


async def test_an_expired_token_is_refused_at_once() -> None:
    client = Client()
    token = client.world.token(WEB, expires_s=5.0)
    assert await client.may(token.SecretID, "service", "web")
    client.world.now_ns += 6 * 10**9
    with pytest.raises(ACLNotFound):
        await client.may(token.SecretID, "service", "web")
    assert client.questions() == {"TokenRead": 1, "PolicyResolve": 1}


@pytest.mark.parametrize("policy", ["extend-cache", "async-cache", "allow", "deny"])
@pytest.mark.parametrize("default_allow", [True, False])
@pytest.mark.parametrize("error", [NoServers(), ConsulError("rpc error making call: No cluster leader")])
async def test_when_no_server_answers(policy: str, default_allow: bool, error: ConsulError) -> None:
    """Two policies go by what was known, and by the default for what was not; the other two say it themselves."""
    client = Client(down_policy=policy, default_allow=default_allow)
    token, unknown = client.world.token(WEB + 'service "db" { policy = "deny" }'), client.world.token(WEB)
    assert await client.may(token.SecretID, "service", "web")
    with pytest.raises(ACLNotFound):
        await client.may(NEVER, "service", "web")
    client.error = error
    extends = policy in ("extend-cache", "async-cache")
    for _ in range(3):
        client.now_s += 100.0
        assert await client.may(token.SecretID, "service", "web") == (extends or policy == "allow")
        assert await client.may(token.SecretID, "service", "db") == (not extends and policy == "allow")
        expected = {"allow": True, "deny": False}.get(policy, default_allow)
        assert await client.may(unknown.SecretID, "service", "web") == expected
        if extends:
            with pytest.raises(ACLNotFound):
                await client.may(NEVER, "service", "web")
        else:
            assert await client.may(NEVER, "service", "web") == expected
        await asyncio.sleep(0)
    client.error = None
    client.now_s += 100.0
    await client.may(unknown.SecretID, "service", "web")
    await asyncio.sleep(0)
    client.now_s += 1.0
    assert await client.may(token.SecretID, "service", "web") and await client.may(unknown.SecretID, "service", "web")
    assert not await client.may(token.SecretID, "service", "db")


async def test_async_cache_never_waits_for_what_it_knows() -> None:
    client = Client(down_policy="async-cache")
    link = client.world.policy("p", WEB)
    token = client.world.token(Policies=[link])
    assert await client.may(token.SecretID, "service", "web")
    client.world.policy("p", "", policy_id=link.ID)
    client.now_s += 100.0
    client.delay = asyncio.Event()
    for _ in range(3):
        assert await client.may(token.SecretID, "service", "web")
        await asyncio.sleep(0)
    client.delay.set()
    while client.rights._flights:
        await asyncio.sleep(0)
    assert client.questions() == {"TokenRead": 2, "PolicyResolve": 2}
    assert not await client.may(token.SecretID, "service", "web")


async def test_those_who_ask_at_the_same_time_share_the_questions() -> None:
    client = Client()
    token = client.world.token(WEB)
    client.delay = asyncio.Event()
    asking = [asyncio.create_task(client.may(token.SecretID, "service", "web")) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who gives up takes nobody with it
    await asyncio.sleep(0)
    client.delay.set()
    assert await asyncio.gather(*asking[1:]) == [True] * 19
    assert client.questions() == {"TokenRead": 1, "PolicyResolve": 1}


async def test_servers_without_access_control_let_everybody() -> None:
    client = Client(disabled_ttl_s=120.0)
    client.error = ConsulError(f"rpc error making call: {ACLDisabled()}")
    for _ in range(2):
        assert await client.may(NEVER, "service", "web")
    assert client.questions() == {"TokenRead": 1}
    client.error = None
    client.now_s += 120.0
    with pytest.raises(ACLNotFound):
        await client.may(NEVER, "service", "web")


async def test_without_access_control_nobody_is_asked() -> None:
    client = Client(enabled=False)
    assert await client.may(NEVER, "service", "web") and not client.asked
    client = Client()
    with pytest.raises(PermissionDenied):
        await client.rights.learn("")
        client.rights.require("", "service", Level.WRITE, "web")


async def test_tokens_used_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proconsul.features.acl.token_rights.KNOWN_MAX", 8)
    client = Client()
    tokens = [client.world.token(WEB) for _ in range(40)]
    for token in tokens:
        assert await client.may(token.SecretID, "service", "web")
    assert len(client.rights._tokens) == 8 == len(client.state.acl.tokens)
    assert len(client.state.acl.policies) <= 9
    assert await client.may(tokens[0].SecretID, "service", "web")


@pytest.mark.parametrize("down_policy", ["extend-cache", "async-cache"])
async def test_made_up_tokens_take_no_room_from_those_in_use(
    monkeypatch: pytest.MonkeyPatch, down_policy: str
) -> None:  # fmt: skip
    """Whether servers say that they are nobody's or do not answer: what was known before an outage is known in it."""
    monkeypatch.setattr("proconsul.features.acl.token_rights.KNOWN_MAX", 8)
    client = Client(down_policy=down_policy)
    known = client.world.token(WEB).SecretID
    assert await client.may(known, "service", "web")
    for number in range(60):
        made_up = f"{number:08}{NEVER[8:]}"
        if number < 20:
            with pytest.raises(ACLNotFound):
                await client.may(made_up, "service", "web")
        else:
            client.error = NoServers()
            assert not await client.may(made_up, "service", "web")
        if number % 5 == 0 and number < 20:
            assert await client.may(known, "service", "web")
    assert await client.may(known, "service", "web"), "it was known before"
    assert len(client.rights._tokens) <= 8 and len(client.state.acl.tokens) == 1


@pytest.mark.parametrize("seed", range(30))
async def test_a_client_comes_to_say_what_servers_say(seed: int) -> None:
    """Random changes, outages and clocks: when servers can be asked again it knows all within the longest time."""
    rng = random.Random(seed)
    client = Client(down_policy=rng.choice(["extend-cache", "async-cache", "allow", "deny"]))
    world, names = client.world, ["a", "b", "c"]
    links = [world.policy(f"p{number}", "") for number in range(3)]
    roles: list[Link] = [world.role(f"r{number}") for number in range(2)]
    tokens = [world.token() for _ in range(3)]

    def change() -> None:
        if rng.random() < 0.5:
            number = rng.randrange(3)
            rules = " ".join(f'service "{name}" {{ policy = "write" }}' for name in names if rng.random() < 0.5)
            world.policy(f"p{number}", rules, policy_id=links[number].ID)
        else:
            number = rng.randrange(3)
            picked: dict[str, Any] = {"Policies": rng.sample(links, rng.randrange(3))}
            picked["Roles"] = rng.sample(roles, rng.randrange(3))
            world.token(AccessorID=tokens[number].AccessorID, SecretID=tokens[number].SecretID, **picked)

    for _ in range(12):
        for _ in range(rng.randrange(8)):
            change()
            client.error = rng.choice([None, NoServers()])
            client.now_s += rng.choice([0.5, 3.0, 9.0, 40.0])
            for token in tokens:
                await client.may(token.SecretID, "service", rng.choice(names))
        client.error = None
        client.now_s += 30.0
        for token in tokens:
            await client.may(token.SecretID, "service", "a")
        while client.rights._flights:
            await asyncio.sleep(0)
        for token in tokens:
            for name in names:
                truth = world.resolver.resolve(token.SecretID).authorizer.write("service", name)
                assert await client.may(token.SecretID, "service", name) == truth
