"""Access control in one pool of both programs: two servers of ours, one of Consul 1.8.7, and a client agent of each.

Whoever leads: what is made through any agent counts at all of them, what is changed or removed counts at none any more.
The other mix, and snapshots with all tables both ways, are in `test_mixed_everything`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from support.clusters import ELECTION_TIMEOUT_S, Cluster
from support.harness import Reply, Subject, eventually
from support.normal import short_denials
from support.pools import ConsulMember, require_reference

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
ROOT = "11111111-2222-3333-4444-555555555555"
# The default token is for what the test's own helpers ask; each request of a story says who asks.
SETTINGS = f"""
acl {{ enabled = true default_policy = "deny" token_ttl = "0s" policy_ttl = "200ms" role_ttl = "200ms"
       tokens {{ master = "{ROOT}" agent = "{ROOT}" default = "{ROOT}" }} }}
"""
RULES = 'key_prefix "NAME/" { policy = "write" } service "NAME" { policy = "write" } node_prefix "" { policy = "read" }'
NOBODY = "99999999-2222-3333-4444-555555555555"
ACLS_ENABLED = "1"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_reference()
    servers, clients = [("o1", OURS), ("o2", OURS), ("r1", THEIRS)], [("oc", OURS), ("rc", THEIRS)]
    with Cluster(tmp_path_factory.mktemp("acl"), *servers, clients=clients, extra=["-hcl", SETTINGS]) as made:
        made.leader(made.servers())
        for member in made.everybody():
            made.until(partial(_not_ready, member), f"{member.name} knows the first token", ELECTION_TIMEOUT_S)
        made.settled()
        yield made


def _not_ready(member: ConsulMember) -> object:
    reply = ask(member, "GET", "/v1/acl/token/self", ROOT)
    return None if reply.status == 200 else reply.text


def ask(member: ConsulMember, method: str, target: str, token: str, body: Any = None) -> Reply:
    data = None if body is None else json.dumps(body).encode()
    return member.call(method, f"{target}{'&' if '?' in target else '?'}token={token}", data)


def made(member: ConsulMember, target: str, body: Any) -> Any:
    reply = ask(member, "PUT", target, ROOT, body)
    assert reply.status == 200, f"{member.name}: {target}: {reply.text}"
    return reply.json()


def until_at_all(cluster: Cluster, what: str, holds: Any) -> None:
    """Servers hear of a write when they apply it, and client agents go by what they were told for a moment."""

    def wrong() -> list[str]:
        return [member.name for member in cluster.agents() if not holds(member)]

    cluster.until(wrong, what, ELECTION_TIMEOUT_S)


def test_all_servers_say_that_tokens_are_of_today(cluster: Cluster) -> None:
    """A real server begins in the mode of before 1.4, and leaves it when all servers' tags say that they can."""

    def tags(member: ConsulMember) -> set[str]:
        rows = ask(member, "GET", "/v1/agent/members", ROOT).json()
        return {row["Tags"].get("acls", "") for row in rows if row["Tags"]["role"] == "consul"}

    until_at_all(cluster, "everybody sees the tags", lambda member: tags(member) == {ACLS_ENABLED})


