"""Access control of several datacenters: a primary of either program, and secondaries of each program, one that copies
its tokens and one that asks for them.

Both programs' secondaries are told the same story, and have to answer the same but for what is listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from support.harness import Reply, Subject, eventually
from support.normal import short_denials
from support.patience import PATIENCE_S
from support.pools import ConsulMember, Pool, require_reference

pytestmark = pytest.mark.reference

ROOT = "11111111-2222-3333-4444-555555555555"
NOBODY = "99999999-2222-3333-4444-555555555555"
# How long a round may take to begin on a busy machine, and to go round.
REPLICATED_S = 2 * PATIENCE_S
ACL = """
primary_datacenter = "first" connect {{ enabled = false }} retry_interval_wan = "1s"
acl {{ enabled = true default_policy = "deny" token_ttl = "100ms" {more}
       tokens {{ agent = "{root}" default = "{root}" {token} = "{root}" }} }}
"""
RULES = 'key_prefix "NAME/" { policy = "write" } node_prefix "" { policy = "read" }'
# What ours answers otherwise, by what was asked: tokens of one datacenter count nowhere else, not even where the
# primary is asked about them; a request for another datacenter does not fail because of what is not kept in ours.
INTENDED = {
    "asks": {"a token of the primary alone writes": (403, "ACL not found"), "methods of the primary": (200, "[]")},
    "copies": {},
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANGING = re.compile(r'"(?:Hash|CreateTime)":"[^"]*"|"(?:Create|Modify)Index":\d+')
_MAKING_CALL = re.compile(r"^(rpc error making call: )+")


class Federation(Pool):
    """``first`` is the primary; the others are named by their program and by what they do about tokens."""

    def begin(self, primary: Subject) -> Federation:
        first = self._add("first", primary, ACL.format(more="", root=ROOT, token="master"))
        for subject in Subject:
            for way, more in (("copies", "enable_token_replication = true"), ("asks", "")):
                name = f"{subject.name.lower()}-{way}"
                words = ["-retry-join-wan", first.wan_gossip]
                self._add(name, subject, ACL.format(more=more, root=ROOT, token="replication"), *words)
        eventually(lambda: ask(first, "GET", "/v1/acl/token/self").status == 200, "the first token", REPLICATED_S)
        for one in self.secondaries():
            eventually(partial(_copied, one), f"{one.name} has copied", REPLICATED_S)
        return self

    def _add(self, name: str, subject: Subject, settings: str, *words: str) -> ConsulMember:
        return self.add_consul(name, subject, "-datacenter", name, "-hcl", settings, *words, server=True)

    @property
    def first(self) -> ConsulMember:
        """The primary's server."""
        found = self.members["first"]
        assert isinstance(found, ConsulMember)
        return found

    def secondaries(self, way: str = "") -> list[ConsulMember]:
        """Those that copy tokens, or those that ask."""
        return [one for one in self.agents() if one.name.endswith(way) and one is not self.first]


def ask(member: ConsulMember, method: str, target: str, body: Any = None, token: str = ROOT) -> Reply:
    data = None if body is None else json.dumps(body).encode()
    return member.call(method, f"{target}{'&' if '?' in target else '?'}token={token}", data)


def status(member: ConsulMember) -> Any:
    return ask(member, "GET", "/v1/acl/replication").json()


def _copied(member: ConsulMember) -> bool:
    reply = ask(member, "GET", "/v1/acl/replication")
    found = reply.json() if reply.status == 200 else {}
    kinds = ["ReplicatedIndex"] + ["ReplicatedTokenIndex"] * (found.get("ReplicationType") == "tokens")
    return bool(found.get("Running")) and all(found[kind] for kind in kinds)


@pytest.fixture(scope="module", params=Subject, ids=lambda subject: f"{subject.name.lower()}-primary")
def federation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    require_reference()
    with Federation(tmp_path_factory.mktemp("acl")) as made:
        yield made.begin(request.param)


