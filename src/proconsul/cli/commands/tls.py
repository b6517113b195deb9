"""``consul tls ca create`` and ``tls cert create``."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from proconsul.cli.command import Command, Failure
from proconsul.cli.flags import FlagSet
from proconsul.engine.wire.goerrors import path_error

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_CA_DAYS = 1825
_CERT_DAYS = 365
_ORGANISATION = "proconsul"
_FILE_MODE_PUBLIC = 0o644
_FILE_MODE_SECRET = 0o600
# At most this many certificates of one kind in one directory; then something else is wrong.
_CERTIFICATES_MAX = 10_000
_WARNING = """==> WARNING: Server Certificates grants authority to become a
    server and access all state in the cluster including root keys
    and all ACL tokens. Do not distribute them to production hosts
    that are not server nodes. Store them as securely as CA keys."""


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())


def _write(path: str, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise Failure(path_error("open", path, error)) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _lifetime(days: int) -> tuple[datetime, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return now, now + timedelta(days=days)


class CaCreate(Command):
    """Creates a certificate authority."""

    usage = "consul tls ca create [options]"
    body = """
  Makes a certificate authority in the present directory, for use with
  "consul tls cert create".
"""

    def define(self, flags: FlagSet) -> None:
        self.days = flags.integer("days", "How many days the CA is valid.", _CA_DAYS)
        self.domain = flags.string("domain", "Domain of the cluster.", "consul")
        self.constrained = flags.boolean(
            "name-constraint",
            "Let the CA sign only names in the domain, localhost and those of -additional-name-constraint.",
        )
        self.constraints = flags.strings(
            "additional-name-constraint", "Further domain the CA may sign names in. Repeat for more."
        )

    def execute(self, args: list[str]) -> int:
        prefix = f"{self.domain.value}-agent-ca"
        certificate_file, key_file = f"{prefix}.pem", f"{prefix}-key.pem"
        for path in (certificate_file, key_file):
            if os.path.exists(path):
                raise Failure(f"{path} already exists.")
        names = [*self.constraints.value, self.domain.value, "localhost"] if self.constrained.value else []
        key = _new_key()
        certificate = _authority(key, self.days.value, names)
        from cryptography.hazmat.primitives.serialization import Encoding

        _write(certificate_file, certificate.public_bytes(Encoding.PEM), _FILE_MODE_PUBLIC)
        self.ui.out(f"==> Saved {certificate_file}")
        _write(key_file, _key_pem(key), _FILE_MODE_SECRET)
        self.ui.out(f"==> Saved {key_file}")
        return 0


def _authority(key: EllipticCurvePrivateKey, days: int, names: list[str]) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    serial = x509.random_serial_number()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Consul Agent CA {serial}"),
        ]
    )
    start, end = _lifetime(days)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(identifier.digest, None, None), critical=False)
    )
    if names:
        permitted = [x509.DNSName(name) for name in names]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    return builder.sign(key, hashes.SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


class CertCreate(Command):
    """Creates a certificate."""

    usage = "consul tls cert create [options]"
    body = """
  Makes a certificate for servers, clients or the command line, signed by the CA
  in the present directory.

      $ consul tls cert create -server
"""

    def define(self, flags: FlagSet) -> None:
        self.ca = flags.string("ca", "File of the CA. Default: #DOMAIN#-agent-ca.pem.", "#DOMAIN#-agent-ca.pem")
        self.key = flags.string(
            "key", "File of the CA's key. Default: #DOMAIN#-agent-ca-key.pem.", "#DOMAIN#-agent-ca-key.pem"
        )
        self.server = flags.boolean("server", "Make a server certificate.")
        self.client_ = flags.boolean("client", "Make a client certificate.")
        self.cli = flags.boolean("cli", "Make a certificate for the command line.")
        self.days = flags.integer("days", "How many days it is valid.", _CERT_DAYS)
        self.node = flags.string(
            "node", "Name of the server's node, added to a server certificate as <node>.server.<datacenter>.<domain>."
        )
        self.dc = flags.string("dc", "Datacenter, for server certificates.", "dc1")
        self.domain = flags.string("domain", "Domain, for server certificates.", "consul")
        self.names = flags.strings("additional-dnsname", "Further DNS name; localhost is always in. Repeat for more.")
        self.addresses = flags.strings(
            "additional-ipaddress", "Further IP address; 127.0.0.1 is always in. Repeat for more."
        )

    def execute(self, args: list[str]) -> int:
        chosen = [
            kind for kind, flag in (("server", self.server), ("client", self.client_), ("cli", self.cli)) if flag.value
        ]
        if len(chosen) != 1:
            raise Failure("Please provide either -server, -client, or -cli")
        kind = chosen[0]
        if self.node.value and kind != "server":
            raise Failure("-node requires -server")
        ca_file = self.ca.value.replace("#DOMAIN#", self.domain.value)
        key_file = self.key.value.replace("#DOMAIN#", self.domain.value)
        prefix = self._free_prefix(kind)
        ca_pem, key_pem = _read(ca_file, "Error reading CA: "), _read(key_file, "Error reading CA key: ")
        if kind == "server":
            self.ui.out(_WARNING)
        self.ui.out(f"==> Using {ca_file} and {key_file}")
        key = _new_key()
        data = self._sign(kind, key, ca_pem, key_pem)
        _write(f"{prefix}.pem", data, _FILE_MODE_PUBLIC)
        self.ui.out(f"==> Saved {prefix}.pem")
        _write(f"{prefix}-key.pem", _key_pem(key), _FILE_MODE_SECRET)
        self.ui.out(f"==> Saved {prefix}-key.pem")
        return 0

    def _free_prefix(self, kind: str) -> str:
        for number in range(_CERTIFICATES_MAX):
            prefix = f"{self.dc.value}-{kind}-{self.domain.value}-{number}"
            if not os.path.exists(f"{prefix}.pem") and not os.path.exists(f"{prefix}-key.pem"):
                return prefix
        raise Failure("Could not find a filename that doesn't already exist")

    def _sign(self, kind: str, key: EllipticCurvePrivateKey, ca_pem: bytes, key_pem: bytes) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        common = f"{kind}.{self.dc.value}.{self.domain.value}"
        try:
            authority = x509.load_pem_x509_certificate(ca_pem)
            signer = load_pem_private_key(key_pem, None)
            addresses = [x509.IPAddress(ip_address(text)) for text in self.addresses.value]
        except ValueError:
            raise Failure("failed to parse certificate") from None
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise Failure("failed to parse certificate")
        names = list(self.names.value)
        if self.node.value:
            names.append(f"{self.node.value}.{common}")
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in [*names, common, "localhost"]]
        alternatives += addresses
        if kind != "cli":
            alternatives.append(x509.IPAddress(ip_address("127.0.0.1")))
        start, end = _lifetime(self.days.value)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_authority_identifier(authority), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        )
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        if kind == "client":
            purposes.reverse()
        if kind != "cli":
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def _authority_identifier(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        present = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        present = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    return x509.AuthorityKeyIdentifier(present.digest, None, None)


def _read(path: str, prefix: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(prefix + path_error("open", path, error)) from None
