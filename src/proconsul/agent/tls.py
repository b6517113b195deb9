"""TLS contexts of the agent's listeners (Consul docs: agent encryption)."""

from __future__ import annotations

import ssl
from pathlib import Path

from proconsul.agent.config.runtime import TlsListenerConfig

_VERSIONS = {
    "tls10": ssl.TLSVersion.TLSv1, "tls11": ssl.TLSVersion.TLSv1_1, "tls12": ssl.TLSVersion.TLSv1_2,
    "tls13": ssl.TLSVersion.TLSv1_3, "TLSv1_0": ssl.TLSVersion.TLSv1, "TLSv1_1": ssl.TLSVersion.TLSv1_1,
    "TLSv1_2": ssl.TLSVersion.TLSv1_2, "TLSv1_3": ssl.TLSVersion.TLSv1_3,
}  # fmt: skip


def server_context(config: TlsListenerConfig) -> ssl.SSLContext:
    """The context of a listener. Raises OSError or ssl.SSLError when a certificate cannot be loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS.get(config.min_version, ssl.TLSVersion.TLSv1_2)
    load_certificates(context, config)
    if config.verify_incoming:
        context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    return context


def load_certificates(context: ssl.SSLContext, config: TlsListenerConfig) -> None:
    """Load certificate and authorities; connections made after it use them. Raises OSError or ssl.SSLError."""
    context.load_cert_chain(config.cert_file, config.key_file or None)
    if config.ca_file:
        context.load_verify_locations(cafile=config.ca_file)
    for path in sorted(Path(config.ca_path).glob("*")) if config.ca_path else ():
        if path.is_file():
            context.load_verify_locations(cafile=str(path))
