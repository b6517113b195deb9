"""Access control through the front door of a real agent: from nothing to a locked one."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.harness import Agent, Subject, eventually, program, require_quiet
from support.patience import PATIENCE_S
from support.remote_sides import Certificate, Provider, Signer, serving

ACL_ON = 'acl { enabled = true default_policy = "deny" }'


def call(agent: Agent, method: str, target: str, body: Any = None, token: str = "") -> Any:
    client = agent.client()
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return client.call(method, target, data, [("X-Consul-Token", token)] if token else [])
    finally:
        client.close()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    found = Agent(Subject.OURS, tmp_path_factory.mktemp("acl"), ["-hcl", ACL_ON], dev=False)
    found.start()
    try:
        eventually(lambda: call(found, "GET", "/v1/status/leader").json(), "a leader")
        yield found
    finally:
        found.kill()
    require_quiet("the agent", found.log())


@pytest.fixture(scope="module")
def manager(agent: Agent) -> str:
    """The secret of the first management token."""

    def made() -> Any:
        reply = call(agent, "PUT", "/v1/acl/bootstrap")
        return reply if reply.status == 200 else None

    token = eventually(made, "access control begins").json()
    assert list(token)[:3] == ["ID", "AccessorID", "SecretID"] and token["ID"] == token["SecretID"]
    assert token["Description"] == "Bootstrap Token (Global Management)"
    secret: str = token["SecretID"]
    return secret


def token_with(agent: Agent, manager: str, name: str, rules: str, **fields: Any) -> Any:
    assert call(agent, "PUT", "/v1/acl/policy", {"Name": name, "Rules": rules}, manager).status == 200
    reply = call(agent, "PUT", "/v1/acl/token", {"Policies": [{"Name": name}], **fields}, manager)
    assert reply.status == 200, reply.text
    return reply.json()


def test_bootstrap_happens_once_unless_a_file_proves_who_asks(agent: Agent, manager: str) -> None:
    refused = call(agent, "PUT", "/v1/acl/bootstrap")
    assert refused.status == 403
    assert refused.text.startswith("Permission denied: ACL bootstrap no longer allowed (reset index: ")
    index = refused.text.removesuffix(")").rpartition(" ")[2]
    file = agent.data_dir / "acl-bootstrap-reset"
    for wrong in ("nonsense", "0", "", str(int(index) + 1), "9" * 4000):
        file.write_text(wrong)
        assert call(agent, "PUT", "/v1/acl/bootstrap").status == 403
    file.write_text(f"{index}\n")
    again = call(agent, "PUT", "/v1/acl/bootstrap")
    assert again.status == 200 and again.json()["SecretID"] != manager
    assert not file.exists()
    assert call(agent, "PUT", "/v1/acl/bootstrap").status == 403


def test_rights_are_those_of_the_token(agent: Agent, manager: str) -> None:
    token = token_with(agent, manager, "keys", 'key_prefix "a/" { policy = "write" }')
    secret, lacks = (
        token["SecretID"],
        f"Permission denied: token with AccessorID '{token['AccessorID']}' lacks permission ",
    )
    assert call(agent, "PUT", "/v1/kv/a/1", b"x", secret).status == 200
    assert call(agent, "PUT", "/v1/kv/b", b"x", manager).status == 200
    closed = ("PUT", "/v1/kv/b"), ("DELETE", "/v1/kv/b"), ("GET", "/v1/kv/b"), ("DELETE", "/v1/kv/?recurse")
    for method, target in closed:
        reply = call(agent, method, target, b"x" if method == "PUT" else None, secret)
        assert reply.status == 403 and reply.text.startswith(lacks), target
    assert call(agent, "GET", "/v1/kv/?keys", None, secret).json() == ["a/1"]
    assert call(agent, "GET", "/v1/kv/?keys", None, manager).json() == ["a/1", "b"]
    assert call(agent, "GET", "/v1/kv/?keys", None, "nobody").text == "ACL not found"
    assert call(agent, "GET", "/v1/catalog/nodes", None, secret).json() == []
    assert call(agent, "GET", "/v1/operator/raft/configuration", None, secret).status == 403
    assert call(agent, "GET", "/v1/operator/raft/configuration", None, manager).status == 200


def test_a_policy_that_changes_counts_from_then_on(agent: Agent, manager: str) -> None:
    call(agent, "PUT", "/v1/kv/c/1", b"x", manager)
    token = token_with(agent, manager, "changing", 'key "c/1" { policy = "read" }')
    assert call(agent, "GET", "/v1/kv/c/?recurse", None, token["SecretID"]).status == 200
    link = token["Policies"][0]["ID"]
    assert call(agent, "PUT", f"/v1/acl/policy/{link}", {"Name": "changing"}, manager).status == 200
    assert call(agent, "GET", "/v1/kv/c/?recurse", None, token["SecretID"]).status == 404
    assert call(agent, "GET", "/v1/kv/c/1", None, token["SecretID"]).status == 403
    assert call(agent, "DELETE", f"/v1/acl/token/{token['AccessorID']}", None, manager).text == "true"
    assert call(agent, "GET", "/v1/kv/c/1", None, token["SecretID"]).text == "ACL not found"


def test_a_decision_is_explained(agent: Agent, manager: str) -> None:
    token = token_with(agent, manager, "explained", 'service_prefix "w" { policy = "read" }')
    target = f"/v1/internal/acl/explain?resource=service&access=write&segment=web&accessor={token['AccessorID']}"
    assert call(agent, "GET", target, None, manager).json() == {
        "AccessorID": token["AccessorID"], "Resource": "service", "Access": "write", "Segment": "web", "Allow": False,
        "Policy": "explained", "Rule": 'service_prefix "w" { policy = "read" }', "Default": False,
        "Needed": 'service "web" { policy = "write" }',
    }  # fmt: skip
    assert call(agent, "GET", target, None, token["SecretID"]).text.startswith("Permission denied: token with")
    by_default = call(agent, "GET", target.replace("segment=web", "segment=x"), None, manager).json()
    assert by_default["Default"] and not by_default["Allow"] and by_default["Rule"] == ""
    assert call(agent, "GET", target.replace("access=write", "access=x"), None, manager).status == 400


def test_the_command_explains(agent: Agent, manager: str) -> None:
    token = token_with(agent, manager, "commanded", 'key_prefix "a" { policy = "read" }')

    def run(*words: str) -> tuple[int, str]:
        options = [f"-http-addr={agent.address}", f"-token={manager}", f"-accessor={token['AccessorID']}"]
        done = subprocess.run(
            [*program(Subject.OURS), "acl", "explain", *options, *words], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    code, text = run("key:read", "abc")
    assert code == 0 and text.startswith("Allowed: key:read abc\n") and "in commanded" in text
    code, text = run("key:write", "abc")
    assert code == 2 and text.startswith("Denied: key:write abc\n")
    assert 'Needed:  key "abc" { policy = "write" }' in text
    code, text = run("operator:read")
    assert code == 2 and "Decided: the default policy" in text and 'operator = "read"' in text
    assert run("nonsense")[0] == 1 and run("key:nonsense", "a")[0] == 1


def test_secrets_are_shown_to_managers_only(agent: Agent, manager: str) -> None:
    reader = token_with(agent, manager, "reader", 'acl = "read"')
    target = f"/v1/acl/token/{reader['AccessorID']}"
    assert call(agent, "GET", target, None, manager).json()["SecretID"] == reader["SecretID"]
    assert call(agent, "GET", target, None, reader["SecretID"]).json()["SecretID"] == "<hidden>"
    assert manager not in call(agent, "GET", "/v1/acl/tokens", None, reader["SecretID"]).text
    assert manager not in Path(agent.log_path).read_text()


def test_without_access_control_its_routes_say_so(tmp_path: Path) -> None:
    agent = Agent(Subject.OURS, tmp_path)
    agent.start()
    try:
        agent.wait_ready()
        for method, target in (
            ("PUT", "/v1/acl/bootstrap"), ("GET", "/v1/acl/tokens"), ("PUT", "/v1/acl/policy"),
            ("GET", "/v1/acl/token/self"), ("POST", "/v1/internal/acl/authorize"), ("GET", "/v1/acl/replication"),
        ):  # fmt: skip
            reply = call(agent, method, target, {} if method != "GET" else None)
            assert (reply.status, reply.text) == (401, "ACL support disabled"), target
    finally:
        agent.kill()


def test_login_and_logout_by_command(agent: Agent, manager: str, tmp_path: Path) -> None:
    """The whole way of a machine that has a signed token: from its auth method to its token, and back."""
    signer = Signer()
    config = {"JWTValidationPubKeys": [signer.pem], "ClaimMappings": {"name": "name"}}
    for name, text in (("config.json", json.dumps(config)), ("bearer", signer.sign({"name": "web"}))):
        (tmp_path / name).write_text(text)

    def run(*words: str, token: str = manager) -> str:
        options = [f"-http-addr={agent.address}", *([f"-token={token}"] if token else [])]
        done = subprocess.run(
            [*program(Subject.OURS), *words[:3], *options, *words[3:]], capture_output=True, text=True, check=False,
            cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = run("acl", "auth-method", "create", "-name=ci", "-type=jwt", "-config=@config.json", "-max-token-ttl=1h")
    assert "MaxTokenTTL:   1h0m0s" in made
    assert "ci" in run("acl", "auth-method", "list")
    run("acl", "binding-rule", "create", "-method=ci", "-bind-type=service", "-bind-name=of-${value.name}")
    assert "of-${value.name}" in run("acl", "binding-rule", "list", "-method=ci")
    run("login", "-method=ci", "-bearer-token-file=bearer", "-token-sink-file=sink", "-meta=a=b", token="")
    secret = (tmp_path / "sink").read_text()
    assert (tmp_path / "sink").stat().st_mode & 0o777 == 0o600
    own = call(agent, "GET", "/v1/acl/token/self", token=secret).json()
    assert own["ServiceIdentities"] == [{"ServiceName": "of-web"}] and own["AuthMethod"] == "ci"
    assert own["Description"] == 'token created via login: {"a":"b"}'
    shown = run("acl", "token", "read", "-self", "-expanded", token=secret)
    assert "service identity of-web:\n" in shown and '   service "of-web" { policy = "write" }' in shown
    assert "Default Policy: deny" in shown
    run("logout", token=secret)
    assert call(agent, "GET", "/v1/acl/token/self", token=secret).status == 403
    run("acl", "auth-method", "delete", "-name=ci")
    assert "of-" not in run("acl", "binding-rule", "list")


def test_commands_of_newer_releases(agent: Agent, manager: str) -> None:
    """What only newer releases have is shown, and not lost by a change of something else."""

    def run(*words: str) -> str:
        done = subprocess.run(
            [*program(Subject.OURS), "acl", *words[:2], f"-http-addr={agent.address}", f"-token={manager}", *words[2:]],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "builtin/service\n" in run("templated-policy", "list")
    assert "name (required)" in run("templated-policy", "read", "-name=builtin/node")
    assert 'node "n1" {' in run("templated-policy", "preview", "-name=builtin/node", "-var=name:n1")
    web = ("-templated-policy=builtin/service", "-var=name:web")
    role = json.loads(run("role", "create", "-name=templated", "-format=json", *web))
    (granted,) = role["TemplatedPolicies"]
    assert granted["TemplateName"] == "builtin/service" and granted["TemplateVariables"] == {"Name": "web"}
    dns = ("-templated-policy=builtin/dns",)
    shown = run("role", "update", f"-id={role['ID']}", "-description=d", *dns)
    assert "builtin/service (Name: web)" in shown and "builtin/dns (Datacenters: all)" in shown
    token = json.loads(run("token", "create", "-name=ci", "-format=json", *web))
    assert token["Name"] == "ci"
    shown = run("token", "update", f"-id={token['AccessorID']}", "-description=d", "-merge-templated-policies", *dns)
    assert "Name:             ci\n" in shown and "builtin/service" in shown and "builtin/dns" in shown
    config = json.dumps({"JWTValidationPubKeys": [Signer().pem], "ClaimMappings": {"team": "team"}})
    run("auth-method", "create", "-name=newer", "-type=jwt", f"-config={config}", "-token-name-format=x-${value.team}")
    assert "x-${value.team}" in run("auth-method", "update", "-name=newer", "-description=d")
    kind = ("-bind-type=templated-policy", "-bind-name=builtin/service")
    rule = json.loads(run(
        "binding-rule", "create", "-method=newer", "-format=json", *kind, "-bind-vars=name:${value.team}"
    ))  # fmt: skip
    shown = run("binding-rule", "update", f"-id={rule['ID']}", "-description=d", *kind)
    assert "BindVars:     Name=${value.team}" in shown


def test_login_with_a_browser_by_command(agent: Agent, manager: str, tmp_path: Path) -> None:
    certificate = Certificate.made(tmp_path)
    with serving(Provider(), certificate) as provider:
        assert isinstance(provider, Provider)
        config = {
            "OIDCDiscoveryURL": provider.url, "OIDCDiscoveryCACert": certificate.pem, "JWTSupportedAlgs": ["ES256"],
            "OIDCClientID": provider.client[0], "OIDCClientSecret": provider.client[1],
            "AllowedRedirectURIs": ["http://localhost:8550/oidc/callback"],
        }  # fmt: skip
        method = {"Name": "people", "Type": "oidc", "MaxTokenTTL": "1h", "Config": config}
        assert call(agent, "PUT", "/v1/acl/auth-method", method, manager).status == 200
        rule = {"AuthMethod": "people", "BindType": "service", "BindName": "web"}
        assert call(agent, "PUT", "/v1/acl/binding-rule", rule, manager).status == 200

        def come_back(query: str) -> tuple[int, str]:
            """The command's end, for a person whom the provider sends back with ``query``."""
            words = ["login", "-type=oidc", "-method=people", "-token-sink-file=sink", f"-http-addr={agent.address}",
                     "-oidc-callback-listen-addr=localhost:0"]  # fmt: skip
            process = subprocess.Popen(
                [*program(Subject.OURS), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                cwd=tmp_path, env={**os.environ, "BROWSER": "true"},
            )  # fmt: skip
            assert process.stdout is not None
            try:
                address = next(line.strip() for line in process.stdout if "https://" in line)
                state, code = provider.approve(address, {})
                back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
                with pytest.raises(urllib.error.HTTPError):
                    urllib.request.urlopen(back.replace("/oidc/callback", "/other"), timeout=PATIENCE_S)
                filled = query.format(state=state, code=code)
                assert b"logged in" in urllib.request.urlopen(f"{back}?{filled}", timeout=PATIENCE_S).read()
                _, errors = process.communicate(timeout=PATIENCE_S)
            finally:
                process.kill()
            return process.returncode, errors

        assert come_back("state={state}&code={code}") == (0, "")
        own = call(agent, "GET", "/v1/acl/token/self", token=(tmp_path / "sink").read_text()).json()
        assert own["AuthMethod"] == "people" and own["Description"] == "token created via OIDC login"
        code, errors = come_back("state={state}&error=access_denied")
        assert code == 1 and "access_denied" in errors