class Story:
    """What one secondary answers, in the order in which it was asked."""

    def __init__(self, federation: Federation, member: ConsulMember) -> None:
        self.first, self.member, self.name = federation.first, member, member.name
        self.answers: dict[str, tuple[int, str]] = {}

    def ask(self, what: str, method: str, target: str, body: Any = None, token: str = ROOT) -> Reply:
        """Ask, and keep the answer without what changes from time to time."""
        reply = ask(self.member, method, target, body, token)
        self.keep(what, reply)
        return reply

    def keep(self, what: str, reply: Reply) -> None:
        text = reply.text.strip().replace(self.name, "<dc>")
        if text.startswith(("{", "[")):
            found = json.loads(text)
            if isinstance(found, list):  # both list by what is made by chance
                found.sort(key=lambda row: json.dumps(row.get("Description", row), sort_keys=True))
            text = json.dumps(found, separators=(",", ":"))
        text = _CHANGING.sub("", _UUID.sub("<uuid>", short_denials(_MAKING_CALL.sub("", text))))
        self.answers[what] = reply.status, text

    def until(self, what: str, method: str, target: str, wanted: int, token: str = ROOT) -> None:
        """Ask until it answers with a status, which may take a round."""
        eventually(lambda: ask(self.member, method, target, None, token).status == wanted, what, REPLICATED_S)
        self.ask(what, method, target, None, token)

    def tell(self) -> dict[str, tuple[int, str]]:
        """The whole of it."""
        name = self.name
        policy = self.ask(
            "make a policy", "PUT", "/v1/acl/policy", {"Name": name, "Rules": RULES.replace("NAME", name)}
        )
        self.keep("it is the primary's", ask(self.first, "GET", f"/v1/acl/policy/name/{name}"))
        self.until("it is here", "GET", f"/v1/acl/policy/name/{name}", 200)
        role = self.ask("make a role", "PUT", "/v1/acl/role", {"Name": name, "Policies": [{"Name": name}]})
        secret, accessor = self._global(name, role.json()["ID"])
        self._local(name)
        self._logins()
        self.ask("bootstrap", "PUT", "/v1/acl/bootstrap")
        old = self.ask("make one of before 1.4", "PUT", "/v1/acl/create",
                       {"Name": "old", "Type": "client", "Rules": f'key "{name}" {{ policy = "write" }}'})  # fmt: skip
        self.until("which may", "PUT", f"/v1/kv/{name}", 200, old.json()["ID"])
        self.ask("and is removed", "PUT", f"/v1/acl/destroy/{old.json()['ID']}")
        self.ask("remove the token", "DELETE", f"/v1/acl/token/{accessor}")
        self.until("which is gone", "GET", "/v1/acl/token/self", 403, secret)
        self.ask("remove the role", "DELETE", f"/v1/acl/role/{role.json()['ID']}")
        self.ask("remove the policy", "DELETE", f"/v1/acl/policy/{policy.json()['ID']}")
        self.until("which is gone, too", "GET", f"/v1/acl/policy/name/{name}", 403)
        return self.answers

    def _global(self, name: str, role_id: str) -> tuple[str, str]:
        token = self.ask(
            "make a token", "PUT", "/v1/acl/token", {"Roles": [{"ID": role_id}], "Description": name}
        ).json()
        secret, accessor = token["SecretID"], token["AccessorID"]
        self.until("it may write", "PUT", f"/v1/kv/{name}/k", 200, secret)
        self.ask("it may write there", "PUT", f"/v1/kv/{name}/k?dc=first", "x", secret)
        self.ask("it may not all", "PUT", "/v1/kv/other", "x", secret)
        self.ask("nobody may", "PUT", f"/v1/kv/{name}/k", "x", NOBODY)
        self.until("it can be read", "GET", f"/v1/acl/token/{accessor}", 200)
        changed = {"Roles": [{"ID": role_id}], "Description": f"{name}, changed"}
        self.ask("change it", "PUT", f"/v1/acl/token/{accessor}", changed)
        self.keep("it is changed there", ask(self.first, "GET", f"/v1/acl/token/{accessor}"))
        clone = self.ask("clone it", "PUT", f"/v1/acl/token/{accessor}/clone", {"Description": "clone"}).json()
        self.until("the clone may write", "PUT", f"/v1/kv/{name}/k", 200, clone["SecretID"])
        self.ask("remove the clone", "DELETE", f"/v1/acl/token/{clone['AccessorID']}")
        for what, path in (("remove", "DELETE"), ("change", "PUT")):
            self.ask(f"{what} what is not there", path, f"/v1/acl/token/{NOBODY}", {"Description": "x"})
        return secret, accessor

    def _local(self, name: str) -> None:
        local = {"Policies": [{"Name": name}], "Local": True, "Description": "local"}
        mine = self.ask("make a token of this datacenter", "PUT", "/v1/acl/token", local)
        if mine.status == 200:
            token = mine.json()
            self.ask("it writes", "PUT", f"/v1/kv/{name}/k", "x", token["SecretID"])
            self.ask("it does not count there", "PUT", f"/v1/kv/{name}/k?dc=first", "x", token["SecretID"])
            self.keep("nor is it known there", ask(self.first, "GET", "/v1/acl/token/self", None, token["SecretID"]))
            self.ask("its clone is one, too", "PUT", f"/v1/acl/token/{token['AccessorID']}/clone", {"Description": "c"})
        theirs = ask(self.first, "PUT", "/v1/acl/token", local).json()
        self.ask("a token of the primary alone writes", "PUT", f"/v1/kv/{name}/k", "x", theirs["SecretID"])
        self.keep("it does not count here", ask(
            self.first, "PUT", f"/v1/kv/{name}/k?dc={self.member.name}", "x", theirs["SecretID"]
        ))  # fmt: skip
        eventually(lambda: self._globals(self.member) == self._globals(self.first), "all is copied", REPLICATED_S)
        self.ask("the tokens", "GET", "/v1/acl/tokens")
        self.ask("is removed through here", "DELETE", f"/v1/acl/token/{theirs['AccessorID']}")
        self.keep("and gone there", ask(self.first, "GET", "/v1/acl/token/self", None, theirs["SecretID"]))

    @staticmethod
    def _globals(member: ConsulMember) -> set[tuple[str, str]]:
        rows = ask(member, "GET", "/v1/acl/tokens").json()
        return {(row["AccessorID"], row["Hash"]) for row in rows if not row["Local"]}

    def _logins(self) -> None:
        self.ask("methods", "GET", "/v1/acl/auth-methods")
        self.ask("methods of the primary", "GET", "/v1/acl/auth-methods?dc=first")
        for locality in ("local", "global"):
            method: Any = {"Name": "m", "Type": "kubernetes", "TokenLocality": locality, "Config": {}}
            self.ask(f"a {locality} method", "PUT", "/v1/acl/auth-method", method)
        self.ask("a binding rule", "PUT", "/v1/acl/binding-rule", {"AuthMethod": "m", "BindName": "x"})
        self.ask("log in", "POST", "/v1/acl/login", {"AuthMethod": "m", "BearerToken": "x"}, "")


