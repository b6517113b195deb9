"""TLS of the agent's listeners and of its connections to servers (Consul docs: agent encryption).

Which combinations are refused, what is done without one of the files, and the words, are those of Consul 1.8.7.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

from proconsul.agent.checks.base import DefaultTlsContexts
from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig, TlsConfig, TlsListenerConfig
from proconsul.engine.rpc.dial import Tls
from proconsul.engine.rpc.mux import ALPN, TlsPolicy
from proconsul.engine.wire.goerrors import path_error, tls_error
from proconsul.features.errors import ConsulError
from proconsul.server.config import RpcTls, name_of_servers

_VERSIONS = {
    "tls10": ssl.TLSVersion.TLSv1, "tls11": ssl.TLSVersion.TLSv1_1, "tls12": ssl.TLSVersion.TLSv1_2,
    "tls13": ssl.TLSVersion.TLSv1_3,
}  # fmt: skip
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_KEY_MISMATCH = "KEY_VALUES_MISMATCH"


def rpc_tls(fixed: FixedConfig, reloadable: ReloadableConfig) -> RpcTls:
    """TLS of the RPC port, and of what is dialled.

    Raises ConsulError when the settings or the files are no good, those for HTTPS too.
    """
    tls, rpc = reloadable.tls, reloadable.tls.internal_rpc
    _check(tls, automatic=fixed.auto_encrypt.tls or fixed.auto_config.enabled)
    if fixed.https_addrs:
        https_context(tls)
    native = None
    if _has_certificate(rpc):
        native = _server_context(tls, rpc)
        native.set_alpn_protocols(list(ALPN))
    domain = reloadable.dns.domain.strip(".")
    name = name_of_servers(fixed.datacenter, domain)
    outgoing = None
    if rpc.verify_outgoing:
        context = _context(ssl.PROTOCOL_TLS_CLIENT, tls, rpc)
        # Without verify_server_hostname any certificate of the authority will do.
        context.check_hostname = tls.verify_server_hostname
        outgoing = Tls(context, name)
    policy = TlsPolicy(_server_context(tls, rpc), native, verify_incoming=rpc.verify_incoming)
    checked = tls.verify_server_hostname and rpc.verify_incoming
    return RpcTls(policy, outgoing, use_tls=_has_authority(rpc), server_name=name if checked else "", domain=domain)


def https_context(config: TlsConfig) -> ssl.SSLContext:
    """The context of the HTTPS listener. Raises ConsulError when a file cannot be used."""
    context = _server_context(config, config.https)
    context.set_alpn_protocols(["http/1.1"])
    return context


@contextlib.contextmanager
def reloading_tls() -> Iterator[None]:
    """Around what reads files for a reload: says so of the ConsulError that comes out."""
    try:
        yield
    except ConsulError as error:
        raise ConsulError(f"Failed reloading tls configuration: {error}") from None


class CheckTls:
    """TLS of checks: with enable_agent_tls_for_checks the agent's own certificate and authorities, else the system's.

    ``server_name`` is then whom a certificate must name, unless the check says it.
    """

    def __init__(self, node_name: str, config: ReloadableConfig) -> None:
        self._tls, self._own = config.tls, config.checks.enable_agent_tls
        self._default = DefaultTlsContexts()
        self.server_name = (config.tls.server_name or node_name) if self._own else ""

    def context(self, *, skip_verify: bool, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Raises ConsulError when a file cannot be used."""
        if not self._own:
            return self._default.context(skip_verify=skip_verify, alpn=alpn)
        own = self._tls.internal_rpc
        context = _context(ssl.PROTOCOL_TLS_CLIENT, self._tls, own)
        if not _has_authority(own):
            context.load_default_certs()
        if skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def check(self) -> None:
        """Raises ConsulError when a file that checks would use cannot be used."""
        if self._own:
            self.context(skip_verify=False)


