"""One browser for the tests of a file, a fresh reader for each test, and agents of both kinds that serve the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from support.browser import Visit, chromium, root_of
from support.harness import Agent, Subject
from support.lively import ACLS, ROOT_TOKEN, Lively
from support.node import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SUBJECTS = [pytest.param(Subject.OURS, id="ours"), pytest.param(Subject.REFERENCE, id="reference")]


# What does not depend on whose agent it is, and takes long: with Consul's it is tried by `make stories`.
ONCE = (
    "test_ui_access.py", "test_ui_accessible.py", "test_ui_injection.py", "test_ui_keys.py", "test_ui_read_only.py",
    "test_ui_scale.py",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in ONCE and "[reference" in item.name:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module", params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Whose agent serves the page: with this, a test is tried with ours and with Consul."""
    found: Subject = request.param
    if found is Subject.REFERENCE:
        request.getfixturevalue("reference_binary")
    return found


def page_arguments(subject: Subject) -> list[str]:
    """With which an agent serves our page: ours does in any case when it is a development agent."""
    return [] if subject is Subject.OURS else ["-ui-dir", str(STATIC)]


@pytest.fixture(scope="module")
def agent(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A development agent that serves the page, for the tests of a file."""
    one = Agent(subject, tmp_path_factory.mktemp(subject.value), page_arguments(subject))
    one.start()
    try:
        one.wait_ready()
        yield one
    finally:
        one.kill()
    one.require_quiet()


@pytest.fixture(scope="module")
def guarded(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lively]:
    """As `agent`, with access control, something on every screen, and what makes tokens there."""
    one = Agent(subject, tmp_path_factory.mktemp(subject.value), [*page_arguments(subject), "-hcl", ACLS])
    one.start()
    try:
        lively = Lively(one, ROOT_TOKEN)
        lively.wait_ready()
        lively.everything()
        yield lively
    finally:
        one.kill()
    one.require_quiet()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Begin visits, as readers of their own, to an agent (or else to the file's); they must see no fault."""
    begun: list[Visit] = []

    def begin(to: Agent | None = None, path: str = "/ui/", **settings: object) -> Visit:
        begun.append(Visit(browser, root_of(to or request.getfixturevalue("agent"), path), **settings))
        return begun[-1]

    yield begin
    try:
        for one in begun:
            one.require_clean()
    finally:
        for one in begun:
            one.close()
