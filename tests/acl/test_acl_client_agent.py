"""A real Consul 1.8.7 client agent with access control on, under a server of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from acl_reference import ROOT, call

from support.harness import Agent, Subject, eventually, program, require_quiet
from support.normal import short_denials
from support.remote_sides import Signer

ACL = 'acl { enabled = true default_policy = "deny" tokens { %s = "' + ROOT + '" } }'


@dataclass
class ClientAgent(Agent):
    """An agent that is no server and joins ``server``."""

    server: Agent | None = None
    name: str = "client"

    def command(self) -> list[str]:
        assert self.server is not None
        words = [*program(self.subject), "agent", "-node", self.name, "-log-level=warn", "-bind", "127.0.0.1"]
        words += ["-data-dir", str(self.data_dir), "-retry-join", f"127.0.0.1:{self.server.ports['serf_lan']}"]
        for name in ("http", "server", "serf_lan"):
            words += [f"-{name.replace('_', '-')}-port", str(self.ports[name])]
        return [*words, "-serf-wan-port", "-1", "-dns-port", "-1", "-grpc-port", "-1", *self.arguments]


FILTERED = "X-Consul-Results-Filtered-By-Acls"
RECOVERY = "22222222-aaaa-4bbb-8ccc-222222222222"
RULES = """
key_prefix "a/" { policy = "read" }
service "web" { policy = "write" }
event "seen" { policy = "write" }
node "client" { policy = "read" }
"""


@pytest.mark.reference
@pytest.mark.parametrize("servers", Subject)
def test_our_client_agent_asks_for_rights(servers: Subject, reference_binary: Path, tmp_path: Path) -> None:
    """Of servers of either kind: what it answers by itself, what it passes on, and what it does without them."""
    server = Agent(servers, tmp_path / "server", ["-hcl", ACL.replace("%s", "master")])
    times = f'acl {{ token_ttl = "200ms" policy_ttl = "200ms" tokens {{ agent_master = "{RECOVERY}" }} }}'
    audit = f'audit {{ enabled = true sink "f" {{ type = "file" path = "{tmp_path}/audit.json" }} }}'
    words = [word for block in (ACL.replace("%s", "agent"), times, audit) for word in ("-hcl", block)]
    client = ClientAgent(Subject.OURS, tmp_path / "client", words, dev=False, server=server)
    try:
        server.start()
        eventually(lambda: call(server, "GET", "/v1/acl/token/self").status == 200, "access control is ready")
        client.start()
        eventually(lambda: call(client, "GET", "/v1/acl/token/self").status == 200, "the client has joined")
        policy = call(client, "PUT", "/v1/acl/policy", {"Name": "p", "Rules": RULES}).json()
        token = call(client, "PUT", "/v1/acl/token", {"Policies": [{"Name": "p"}]}).json()
        _as_the_token_may(client, secret := token["SecretID"])
        for name in ("a/1", "b/1"):
            assert call(client, "PUT", f"/v1/kv/{name}", "x", ROOT).status == 200
        found = call(client, "GET", "/v1/kv/?keys", None, secret)
        assert found.json() == ["a/1"]
        assert ((FILTERED, "true") in found.headers) == (servers is Subject.OURS)
        _cached_for_each_alone(client, server)
        for target in ("/v1/agent/services", "/v1/agent/self", "/v1/event/list", "/v1/agent/members?why=client"):
            assert call(client, "GET", target, None, "nobody's").status == 403, target
        # The audit stream knows who it was, also where a server decides.
        only = call(client, "PUT", "/v1/acl/token", {"Policies": [{"Name": "p"}]}).json()
        assert call(client, "GET", "/v1/kv/a/1?only", None, only["SecretID"]).status == 200
        eventually(lambda: only["AccessorID"] in _last_of(tmp_path / "audit.json", "/v1/kv/a/1"), "it was asked who")
        # What changes is known after the time; a token that is gone too.
        policy["Rules"] = RULES.replace('service "web"', 'service "db"')
        assert call(client, "PUT", f"/v1/acl/policy/{policy['ID']}", policy).status == 200
        eventually(lambda: call(client, "GET", "/v1/agent/services", None, secret).json() == {}, "the policy is known")
        assert call(client, "PUT", "/v1/agent/service/register", {"Name": "db"}, secret).status == 200
        server.kill()
        # Nobody is there to ask: what was known holds, the recovery token too, and nobody's are refused.
        assert list(call(client, "GET", "/v1/agent/services", None, secret).json()) == ["db"]
        assert call(client, "PUT", "/v1/agent/service/register", {"Name": "web"}, secret).status == 403
        assert call(client, "GET", "/v1/agent/self", None, RECOVERY).status == 200
        assert call(client, "GET", "/v1/agent/services", None, "22222222-0000-4bbb-8ccc-222222222222").json() == {}
        assert call(client, "GET", "/v1/agent/self", None, secret).status == 403
    finally:
        client.kill()
        server.kill()


def _cached_for_each_alone(client: Agent, server: Agent) -> None:
    """What the cache has for a token is shown to no other, nor to the token when that is gone."""
    cached = "/v1/catalog/services?cached"
    assert call(server, "PUT", "/v1/agent/service/register", {"Name": "hidden"}, ROOT).status == 200
    assert call(client, "PUT", "/v1/acl/policy", {"Name": "all", "Rules": 'service_prefix "" { policy = "read" }\n'
                                                  'node_prefix "" { policy = "read" }'}).status == 200  # fmt: skip
    token = call(client, "PUT", "/v1/acl/token", {"Policies": [{"Name": "all"}]}).json()
    secret = token["SecretID"]
    eventually(lambda: "hidden" in call(client, "GET", cached, None, secret).json(), "its token sees it")
    assert call(client, "GET", cached, None, secret).header("X-Cache") == "HIT"
    for _ in range(2):
        assert call(client, "GET", cached, None, "").json() == {}
    assert call(client, "DELETE", f"/v1/acl/token/{token['AccessorID']}").status == 200
    eventually(lambda: call(client, "GET", cached, None, secret).status == 403, "it is nobody's any more")
    assert call(server, "PUT", "/v1/agent/service/deregister/hidden", None, ROOT).status == 200


def _last_of(audit: Path, endpoint: str) -> str:
    """The last line about ``endpoint``."""
    return [line for line in audit.read_text().splitlines() if f'"{endpoint}"' in line][-1]


def _knows_itself(client: Agent) -> bool:
    return bool(call(client, "GET", "/v1/acl/token/self").status == 200)


def _resolves(client: Agent) -> bool:
    """Whether it knows the anonymous token: the reference begins in the mode of before 1.4, which knows none."""
    reply = call(client, "POST", "/v1/acl/rules/translate", "x", "anonymous")
    return bool((reply.status, short_denials(reply.text)) == (403, "Permission denied"))


def _as_the_token_may(client: Agent, secret: str) -> None:
    register = "/v1/agent/service/register"
    assert call(client, "PUT", register, {"Name": "web"}, secret).status == 200
    refused = call(client, "PUT", register, {"Name": "db"}, secret)
    assert (refused.status, short_denials(refused.text)) == (403, "Permission denied: Missing service:write on db")
    assert call(client, "PUT", register, {"Name": "db"}, ROOT).status == 200
    shown = call(client, "GET", "/v1/agent/services", None, secret)
    assert list(shown.json()) == ["web"] and (FILTERED, "true") in shown.headers
    assert [row["Name"] for row in call(client, "GET", "/v1/agent/members", None, secret).json()] == ["client"]
    assert call(client, "GET", "/v1/agent/members", None, "").json() == []
    assert call(client, "PUT", "/v1/agent/service/deregister/db", None, secret).status == 403
    assert call(client, "PUT", "/v1/agent/service/deregister/db", None, ROOT).status == 200
    for name in ("seen", "unseen"):
        assert call(client, "PUT", f"/v1/event/fire/{name}", "x", ROOT).status == 200
    eventually(lambda: len(call(client, "GET", "/v1/event/list").json()) == 2, "both have arrived")
    assert [row["Name"] for row in call(client, "GET", "/v1/event/list", None, secret).json()] == ["seen"]
    for target, method in (("/v1/agent/self", "GET"), ("/v1/agent/metrics", "GET"), ("/v1/agent/reload", "PUT"),
                           ("/v1/agent/token/default", "PUT"), ("/v1/agent/maintenance?enable=true", "PUT"),
                           ("/v1/agent/join/127.0.0.1", "PUT"), ("/debug/pprof/cmdline", "GET")):  # fmt: skip
        assert call(client, method, target, {} if method == "PUT" else None, secret).status == 403, target


@pytest.mark.reference
def test_a_client_agent_of_the_original_resolves_and_forwards(reference_binary: Path, tmp_path: Path) -> None:
    server = Agent(Subject.OURS, tmp_path / "server", ["-hcl", ACL.replace("%s", "master")])
    client = ClientAgent(
        Subject.REFERENCE, tmp_path / "client", ["-hcl", ACL.replace("%s", "agent")], dev=False, server=server
    )
    try:
        server.start()
        eventually(lambda: call(server, "GET", "/v1/acl/token/self").status == 200, "access control is ready")
        client.start()
        eventually(lambda: call(client, "GET", "/v1/acl/token/self").status == 200, "the client has joined")
        rules = 'key_prefix "a/" { policy = "write" } service "web" { policy = "write" }'
        rules += 'node_prefix "" { policy = "read" }'
        assert call(client, "PUT", "/v1/acl/policy", {"Name": "p", "Rules": rules}).status == 200
        assert call(client, "PUT", "/v1/acl/role", {"Name": "r", "Policies": [{"Name": "p"}]}).status == 200
        secret = call(client, "PUT", "/v1/acl/token", {"Roles": [{"Name": "r"}]}).json()["SecretID"]
        # Forwarded: the server decides.
        assert call(client, "PUT", "/v1/kv/a/1", "x", secret).status == 200
        for method, target, token in (("PUT", "/v1/kv/b", secret), ("GET", "/v1/kv/a/1", "nope")):
            assert call(client, method, target, "x" if method == "PUT" else None, token).status == 403
        # Decided by the client, from what it asks of the server: the token, its roles, their policies. It begins in the
        # mode of before 1.4, until it has heard of the server what that knows.
        target, web = "/v1/agent/service/register", {"Name": "web"}
        eventually(lambda: call(client, "PUT", target, web, secret).status == 200, "the client resolves the token")
        refused = call(client, "PUT", "/v1/agent/service/register", {"Name": "db"}, secret)
        assert (refused.status, short_denials(refused.text)) == (403, "Permission denied: Missing service:write on db")
        assert len(call(client, "GET", "/v1/agent/members", None, secret).json()) == 2
        assert call(client, "GET", "/v1/agent/members", None, "").json() == []
        # What it registers is written with its own tokens.
        eventually(lambda: call(client, "GET", "/v1/catalog/service/web", None, secret).json(), "it is in the catalog")
    finally:
        client.kill()
        server.kill()


VARYING = re.compile(
    r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"(?:Create|Modify)Index": ?\d+|"CreateTime": ?"[^"]*"'
)


def told(agent: Agent) -> list[tuple[int, bool, str]]:
    """What an agent says of logins and old tokens: statuses, whether an index comes along, texts."""
    signer = Signer()
    found: list[tuple[int, bool, str]] = []

    def ask(method: str, target: str, body: Any = None, token: str = ROOT) -> Any:
        reply = call(agent, method, target, body, token)
        found.append((reply.status, bool(reply.header("X-Consul-Index")), VARYING.sub("<varying>", reply.text)))
        return reply

    method, rule = "/v1/acl/auth-method/m", "/v1/acl/binding-rule"
    config = {"JWTValidationPubKeys": [signer.pem]}
    assert call(agent, "PUT", method, {"Type": "jwt", "Config": config}).status == 200
    ask("PUT", rule, {"AuthMethod": "m", "BindType": "service", "BindName": "web"})
    ask("GET", "/v1/acl/auth-methods")
    for target in ("/v1/acl/auth-method/none", f"{rule}/{ROOT}", f"/v1/acl/role/{ROOT}", f"/v1/acl/policy/{ROOT}"):
        ask("GET", target)
    login = {"AuthMethod": "m", "BearerToken": signer.sign({})}
    secret = ask("POST", "/v1/acl/login", login, "").json()["SecretID"]
    for wrong in ({**login, "AuthMethod": "none"}, {**login, "BearerToken": "x"}):
        ask("POST", "/v1/acl/login", wrong, "")
    ask("GET", "/v1/acl/token/self", None, secret)
    for _ in range(2):
        ask("POST", "/v1/acl/logout", None, secret)
    ask("PUT", "/v1/acl/create", {"ID": "old", "Name": "o"})
    for verb, target in (("GET", "info/old"), ("GET", "info/none"), ("PUT", "clone/old"), ("PUT", "clone/none"),
                         ("PUT", "destroy/old"), ("GET", f"rules/translate/{ROOT}")):  # fmt: skip
        ask(verb, f"/v1/acl/{target}")
    for token in (ROOT, "anonymous", ""):
        ask("POST", "/v1/acl/rules/translate", "x", token)
    assert call(agent, "DELETE", method).status == 200
    return found


@pytest.mark.reference
def test_client_agents_of_both_kinds_answer_alike(reference_binary: Path, tmp_path: Path) -> None:
    server = Agent(Subject.OURS, tmp_path / "server", ["-hcl", ACL.replace("%s", "master")])
    clients = [
        ClientAgent(
            subject, tmp_path / subject.value, ["-hcl", ACL.replace("%s", "agent")], dev=False, server=server,
            name=subject.value,
        ) for subject in (Subject.REFERENCE, Subject.OURS)
    ]  # fmt: skip
    try:
        server.start()
        eventually(lambda: call(server, "GET", "/v1/acl/token/self").status == 200, "access control is ready")
        for client in clients:
            client.start()
        for client in clients:
            eventually(partial(_knows_itself, client), "it has joined")
            eventually(partial(_resolves, client), "it resolves tokens")
        reference, ours = map(told, clients)
        assert ours == reference
        assert call(clients[1], "GET", "/v1/acl/templated-policies").status == 200
    finally:
        for agent in (*clients, server):
            agent.kill()
    require_quiet("our client agent", clients[1].log())
