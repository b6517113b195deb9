"""Every command line of the case files must print and end as the reference program does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import cli_archives as archives
import cli_reference as reference
import pytest

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases")
    reference.copy_files(path)
    archives.write_all(path / "sn")
    return path


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reference.Agent]:
    with reference.running(tmp_path_factory.mktemp("agent")) as running:
        yield running


@pytest.fixture(scope="module")
def acl_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reference.Agent]:
    configuration = 'acl { enabled = true default_policy = "deny" }'
    with reference.running(
        tmp_path_factory.mktemp("acl-agent"), configuration, "/v1/acl/tokens", b"Permission denied"
    ) as running:
        yield running


@pytest.mark.parametrize("name", ["kv", "agent", "watch_lock", "debug", "operator", "snapshot_exec", "validate"])
def test_commands_equal_the_reference(name: str, agent: reference.Agent, folder: Path) -> None:
    values = {"http": agent.address, "serf": f"127.0.0.1:{agent.serf}", "wan": f"127.0.0.1:{agent.wan}"}
    count, reports = reference.differences(name, folder, {"CONSUL_HTTP_ADDR": agent.address}, values)
    assert count > 5
    assert reports == [], "\n\n".join(reports)


def _write_jwt_files(folder: Path) -> None:
    """Write an auth method's configuration and a token which it accepts."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    def encode(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    config = {"JWTValidationPubKeys": [public.decode()], "BoundIssuer": "me", "ClaimMappings": {"name": "name"}}
    (folder / "jwt.json").write_text(json.dumps(config))
    (folder / "jwt.key").write_text("no token\n")
    (folder / "em").write_text("")
    claims = {"iss": "me", "name": "bob", "exp": 4_000_000_000, "nbf": 1_700_000_000, "iat": 1_700_000_000}
    signed = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "JWT"}, claims))
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    (folder / "jwt.tok").write_bytes(signed + b"." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def _prepare_acls(agent: reference.Agent, folder: Path) -> dict[str, str]:
    """Create what the ACL cases mention; return the values of their placeholders."""
    environ = {"CONSUL_HTTP_ADDR": agent.address}

    def consul(*arguments: str) -> dict[str, str]:
        import os
        import subprocess

        done = subprocess.run(
            [reference.binary(), *arguments, "-format=json"],
            cwd=folder,
            env={**os.environ, **environ},
            capture_output=True,
            check=True,
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found

    token = consul("acl", "bootstrap")["SecretID"]
    environ["CONSUL_HTTP_TOKEN"] = token
    consul("acl", "policy", "create", "-name", "p1", "-rules", 'key "a" { policy = "read" }')
    consul("acl", "policy", "create", "-name", "q1")
    consul("acl", "role", "create", "-name", "qq1", "-service-identity", "x", "-node-identity", "n:dc1")
    for number, grant in (("1", "-service-identity"), ("2", "-node-identity")):
        consul("acl", "token", "create", grant, "s1:dc1", "-accessor", f"11111111-2222-3333-4444-00000000000{number}")
    consul("acl", "auth-method", "create", "-type", "jwt", "-name", "j1", "-config", "@jwt.json")
    rule = consul("acl", "binding-rule", "create", "-method", "j1", "-bind-name", "web")["ID"]
    return {"token": token, "rule": rule}


def test_acl_commands_equal_the_reference(acl_agent: reference.Agent, folder: Path) -> None:
    _write_jwt_files(folder)
    values = _prepare_acls(acl_agent, folder)
    environ = {"CONSUL_HTTP_ADDR": acl_agent.address, "CONSUL_HTTP_TOKEN": values["token"]}
    count, reports = reference.differences("acl", folder, environ, values)
    assert count > 100
    assert reports == [], "\n\n".join(reports)


def test_tls_commands_equal_the_reference(tmp_path: Path) -> None:
    lines = (
        "tls ca create",
        "tls ca create",
        "tls cert create -server",
        "tls cert create -client",
        "tls cert create -cli",
        "tls cert create -server -dc dc2 -node n1 -days 3 -additional-dnsname foo.bar -additional-ipaddress 1.2.3.4",
        "tls cert create -additional-ipaddress bad -server",
        "tls ca create -domain foo -days 2 -name-constraint -additional-name-constraint zz",
        "tls cert create -server -domain foo",
        "tls cert create -server -key nope",
    )
    outcomes = []
    for name, program in (("theirs", [reference.binary()]), ("ours", reference.OURS)):
        place = tmp_path / name
        place.mkdir()
        results = [reference.run(program, line.split(), place, {}, b"") for line in lines]
        outcomes.append((results, sorted(path.name for path in place.iterdir())))
    assert outcomes[0] == outcomes[1]
