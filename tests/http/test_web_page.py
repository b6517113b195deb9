"""The files of the web page, as a running agent gives them out."""

from __future__ import annotations

import asyncio
import gzip
import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from proconsul import __version__
from proconsul.agent.doors.page_files import filled, read_tree
from proconsul.agent.doors.web_page import SECURITY_HEADERS
from proconsul.engine.http.request import Response
from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="proconsul" content="">
<link rel="stylesheet" href="./app.css"><link rel='modulepreload' href='./vendor/preact.js'>
<script type="module" src="./app.js"></script></head><body data-note="a ./ b"></body></html>
"""
SCRIPT = "import './vendor/preact.js';\n" + "// filler\n" * 300


def make_folder(folder: Path) -> Path:
    """A page as the contract wants it, beside files that nobody may see."""
    (folder / "vendor").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "app.js").write_text(SCRIPT)
    (folder / "app.css").write_text("body { margin: 0 }\n" * 50)
    (folder / "vendor/preact.js").write_text("export const h = 1;\n")
    (folder / "logo.png").write_bytes(bytes(range(256)) * 8)
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("secret-of-git")
    (folder / ".env").write_text("secret-of-env")
    (folder.parent / "outside.txt").write_text("secret-outside")
    (folder / "link.txt").symlink_to(folder.parent / "outside.txt")
    (folder / "inside.txt").symlink_to(folder / "app.css")
    (folder / "up").symlink_to(folder.parent)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "page")


@pytest.fixture
async def agent(folder: Path) -> AsyncIterator[AgentInLoop]:
    async with AgentInLoop({"ui_dir": str(folder)}) as agent:
        yield agent


def told(response: Response) -> dict[str, Any]:
    match = re.search(r'<meta name="proconsul" content="([^"]*)">', response.body.decode())
    assert match is not None, response.body
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


async def raw(agent: AgentInLoop, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What is answered over a socket."""
    host, port = agent.http_address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}, body


