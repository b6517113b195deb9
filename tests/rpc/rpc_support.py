"""A small server on the real listener, a raw client, and certificates of a test authority."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proconsul.engine.rpc.codec import Message, MessageReader, encode_request
from proconsul.engine.rpc.dial import FirstByte
from proconsul.engine.rpc.mux import Handler, OnProtocol, OnStreams, RpcListener, TlsPolicy
from proconsul.engine.rpc.pool import ConnectionPool, PoolLimits
from proconsul.engine.rpc.server import Peer, RpcServer
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import encode
from proconsul.engine.wire.record import Record

SERVER_NAME = "server.dc1.consul"


class Text(Record, frozen=True):
    """An argument and reply of the test methods."""

    Value: bytes = b""
    Count: int = 0


class OperatingError(Exception):
    """What endpoints raise for clients to read."""


@dataclass
class Methods:
    """Test.*: what is under way, and futures by which a test lets it go on."""

    waiting: list[asyncio.Future[Text]] = field(default_factory=list)
    cancelled: int = 0
    calls: int = 0

    def echo(self, request: Text) -> Text:
        self.calls += 1
        return request

    def fill(self, request: Text) -> Text:
        """As many bytes as asked for."""
        return Text(Value=request.Value * request.Count)

    def fail(self, request: Text) -> Text:
        raise OperatingError(request.Value.decode())

    def crash(self, request: Text) -> Text:
        raise KeyError(request.Value)

    async def wait(self, request: Text) -> Text:
        future: asyncio.Future[Text] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.calls += 1
        try:
            return await future
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def future(self, request: Text) -> asyncio.Future[Text]:
        future: asyncio.Future[Text] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return future

    def nothing(self, request: Text) -> None:
        return None

    def unencodable(self, request: Text) -> object:
        return object()


def make_server(methods: Methods, **options: Any) -> RpcServer:
    server = RpcServer((OperatingError,), **options)
    for name in ("echo", "fill", "fail", "crash", "wait", "future", "nothing", "unencodable"):
        server.register(f"Test.{name.capitalize()}", Text, getattr(methods, name))
    server.register("Test.Leader", Text, lambda _: "127.0.0.1:8300")
    return server


@dataclass
class Site:
    """A server that listens, and a pool to call it with."""

    methods: Methods
    server: RpcServer
    listener: RpcListener
    address: Address
    pool: ConnectionPool

    async def call(
        self, method: str, value: bytes = b"", count: int = 0, timeout_s: float = 30.0, **options: Any
    ) -> Text:
        return await self.pool.call(
            self.address, f"Test.{method}", Text(value, count), Text, timeout_s=timeout_s, **options
        )


async def echo_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
    """Say who is there, then repeat what comes until its end."""
    writer.write(f"{peer.tls} {' '.join(peer.names)}\n".encode())
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def site(
    *, tls: TlsPolicy | None = None, extra: Mapping[FirstByte, Handler] | None = None,
    limits: PoolLimits | None = None, listener: Mapping[str, Any] | None = None, **options: Any,
) -> AsyncIterator[Site]:  # fmt: skip
    methods = Methods()
    server = make_server(methods, **options)
    handlers: dict[FirstByte, Handler] = {
        FirstByte.SINGLE: OnProtocol(server.single),
        FirstByte.MULTIPLEX: OnProtocol(server.multiplexed),
        FirstByte.RAFT: OnStreams(echo_stream),
        FirstByte.SNAPSHOT: OnStreams(echo_stream),
        **(extra or {}),
    }
    front = RpcListener(handlers, tls=lambda: tls or TlsPolicy(), **(listener or {}))
    port = await front.start("127.0.0.1", 0)
    pool = ConnectionPool(limits or PoolLimits(), source="127.0.0.1")
    try:
        yield Site(methods, server, front, Address("127.0.0.1", port), pool)
    finally:
        await pool.close()
        await front.close()
        server.close()


async def until(condition: Callable[[], object]) -> None:
    """Turn the event loop until ``condition``; the test's time limit is what ends it otherwise."""
    while not condition():
        await asyncio.sleep(0.001)


class RawClient:
    """A connection on which msgpack-rpc is spoken by hand, after ``first``."""

    def __init__(self, address: Address, first: bytes = b"\0") -> None:
        self._address, self._first = address, first
        self._messages = MessageReader()

    async def __aenter__(self) -> RawClient:
        self.reader, self.writer = await asyncio.open_connection(*self._address)
        self.writer.write(self._first)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def send(self, method: str, argument: Any, seq: int = 0) -> None:
        body = argument if isinstance(argument, bytes) else encode(argument)
        self.writer.write(encode_request(seq, method, body))

    async def answer(self) -> Message | None:
        """The next answer, None at the end of the connection."""
        while (message := self._messages.next()) is None:
            try:
                data = await self.reader.read(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self._messages.feed(data)
        return message


# ---------------------------------------------------------------------- certificates


@functools.cache
def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _certificate("authority", key, key, None, ())


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, issuer: x509.Name | None,
    names: tuple[str, ...],
) -> x509.Certificate:  # fmt: skip
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if names:
        dns = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(dns, critical=False)
    return builder.sign(signer, hashes.SHA256())


@functools.cache
def context(
    server_side: bool, *, certified: bool = True, verify: bool = True, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """``certified``: with a certificate of the authority. ``verify``: the other side must have one too."""
    signer, authority = _authority()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    if not server_side and not verify:
        made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    made.load_verify_locations(cadata=authority.public_bytes(serialization.Encoding.PEM).decode())
    if certified:
        key = ec.generate_private_key(ec.SECP256R1())
        names = (SERVER_NAME, "localhost") if server_side else ("client.dc1.consul",)
        certificate = _certificate(names[0], key, signer, authority.subject, names)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
            made.load_cert_chain(path)
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made
