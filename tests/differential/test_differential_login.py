"""Logins that ask a remote side: the same remote side for Consul 1.8.7 and for us, and the same answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from proconsul.engine.rpc.errors import RpcError
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire.hostport import Address
from support.harness import Agent, Client, Subject, require_quiet
from support.normal import short_denials
from support.remote_sides import Certificate, Kubernetes, Provider, Signer, serving

pytestmark = pytest.mark.reference

TIMEOUT_S = 30.0
ROOT = "5e56ad8c-7f0a-4ee6-9d4f-9f1e5d2f6a31"
ACL_ON = f'acl {{ enabled = true default_policy = "deny" tokens {{ master = "{ROOT}" default = "{ROOT}" }} }}'
# What differs by nature: ids, times, and the port that is connected from.
VARYING = re.compile(
    r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"(?:Create|Modify)Index": \d+|"(?:Create|Expiration)Time": "[^"]*"'
    r"|[0-9a-f]{64}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: \+0000 UTC m=\+[\d.]+| \+0000 UTC)?"
)


class World:
    """Both agents, and the remote sides."""

    def __init__(self, agents: list[Agent], certificate: Certificate, provider: Provider, kubernetes: Kubernetes):
        self.agents = agents
        self.clients: list[Client] = [agent.client() for agent in agents]
        self.certificate, self.provider, self.kubernetes = certificate, provider, kubernetes

    def each(self, method: str, path: str, body: Any = None) -> list[tuple[int, str]]:
        data = None if body is None else json.dumps(body).encode()
        replies = [client.call(method, path, data, [("X-Consul-Token", ROOT)]) for client in self.clients]
        return [(reply.status, VARYING.sub("<varying>", reply.text)) for reply in replies]

    def agreed(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """The answer of both, which is the same."""
        reference, ours = self.each(method, path, body)
        assert ours == reference, f"{method} {path} {body}"
        return ours

    def method(self, config: Any, kind: str = "jwt") -> tuple[int, str]:
        """Make a method with a rule that gives everybody something, and look whether both take it."""
        self.agreed("DELETE", "/v1/acl/auth-method/m")
        found = self.agreed("PUT", "/v1/acl/auth-method", {"Name": "m", "Type": kind, "Config": config})
        if found[0] == 200:
            rule = {"AuthMethod": "m", "BindType": "service", "BindName": "web"}
            assert self.agreed("PUT", "/v1/acl/binding-rule", rule)[0] == 200
        return found

    def login(self, bearer: str) -> tuple[int, str]:
        return self.agreed("POST", "/v1/acl/login", {"AuthMethod": "m", "BearerToken": bearer})


@pytest.fixture(scope="module")
def world(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    certificate = Certificate.made(tmp_path_factory.mktemp("tls"))
    provider, kubernetes = Provider(), Kubernetes()
    agents: list[Agent] = []
    with ExitStack() as stack:
        for side in (provider, kubernetes):
            stack.enter_context(serving(side, certificate))
        for subject in (Subject.REFERENCE, Subject.OURS):
            agent = Agent(subject, tmp_path_factory.mktemp(subject.value), ["-hcl", ACL_ON])
            agent.start()
            stack.callback(agent.kill)
            agents.append(agent)
        for agent in agents:
            agent.wait_ready()
        found = World(agents, certificate, provider, kubernetes)
        yield found
        for client in found.clients:
            client.close()
    require_quiet("the agent", agents[1].log())


def test_keys_that_are_published(world: World) -> None:
    provider, pem = world.provider, world.certificate.pem
    for url, certificate in (("/jwks", ""), ("/nowhere", pem)):
        assert world.method({"JWKSURL": provider.url + url, "JWKSCACert": certificate})[0] == 500
    assert world.method({"JWKSURL": provider.url + "/jwks", "JWKSCACert": pem})[0] == 200
    assert world.login(provider.sign({}))[0] == 200
    assert world.login(provider.sign({}, key_id=""))[0] == 200
    stranger = Signer().sign({})
    for token in ("", "x", "a.b.c", stranger, provider.sign({}, key_id="k2"), provider.sign({"exp": 5, "iat": 1})):
        assert world.login(token)[0] == 500
    provider.signer = Signer("k3")
    assert world.login(provider.sign({}))[0] == 200


def test_a_provider_that_is_discovered(world: World) -> None:
    provider, pem = world.provider, world.certificate.pem
    for path, certificate in (("", ""), ("/other", pem), ("/nowhere", pem), ("/", pem)):
        config: dict[str, Any] = {"OIDCDiscoveryURL": provider.url + path, "OIDCDiscoveryCACert": certificate}
        assert world.method(config)[0] == 500
    config = {"OIDCDiscoveryURL": provider.url, "OIDCDiscoveryCACert": pem}
    assert world.method(config)[0] == 200
    assert "unsupported algorithm" in world.login(provider.sign({}))[1]
    config["JWTSupportedAlgs"] = ["ES256"]
    assert world.method(config)[0] == 200
    now = int(time.time())
    for claims, status in (
        ({}, 200), ({"aud": "anybody"}, 200), ({"iat": now + 500}, 200), ({"nbf": now + 30}, 200),
        ({"iss": "https://other"}, 500), ({"iss": None}, 500), ({"exp": now - 5}, 500), ({"exp": None}, 500),
        ({"nbf": now + 400}, 500),
    ):  # fmt: skip
        assert world.login(provider.sign(claims))[0] == status, claims
    for token in ("", "x", "a.b.c", Signer().sign({"iss": provider.url})):
        assert world.login(token)[0] == 500
    assert world.method(config | {"BoundAudiences": ["us"], "BoundIssuer": "nobody"})[0] == 200
    for audience, status in (("us", 200), (["them", "us"], 200), ("them", 500), (None, 500)):
        assert world.login(provider.sign({"aud": audience}))[0] == status


def test_service_accounts(world: World) -> None:
    api = world.kubernetes
    config = {"Host": api.url, "CACert": world.certificate.pem, "ServiceAccountJWT": api.reviewer}
    for wrong in ({"CACert": api.signer.pem}, {"ServiceAccountJWT": "x"}, {"ServiceAccountJWT": "a.b.c"},
                  {"Host": "foo bar"}, {"Host": ""}):  # fmt: skip
        assert world.method(config | wrong, "kubernetes")[0] == 500
    assert world.method(config | {"Host": "https://localhost:1"}, "kubernetes")[0] == 200
    assert "connection refused" in world.login(api.token("web"))[1]
    assert world.method(config | {"ServiceAccountJWT": api.signer.sign({})}, "kubernetes")[0] == 200
    assert world.login(api.token("web")) == (500, "Unauthorized")
    assert world.method(config | {"Host": api.url.removeprefix("https://") + "/"}, "kubernetes")[0] == 200
    for selector in ("serviceaccount.bogus==x", "serviceaccount is empty", "bogus==x", "serviceaccount.name matches a"):
        rule = {"AuthMethod": "m", "BindType": "service", "BindName": "x", "Selector": selector}
        world.agreed("PUT", "/v1/acl/binding-rule", rule)
    for name in ("${serviceaccount.bogus}", "${serviceaccount.name}-${serviceaccount.namespace}-${serviceaccount.uid}"):
        world.agreed("PUT", "/v1/acl/binding-rule", {"AuthMethod": "m", "BindType": "service", "BindName": name})
    for name, status in (("web", 200), ("annotated", 200), ("refused", 500), ("error", 500), ("person", 500),
                         ("forbidden", 500), ("gone", 500), ("empty", 500)):  # fmt: skip
        found = world.login(api.token(name))
        assert found[0] == status, found
    assert "another" in world.login(api.token("annotated"))[1]
    for token in ("", "x", "a.b.c"):
        assert world.login(token)[0] == 500


# ---------------------------------------------------------------------------------------------------- between servers


def shape(value: Any) -> Any:
    """A reply without what differs by nature, or is newer."""
    if isinstance(value, list):
        return [shape(item) for item in value] or None  # nobody tells them apart
    if not isinstance(value, dict):
        return VARYING.sub("<varying>", value) if isinstance(value, str) else value
    varying = ("CreateIndex", "ModifyIndex", "Index", "CreateTime", "Hash", "ExpirationTime", "Signature")
    return {
        name: "<varying>" if name in varying else shape(item) for name, item in value.items()
        if name != "ResultsFilteredByACLs"  # of newer releases
    }  # fmt: skip


async def test_methods_of_servers(world: World) -> None:
    """Every ACL method over the RPC port, as servers and client agents call them."""
    ids = {"policy": [""] * 2, "token": [""] * 2, "role": [""] * 2, "rule": [""] * 2, "login": [""] * 2,
           "reader": [""] * 2}  # fmt: skip
    anonymous = "00000000-0000-0000-0000-000000000002"
    nobody = "22222222-2222-4222-8222-222222222222"
    management = "00000000-0000-0000-0000-000000000001"
    signer = Signer()
    pool = ConnectionPool(source="127.0.0.1")

    async def both(method: str, request: dict[str, Any], *, token: str = ROOT, keep: str = "") -> Any:
        found: list[Any] = []
        for place, agent in enumerate(world.agents):
            text = json.dumps(request | {"Datacenter": "dc1", "Token": token})
            for name, values in ids.items():
                text = text.replace("${" + name + "}", values[place])
            filled, address = json.loads(text), Address("127.0.0.1", agent.ports["server"])
            try:
                reply = await pool.call(address, method, filled, Any, timeout_s=TIMEOUT_S)
            except RpcError as error:
                found.append(short_denials(str(error)))
                continue
            plain: Any = reply
            if keep:
                kind, _, field = keep.partition(".")
                ids[kind][place] = plain[field]
            found.append(shape(plain))
        assert found[1] == found[0], f"{method} {request}"
        return found[1]

    try:
        await both("ACL.AuthMethodDelete", {"AuthMethodName": "m"})
        await both("ACL.PolicySet", {"Policy": {"Name": "p", "Rules": 'acl = "read"'}}, keep="policy.ID")
        await both("ACL.RoleSet", {"Role": {"Name": "r", "Policies": [{"ID": "${policy}"}]}}, keep="role.ID")
        token = {"Description": "t", "Policies": [{"ID": "${policy}"}], "Roles": [{"ID": "${role}"}]}
        await both("ACL.TokenSet", {"ACLToken": token, "Create": True}, keep="token.AccessorID")
        for wanted in (["${policy}"], ["${policy}", "${policy}", nobody], [management, "${policy}"], [], None, ["x"]):
            await both("ACL.PolicyBatchRead", {"PolicyIDs": wanted})
            await both("ACL.RoleBatchRead", {"RoleIDs": ["${role}", *(wanted or [])]})
        for wanted in (["${token}"], ["${token}", anonymous], [anonymous, anonymous], [], None, [management], ["x"]):
            await both("ACL.TokenBatchRead", {"AccessorIDs": wanted})
        reader = {"Policies": [{"ID": "${policy}"}]}
        await both("ACL.TokenSet", {"ACLToken": reader, "Create": True}, keep="reader.SecretID")
        for secret in ("anonymous", "${reader}", "99999999-aaaa-4bbb-8ccc-222222222222"):
            await both("ACL.PolicyBatchRead", {"PolicyIDs": ["${policy}"]}, token=secret)
            await both("ACL.RoleBatchRead", {"RoleIDs": ["${role}"]}, token=secret)
            await both("ACL.TokenBatchRead", {"AccessorIDs": ["${token}"]}, token=secret)
            for read in ("AuthMethodList", "BindingRuleList", "List"):
                await both(f"ACL.{read}", {}, token=secret)
        method = {"Name": "rpc", "Type": "jwt", "Config": {"JWTValidationPubKeys": [signer.pem]}}
        await both("ACL.AuthMethodSet", {"AuthMethod": method})
        await both("ACL.AuthMethodRead", {"AuthMethodName": "rpc"})
        await both("ACL.AuthMethodRead", {"AuthMethodName": "none"})
        rule = {"AuthMethod": "rpc", "BindType": "service", "BindName": "web"}
        await both("ACL.BindingRuleSet", {"BindingRule": rule}, keep="rule.ID")
        await both("ACL.BindingRuleRead", {"BindingRuleID": "${rule}"})
        await both("ACL.BindingRuleRead", {"BindingRuleID": anonymous})
        await both("ACL.BindingRuleList", {"AuthMethod": "rpc"})
        auth = {"AuthMethod": "rpc", "BearerToken": signer.sign({}), "Meta": {"a": "b"}}
        await both("ACL.Login", {"Auth": auth}, token="", keep="login.SecretID")
        assert await both("ACL.Login", {"Auth": {"AuthMethod": "none"}}, token="") == "ACL not found"
        assert await both("ACL.Logout", {}) == "Permission denied"
        assert await both("ACL.BindingRuleDelete", {"BindingRuleID": "${rule}"}) is True
        assert await both("ACL.AuthMethodDelete", {"AuthMethodName": "rpc"}) is True
        acl = {"ID": "rpc", "Name": "n", "Type": "client", "Rules": 'key "" { policy = "read" }'}
        assert await both("ACL.Apply", {"Op": "set", "ACL": acl}) == "rpc"
        await both("ACL.Get", {"ACL": "rpc"}, token="")
        await both("ACL.Get", {"ACL": "none"}, token="")
        for op in ("", "bootstrap-now", "nonsense"):
            await both("ACL.Apply", {"Op": op, "ACL": acl})
        for wrong in ({"ID": "x", "Type": ""}, {"ID": "x", "Type": "client", "Rules": "x"}):
            await both("ACL.Apply", {"Op": "set", "ACL": wrong})
        assert await both("ACL.Apply", {"Op": "delete", "ACL": {"ID": "rpc"}}) == ""
        await both("ACL.Apply", {"Op": "delete", "ACL": {}})
        assert await both("ACL.Bootstrap", {}) == "ACL bootstrap no longer allowed"
        rules = [
            'key "a" { policy = "read" } service "b" { policy = "write" intentions = "read" } operator = "read"',
            "",
            'query "q" { policy = "write" } keyring = "read" key "z" { policy = "list" } key_prefix "x" {}',
        ]
        for text in rules:
            await both("ACL.Apply", {"Op": "set", "ACL": acl | {"Rules": text}})
            await both("ACL.GetPolicy", {"ACL": "rpc"}, token="")
        for secret in (ROOT, "anonymous", "", "none"):
            await both("ACL.GetPolicy", {"ACL": secret}, token="")
    finally:
        await pool.close()
