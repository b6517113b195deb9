"""A real Consul 1.8.7 client agent with access control on, under a server of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acl_reference import ROOT, call

from support.harness import Agent, Subject, eventually, program, require_quiet
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
        assert (refused.status, refused.text) == (403, "Permission denied: Missing service:write on db")
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
            eventually(lambda client=client: call(client, "GET", "/v1/acl/token/self").status == 200, "it has joined")
        reference, ours = map(told, clients)
        assert ours == reference
        assert call(clients[1], "GET", "/v1/acl/templated-policies").status == 200
    finally:
        for agent in (*clients, server):
            agent.kill()
    require_quiet("our client agent", clients[1].log())
