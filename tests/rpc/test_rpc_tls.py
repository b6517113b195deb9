"""TLS on RPC connections: half-close, amounts, what each side says of what goes wrong, and who is not held up."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

import pytest
from rpc_support import SERVER_NAME, RawClient, context, site, until

from proconsul.engine.rpc.dial import FirstByte, Tls
from proconsul.engine.rpc.errors import ConnectionFailed
from proconsul.engine.rpc.mux import OnStreams, TlsPolicy
from proconsul.engine.rpc.server import Peer
from proconsul.engine.wire.goerrors import tls_error

SECURED = Tls(context(False), SERVER_NAME)
POLICY = TlsPolicy(incoming=context(True), verify_incoming=True)


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
async def test_who_has_ended_is_still_answered(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with site(tls=POLICY) as there:
        reader, writer = await there.pool.open_snapshot(there.address, tls=SECURED)
        assert await reader.readline() == b"True client.dc1.consul\n"
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == data
        writer.close()
        await writer.wait_closed()
        await until(lambda: there.listener.connections("127.0.0.1") == 0)


async def test_slow_readers_hold_back_who_writes_to_them() -> None:
    data = b"x" * 20_000_000
    async with site(tls=POLICY) as there:
        reader, writer = await there.pool.open_snapshot(there.address, tls=SECURED)
        writer.write(data)
        writer.write_eof()
        got = len(await reader.readline())
        while piece := await reader.read(1 << 20):
            got += len(piece)
            await asyncio.sleep(0)
        assert got == len(data) + len(b"True client.dc1.consul\n")
        writer.close()


def _bare() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return made


def _distrusting() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize(
    ("server", "client", "answer", "logged"),
    [
        (_bare(), context(False), "remote error: tls: unrecognized name", "tls: no certificates configured"),
        (
            context(True), _distrusting(), "x509: certificate signed by unknown authority",
            "remote error: tls: unknown certificate authority",
        ),
    ],
    ids=["no certificate", "unknown authority"],
)  # fmt: skip
async def test_both_sides_say_why_there_is_no_connection(
    server: ssl.SSLContext, client: ssl.SSLContext, answer: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(tls=TlsPolicy(incoming=server)) as there:
        with pytest.raises(ConnectionFailed) as failure:
            await there.call("Echo", tls=Tls(client, SERVER_NAME))
        assert str(failure.value) == f"rpc error getting client: failed to get conn: {answer}"
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
    assert f'error="{logged}"' in caplog.text


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        (b"\x03GET / HTTP/1.0\r\n\r\n", "tls: first record does not look like a TLS handshake"),
        (b"\x03" + bytes(100), "tls: "),
    ],
)
async def test_what_is_not_tls_is_refused(sent: bytes, logged: str, caplog: pytest.LogCaptureFixture) -> None:
    async with site(tls=POLICY) as there:
        async with RawClient(there.address, sent) as client:
            await client.reader.read()
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
        assert f'error="{logged}' in caplog.text


async def test_a_client_without_a_certificate_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async with site(tls=POLICY) as there:
        anonymous = Tls(context(False, certified=False), SERVER_NAME)
        reader, writer = await there.pool.open_snapshot(there.address, tls=anonymous)
        with pytest.raises(ssl.SSLError):
            await reader.read()
        writer.close()
        await until(lambda: there.listener.connections("127.0.0.1") == 0)
    assert 'error="tls: client didn\'t provide a certificate"' in caplog.text


async def test_half_a_handshake_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with site(tls=POLICY) as there, RawClient(there.address, b"\x03\x16\x03\x01\x02\x00") as half:
        assert (await there.call("Echo", b"x", tls=SECURED)).Value == b"x"
        half.writer.close()
        await until(lambda: 'error="EOF"' in caplog.text)


async def test_an_end_without_close_notify_is_no_end() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        writer.write(b"half of it")
        await asyncio.sleep(0)  # what is written leaves at the end of the turn
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async with site(tls=POLICY, extra={FirstByte.SNAPSHOT: OnStreams(cut)}) as there:
        reader, writer = await there.pool.open_snapshot(there.address, tls=SECURED)
        assert await reader.readexactly(10) == b"half of it"
        with pytest.raises(ssl.SSLError):
            await reader.read()
        writer.close()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (10, "x509: certificate has expired or is not yet valid"),
        (9, "x509: certificate has expired or is not yet valid"),
        (20, "x509: certificate signed by unknown authority"),
        (62, "x509: Hostname mismatch"),
    ],
)
def test_certificates_are_refused_in_the_words_of_go(code: int, text: str) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, "Hostname mismatch"
    assert tls_error(error) == text


def test_on_uvloop_too(caplog: pytest.LogCaptureFixture) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def scenario() -> None:
        await test_who_has_ended_is_still_answered(3_000_000)
        await test_slow_readers_hold_back_who_writes_to_them()
        await test_a_client_without_a_certificate_is_named(caplog)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