def _check(tls: TlsConfig, *, automatic: bool) -> None:
    """Raises ConsulError for settings that lack what they need. ``automatic``: servers hand out certificates."""
    for listener in (tls.internal_rpc, tls.https):
        if listener.min_version not in _VERSIONS:
            known = ", ".join(_VERSIONS)
            raise ConsulError(
                f"TLSMinVersion: value {listener.min_version} not supported, please specify one of [{known}]"
            )
        if listener.verify_incoming and not _has_authority(listener):
            raise ConsulError("VerifyIncoming set but no CA certificates were provided")
        if listener.verify_incoming and not (_has_certificate(listener) or automatic):
            raise ConsulError(
                "VerifyIncoming requires either a Cert and Key pair in the configuration file, "
                "or auto_encrypt/auto_config be enabled"
            )
    rpc = tls.internal_rpc
    if rpc.verify_outgoing and not (_has_authority(rpc) or automatic):
        raise ConsulError("VerifyOutgoing set, and no CA certificate provided!")


def load_files(context: ssl.SSLContext, config: TlsListenerConfig) -> None:
    """Load certificate and authorities; connections made after it use them. Raises ConsulError."""
    for path in _authorities(config):
        context.load_verify_locations(cadata=_certificates(path))
    if not _has_certificate(config):
        return
    try:
        for kind, file in (("certificate", config.cert_file), ("key", config.key_file)):
            if b"-----BEGIN " not in _read(file):
                raise ConsulError(f"tls: failed to find any PEM data in {kind} input")
        # A key with a password would ask for it at the terminal.
        context.load_cert_chain(config.cert_file, config.key_file, password=lambda: b"")
    except ssl.SSLError as error:
        mismatch = error.reason == _KEY_MISMATCH
        text = "tls: private key does not match public key" if mismatch else tls_error(error)
        raise ConsulError(f"Failed to load cert/key pair: {text}") from None
    except ConsulError as error:
        raise ConsulError(f"Failed to load cert/key pair: {error}") from None


def _server_context(tls: TlsConfig, config: TlsListenerConfig) -> ssl.SSLContext:
    context = _context(ssl.PROTOCOL_TLS_SERVER, tls, config)
    if config.verify_incoming:
        context.verify_mode = ssl.CERT_REQUIRED
    if not _has_certificate(config):
        # Called before there is need of a certificate; this is what Go answers then.
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return context


def _context(protocol: int, tls: TlsConfig, config: TlsListenerConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = _VERSIONS[config.min_version]
    # As in Go, an intermediate authority that is given is trusted without its root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if config.cipher_suites:
        context.set_ciphers(":".join(map(_openssl_name, config.cipher_suites)))
    elif config.min_version in ("tls10", "tls11"):  # whose hashes OpenSSL otherwise takes for too weak
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    load_files(context, config)
    return context


def _openssl_name(suite: str) -> str:
    """OpenSSL's name of a cipher suite of TLS 1.2 with IANA's name."""
    name = suite.removeprefix("TLS_").replace("_WITH_", "_").replace("AES_", "AES").replace("_CBC", "")
    return name.replace("POLY1305_SHA256", "POLY1305").replace("_", "-")


def _has_certificate(config: TlsListenerConfig) -> bool:
    """One file without the other is as none."""
    return bool(config.cert_file and config.key_file)


def _has_authority(config: TlsListenerConfig) -> bool:
    return bool(config.ca_file or config.ca_path)


def _authorities(config: TlsListenerConfig) -> list[Path]:
    """The files with certificates of authorities; ca_file goes before ca_path. Raises ConsulError."""
    if config.ca_file:
        return [Path(config.ca_file)]
    if not config.ca_path:
        return []
    top = Path(config.ca_path)
    if not top.exists():
        raise ConsulError(f"lstat {top}: no such file or directory")
    found = sorted(path for path in (top.rglob("*") if top.is_dir() else [top]) if path.is_file())
    if not found:
        raise ConsulError("Error loading from CAPath: no CAs found")
    return found


def _certificates(path: Path) -> str:
    try:
        data = _read(str(path))
    except ConsulError as error:
        raise ConsulError(f"Error loading from {path}: {error}") from None
    # The original says what is in the file, which may be somebody's key.
    fault = ConsulError(f"Couldn't parse PEM in {path}")
    if _CERTIFICATE not in data:
        raise fault
    try:
        text = data.decode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError):
        raise fault from None
    return text


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConsulError(path_error("open", path, error)) from None