@pytest.mark.parametrize("leader", ["o1", "r1"])
def test_what_is_made_anywhere_counts_everywhere(cluster: Cluster, leader: str) -> None:
    member = cluster.members[leader]
    assert isinstance(member, ConsulMember)
    cluster.let_lead(member)
    secrets: dict[str, str] = {}
    policies: dict[str, Any] = {}
    for agent in cluster.agents():
        name = f"{leader}-{agent.name}"
        policies[name] = made(agent, "/v1/acl/policy", {"Name": name, "Rules": RULES.replace("NAME", name)})
        role = made(agent, "/v1/acl/role", {"Name": name, "Policies": [{"Name": name}]})
        token = made(
            agent, "/v1/acl/token", {"Roles": [{"ID": role["ID"]}], "ServiceIdentities": [{"ServiceName": "x"}]}
        )
        secrets[name] = token["SecretID"]
    for name, secret in secrets.items():
        until_at_all(cluster, "it may write", partial(_may_write, f"{name}/k", secret))
        shown = {ask(one, "GET", "/v1/acl/token/self", secret).text for one in cluster.servers()}
        assert len({json.dumps(json.loads(text), sort_keys=True) for text in shown}) == 1, shown
    name, secret = next(iter(secrets.items()))
    for agent in cluster.agents():
        _refuses_what_it_must(agent, name, secret)
    _services_of(cluster, name, secret)
    # A changed policy and a removed token count everywhere, also at agents that were told of them before.
    policy = policies[name] | {"Rules": RULES.replace("NAME", "other")}
    made(cluster.servers()[0], f"/v1/acl/policy/{policy['ID']}", policy)
    until_at_all(
        cluster, "the policy is another", lambda one: _put(one, f"{name}/k", secret) == (403, "Permission denied")
    )
    assert _put(cluster.servers()[-1], "other/k", secret) == (200, "true")
    accessor = ask(cluster.servers()[0], "GET", "/v1/acl/token/self", secret).json()["AccessorID"]
    assert ask(cluster.members["rc"], "DELETE", f"/v1/acl/token/{accessor}", ROOT).status == 200  # type: ignore[arg-type]
    until_at_all(cluster, "the token is gone", lambda one: _put(one, "other/k", secret) == (403, "ACL not found"))
    # Those of before 1.4 count, too, and are made through either program.
    for agent in cluster.agents():
        old = made(
            agent, "/v1/acl/create", {"Name": "old", "Type": "client", "Rules": 'key "old" { policy = "write" }'}
        )
        until_at_all(cluster, "the old one may", partial(_may_write, "old", old["ID"]))


def _put(member: ConsulMember, key: str, secret: str) -> tuple[int, str]:
    """The answer, without what agents say on the way of who refused it."""
    reply = ask(member, "PUT", f"/v1/kv/{key}", secret, "x")
    return reply.status, short_denials(reply.text.strip()).rpartition(": ")[2]


def _may_write(key: str, secret: str, member: ConsulMember) -> bool:
    return _put(member, key, secret) == (200, "true")


def _refuses_what_it_must(agent: ConsulMember, name: str, secret: str) -> None:
    assert _put(agent, "elsewhere", secret) == (403, "Permission denied"), agent.name
    assert _put(agent, f"{name}/k", NOBODY) == (403, "ACL not found"), agent.name
    assert ask(agent, "GET", f"/v1/kv/{name}/k?raw", secret).status == 200
    assert ask(agent, "GET", "/v1/kv/?keys", secret).json() == [f"{name}/k"]
    assert ask(agent, "GET", "/v1/acl/tokens", secret).status == 403
    assert ask(agent, "PUT", "/v1/event/fire/e", secret, "x").status in (403, 500)


def _registered(agent: ConsulMember, service: Any, secret: str) -> bool:
    return ask(agent, "PUT", "/v1/agent/service/register", secret, service).status == 200


def _services_of(cluster: Cluster, name: str, secret: str) -> None:
    """An agent of either kind registers what the token may, and has it in the catalog of the other's servers."""
    for agent in cluster.agents():
        mine = {"ID": f"{name}-{agent.name}", "Name": name}

        def refused(agent: ConsulMember = agent, mine: Any = mine) -> bool:
            answer = ask(agent, "PUT", "/v1/agent/service/register", secret, mine | {"Name": "not-mine"})
            assert answer.status == 403, agent.name
            return "Permission denied" in answer.text  # a server that has not heard of the token says so first

        eventually(refused, f"{agent.name} refuses", ELECTION_TIMEOUT_S)
        eventually(partial(_registered, agent, mine, secret), f"{agent.name} may register", ELECTION_TIMEOUT_S)

    def rows(member: ConsulMember) -> set[str]:
        return {row["Node"] for row in ask(member, "GET", f"/v1/catalog/service/{name}", secret).json()}

    everybody = {agent.name for agent in cluster.agents()}
    until_at_all(cluster, "all are in the catalog", lambda one: rows(one) == everybody)
