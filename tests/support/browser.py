"""A headless browser on the page, and everything the page does there: requests, errors, what it was made to execute."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from support.harness import Agent, eventually
from support.node import without_browser
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

# No screen, no sandbox (tests may run as root in a container), and nothing asked of anybody but the agent.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--no-proxy-server", "--force-color-profile=srgb",
)  # fmt: skip
# A browser tells of every answer that is an error in its console: that is no error of the page.
_ANSWER = re.compile(r"^Failed to load resource: (the server responded with a status of|net::ERR_)")
# What injected markup calls when it is executed.
CANARY = "wasExecuted"
PATIENCE_MS = PATIENCE_S * 1000


def require_chromium() -> str:
    """The browser: $CHROMIUM, or what is called so. Without it the test is skipped, or fails with $REQUIRE_BROWSER."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        without_browser("NO BROWSER: install chromium, or name one in CHROMIUM")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for some tests. No event loop may run in this thread meanwhile, nor be begun."""
    path = require_chromium()
    from playwright.sync_api import sync_playwright  # takes as long as all the rest of a test file

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS), timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Sent:
    """One request of the page."""

    method: str
    url: str
    headers: dict[str, str] = field(compare=False, hash=False)
    body: str | None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """Without the host: path and what follows a question mark."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Visit:
    """A page in a context of its own (storage, cookies, cache), and what happened in it.

    ``root``: where the page is, as ``http://127.0.0.1:8500/ui/``. ``settings``: of the context, as Playwright has them:
    ``viewport``, ``color_scheme``, ``reduced_motion``.
    """

    def __init__(self, browser: Browser, root: str, **settings: Any) -> None:
        self.root = root
        self.sent: list[Sent] = []
        self.errors: list[str] = []
        self.violations: list[str] = []
        self.executed: list[str] = []
        self.dialogs: list[str] = []
        self.context: BrowserContext = browser.new_context(**settings)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.expose_binding(CANARY, lambda _, *said: self.executed.append(str(said)))
        self.context.expose_binding("wasViolated", lambda _, what: self.violations.append(what))
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " (e) => wasViolated([e.violatedDirective, e.blockedURI, e.sample, e.sourceFile, e.lineNumber].join(' ')));"
        )
        self.page = self.another()

    def another(self) -> Page:
        """One more tab of the same reader."""
        page = self.context.new_page()
        page.on("request", self._saw_request)
        page.on("console", self._saw_console)
        page.on("pageerror", lambda error: self.errors.append(f"{error.name}: {error.message}\n{error.stack}"))
        page.on("dialog", self._saw_dialog)
        return page

    def _saw_request(self, request: Request) -> None:
        data = request.post_data_buffer
        body = None if data is None else data.decode("utf-8", "replace")
        self.sent.append(Sent(request.method, request.url, request.headers, body))

    def _saw_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _ANSWER.match(message.text):
            self.errors.append(f"{message.type}: {message.text} {message.location}")

    def _saw_dialog(self, dialog: Any) -> None:
        self.dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    @property
    def host(self) -> str:
        return urlsplit(self.root).netloc

    @property
    def api(self) -> list[Sent]:
        """The requests to the API, without those for the page's files."""
        return [one for one in self.sent if "/v1/" in one.url]

    @property
    def writes(self) -> list[Sent]:
        """What was sent that may change something. Asking what a token may do changes nothing."""
        asks = "/v1/internal/acl/authorize"
        return [
            one for one in self.api
            if one.method not in ("GET", "HEAD") and not one.path.partition("?")[0].endswith(asks)
        ]  # fmt: skip

    def open(self, place: str = "", *, ready: bool = True) -> Page:
        """Load the page at a place like ``#/dc1/services``."""
        if self.page.url.startswith(self.root):
            self.page.goto("about:blank")  # or another fragment would load nothing
        self.page.goto(self.root + place)
        if ready:
            self.ready(_view(place))
        return self.page

    def go(self, place: str, *, ready: bool = True) -> None:
        """To another place without loading again, as a click on a link does."""
        self.page.evaluate("(place) => { location.hash = place; }", place)
        if ready:
            self.ready(_view(place))

    def ready(self, view: str = "") -> Locator:
        """The view, once its first data is there."""
        named = f'[data-view="{view}"]' if view else ""
        found = self.page.locator(f'main{named}[data-ready="true"]')
        found.wait_for(state="attached")
        return found

    def rows(self) -> list[str]:
        """The ids of the rows in sight, from the top."""
        found: list[tuple[float, str]] = self.page.evaluate(
            "() => [...document.querySelectorAll('main [data-row]')]"
            ".map((row) => [row.getBoundingClientRect().top, row.dataset.row])"
        )
        return [name for _, name in sorted(found, key=lambda one: one[0])]

    def row(self, name: str) -> Locator:
        return self.page.locator(f"main [data-row={_quoted(name)}]").first

    def until(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript function of ``argument`` says yes. Playwright's own way is `eval`: we forbid it."""
        eventually(lambda: self.page.evaluate(condition, argument), f"{condition} with {argument!r}; {self.errors}")

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def require_clean(self) -> None:
        """Nothing went wrong, nothing was executed, nobody else was asked."""
        assert not self.errors, self.errors
        assert not self.violations, self.violations
        assert not self.executed, self.executed
        others = {one.url for one in self.sent if one.host != self.host and not one.url.startswith(("data:", "blob:"))}
        assert not others, others

    def close(self) -> None:
        self.context.close()


# What a view is called that shows one of the things of a list.
_SINGULAR = {
    "services": "service", "nodes": "node", "tokens": "token", "policies": "policy", "roles": "role",
    "methods": "method", "queries": "query", "intentions": "intention",
}  # fmt: skip


def _view(place: str) -> str:
    """What the view at a place like ``#/dc1/services/web`` calls itself."""
    parts = place.lstrip("#/").partition("?")[0].split("/")
    view = parts[1] if len(parts) > 1 else ""
    return _SINGULAR.get(view, view) if any(parts[2:]) else view


def _quoted(text: str) -> str:
    """As a string of a selector."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ") + '"'


def root_of(agent: Agent, path: str = "/ui/") -> str:
    """Where an agent serves the page."""
    return f"http://{agent.address}{path}"


def watch_for(read: Callable[[], Sequence[Sent]]) -> Callable[[], list[Sent]]:
    """A function that says what has been sent since."""
    before = len(read())
    return lambda: list(read()[before:])