def test_a_replication_token_that_is_told_counts_at_once(federation: Federation) -> None:
    server = federation.secondaries("asks")[0]
    assert server.subject is Subject.OURS

    def failed() -> str:
        return str(status(server)["LastError"])

    before, target = failed(), "/v1/agent/token/replication"
    assert ask(server, "PUT", target, {"Token": NOBODY}).status == 200
    ask(federation.first, "PUT", "/v1/acl/policy", {"Name": "while-nobody"})  # ends the rounds that wait
    eventually(lambda: failed() != before, "nobody's token is refused", REPLICATED_S)
    for _ in range(4):  # the pauses become long
        before = failed()
        assert ask(server, "PUT", target, {"Token": NOBODY}).status == 200
        eventually(lambda before=before: failed() != before, "again", REPLICATED_S)  # type: ignore[misc]
    assert ask(server, "PUT", target, {"Token": ROOT}).status == 200
    eventually(
        lambda: ask(server, "GET", "/v1/acl/policy/name/while-nobody").status == 200, "it is copied", REPLICATED_S
    )


@pytest.mark.parametrize("way", ["copies", "asks"])
def test_secondaries_of_both_programs_answer_the_same(federation: Federation, way: str) -> None:
    told = {one.subject: Story(federation, one).tell() for one in federation.secondaries(way)}
    ours, theirs = told[Subject.OURS], told[Subject.REFERENCE]
    different = {what: (ours[what], theirs[what]) for what in theirs if ours[what] != theirs[what]}
    assert {what: pair[0] for what, pair in different.items()} == INTENDED[way], different


