"""Agents configured in the ways people and other test suites do it: files, folders, sockets, certificates."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import stat
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proconsul.testing.ports import free_ports
from support.harness import Agent, Subject, eventually, program, run

StartAgent = Callable[..., Agent]


def make_certificates(folder: Path) -> None:
    """A CA and a server certificate for 127.0.0.1: ca.pem, cert.pem, key.pem."""
    now = datetime.datetime.now(datetime.UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("test CA"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        )  # fmt: skip

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificate("test CA", ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca_cert = ca.add_extension(usage, critical=True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
    ).sign(ca_key, hashes.SHA256())  # fmt: skip
    names = [x509.DNSName("server.dc1.consul"), x509.DNSName("localhost"),
             x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]  # fmt: skip
    cert = certificate("server.dc1.consul", key).add_extension(x509.SubjectAlternativeName(names), critical=False)
    cert = cert.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    pem = serialization.Encoding.PEM
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_bytes(ca_cert.public_bytes(pem))
    (folder / "cert.pem").write_bytes(cert.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))


def harness_config(ports: dict[str, int], directory: Path) -> dict[str, object]:
    """One file with everything, as test harnesses of client libraries write it."""
    return {
        "node_name": "harness-node", "node_id": "99999999-8888-7777-6666-555555555555",
        "performance": {"raft_multiplier": 1, "leave_drain_time": "0s", "rpc_hold_timeout": "1s"},
        "bootstrap": True, "server": True, "data_dir": str(directory / "not-yet" / "data"),
        "segments": None, "disable_update_check": True, "log_level": "warn", "bind_addr": "127.0.0.1",
        "addresses": {}, "ports": ports, "session_ttl_min": "0s", "connect": {"enabled": True}, "acl": {},
        "encrypt": "", "skip_leave_on_interrupt": True, "enable_debug": True, "raft_protocol": 3,
        "ca_file": "tls/ca.pem", "cert_file": "tls/cert.pem", "key_file": "tls/key.pem",
    }  # fmt: skip


def start_from_config(directory: Path, config: dict[str, object], http_port: int) -> Agent:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    agent = Agent(Subject.OURS, directory)
    agent.ports["http"] = http_port
    agent.command = lambda: [*program(Subject.OURS), "agent", "-config-file", "config.json"]  # type: ignore[method-assign]
    agent.start()
    return agent


def test_the_configuration_of_test_harnesses(tmp_path: Path) -> None:
    http, https, server, lan, wan = free_ports(5)
    ports = {"dns": -1, "http": http, "https": https, "server": server, "serf_lan": lan, "serf_wan": wan, "grpc": -1}
    make_certificates(tmp_path / "agent" / "tls")
    agent = start_from_config(tmp_path / "agent", harness_config(ports, tmp_path), http)
    try:
        # Harnesses wait for a leader, then for the node and its health in the catalog.
        eventually(lambda: len(agent.call("GET", "/v1/status/leader").json()) > 5, f"a leader; {agent.log()}")
        nodes = eventually(lambda: agent.call("GET", "/v1/catalog/nodes?index=0").json(), "the node")
        assert nodes[0]["Node"] == "harness-node"
        eventually(lambda: agent.call("GET", "/v1/health/node/harness-node").json(), "its health")
        assert (tmp_path / "not-yet" / "data").is_dir()
        context = ssl.create_default_context(cafile=str(tmp_path / "agent" / "tls" / "ca.pem"))
        with urllib.request.urlopen(f"https://127.0.0.1:{https}/v1/status/leader", context=context) as answer:
            assert answer.status == 200
        # session_ttl_min 0s means the default of ten seconds.
        assert agent.call("PUT", "/v1/session/create", '{"TTL":"5s"}').status == 500
        assert agent.call("PUT", "/v1/agent/leave").status == 200
        assert agent.wait_exit() == 0
    finally:
        agent.kill()


def test_https_alone_and_a_client_without_tls(start_agent: StartAgent, tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls")
    (port,) = free_ports(1)
    files = "".join(f'{key}_file = "{tmp_path}/tls/{name}.pem"\n' for key, name in
                    (("ca", "ca"), ("cert", "cert"), ("key", "key")))  # fmt: skip
    agent = start_agent("-https-port", str(port), "-hcl", files)
    context = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
    with urllib.request.urlopen(f"https://localhost:{port}/v1/agent/self", context=context) as answer:
        assert json.load(answer)["Config"]["NodeName"] == "n1"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not sock.recv(4096).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in agent.log()


def test_a_unix_socket_listener(start_agent: StartAgent, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    path.write_text("left over")
    setting = f'addresses {{ http = "unix://{path}" }} unix_sockets {{ mode = "0700" }}'
    agent = start_agent("-hcl", setting, wait=False)
    eventually(lambda: path.is_socket(), f"the socket; {agent.log()}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(b"GET /v1/status/peers HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: sock.recv(4096), b""))

    eventually(lambda: ask().startswith(b"HTTP/1.1 200") or ask().startswith(b"HTTP/1.0 200"), "an answer")
    agent.process.terminate()  # type: ignore[union-attr]
    agent.wait_exit()
    assert not path.exists()


def test_an_empty_file_and_a_folder_of_files(start_agent: StartAgent, tmp_path: Path) -> None:
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "a.json").write_text('{"service": {"name": "from-a", "port": 1}}')
    (folder / "b.hcl").write_text('service { name = "from-b" tags = ["x"] }')
    (folder / "z.txt").write_text("not configuration {")
    (folder / "sub").mkdir()
    (tmp_path / "empty.hcl").write_text("")
    (tmp_path / "empty.json").write_text("{}")
    agent = start_agent(
        "-config-file", str(tmp_path / "empty.hcl"), "-config-file", str(tmp_path / "empty.json"),
        "-config-dir", str(folder),
    )  # fmt: skip
    assert {"from-a", "from-b"} <= set(agent.call("GET", "/v1/agent/services").json())


@pytest.mark.reference
@pytest.mark.parametrize(
    "text",
    ["{", '{"bogus_key": 1}', '{"ports": {"http": "x"}}', '{"server": "perhaps"}', "[]", '{"datacenter": "a b"}',
     '{"bootstrap_expect": 1, "server": false}', '{"encrypt": "short"}', '{"node_id": "x"}', "", '{"data_dir": ""}'],
)  # fmt: skip
def test_bad_configuration_ends_as_the_reference_does(text: str, tmp_path: Path, reference_binary: Path) -> None:
    (tmp_path / "bad.json").write_text(text)
    (tmp_path / "data").mkdir()
    ended = []
    for subject in (Subject.REFERENCE, Subject.OURS):
        done = run([*program(subject), "validate", str(tmp_path / "bad.json")], cwd=tmp_path)
        ended.append((done.returncode, "Traceback" in done.stderr + done.stdout))
    assert ended[1] == (ended[0][0], False)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"service": {"name": ""}}', 'Failed to register service "": Service name missing'),
     ('{"service": {"name": "a", "check": {}}}',
      'Failed to validate checks for service "a": TTL must be > 0 for TTL checks')],
)  # fmt: skip
def test_a_definition_without_sense_ends_the_start(
    text: str, reason: str, tmp_path: Path, reference_binary: Path
) -> None:
    (tmp_path / "bad.json").write_text(text)
    for subject in (Subject.REFERENCE, Subject.OURS):
        agent = Agent(subject, tmp_path / subject.value, ["-config-file", str(tmp_path / "bad.json")])
        done = run(agent.command(), cwd=tmp_path)
        assert done.returncode == 1
        assert reason in (done.stdout + done.stderr).replace('\\"', '"')


@pytest.mark.parametrize(("name", "head"), [
    ("http", ""), ("server", "Failed to start Consul server: Failed to start RPC layer: "),
])  # fmt: skip
def test_a_port_in_use_is_said_as_by_the_original_and_ends_with_1(
    name: str, head: str, start_agent: StartAgent, tmp_path: Path
) -> None:
    first = start_agent()
    for subject in (Subject.REFERENCE, Subject.OURS):
        second = Agent(subject, tmp_path / f"second-{subject.value}")
        second.ports[name] = first.ports[name]
        done = run(second.command())
        assert done.returncode == 1
        text = done.stdout + done.stderr
        assert f"{head}listen tcp 127.0.0.1:{first.ports[name]}: bind: address already in use" in text
        assert "Traceback" not in text and "Errno" not in text
