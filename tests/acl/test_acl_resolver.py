"""From secrets to rights: links, identities, scopes, expiry; and what a leader has to see to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from acl_world import World

from proconsul.engine.wire.record import replace
from proconsul.features.acl import model, setup
from proconsul.features.acl.model import (
    ANONYMOUS_ACCESSOR_ID,
    LEGACY_CLIENT,
    LEGACY_MANAGEMENT,
    MANAGEMENT_POLICY_ID,
    Link,
    NodeIdentity,
    ServiceIdentity,
)
from proconsul.features.acl.resolver import SHOWN_MAX, ACLNotFound, Resolver
from proconsul.features.acl.rules import Level, RuleError
from proconsul.features.errors import ACLDisabled
from proconsul.features.messages import MessageType


def test_a_secret_nobody_has_is_not_found() -> None:
    world = World()
    with pytest.raises(ACLNotFound) as caught:
        world.resolver.resolve("nope")
    assert (caught.value.text, caught.value.status) == ("ACL not found", 403)


def test_without_a_token_the_anonymous_one_counts() -> None:
    world = World()
    assert world.resolver.resolve("").token is None
    link = world.policy("p", 'key "a" { policy = "read" }')
    world.token(AccessorID=ANONYMOUS_ACCESSOR_ID, SecretID="anonymous", Policies=[link])
    assert world.resolver.resolve("").authorizer.read("key", "a")
    assert not world.resolver.resolve("").authorizer.read("key", "b")


def test_what_is_shown_of_a_token_is_one_object_until_it_or_what_it_links_to_changes() -> None:
    world = World()
    link, role = world.policy("p", ""), world.role("r")
    token = world.token(Policies=[link], Roles=[role])

    def shown() -> Any:
        found = world.state.acl.token(token.AccessorID)
        assert found is not None
        assert world.resolver.shown(found) is world.resolver.shown(found)
        return world.resolver.shown(found)

    first = shown()
    assert (first.Policies, first.Roles) == ([link], [role])
    world.token("", AccessorID="another")
    world.policy("renamed", "", link.ID)
    assert shown().Policies == [Link(link.ID, "renamed")]
    world.apply(MessageType.ACL_ROLE_DELETE, model.RoleDeleteRequest(RoleIDs=[role.ID]))
    assert shown().Roles is None
    world.token(AccessorID=token.AccessorID, SecretID=token.SecretID, Description="changed", Policies=[link])
    assert shown().Description == "changed"
    # Many others do not push it out for good, and it is never taken for another.
    for number in range(SHOWN_MAX + 1):
        world.resolver.shown(replace(token, SecretID=str(number), Description=str(number)))
    assert shown().Description == "changed"


def test_an_expired_token_is_refused_at_once() -> None:
    world = World()
    token = world.token('acl = "write"', expires_s=60)
    assert world.resolver.resolve(token.SecretID).authorizer.manages
    world.now_ns += 60 * 1_000_000_000 - 1
    assert world.resolver.resolve(token.SecretID).authorizer.manages
    world.now_ns += 1
    with pytest.raises(ACLNotFound):
        world.resolver.resolve(token.SecretID)
    assert world.state.acl.token(token.AccessorID) is not None


def test_a_change_of_a_policy_counts_at_once_and_is_shared() -> None:
    world = World()
    link = world.policy("p", 'key "a" { policy = "read" }')
    one, two = world.token(Policies=[link]), world.token(Policies=[link])
    before = world.resolver.resolve(one.SecretID).authorizer
    assert before is world.resolver.resolve(two.SecretID).authorizer
    world.policy("p", 'key "a" { policy = "deny" }', policy_id=link.ID)
    after = world.resolver.resolve(one.SecretID).authorizer
    assert before.read("key", "a") and not after.read("key", "a")


@pytest.mark.parametrize(("scope", "there"), [(None, True), (["dc1"], True), (["dc2", "dc1"], True), (["dc2"], False)])
def test_scopes_are_looked_at_where_one_is(scope: list[str] | None, there: bool) -> None:
    world = World()
    by_policy = world.token(Policies=[world.policy("p", 'node "n" { policy = "write" }', Datacenters=scope)])
    by_service = world.token(ServiceIdentities=[ServiceIdentity("web", scope)])
    assert world.resolver.resolve(by_policy.SecretID).authorizer.write("node", "n") is there
    assert world.resolver.resolve(by_service.SecretID).authorizer.write("service", "web") is there


def test_identities_stand_for_what_services_and_nodes_need() -> None:
    world = World()
    role = world.role("r", NodeIdentities=[NodeIdentity("n", "dc1"), NodeIdentity("m", "dc2")])
    token = world.token(ServiceIdentities=[ServiceIdentity("web")], Roles=[role])
    found = world.resolver.resolve(token.SecretID).authorizer
    granted = [("service", "web"), ("service", "web-sidecar-proxy"), ("node", "n")]
    assert all(found.write(*one) for one in granted)
    assert found.read("service", "other") and found.read("node", "other")
    assert not any(found.write(*one) for one in [("service", "other"), ("node", "m"), ("key", "a"), ("session", "n")])
    decision = found.decide("service", Level.WRITE, "web")
    assert decision.policy == "service identity web"


def test_links_that_lead_nowhere_grant_nothing_and_are_not_shown() -> None:
    world = World()
    token = world.token('acl = "write"')
    assert token.Policies is not None
    policy_id = token.Policies[0].ID
    world.write(lambda tx: tx.delete(world.state.acl.policies, policy_id))
    assert not world.resolver.resolve(token.SecretID).authorizer.manages
    assert world.resolver.shown(token).Policies is None


def test_tokens_of_old_carry_their_rules() -> None:
    world = World()
    manager = world.token(Type=LEGACY_MANAGEMENT)
    client = world.token(Type=LEGACY_CLIENT, Rules='key "a" { policy = "write" }\nkey "a/b" { policy = "deny" }')
    assert world.resolver.resolve(manager.SecretID).authorizer.manages
    found = world.resolver.resolve(client.SecretID).authorizer
    assert found.write("key", "abc") and not found.read("key", "a/b/c")


def test_rules_that_cannot_be_read_refuse_instead_of_granting() -> None:
    world = World(default_allow=True)
    token = world.token(Policies=[world.policy("p", "acl = ")], Type=LEGACY_CLIENT, Rules="}")
    with pytest.raises(RuleError):
        world.resolver.resolve(token.SecretID)


def test_without_access_control_nothing_is_resolved() -> None:
    world = World()
    off = Resolver(world.state.acl, enabled=False, default_allow=True, datacenter="dc1", wall_clock_ns=lambda: 0)
    with pytest.raises(ACLDisabled):
        off.resolve("")


# ---------------------------------------------------------------------- the leader


_numbers = itertools.count()


def establish(world: World, initial: str = "") -> list[MessageType]:
    def new_id() -> str:
        return f"aaaaaaaa-0000-4000-8000-{next(_numbers):012d}"

    commands = setup.missing(world.state.acl, initial, world.now_ns, new_id)
    for kind, request in commands:
        world.apply(kind, request)
    return [kind for kind, _ in commands]


def test_a_leader_makes_what_every_cluster_has_once() -> None:
    world = World()
    assert establish(world, "root") == [
        MessageType.ACL_POLICY_SET, MessageType.ACL_BOOTSTRAP, MessageType.ACL_TOKEN_SET
    ]  # fmt: skip
    assert world.resolver.resolve("root").authorizer.manages
    assert world.state.acl.can_bootstrap() == (False, 2)
    assert establish(world, "root") == []
    # Another secret in the configuration is another token; the first stays.
    assert establish(world, "other") == [MessageType.ACL_TOKEN_SET]
    assert world.resolver.resolve("other").authorizer.manages and world.resolver.resolve("root").authorizer.manages


def test_a_builtin_policy_that_an_older_server_wrote_is_renewed() -> None:
    world = World()
    world.policy("global-management", 'acl = "write"', policy_id=MANAGEMENT_POLICY_ID, Description="mine")
    token = world.token(Policies=[Link(MANAGEMENT_POLICY_ID)])
    assert not world.resolver.resolve(token.SecretID).authorizer.write("operator")
    # The state refuses what users may not do, so only a server that restores can do it; here it is asked what it would.
    kinds = [kind for kind, _ in setup.missing(world.state.acl, "", world.now_ns, lambda: "x")]
    assert kinds[0] is MessageType.ACL_POLICY_SET


def test_expired_tokens_go_in_bounded_batches_oldest_first() -> None:
    world = World()
    tokens = [world.token(expires_s=60 + number) for number in (5, 1, 3)]
    world.token()
    assert setup.expired(world.state.acl, world.now_ns) is None
    world.now_ns += 64 * 1_000_000_000
    request = setup.expired(world.state.acl, world.now_ns, most=1)
    assert request is not None and request.TokenIDs == [tokens[1].AccessorID]
    request = setup.expired(world.state.acl, world.now_ns)
    assert request is not None and request.TokenIDs == [tokens[1].AccessorID, tokens[2].AccessorID]
    world.apply(MessageType.ACL_TOKEN_DELETE, request)
    assert setup.expired(world.state.acl, world.now_ns) is None
    assert len(world.state.acl.tokens) == 2


def test_a_cluster_with_tokens_from_before_is_upgraded() -> None:
    """From the records of an old snapshot: their rules hold at once, and a leader gives them what they lack."""
    world = World()
    rows: dict[str, Any] = {}
    restorers = world.state.acl.restorers(lambda table, row: rows.setdefault(row.SecretID, (table, row)))
    for number, (name, kind, rules) in enumerate((
        ("reader", LEGACY_CLIENT, 'key "a" { policy = "read" } acl = "write" key_prefix "b" { policy = "read" }'),
        ("boss", LEGACY_MANAGEMENT, ""), ("idle", LEGACY_CLIENT, ""),
    )):  # fmt: skip
        record = {"ID": name, "Name": name.title(), "Type": kind, "Rules": rules, "CreateIndex": 3}
        restorers[MessageType.LEGACY_ACL](record | {"ModifyIndex": number})
    world.write(lambda tx: [tx.put(table, row) for table, row in rows.values()])

    def check() -> None:
        reader = world.resolver.resolve("reader").authorizer
        assert reader.read("key", "abc") and not reader.write("key", "abc") and not reader.read("key", "b")
        assert not reader.manages, "what is newer than such rules means nothing in them"
        assert world.resolver.resolve("boss").authorizer.manages
        assert not world.resolver.resolve("idle").authorizer.read("key", "abc")

    check()
    ids = (f"11111111-1111-4111-8111-{number:012}" for number in itertools.count())
    for left in (2, 1):
        request = setup.upgraded(world.state.acl, lambda: next(ids), most=left)
        assert request is not None and len(request.Tokens or ()) == left
        world.apply(MessageType.ACL_TOKEN_SET, request)
    assert setup.upgraded(world.state.acl, lambda: next(ids)) is None
    check()
    boss = world.state.acl.tokens.get("boss")
    assert boss is not None and boss.AccessorID and boss.Policies == [Link(MANAGEMENT_POLICY_ID, "global-management")]
    assert (boss.CreateIndex, boss.Description) == (3, "Boss")
    reader = world.state.acl.tokens.get("reader")
    assert reader is not None and world.state.acl.token(reader.AccessorID) is reader and reader.Rules
