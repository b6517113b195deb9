"""A secondary datacenter comes to have what the primary has, whatever was changed, in commands of bounded size."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from acl_world import World

from proconsul.engine.wire.record import replace
from proconsul.features.acl import model, replication
from proconsul.features.acl.hashes import hash_of_policy, hash_of_role, hash_of_token
from proconsul.features.acl.model import ACLPolicy, ACLRole, ACLToken, Link
from proconsul.features.acl.requests import HIDDEN, PolicyListStub, TokenListStub
from proconsul.features.errors import ConsulError

POLICIES, ROLES, TOKENS = replication.KINDS
CONTENT = {"policies": ("ID", "Name", "Description", "Rules", "Datacenters"),
           "roles": ("ID", "Name", "Description", "Policies"),
           "tokens": ("AccessorID", "SecretID", "Description", "Policies", "Roles")}  # fmt: skip


def put(world: World, *rows: Any) -> None:
    for row in rows:
        if isinstance(row, ACLPolicy):
            request = model.PolicySetRequest(Policies=[replace(row, Hash=hash_of_policy(row))])
            world.write(lambda tx, request=request: world.state.acl.set_policies(tx, request))
        elif isinstance(row, ACLRole):
            role = model.RoleSetRequest(Roles=[replace(row, Hash=hash_of_role(row))], AllowMissingLinks=True)
            world.write(lambda tx, role=role: world.state.acl.set_roles(tx, role))
        else:
            token = model.TokenSetRequest(Tokens=[replace(row, Hash=hash_of_token(row))], AllowMissingLinks=True)
            world.write(lambda tx, token=token: world.state.acl.set_tokens(tx, token))


def listed(primary: World, kind: replication.Kind) -> list[Any]:
    """As the primary lists it: without rules and secrets."""
    rows = kind.rows(primary.state.acl).values()
    if kind is POLICIES:
        return [PolicyListStub(ID=row.ID, Name=row.Name, Hash=row.Hash) for row in rows]
    if kind is TOKENS:
        return [TokenListStub(AccessorID=row.AccessorID, Local=row.Local, Hash=row.Hash) for row in rows]
    return list(rows)


def round_(primary: World, secondary: World, kind: replication.Kind) -> int:
    """One round; how many commands it took."""
    found = replication.plan(kind, secondary.state.acl, listed(primary, kind))
    commands = list(replication.removals(kind, found))
    rows = kind.rows(primary.state.acl)
    for ids in replication.batches(found.fetch):
        commands += replication.writes(kind, [rows[row_id] for row_id in ids])
    for command, request in commands:
        secondary.apply(command, request)
    return len(commands)


def content(world: World, kind: replication.Kind) -> dict[str, Any]:
    def shown(row: Any, field: str) -> Any:
        value = getattr(row, field)
        return sorted(link.ID for link in value or ()) if field in ("Policies", "Roles") else value

    rows = kind.rows(world.state.acl)
    return {row_id: tuple(shown(row, field) for field in CONTENT[kind.name]) for row_id, row in rows.items()}


def change(world: World, rng: random.Random) -> None:
    """One thing somebody does in the primary."""
    acl = world.state.acl
    policies, roles, tokens = (list(kind.rows(acl).values()) for kind in replication.KINDS)
    links = [Link(row.ID, row.Name) for row in rng.sample(policies, min(2, len(policies)))]
    step = rng.randrange(8)
    if step <= 1:
        put(world, ACLPolicy(ID=new_id(rng), Name=f"p{rng.randrange(10**6)}", Rules=rng.choice(["", 'key "a" {}'])))
    elif step == 2 and policies:
        put(world, replace(rng.choice(policies), Description=str(rng.random())))
    elif step == 3 and len(policies) > 1:
        one, two = rng.sample(policies, 2)  # they exchange their names
        put(world, replace(one, Name="between"), replace(two, Name=one.Name), replace(one, Name=two.Name))
    elif step == 4 and policies + roles:
        gone = rng.choice(policies + roles)
        kind = POLICIES if isinstance(gone, ACLPolicy) else ROLES
        world.apply(*kind.removal([gone.ID]))
    elif step == 5:
        put(world, ACLRole(ID=new_id(rng), Name=f"r{rng.randrange(10**6)}", Policies=links))
    elif step == 6 and tokens:
        world.apply(*TOKENS.removal([rng.choice(tokens).AccessorID]))
    else:
        put(world, ACLToken(
            AccessorID=new_id(rng), SecretID=new_id(rng), Policies=links, Local=rng.random() < 0.3,
            Roles=[Link(row.ID, row.Name) for row in roles[:1]],
        ))  # fmt: skip


def new_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


@pytest.mark.parametrize("seed", range(40))
def test_after_a_round_of_each_both_have_the_same(seed: int) -> None:
    rng = random.Random(seed)
    primary, secondary = World(), World(datacenter="dc2")
    local = secondary.token(Local=True)
    for _ in range(8):
        for _ in range(rng.randrange(12)):
            change(primary, rng)
        order = list(replication.KINDS)
        rng.shuffle(order)  # they are copied beside each other
        for kind in order:
            round_(primary, secondary, kind)
        for kind in replication.KINDS:
            assert content(secondary, kind) == content(primary, kind), kind.name
            assert round_(primary, secondary, kind) == 0, "nothing is written twice"
        assert secondary.state.acl.token(local.AccessorID) is not None, "local tokens stay"
        assert not any(row.Local for row in secondary.state.acl.tokens.all() if row.AccessorID != local.AccessorID)


def test_commands_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "IDS_MAX", 10)
    primary, secondary = World(), World()
    rows = [ACLPolicy(ID=str(uuid.uuid4()), Name=f"p{number}", Rules="#" * 60_000) for number in range(25)]
    put(primary, *rows)
    assert round_(primary, secondary, POLICIES) == 3 + 3 + 2  # questions of ten, four of these in a command
    for row in rows:
        primary.apply(*POLICIES.removal([row.ID]))
    assert round_(primary, secondary, POLICIES) == 3
    assert not secondary.state.acl.policies.all()


def test_what_every_datacenter_has_of_its_own_stays() -> None:
    primary, secondary = World(), World()
    put(secondary, ACLPolicy(ID=model.MANAGEMENT_POLICY_ID, Name="global-management"))
    put(secondary, ACLToken(AccessorID=model.ANONYMOUS_ACCESSOR_ID, SecretID=model.ANONYMOUS_SECRET))
    assert all(round_(primary, secondary, kind) == 0 for kind in replication.KINDS)


def test_hidden_secrets_are_an_error_and_nothing_is_written() -> None:
    row = ACLToken(AccessorID=str(uuid.uuid4()), SecretID=HIDDEN)
    with pytest.raises(ConsulError, match="replication token lacks acl:write"):
        list(replication.writes(TOKENS, [row]))


def test_progress_is_told_as_it_is() -> None:
    progress = replication.ReplicationProgress(enabled=True, source="dc1", tokens=True)
    begun = progress.status
    assert (begun.Enabled, begun.Running, begun.ReplicationType) == (True, False, "tokens")
    progress.running(running=True)
    for kind, index in zip(replication.KINDS, (5, 6, 7), strict=True):
        progress.done(kind, index, 1_700_000_000 * 10**9)
    status = progress.status
    assert (status.ReplicatedIndex, status.ReplicatedRoleIndex, status.ReplicatedTokenIndex) == (5, 6, 7)
    assert status.Running and status.LastSuccess != status.LastError
    progress.failed(1_700_000_001 * 10**9)
    assert progress.status.LastError != status.LastError and progress.status.LastSuccess == status.LastSuccess
    off = replication.ReplicationProgress(enabled=False, source="dc1", tokens=False).status
    assert (off.Enabled, off.SourceDatacenter, off.ReplicationType) == (False, "", "")
