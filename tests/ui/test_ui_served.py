"""The page is whole wherever it is served: from a wheel, below another path, behind a proxy, in a tab nobody sees."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.browser import Visit
from support.harness import Agent, Subject, eventually
from support.lively import Lively
from support.node import REPOSITORY, STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Request


@pytest.mark.long
def test_an_installed_wheel_serves_it_without_node(tmp_path: Path) -> None:
    """Built by pip and unpacked, with nothing of the checkout in its way."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(tmp_path),
        str(REPOSITORY),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("proconsul/ui/")]
    assert {Path(name).name for name in names if "/static/" in name} == {path.name for path in STATIC.iterdir()}
    assert not [name for name in names if "/page/" in name]
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PATH": "/nonexistent"}
    agent = Agent(Subject.OURS, tmp_path / "agent", environment=environment)
    with agent:
        agent.wait_ready()
        for path in STATIC.iterdir():
            reply = agent.call("GET", "/ui/" if path.name == "index.html" else f"/ui/{path.name}")
            assert reply.status == 200, path.name
            if path.name != "index.html":
                assert reply.body == path.read_bytes()


class Proxy(ThreadingHTTPServer):
    """Takes ``/outer/inner`` away from what it hands on to the agent, as people put proxies before things."""

    daemon_threads = True
    prefix = "/outer/inner"

    def __init__(self, agent: Agent) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _pass_on(self) -> None:
                if not self.path.startswith(proxy.prefix + "/"):
                    self.send_error(404)
                    return
                target = self.path.removeprefix(proxy.prefix)
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection(agent.host, agent.ports["http"], timeout=60)
                try:
                    connection.request(
                        self.command, target, data or None, {"X-Consul-Token": self.headers.get("X-Consul-Token", "")}
                    )
                    answer = connection.getresponse()
                    body = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = _pass_on

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """A browser goes away in the middle of a query as often as it likes."""


@pytest.fixture
def proxy(agent: Agent) -> Iterator[Proxy]:
    with Proxy(agent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_behind_a_proxy_that_takes_a_prefix_away(visit: Callable[..., Visit], agent: Agent, proxy: Proxy) -> None:
    """Every file and every request goes through the proxy, and what changes is seen through it."""
    lively = Lively(agent)
    lively.register("proxied")
    one = visit()
    one.root = f"http://127.0.0.1:{proxy.server_address[1]}{proxy.prefix}/ui/"
    one.open("#/dc1/services")
    one.row("proxied").wait_for()
    assert all(sent.path.startswith(f"{proxy.prefix}/") for sent in one.sent)
    lively.register("proxied-too")
    one.row("proxied-too").wait_for()
    one.go("#/dc1/nodes/n1")
    one.go("#/dc1/kv")


def test_below_another_path(visit: Callable[..., Visit], start_agent: Callable[..., Agent]) -> None:
    """`content_path`: everything loads from below it, and the API stays where it is. Only ours tells the page."""
    agent = start_agent("-hcl", 'ui_config { enabled = true content_path = "/tools/consul/" }')
    Lively(agent).register("below")
    one = visit(agent, "/tools/consul/")
    one.open("#/dc1/services")
    one.row("below").wait_for()
    files = [sent for sent in one.sent if not sent.path.startswith("/v1/")]
    assert files and all(sent.path.startswith("/tools/consul/") for sent in files)
    assert agent.call("GET", "/ui/").status == 404


HIDE = """(hidden) => {
    const state = hidden ? "hidden" : "visible";
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_nobody_sees_asks_nothing(visit: Callable[..., Visit], agent: Agent) -> None:
    """After a minute no request is under way; when it is seen again, it is true again."""
    lively = Lively(agent)
    one = visit()
    under_way: set[Request] = set()
    one.page.on("request", lambda request: under_way.add(request))
    one.page.on("requestfinished", lambda request: under_way.discard(request))
    one.page.on("requestfailed", lambda request: under_way.discard(request))
    one.page.clock.install()
    one.open("#/dc1/services")
    one.page.evaluate(HIDE, True)
    one.page.clock.fast_forward(59_000)
    assert one.page.locator("[data-pulse=paused]").count() == 0
    one.page.clock.fast_forward(2_000)
    one.page.locator("[data-pulse=paused]").wait_for()
    eventually(lambda: one.page.evaluate("1") and not under_way, "no request is under way")
    before = len(one.sent)
    lively.register("unseen")
    one.page.clock.fast_forward(600_000)
    assert len(one.sent) == before
    one.page.evaluate(HIDE, False)
    one.row("unseen").wait_for()
    one.page.locator("[data-pulse=live]").wait_for()
