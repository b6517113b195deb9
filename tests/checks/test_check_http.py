"""HTTP checks against real servers."""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from check_certificates import server_context
from check_servers import read_request, reply, tcp_server

from proconsul.agent.checks.base import DefaultTlsContexts, ProbeResult
from proconsul.agent.checks.http import HttpProbe
from proconsul.agent.checks.status import CheckStatus
from proconsul.testing.ports import free_port

TLS = DefaultTlsContexts()


async def ask(raw: bytes, limit: int = 4096, **options: object) -> ProbeResult:
    """Ask a server that answers every request with ``raw``."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(raw)
        await writer.drain()

    async with tcp_server(handler) as port:
        result = await HttpProbe(f"http://127.0.0.1:{port}/x", 5.0, limit, **options).run()  # type: ignore[arg-type]
        return ProbeResult(result.status, result.output.replace(str(port), "PORT"))


@pytest.mark.parametrize(
    ("raw", "status", "output"),
    [
        (reply(), CheckStatus.PASSING, "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: hello"),
        (reply("299 Odd"), CheckStatus.PASSING, "HTTP GET http://127.0.0.1:PORT/x: 299 Odd Output: hello"),
        (reply("204 Gone", b""), CheckStatus.PASSING, "HTTP GET http://127.0.0.1:PORT/x: 204 Gone Output: "),
        (reply("429 Slow"), CheckStatus.WARNING, "HTTP GET http://127.0.0.1:PORT/x: 429 Slow Output: hello"),
        (reply("500 Oops"), CheckStatus.CRITICAL, "HTTP GET http://127.0.0.1:PORT/x: 500 Oops Output: hello"),
        (reply("404 Not Found"), CheckStatus.CRITICAL, "HTTP GET http://127.0.0.1:PORT/x: 404 Not Found Output: hello"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            CheckStatus.PASSING,
            "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: abcde",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", CheckStatus.PASSING,
         "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + reply(), CheckStatus.PASSING,
         "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: hello"),
        (reply(body=gzip.compress(b"packed", mtime=0), Content_Encoding="gzip"), CheckStatus.PASSING,
         "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: packed"),
        (b"", CheckStatus.CRITICAL, 'Get "http://127.0.0.1:PORT/x": EOF'),
        (b"garbage\r\n\r\n", CheckStatus.CRITICAL,
         'Get "http://127.0.0.1:PORT/x": net/http: HTTP/1.x transport connection broken: '
         'malformed HTTP response "garbage"'),
        (reply("301 Moved"), CheckStatus.CRITICAL,
         'Get "http://127.0.0.1:PORT/x": 301 response missing Location header'),
        (reply("302 Found", b"", Location="/loop"), CheckStatus.CRITICAL, 'Get "/loop": stopped after 10 redirects'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut", CheckStatus.PASSING,
         "HTTP GET http://127.0.0.1:PORT/x: 200 OK Output: cut"),
    ],
)  # fmt: skip
async def test_answers(raw: bytes, status: CheckStatus, output: str) -> None:
    assert await ask(raw) == (status, output)


async def test_only_the_end_of_a_large_body_is_kept() -> None:
    result = await ask(reply(body=b"a" * 100_000 + b"the end"), limit=7)
    assert result.output.endswith("Output: the end")


async def test_redirects_can_be_left_alone() -> None:
    result = await ask(reply("302 Found", b"", Location="/y"), follow_redirects=False)
    assert result == (CheckStatus.CRITICAL, "HTTP GET http://127.0.0.1:PORT/x: 302 Found Output: ")


async def test_request_as_the_original_sends_it() -> None:
    seen: list[tuple[str, dict[str, list[str]], bytes]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(reply())
        await writer.drain()

    async with tcp_server(handler) as port:
        await HttpProbe(f"http://u:p@127.0.0.1:{port}/a?b=c#d", 5.0, 4096).run()
        await HttpProbe(
            f"http://127.0.0.1:{port}", 5.0, 4096, method="POST", body="{}",
            header={"Host": ["foo.bar"], "X-A": ["1", "2"], "User-Agent": ["me"]},
        ).run()  # fmt: skip
    line, header, _ = seen[0]
    assert line == "GET /a?b=c HTTP/1.1"
    assert header["user-agent"] == ["Consul Health Check"]
    assert header["accept"] == ["text/plain, text/*, */*"]
    assert header["authorization"] == ["Basic dTpw"]
    assert header["connection"] == ["close"]
    line, header, body = seen[1]
    assert (line, body) == ("POST / HTTP/1.1", b"{}")
    assert (header["host"], header["x-a"], header["user-agent"]) == (["foo.bar"], ["1", "2"], ["me"])


@pytest.mark.parametrize(
    ("url", "output"),
    [
        ("http://[::1/x", "parse \"http://[::1/x\": missing ']' in host"),
        ("foo://x", 'Get "foo://x": unsupported protocol scheme "foo"'),
        ("127.0.0.1:1/x", 'parse "127.0.0.1:1/x": first path segment in URL cannot contain colon'),
        ("http://a:b/x", 'parse "http://a:b/x": invalid port ":b" after host'),
    ],
)
async def test_unusable_urls(url: str, output: str) -> None:
    assert await HttpProbe(url, 1.0, 4096).run() == (CheckStatus.CRITICAL, output)


async def test_refused_connection_hides_the_password() -> None:
    port = free_port()
    result = await HttpProbe(f"http://u:secret@127.0.0.1:{port}/", 5.0, 4096, method="PUT").run()
    where = f"127.0.0.1:{port}"
    assert result.output == f'Put "http://u:xxxxx@{where}/": dial tcp {where}: connect: connection refused'


async def test_timeout_before_and_inside_of_the_answer() -> None:
    release = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, _, _ = await read_request(reader)
        if "/body" in line:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart")
            await writer.drain()
        await release.wait()

    async with tcp_server(silent) as port:
        late = await HttpProbe(f"http://127.0.0.1:{port}/", 0.1, 4096).run()
        half = await HttpProbe(f"http://127.0.0.1:{port}/body", 0.2, 4096).run()
        release.set()
    assert late.output.endswith("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
    assert (half.status, half.output.endswith("200 OK Output: start")) == (CheckStatus.PASSING, True)


async def test_tls() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(reply())
        await writer.drain()

    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(reply("400 Bad Request"))
        await writer.drain()

    async with tcp_server(handler, server_context()) as port, tcp_server(no_tls) as plain:
        url = f"https://127.0.0.1:{port}/"
        strict = await HttpProbe(url, 5.0, 4096, context=lambda: TLS.context(skip_verify=False)).run()
        loose = await HttpProbe(url, 5.0, 4096, context=lambda: TLS.context(skip_verify=True)).run()
        wrong = await HttpProbe(
            f"https://127.0.0.1:{plain}/", 5.0, 4096, context=lambda: TLS.context(skip_verify=True)
        ).run()
    assert strict.output == f'Get "{url}": x509: certificate signed by unknown authority'
    assert loose == (CheckStatus.PASSING, f"HTTP GET {url}: 200 OK Output: hello")
    assert wrong.output == f'Get "https://127.0.0.1:{plain}/": http: server gave HTTP response to HTTPS client'