def asked(target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> bytes:
    lines = "".join(f"{name}: {text}\r\n" for name, text in (headers or {}).items())
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode("latin-1")


# ---------------------------------------------------------------------- the index


async def test_index_is_told_of_its_agent(folder: Path) -> None:
    settings = {
        "ui_dir": str(folder), "node_name": "n-1", "datacenter": "east",
        "ui_config": {
            "metrics_provider": "prometheus", "metrics_provider_options_json": '{"a": {"b<": "\\"&"}}',
            "metrics_proxy": {"base_url": "http://127.0.0.1:1"}, "read_only": True,
            "dashboard_url_templates": {"service": "https://grafana/d?orgId=1&var={{Service.Name}}"},
        },
    }  # fmt: skip
    async with AgentInLoop(settings) as agent:
        found = told(await agent.request("GET", "/ui/"))
        node_id = agent.agent.node_id
    assert (found["NodeName"], found["Datacenter"], found["PrimaryDatacenter"]) == ("n-1", "east", "east")
    assert (found["ReadOnly"], found["ACLsEnabled"], found["Server"], found["NodeID"]) == (True, False, True, node_id)
    assert (found["ConsulVersion"], found["Version"], found["NspacesEnabled"]) == ("1.8.7", __version__, False)
    assert (found["MetricsProvider"], found["MetricsProxyEnabled"]) == ("prometheus", True)
    assert found["MetricsProviderOptions"] == {"a": {"b<": '"&'}}
    assert found["DashboardURLTemplates"] == {"service": "https://grafana/d?orgId=1&var={{Service.Name}}"}


@pytest.mark.parametrize("content_path", ["/ui/", "/tools/consul/", "/", "deep/er/st", "/a//b/", "/v1x/"])
async def test_addresses_of_any_depth_lead_to_files_and_api(folder: Path, content_path: str) -> None:
    async with AgentInLoop({"ui_dir": str(folder), "ui_content_path": content_path}) as agent:
        place = "/" + content_path.strip("/").replace("//", "/") + "/" if content_path != "/" else "/"
        for below in ("", "dc1/services", "dc1/services/", "dc1/kv/a%2Fb/edit", "x?a=/b/c", "d/" * 30):
            response = await agent.request("GET", place + below)
            assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            here = (place + below).partition("?")[0]
            found = told(response)
            assert resolved(here, found["ApiRoot"]) == "/"
            assert resolved(here, found["UiRoot"]) == place
            for address in re.findall(r"(?:href|src)=[\"']([^\"']*)", response.body.decode()):
                file = await agent.request("GET", resolved(here, address))
                assert (file.status, file.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
            assert 'data-note="a ./ b"' in response.body.decode()
        moved = await agent.request("GET", place[:-1] or "/")
        if content_path != "/":
            assert (moved.status, moved.headers["Location"]) == (301, place)
            home = await agent.request("GET", "/")
            assert (home.status, home.headers["Location"]) == (301, place)
        assert (await agent.request("GET", "/v1/status/leader")).status == 200
        assert (await agent.request("GET", "/v1/nothing")).status == 404


def resolved(here: str, relative: str) -> str:
    """As a browser does."""
    return urlsplit(urljoin(f"http://host{here}", relative)).path


async def test_index_of_the_original_is_filled_in(tmp_path: Path) -> None:
    text = b"{{.ContentPath}}|{{ if .ACLsEnabled }}{{.ACLsEnabled}}{{ else }}off{{ end }}|"
    text += b"{{ if .SSOEnabled }}x{{end}}|{{ .Who }}"
    assert filled(text, {"ContentPath": "/ui/", "ACLsEnabled": True}) == b"/ui/|true||"
    (tmp_path / "index.html").write_bytes(b"<html>" + text)
    async with AgentInLoop({"ui_dir": str(tmp_path), "ui_content_path": "/x/"}) as agent:
        assert (await agent.request("GET", "/x/")).body == b"<html>/x/|off||"
        # A page that does not ask for it keeps its addresses.
        (tmp_path / "index.html").write_bytes(b'<script src="./a.js">')
        assert (await agent.request("GET", "/x/any")).body == b'<script src="./a.js">'


# ---------------------------------------------------------------------- files


async def test_files_are_kept_by_their_content(agent: AgentInLoop, folder: Path) -> None:
    index = await agent.request("GET", "/ui/")
    assert index.headers["Cache-Control"] == "no-cache"
    match = re.search(rb'src="\./(assets/[0-9a-f]+/)app\.js"', index.body)
    assert match is not None
    versioned = "/ui/" + match[1].decode()
    script = await agent.request("GET", versioned + "app.js")
    assert (script.status, script.body) == (200, SCRIPT.encode())
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    plain = await agent.request("GET", "/ui/app.js")
    assert (plain.body, plain.headers["Cache-Control"]) == (script.body, "no-cache")
    # The name of another content is no promise.
    other = await agent.request("GET", f"/ui/assets/{'0' * 20}/app.js")
    assert (other.status, other.headers["Cache-Control"]) == (200, "no-cache")

    (folder / "app.js").write_text("changed")
    changed = await agent.request("GET", "/ui/")
    assert match[1] not in changed.body
    assert changed.headers["ETag"] != index.headers["ETag"]
    assert (await agent.request("GET", "/ui/app.js")).body == b"changed"


async def test_who_has_it_gets_nothing_again(agent: AgentInLoop) -> None:
    paths = ("/ui/", "/ui/dc1/nodes", "/ui/app.js", "/ui/logo.png", "/robots.txt")
    for path, accepted in itertools.product(paths, ({}, {"Accept-Encoding": "gzip"})):
        first = await agent.request("GET", path, headers=accepted)
        tag = first.headers["ETag"]
        assert re.fullmatch(r'"[0-9a-f-]+(gzip)?"', tag)
        for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await agent.request("GET", path, headers={"If-None-Match": condition, **accepted})
            assert (again.status, again.headers["ETag"]) == (304, tag)
        assert (await agent.request("GET", path, headers={"If-None-Match": '"other"'})).status == 200


async def test_over_a_socket(folder: Path) -> None:
    async with AgentInLoop({"ui_dir": str(folder)}, listen=True) as agent:
        status, headers, body = await raw(agent, asked("/ui/app.js", {"Accept-Encoding": "gzip, br"}))
        assert (status, gzip.decompress(body), headers["Content-Encoding"]) == (200, SCRIPT.encode(), "gzip")
        assert (headers["Vary"], int(headers["Content-Length"])) == ("Accept-Encoding", len(body))
        status, headers, body = await raw(agent, asked("/ui/app.js", {"Accept-Encoding": "gzip;q=0"}))
        assert (body, headers["Vary"]) == (SCRIPT.encode(), "Accept-Encoding")
        assert "Content-Encoding" not in headers
        status, headers, body = await raw(agent, asked("/ui/logo.png", {"Accept-Encoding": "gzip"}))
        assert (len(body), "Content-Encoding" in headers) == (2048, False)
        status, headers, body = await raw(agent, asked("/ui/app.js", method="HEAD"))
        assert (status, body, int(headers["Content-Length"])) == (200, b"", len(SCRIPT))
        status, headers, body = await raw(agent, asked("/ui/app.js", {"If-None-Match": headers["ETag"]}))
        assert (status, body) == (304, b"")
        # One that is kept open stays in step behind an answer without a body.
        tag = headers["ETag"]
        two = f"GET /ui/app.css HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n{asked('/ui/app.js').decode()}".encode()
        _, headers, rest = await raw(agent, two)
        assert rest.startswith(b"HTTP/1.1 200 OK\r\n") and tag.encode() in rest


OUTSIDE = [
    "/ui/../outside.txt", "/ui/..%2foutside.txt", "/ui/%2e%2e/outside.txt", "/ui/%2e%2e%2foutside.txt", "/ui/link.txt",
    "/ui/up/outside.txt", "/ui/.env", "/ui/%2eenv", "/ui/.git/config", "/ui/%2egit/config", "/ui/..%5coutside.txt",
    "/ui/..\\outside.txt", "/ui//../outside.txt", "/ui/app.js%00.png", "/ui/%00", "/ui/assets/../../outside.txt",
    "/ui/assets/%2e%2e/%2e%2e/outside.txt", "/ui/assets/00000000000000000000/..%2f..%2f..%2foutside.txt",
    "/ui/vendor/..%2f..%2foutside.txt", "/ui/....//outside.txt", "/ui/%252e%252e/outside.txt", "/ui/up%2foutside.txt",
]  # fmt: skip


async def test_nothing_else_is_shown(folder: Path) -> None:
    async with AgentInLoop({"ui_dir": str(folder)}, listen=True) as agent:
        for path in OUTSIDE:
            status, _, body = await raw(agent, asked(path))
            assert status in (301, 400, 404) or body.startswith(b"<!doctype"), path
            assert b"secret" not in body, path


async def test_what_is_no_file_is_the_index_or_missing(agent: AgentInLoop) -> None:
    for path in ("dc1/services/web", "dc1/kv/a.b/edit", "settings", "vendor", "vendor/", "dc1/nodes/db-1.example.com"):
        found = await agent.request("GET", f"/ui/{path}")
        assert (found.status, found.body[:9]) == (200, b"<!doctype"), path
    for path in ("nope.js", "assets/nope.js", "assets/x", "assets/", "a/b/c.css", "vendor/x.map", "favicon.ico"):
        found = await agent.request("GET", f"/ui/{path}")
        assert (found.status, found.headers["Content-Security-Policy"]) == (404, CSP), path
    moved = await agent.request("GET", "/ui/index.html")
    assert (moved.status, moved.headers["Location"]) == (301, "./")
    assert (await agent.request("GET", "/ui/inside.txt")).status == 200


CSP = SECURITY_HEADERS["Content-Security-Policy"]


async def test_methods(agent: AgentInLoop) -> None:
    for path in ("/ui/", "/ui/app.js", "/ui/any/view", "/robots.txt"):
        for method in ("PUT", "POST", "DELETE", "PATCH", "TRACE", "FOO"):
            refused = await agent.request(method, path, b"x")
            assert (refused.status, refused.headers["Allow"]) == (405, "GET,HEAD,OPTIONS"), (method, path)
        assert (await agent.request("OPTIONS", path)).status == 200
        for name, text in SECURITY_HEADERS.items():
            if path != "/robots.txt":
                assert (await agent.request("GET", path)).headers[name] == text


async def test_operators_headers_win(folder: Path) -> None:
    headers = {"content-security-policy": "default-src *", "X-Extra": "1", "Content-Type": "zz", "Cache-Control": "no"}
    async with AgentInLoop({"ui_dir": str(folder), "http_config": {"response_headers": headers}}) as agent:
        for path in ("/ui/", "/ui/app.js", "/ui/nope.js", "/robots.txt"):
            for _ in range(2):
                found = (await agent.request("GET", path)).headers
                assert (found["Content-Security-Policy"], found["X-Extra"]) == ("default-src *", "1")
                assert (found["Content-Type"], found["Cache-Control"]) == ("zz", "no")
                assert path == "/robots.txt" or found["X-Content-Type-Options"] == "nosniff"


async def test_robots(folder: Path) -> None:
    async with AgentInLoop({"ui_dir": str(folder)}) as agent:
        robots = await agent.request("GET", "/robots.txt")
        assert robots.body == b"# http://www.robotstxt.org\nUser-agent: *\nDisallow: *"
        (folder / "robots.txt").write_text("User-agent: me\n")
        assert (await agent.request("GET", "/robots.txt")).body == b"User-agent: me\n"
    async with AgentInLoop({"ui": False}) as agent:
        for path in ("/robots.txt", "/ui/", "/ui", "/ui/app.js"):
            assert (await agent.request("GET", path)).status == 404
        assert (await agent.request("GET", "/")).body == b"Consul Agent"


async def test_blocked_and_measured_as_other_routes(folder: Path) -> None:
    settings = {"ui_dir": str(folder), "http_config": {"block_endpoints": ["/ui/app"]}}
    async with AgentInLoop(settings) as agent:
        assert (await agent.request("GET", "/ui/app.js")).status == 403
        assert (await agent.request("GET", "/ui/")).status == 200
        agent.agent.front.flush_samples(agent.agent.metrics)
        assert b"consul_http_GET_ui___count" in agent.agent.metrics.prometheus()


async def test_folders_that_are_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AgentInLoop({"ui_dir": str(tmp_path / "none")}) as agent:
        assert (await agent.request("GET", "/ui/")).status == 404
        make_folder(tmp_path / "none")
        assert (await agent.request("GET", "/ui/")).status == 200
    monkeypatch.setattr("proconsul.agent.doors.page_files.TREE_BYTES_MAX", 100)
    async with AgentInLoop({"ui_dir": str(tmp_path / "none")}) as agent:
        refused = await agent.request("GET", "/ui/")
        assert refused.status == 500 and b"holds more than a web page" in refused.body
        monkeypatch.setattr("proconsul.agent.doors.page_files.TREE_BYTES_MAX", 1 << 20)
        with (tmp_path / "none" / "disk.img").open("wb") as image:
            image.truncate(1 << 40)  # more than there is memory, and it is not read
        refused = await agent.request("GET", "/ui/")
        assert refused.status == 500 and b"holds more than a web page" in refused.body
        (tmp_path / "none" / "disk.img").unlink()
    with pytest.raises(ConsulError, match="ui-content-path is that of an API endpoint"):
        async with AgentInLoop({"ui_content_path": "/v1/kv/"}):
            pass


async def test_many_first_visitors_read_the_folder_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def counted(place: Path) -> Any:
        reads.append(place)
        return read_tree(place)

    monkeypatch.setattr("proconsul.agent.doors.web_page.read_tree", counted)
    async with AgentInLoop({"ui_dir": str(folder)}) as agent:
        found = await asyncio.gather(*(agent.request("GET", f"/ui/{n % 3}") for n in range(50)))
        assert {response.status for response in found} == {200}
        assert len(reads) == 1


# ---------------------------------------------------------------------- read-only


BROWSERS: list[dict[str, str]] = [
    {"Origin": "http://localhost:8500"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "null"},
]
WRITES = [
    ("PUT", "/v1/kv/a"), ("DELETE", "/v1/kv/a"), ("PUT", "/v1/txn"), ("PUT", "/v1/session/create"),
    ("PUT", "/v1/agent/service/register"), ("PUT", "/v1/agent/leave"), ("PUT", "/v1/agent/force-leave/x"),
    ("PUT", "/v1/catalog/deregister"), ("PUT", "/v1/acl/token"), ("PUT", "/v1/acl/bootstrap"),
    ("DELETE", "/v1/acl/token/x"), ("POST", "/v1/query"), ("PUT", "/v1/event/fire/x"), ("PUT", "/v1/snapshot"),
    ("POST", "/v1/operator/keyring"), ("DELETE", "/v1/operator/raft/peer?id=x"),
    ("PUT", "/v1/operator/autopilot/configuration"), ("PUT", "/v1/agent/maintenance?enable=true"),
]  # fmt: skip


async def test_read_only_refuses_what_browsers_would_change() -> None:
    async with AgentInLoop({"ui_config": {"read_only": True}}) as agent:
        for headers in BROWSERS:
            for method, path in WRITES:
                refused = await agent.request(method, path, b"{}", headers)
                assert (refused.status, b"read-only" in refused.body) == (403, True), (method, path)
            for path in ("/v1/kv/?recurse", "/v1/agent/self", "/v1/internal/acl/explain"):
                assert (await agent.request("GET", path, headers=headers)).status in (200, 401, 404), path
            assert (await agent.request("OPTIONS", "/v1/kv/a", headers=headers)).status == 200
            for path in ("/v1/internal/acl/authorize", "/v1/acl/login", "/v1/acl/logout"):
                answer = await agent.request("POST", path, b"[]", headers)
                assert b"read-only" not in answer.body, path
        # Others have tokens, and allow_write_http_from, to be held back by.
        assert (await agent.request("PUT", "/v1/kv/a", b"1")).body == b"true\n"
    async with AgentInLoop({}) as agent:
        assert (await agent.request("PUT", "/v1/kv/a", b"1", BROWSERS[0])).body == b"true\n"


async def test_a_refused_body_is_not_waited_for() -> None:
    async with AgentInLoop({"ui_config": {"read_only": True}}, listen=True) as agent:
        head = f"PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: {1 << 30}\r\n\r\n"
        status, headers, body = await raw(agent, head.encode() + b"beginning")
        assert (status, headers["Connection"], b"read-only" in body) == (403, "close", True)
