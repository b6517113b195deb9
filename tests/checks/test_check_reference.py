"""The same checks run by the reference agent and by us: same status, same output."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from support.reference import require_reference

sys.path.insert(0, str(Path(__file__).parent))

from check_definitions import checked
from check_servers import read_request, reply, tcp_server

from proconsul.agent.checks.base import DefaultTlsContexts
from proconsul.agent.checks.probes import make_probe
from proconsul.testing.ports import free_port
from support.harness import Agent, Subject
from support.odd_answers import ODD_ANSWERS

pytestmark = pytest.mark.reference


ODD_ADDRESSES = [
    ":1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:-0", "127.0.0.1:00000000001", "[127.0.0.1]:1",
    "[::1", "[::1]", "[::1]:", "[::1]x:1", "[::1]:1:2", "[[::1]:1", "::1", "a:b:c", "a[b:1", "a]b:1", "a b:1",
    "no.such.name.invalid:1", "127.0.0.1:HTTP-NONE", "127.0.0.1:99999999999999999999", "1.2.3.4.5:1", "a..b:1", "%41:1",
]  # fmt: skip


def _definitions(base: str, refused: int) -> dict[str, dict[str, object]]:
    shell = ["/bin/sh", "-c"]
    return {
        "http-ok": {"http": f"{base}/ok"},
        "http-429": {"http": f"{base}/429"},
        "http-500": {"http": f"{base}/500"},
        "http-big": {"http": f"{base}/big"},
        "http-redirect": {"http": f"{base}/redirect"},
        "http-loop": {"http": f"{base}/loop"},
        "http-echo": {"http": f"{base}/echo", "method": "PUT", "body": "x", "header": {"X-B": ["1", "2"]}},
        "http-refused": {"http": f"http://127.0.0.1:{refused}/"},
        "http-slow": {"http": f"{base}/slow", "timeout": "300ms"},
        "http-bad": {"http": f"{base}/bad"},
        "http-url": {"http": "127.0.0.1:1/x"},
        **_odd_requests(base),
        **{f"answer-{number}": {"http": f"{base}/answer/{number}"} for number in range(len(ODD_ANSWERS))},
        "tcp-name": {"tcp": "127.0.0.1:gopher"},
        "tcp-no-name": {"tcp": "127.0.0.1:no-such-port"},
        "tcp-large": {"tcp": "127.0.0.1:99999"},
        "tcp-ok": {"tcp": base.removeprefix("http://")},
        "tcp-refused": {"tcp": f"127.0.0.1:{refused}"},
        "tcp-address": {"tcp": "127.0.0.1"},
        **{f"tcp-{number}": {"tcp": address} for number, address in enumerate(ODD_ADDRESSES)},
        "grpc-refused": {"grpc": f"127.0.0.1:{refused}"},
        "script-ok": {"args": [*shell, "echo hi"]},
        "script-warn": {"args": [*shell, "echo w; exit 1"]},
        "script-big": {"args": [*shell, "head -c 9000 /dev/zero | tr '\\0' z"]},
        "script-slow": {"args": [*shell, "echo b; sleep 9"], "timeout": "300ms"},
        "script-none": {"args": ["/nonexistent"]},
        "script-path": {"args": ["no-such-command"]},
    }


def _odd_requests(base: str) -> dict[str, dict[str, object]]:
    """What may not be sent, and what is sent in another form."""
    place = base.removeprefix("http://")
    methods = ["GET / HTTP/1.1\r\nX-Injected: 1\r\nA:", "G T", "g\u00e9", "G(T", " ", "GET\n", "post"]
    names = ["X\r\nY", "X Y", "X:", "", "\u00e9", "x-y"]
    fields = [
        *({name: ["1"]} for name in names),
        *({"X": [value]} for value in ("a\r\nY: 1", "a\nb", "a\0b", "a\tb", "a\x7fb", "\u00e9", "  a ")),
        *({"Host": [value]} for value in ("a\r\nX: 1", "a b", "a/b", "", "\u00e9", "x:80", "a\0")),
        *({name: ["a\r\nX: 1"]} for name in ("User-Agent", "Accept", "accept-encoding")),
        {"User-Agent": [""], "Accept": [""]}, {"Content-Length": ["5"], "Transfer-Encoding": ["x"], "Trailer": ["y"]},
    ]  # fmt: skip
    paths = ["/a b", "/a\r\nX: 1", "/a%0d%0ab", "/\u00e9", "/a?b\tc", "/a#b\nc", "/a?b=\u00e9", "/a\0", "/%zz",
             "/a?%zz",
             "?q", "/a\\b", '/<>"{}|^`',
             "/a%2fb c", "/a?x#frag", "/a#%zz", "/a\x7f", "", ":"]  # fmt: skip
    urls = [f"http://127.0.0.1 :{place[10:]}/", "http://a b/", "http://u:p w@127.0.0.1/", "http://us\ner@127.0.0.1/",
            "http://127.0.0.1%zz/", "http://127.0.0.1%41/", "http://[::1/", "http://[::1]x:80/", 'http://a"b<c:1/',
            " http://a/", "http:// a/", "HTTP://" + place, "//" + place, place, "x", "http:///", "http:a", "ht\ntp://x/",
            "http://127.0.0.1:99999/", "http://127.0.0.1:x/", ":x", "1http://x", f"http://us%20er:p%40w@{place}/echo",
            "ftp://x/"]  # fmt: skip
    return {
        **{f"method-{i}": {"http": f"{base}/echo", "method": method} for i, method in enumerate(methods)},
        **{f"field-{i}": {"http": f"{base}/echo", "header": field} for i, field in enumerate(fields)},
        **{f"path-{i}": {"http": base + path} for i, path in enumerate(paths)},
        **{f"url-{i}": {"http": url} for i, url in enumerate(urls)},
    }


async def _server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line, header, body = await read_request(reader)
    path = line.split()[1]
    answers = {
        "/429": reply("429 Too Many Requests"),
        "/500": reply("500 Internal Server Error"),
        "/big": reply(body=b"y" * 9000 + b"end"),
        "/redirect": reply("302 Found", b"", Location="/ok"),
        "/loop": reply("302 Found", b"", Location="/loop"),
        "/bad": b"garbage\r\n\r\n",
    }
    if path.startswith("/answer/") and path[8:].isdigit():
        answers[path] = ODD_ANSWERS[int(path[8:])]
    if path == "/slow":
        await asyncio.sleep(2)
    if path == "/echo":
        answers[path] = reply(body=f"{line} {sorted(header.items())} {body!r}".encode())
    writer.write(answers.get(path, reply()))
    await writer.drain()


def _results(url: str, names: set[str]) -> dict[str, tuple[str, str]]:
    """The agent's view once every check has run; the initial status is critical without output."""
    deadline = time.monotonic() + 30
    found: dict[str, tuple[str, str]] = {}
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/v1/agent/checks", timeout=5) as answer:
                checks = json.load(answer)
        except OSError:
            checks = {}
        found = {name: (check["Status"], check["Output"]) for name, check in checks.items() if check["Output"]}
        if names <= set(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the reference has not run {names - set(found)}")


async def test_outputs_agree(tmp_path: Path) -> None:
    refused = free_port()
    async with tcp_server(_server) as port:
        definitions = _definitions(f"http://127.0.0.1:{port}", refused)
        config = tmp_path / "checks.json"
        listed = [{"id": name, "name": name, "interval": "3s", **fields} for name, fields in definitions.items()]
        config.write_text(json.dumps({"checks": listed, "enable_local_script_checks": True}))
        require_reference()
        with Agent(Subject.REFERENCE, tmp_path / "agent", ["-config-file", str(config)]) as agent:
            theirs = await asyncio.to_thread(_results, f"http://{agent.address}", set(definitions))
        ours: dict[str, tuple[str, str]] = {}
        spelling = {"http": "HTTP", "tcp": "TCP", "grpc": "GRPC"}
        for name, fields in definitions.items():
            camel = {spelling.get(key, key.capitalize()): value for key, value in fields.items()}
            definition = checked({**camel, "Interval": "1s"})
            result = await make_probe(definition, 4096, DefaultTlsContexts()).run()
            ours[name] = (result.status.value, result.output)
    different = {name: (ours[name], theirs[name]) for name in definitions if _shown(ours[name]) != _shown(theirs[name])}
    assert different == {}


def _shown(result: tuple[str, str]) -> tuple[str, str]:
    """Without what Go's client says or not, depending on which of its goroutines comes first."""
    return result[0], result[1].replace("net/http: HTTP/1.x transport connection broken: ", "")
