"""TCP, UDP, gRPC, HTTP/2 ping and Docker checks against real servers."""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from check_certificates import server_context
from check_servers import read_request, reply, tcp_server, unix_server

from proconsul.agent.checks.base import DefaultTlsContexts
from proconsul.agent.checks.docker import DockerProbe
from proconsul.agent.checks.grpc import GrpcProbe
from proconsul.agent.checks.h2ping import H2PingProbe
from proconsul.agent.checks.hpack import HpackError, decode_block, encode_block
from proconsul.agent.checks.os_service import OsServiceProbe
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.checks.tcp import TcpProbe
from proconsul.agent.checks.udp import UdpProbe
from proconsul.testing.ports import free_port

PASS, FAIL = CheckStatus.PASSING, CheckStatus.CRITICAL


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def test_tcp() -> None:
    port = free_port()
    async with tcp_server(_nothing) as open_port:
        for host in ("127.0.0.1", "localhost"):
            result = await TcpProbe(f"{host}:{open_port}", 5.0).run()
            assert result == (PASS, f"TCP connect {host}:{open_port}: Success")
    refused = await TcpProbe(f"127.0.0.1:{port}", 5.0).run()
    assert refused == (FAIL, f"dial tcp 127.0.0.1:{port}: connect: connection refused")


@pytest.mark.parametrize(
    ("address", "output"),
    [
        ("127.0.0.1", "dial tcp: address 127.0.0.1: missing port in address"),
        ("127.0.0.1:99999", "dial tcp: address 99999: invalid port"),
        ("::1:80", "dial tcp: address ::1:80: too many colons in address"),
        ("[::1", "dial tcp: address [::1: missing ']' in address"),
    ],
)
async def test_tcp_addresses(address: str, output: str) -> None:
    assert await TcpProbe(address, 1.0).run() == (FAIL, output)


async def test_tcp_over_tls() -> None:
    tls = DefaultTlsContexts()
    async with tcp_server(_nothing, server_context()) as port:
        loose = await TcpProbe(f"127.0.0.1:{port}", 5.0, lambda: tls.context(skip_verify=True)).run()
        strict = await TcpProbe(f"127.0.0.1:{port}", 5.0, lambda: tls.context(skip_verify=False)).run()
    assert loose.status is PASS
    assert strict == (FAIL, "x509: certificate signed by unknown authority")


class _Echo(asyncio.DatagramProtocol):
    answers = True
    heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        type(self).heard += 1
        if self.answers:
            self.transport.sendto(b"here", addr)


class _Silent(_Echo):
    answers = False
    heard = 0


@pytest.mark.parametrize("protocol", [_Echo, _Silent])
async def test_udp_passes_on_answer_and_on_silence(protocol: type[_Echo]) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(protocol, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        assert await UdpProbe(f"127.0.0.1:{port}", 0.2).run() == (PASS, f"UDP connect 127.0.0.1:{port}: Success")
        assert protocol.heard == 1
    finally:
        transport.close()


async def test_udp_refused() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Silent, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    transport.close()
    await asyncio.sleep(0)
    result = await UdpProbe(f"127.0.0.1:{port}", 5.0).run()
    assert result == (FAIL, f"read udp 127.0.0.1:{port}: read: connection refused")


def _health(request: bytes, context: grpc.ServicerContext) -> bytes:
    name = request[2:].decode() if request else ""
    if name == "missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return b"\x08\x02" if name == "bad" else b"\x08\x01"


async def test_grpc() -> None:
    handler = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(_health)}
    )
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=(handler,))
        port = server.add_insecure_port("127.0.0.1:0")
        empty = grpc.server(pool)
        empty_port = empty.add_insecure_port("127.0.0.1:0")
        server.start()
        empty.start()
        try:
            target = f"127.0.0.1:{port}"
            assert await GrpcProbe(target, 5.0).run() == (PASS, f"gRPC check {target}: success")
            assert await GrpcProbe(f"{target}/web", 5.0).run() == (PASS, f"gRPC check {target}/web: success")
            assert (await GrpcProbe(f"{target}/bad", 5.0).run()).output == (
                "gRPC application didn't report service healthy"
            )
            missing = await GrpcProbe(f"{target}/missing", 5.0).run()
            assert missing == (FAIL, "rpc error: code = NotFound desc = unknown service")
            unknown = await GrpcProbe(f"127.0.0.1:{empty_port}", 5.0).run()
            assert unknown == (FAIL, "rpc error: code = Unimplemented desc = Method not found!")
            ping = await H2PingProbe(target, 5.0).run()
            assert ping == (PASS, "HTTP2 ping was successful")
        finally:
            await asyncio.to_thread(server.stop(0).wait)
            await asyncio.to_thread(empty.stop(0).wait)


