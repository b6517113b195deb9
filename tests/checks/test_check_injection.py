"""Nobody who defines a check writes lines of his own into what is sent: it is refused, and nothing is sent."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from check_definitions import checked
from check_servers import reply

from proconsul.agent.checks.base import DefaultTlsContexts
from proconsul.agent.checks.probes import make_probe
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.http.fields import host_of
from proconsul.engine.http.url import UrlError, parse

TLS_HANDSHAKE = b"\x16"
CONTROL = [chr(code) for code in (*range(32), 127)]
LINES = ["\r\nX-Injected: 1", "\nX-Injected: 1", "\r\n\r\nGET /other HTTP/1.1\r\nHost: x"]


@pytest.fixture(autouse=True)
def _nobody_is_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that refuses what the real one refuses, and says at once that nobody has a name, wherever this runs:
    the real one may wait for a name server for seconds."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        return real(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


class Listener:
    """Counts connections and keeps what came."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> Listener:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            first = await reader.readexactly(1)
            # We have no certificate: who asks for one would wait until his time-out.
            if first != TLS_HANDSHAKE:
                self.heads.append(first + await reader.readuntil(b"\r\n\r\n"))
                writer.write(reply())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def refused(place: str) -> Iterator[dict[str, Any]]:
    """Definitions of which nothing may be sent."""
    url = f"http://{place}/"
    for text in (*CONTROL, *LINES, *(f"x{line}" for line in LINES), " "):
        yield {"HTTP": url, "Method": f"GET{text}"}
        yield {"HTTP": url, "Method": text}
        yield {"HTTP": url, "Header": {f"X{text}": ["1"]}}
        yield {"HTTP": url, "Header": {f"X-A{text}X-B": ["1"]}}
        yield {"HTTP": url, "Header": {"Fine": ["1"], text: ["1"]}}
        if text not in ("\t", " "):
            for name in ("X", "Host", "User-Agent", "Accept", "Authorization", "Connection", "content-length"):
                yield {"HTTP": url, "Header": {name: [f"a{text}b"]}}
                yield {"HTTP": url, "Header": {name: ["fine", text]}}
        if text != " ":
            yield {"HTTP": f"{url}a{text}b"}
            yield {"HTTP": f"{url}?a={text}b"}
        yield {"HTTP": f"http://us{text}er@{place}/"}
        yield {"HTTP": f"http://user:p{text}w@{place}/"}
        yield {"HTTP": f"http://127.0.0.1{text}:{place.partition(':')[2]}/"}


async def test_nothing_of_it_is_sent() -> None:
    async with Listener() as listener:
        count = 0
        for fields in refused(f"127.0.0.1:{listener.port}"):
            definition = checked({**fields, "Interval": "1s"})
            result = await make_probe(definition, 4096, DefaultTlsContexts()).run()
            assert result.status is CheckStatus.CRITICAL, fields
            assert any(word in result.output for word in ("net/http: invalid", "net/url: invalid", "invalid character"))
            count += 1
        assert (count > 700, listener.connections) == (True, 0)


@pytest.mark.parametrize("kind", ["HTTP", "TCP", "GRPC", "H2PING", "UDP"])
@pytest.mark.parametrize("name", ["a\r\nb", "a\0b", "a b", ".", "a" * 300, "\u00e9" * 70, "\r\n"])
async def test_names_that_are_none_are_critical(kind: str, name: str) -> None:
    """As the server's name for TLS, and as the host to connect to."""
    async with Listener() as listener:
        place = f"127.0.0.1:{listener.port}"
        tls = {"TCPUseTLS": True, "GRPCUseTLS": True, "H2PingUseTLS": True}
        for fields in (
            {kind: f"https://{place}/" if kind == "HTTP" else place, "TLSServerName": name, **tls},
            {kind: f"http://{name}:1/" if kind == "HTTP" else f"{name}:1"},
        ):
            if kind == "UDP" and "TLSServerName" in fields:
                continue
            definition = checked({**fields, "Interval": "1s", "Timeout": "5s"})
            result = await make_probe(definition, 4096, DefaultTlsContexts()).run()
            assert result.status is CheckStatus.CRITICAL, fields
        assert all(b"X-Injected" not in head for head in listener.heads)


async def test_the_name_for_tls_is_no_authority_without_it() -> None:
    async with Listener() as listener:
        fields = {"GRPC": f"127.0.0.1:{listener.port}", "TLSServerName": "a\r\nb", "Interval": "1s", "Timeout": "1s"}
        await make_probe(checked(fields), 4096, DefaultTlsContexts()).run()
        assert all(b"a\r\nb" not in head for head in listener.heads)


@pytest.mark.parametrize(
    ("text", "target"),
    [("http://h", "/"), ("http://h/a b%2Fc", "/a%20b/c"), ("http://h/a%2Fb", "/a%2Fb"),
     ("http://h/!'()*[]", "/!'()*[]"), ("http://h?q", "/?q"), ("http://h/?a b", "/?a%20b"),
     ("http://h/a?x#f", "/a?x"), ("http://h/\u00e9", "/%C3%A9"), ("http://h/%C3%A9 ", "/%C3%A9%20")],
)  # fmt: skip
def test_what_is_asked_for(text: str, target: str) -> None:
    assert parse(text).target == target


@pytest.mark.parametrize("text", ["http://h/%", "http://h/%4", "http://%gg/", "http://h%20x/", "http://[::1"])
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(UrlError, match=r"^parse "):
        parse(text)


@pytest.mark.parametrize(
    ("given", "sent"), [("a b", "a"), ("a/b", "a"), ("\u00e9:80", "xn--9ca:80"), ("[::1]:80", "[::1]:80")]
)
def test_hosts_are_cleaned(given: str, sent: str) -> None:
    assert host_of(given) == sent
