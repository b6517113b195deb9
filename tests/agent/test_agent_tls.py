"""From the configuration to TLS: what is refused and how, and what comes of what is not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from proconsul.agent.config import load
from proconsul.agent.doors.tls import rpc_tls
from proconsul.features.errors import ConsulError
from proconsul.server.config import RpcTls
from support.harness import Subject, program, run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    for words in (["ca", "create"], ["cert", "create", "-server"], ["cert", "create", "-client"]):
        assert run([*program(Subject.OURS), "tls", *words], cwd=directory).returncode == 0
    (directory / "junk").write_text("junk")
    (directory / "empty").mkdir()
    return directory


def settings(files: Path, text: str) -> RpcTls:
    names = {
        "CERT": 'cert_file = "/dc1-server-consul-0.pem" key_file = "/dc1-server-consul-0-key.pem"',
        "CA": 'ca_file = "/consul-agent-ca.pem"',
    }
    for name, value in names.items():
        text = text.replace(name, value)
    config, _ = load({"hcl": [text.replace('"/', f'"{files}/')], "dev": True})
    return rpc_tls(config.fixed, config.reloadable)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("verify_outgoing = true", "VerifyOutgoing set, and no CA certificate provided!"),
        ("verify_server_hostname = true", "VerifyOutgoing set, and no CA certificate provided!"),
        ("verify_incoming = true", "VerifyIncoming set but no CA certificates were provided"),
        ("verify_incoming_rpc = true CERT", "VerifyIncoming set but no CA certificates were provided"),
        ("verify_incoming_https = true", "VerifyIncoming set but no CA certificates were provided"),
        (
            "verify_incoming = true CA",
            "VerifyIncoming requires either a Cert and Key pair in the configuration file, or auto_encrypt/auto_config "
            "be enabled",
        ),
        ('ca_file = "/nope"', "Error loading from /nope: open /nope: no such file or directory"),
        ('ca_file = "/junk"', "Couldn't parse PEM in /junk"),
        ('ca_file = "/dc1-server-consul-0-key.pem"', "Couldn't parse PEM in /dc1-server-consul-0-key.pem"),
        ('ca_path = "/nope"', "lstat /nope: no such file or directory"),
        ('ca_path = "/empty"', "Error loading from CAPath: no CAs found"),
        (
            'cert_file = "/nope" key_file = "/junk"',
            "Failed to load cert/key pair: open /nope: no such file or directory",
        ),
        (
            'cert_file = "/junk" key_file = "/dc1-server-consul-0-key.pem"',
            "Failed to load cert/key pair: tls: failed to find any PEM data in certificate input",
        ),
        (
            'cert_file = "/dc1-server-consul-0.pem" key_file = "/dc1-client-consul-0-key.pem"',
            "Failed to load cert/key pair: tls: private key does not match public key",
        ),
        (
            'tls_min_version = "tls9"',
            "TLSMinVersion: value tls9 not supported, please specify one of [tls10, tls11, tls12, tls13]",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_consuls_words(files: Path, text: str, refused: str) -> None:
    with pytest.raises(ConsulError) as failure:
        settings(files, text)
    assert str(failure.value).replace(str(files), "") == refused


@pytest.mark.parametrize(
    ("text", "outgoing", "hostname", "incoming", "tag", "raft"),
    [
        ("", False, False, False, False, ""),
        ("CERT", False, False, False, False, ""),
        ("CA", False, False, False, True, ""),
        ("CA CERT verify_incoming = true", False, False, True, True, ""),
        ("CA verify_outgoing = true", True, False, False, True, ""),
        ("CA verify_server_hostname = true", True, True, False, True, ""),
        ("CA CERT verify_incoming_rpc = true verify_server_hostname = true", True, True, True, True,
         "server.dc1.consul"),
        ('CA CERT domain = "x.test." verify_incoming = true verify_server_hostname = true', True, True, True, True,
         "server.dc1.x.test"),
        ("tls { defaults { CA CERT verify_outgoing = true } internal_rpc { verify_incoming = true } }", True, False,
         True, True, ""),
    ],
)  # fmt: skip
def test_what_is_asked_for(
    files: Path, text: str, outgoing: bool, hostname: bool, incoming: bool, tag: bool, raft: str
) -> None:
    tls = settings(files, text)
    assert (tls.outgoing is not None, tls.incoming.verify_incoming, tls.use_tls) == (outgoing, incoming, tag)
    assert tls.server_name == raft
    if tls.outgoing is not None:
        assert tls.outgoing.context.check_hostname is hostname
        assert tls.outgoing.context.verify_mode is ssl.CERT_REQUIRED
        assert tls.outgoing.server_name.startswith("server.dc1.")
    context = tls.incoming.incoming
    assert context is not None and context.verify_mode == (ssl.CERT_REQUIRED if incoming else ssl.CERT_NONE)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_versions_and_cipher_suites(files: Path) -> None:
    suites = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    text = f'tls_min_version = "tls13" tls_cipher_suites = "{suites}" tls_prefer_server_cipher_suites = true'
    tls = settings(files, f"CA CERT {text}")
    context = tls.incoming.incoming
    assert context is not None and context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    older = [cipher["name"] for cipher in context.get_ciphers() if not cipher["name"].startswith("TLS_")]
    assert older == ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"]
    context = settings(files, 'CA CERT tls_min_version = "tls10"').incoming.incoming
    assert context is not None and context.minimum_version is ssl.TLSVersion.TLSv1
    assert not context.options & ssl.OP_CIPHER_SERVER_PREFERENCE