async def test_grpc_without_a_grpc_server() -> None:
    port = free_port()
    refused = await GrpcProbe(f"127.0.0.1:{port}", 5.0).run()
    assert refused == (
        FAIL,
        'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing '
        f'dial tcp 127.0.0.1:{port}: connect: connection refused"',
    )

    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(reply("400 Bad Request"))
        await writer.drain()

    async with tcp_server(http) as other:
        result = await GrpcProbe(f"127.0.0.1:{other}", 5.0).run()
        assert result == (FAIL, "rpc error: code = Unavailable desc = connection closed")
        assert (await H2PingProbe(f"127.0.0.1:{other}", 5.0).run()).status is FAIL
    async with tcp_server(_nothing_ever) as mute:
        late = await GrpcProbe(f"127.0.0.1:{mute}", 0.1).run()
        assert late.output == "rpc error: code = DeadlineExceeded desc = context deadline exceeded"


async def _nothing_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        continue


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        # RFC 7541, appendices C.3.1, C.4.1 and C.6.1 (the last without its size update).
        ("828684410f7777772e6578616d706c652e636f6d",
         [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")]),
        ("828684418cf1e3c2e5f23a6ba0ab90f4ff",
         [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")]),
        ("488264025885aec3771a4b", [(":status", "302"), ("cache-control", "private")]),
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [("custom-key", "custom-header")]),
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572be",
         [("custom-key", "custom-header"), ("custom-key", "custom-header")]),
    ],
)  # fmt: skip
def test_hpack_rfc_7541_examples(block: str, fields: list[tuple[str, str]]) -> None:
    assert decode_block(bytes.fromhex(block)) == fields


@given(st.binary(max_size=80))
def test_hpack_never_breaks(block: bytes) -> None:
    try:
        fields = decode_block(block)
    except HpackError as error:
        assert str(error)
    else:
        assert all(isinstance(name, str) for name, _ in fields)


def test_hpack_writes_what_it_reads() -> None:
    fields = [(":path", "/x"), ("a", "v" * 300)]
    assert decode_block(encode_block(fields)) == fields


@pytest.mark.parametrize(
    ("create", "exit_code", "expected"),
    [
        ("201 Created", 0, (PASS, "out")),
        ("201 Created", 1, (CheckStatus.WARNING, "out")),
        ("201 Created", 3, (FAIL, "out")),
        ("404 Not Found", 0, (FAIL, "create exec failed for unknown container abc")),
        ("409 Conflict", 0, (FAIL, "create exec failed since container abc is paused or stopped")),
        ("500 Oops", 0, (FAIL, 'create exec failed for container abc with status 500: {"Id": "e1"}')),
    ],
)
async def test_docker(create: str, exit_code: int, expected: tuple[CheckStatus, str], tmp_path: Path) -> None:
    seen: list[tuple[str, bytes]] = []

    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, _, body = await read_request(reader)
        seen.append((line, body))
        if "/containers/" in line:
            writer.write(reply(create, json.dumps({"Id": "e1"}).encode()))
        elif line.startswith("POST"):
            writer.write(reply(body=b"out"))
        else:
            writer.write(reply(body=json.dumps({"ExitCode": exit_code}).encode()))
        await writer.drain()

    async with unix_server(daemon, tmp_path / "d.sock") as path:
        result = await DockerProbe("abc", ["check", "it"], 5.0, 4096, f"unix://{path}").run()
    assert result == expected
    assert seen[0][0] == "POST /containers/abc/exec HTTP/1.1"
    assert json.loads(seen[0][1])["Cmd"] == ["check", "it"]


async def test_docker_daemon_missing(tmp_path: Path) -> None:
    path = tmp_path / "no.sock"
    result = await DockerProbe("abc", ["x"], 5.0, 4096, f"unix://{path}").run()
    assert result.status is FAIL
    assert result.output.startswith('create exec failed for container abc: Post "http://%2F')
    assert result.output.endswith(f"dial unix {path}: connect: no such file or directory")


@pytest.mark.parametrize(("word", "status"), [("active", PASS), ("inactive", FAIL), ("failed", FAIL)])
async def test_os_service(word: str, status: CheckStatus, tmp_path: Path) -> None:
    tool = tmp_path / "systemctl"
    tool.write_text(f'#!/bin/sh\ntest "$1 $3" = "is-active web.service" && echo {word}\n')
    tool.chmod(0o755)
    result = await OsServiceProbe("web.service", 5.0, str(tool)).run()
    assert result.status is status
    assert "web.service" in result.output
