"""The site is built without a warning, and can be read: in both themes, on a phone. Part of `make stories`."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support.browser import PATIENCE_MS, chromium
from support.pages import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_spec("mkdocs") is None, reason="make docs installs what it needs"),
]
PAGES = (
    "index.html", "tutorial.html", "explanations/pieces.html", "explanations/consistency.html", "protocols/http.html",
    "reference/client.html", "reference/configuration.html", "reference/http.html", "project/compatibility.html",
)  # fmt: skip
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does. A warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder], cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    assert "WARNING" not in built.stderr, built.stderr
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_has_every_page(site: Path) -> None:
    for page in PAGES:
        assert (site / page).is_file(), page


def test_it_can_be_read(site: Path, tmp_path: Path) -> None:
    with served(site) as root, chromium() as browser:
        for scheme in ("light", "dark"):
            for size, viewport in SIZES.items():
                context = browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
                page = context.new_page()
                hosts: set[str] = set()
                errors: list[str] = []
                listen(page, hosts, errors)
                for name in PAGES:
                    page.goto(f"{root}/{name}")
                    assert page.locator("article h1").first.is_visible(), name
                    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], f"{name} {size}"
                    page.screenshot(path=tmp_path / f"{size}-{scheme}-{name.replace('/', '-')}.png")
                background, text = page.evaluate(
                    "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
                )
                assert _light(background) == (scheme == "light") != _light(text), (scheme, background, text)
                assert hosts == {urlsplit(root).netloc} and errors == []
                context.close()


def test_its_search_finds(site: Path) -> None:
    with served(site) as root, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{root}/index.html")
        page.fill("input.md-search__input", "fencing")
        found = page.locator(".md-search-result__item")
        found.first.wait_for(timeout=PATIENCE_MS, state="attached")
        page.wait_for_function("document.querySelectorAll('.md-search-result__item').length > 1", timeout=PATIENCE_MS)
        assert any("fencing" in text.lower() for text in found.all_text_contents())


def listen(page: Page, hosts: set[str], errors: list[str]) -> None:
    """Note whom the page asks, and what goes wrong in it."""
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: errors.append(str(error)))


def _light(colour: str) -> bool:
    """Whether ``rgb(...)`` or ``rgba(...)`` is nearer to white than to black."""
    red, green, blue = (float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])
    return red + green + blue > 3 * 128