def test_what_is_told_of_replication(federation: Federation) -> None:
    assert not status(federation.first)["Enabled"]
    for one in federation.secondaries():
        found = status(one)
        kind = "tokens" if one.name.endswith("copies") else "policies"
        assert (found["Enabled"], found["Running"], found["SourceDatacenter"], found["ReplicationType"]) == (
            True, True, "first", kind
        )  # fmt: skip
        assert found["ReplicatedRoleIndex"] and bool(found["ReplicatedTokenIndex"]) == (kind == "tokens")


def test_agents_below_a_secondary_that_asks(federation: Federation) -> None:
    """Client agents and archives there know tokens that only the primary has; the agent is not of its program."""
    server, subject = federation.members["ours-asks"], Subject.OURS
    if federation.first.subject is Subject.OURS:
        subject = Subject.REFERENCE
    assert isinstance(server, ConsulMember)
    name = f"below-{subject.name.lower()}"
    settings = ACL.format(more="", root=ROOT, token="replication") + f'node_name = "{name}"'
    words = "-datacenter", server.name, "-retry-join", server.gossip, "-hcl", settings
    client = federation.add_consul(name, subject, *words)
    rules = " ".join(f'{kind} "{name}" {{ policy = "write" }}' for kind in ("service", "key"))
    rules += ' node_prefix "" { policy = "read" }'
    policy = ask(federation.first, "PUT", "/v1/acl/policy", {"Name": name, "Rules": rules}).json()
    made = ask(federation.first, "PUT", "/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]}).json()
    secret = made["SecretID"]
    eventually(partial(_may, client, name, secret), "it may through the client", REPLICATED_S)
    assert not _may(client, "other", secret) and not _may(client, name, NOBODY)

    def registered() -> bool:
        reply = ask(client, "PUT", "/v1/agent/service/register", {"Name": name}, secret)
        if reply.status != 200:
            raise OSError(f"{reply.status} {reply.text}")  # not yet; the failure says why
        return True

    eventually(registered, "the client knows the token", REPLICATED_S)
    assert ask(client, "PUT", "/v1/agent/service/register", {"Name": "not-mine"}, secret).status == 403
    eventually(lambda: ask(server, "GET", f"/v1/catalog/service/{name}", None, secret).json(), "it is in the catalog",
               REPLICATED_S)  # fmt: skip
    for agent in (server, client):
        assert ask(agent, "GET", "/v1/snapshot", None, secret).status == 403
        assert ask(agent, "GET", "/v1/snapshot", None, ROOT).status == 200
    assert ask(federation.first, "DELETE", f"/v1/acl/token/{made['AccessorID']}").status == 200
    eventually(lambda: not _may(client, name, secret), "the token is gone", REPLICATED_S)
    client.leave()


def test_a_lost_primary_is_followed_again(federation: Federation) -> None:
    """Meanwhile what is known holds, nothing of the primary's can be changed, and the status says that it failed."""
    first = federation.first
    policy = ask(first, "PUT", "/v1/acl/policy", {"Name": "lost", "Rules": RULES.replace("NAME", "lost")}).json()
    token = ask(first, "PUT", "/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]}).json()["SecretID"]
    ours = [one for one in federation.secondaries() if one.subject is Subject.OURS]
    for one in ours:
        _until_written(one, token, f"{one.name} knows the token")
    before = {one.name: status(one)["LastError"] for one in ours}
    first.kill()
    for one in ours:
        assert ask(one, "PUT", "/v1/kv/lost/k", "x", token).status == 200, one.name
        assert ask(one, "PUT", "/v1/acl/policy", {"Name": "meanwhile"}).status == 500, one.name
        eventually(lambda one=one: status(one)["LastError"] != before[one.name], "it has failed", REPLICATED_S)  # type: ignore[misc]
    first.start()
    eventually(lambda: ask(first, "GET", "/v1/acl/token/self").status == 200, "the primary is back", REPLICATED_S)
    ask(first, "PUT", f"/v1/acl/policy/{policy['ID']}", policy | {"Rules": RULES.replace("NAME", "later")})
    for one in ours:
        eventually(partial(_may, one, "later/k", token), f"{one.name} has the change", 2 * REPLICATED_S)


def _may(member: ConsulMember, key: str, token: str) -> bool:
    return ask(member, "PUT", f"/v1/kv/{key}", "x", token).status == 200


def _until_written(member: ConsulMember, token: str, what: str) -> None:
    eventually(partial(_may, member, "lost/k", token), what, REPLICATED_S)
