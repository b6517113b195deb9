"""Lists of services: there at once, true without a reload, honest when they are not, their state in the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from support.browser import Visit, root_of
from support.harness import Agent, Subject, eventually
from support.lively import Lively
from support.node import STATIC

THOUSAND = 1_000
# More may be in the document, as the page has measured its window or not yet.
IN_SIGHT = 10


@pytest.fixture(scope="module")
def agent(agent: Agent) -> Iterator[Agent]:
    """With a thousand services in the catalog."""
    Lively(agent).many(THOUSAND)
    yield agent


def test_a_thousand_services_are_shown_and_nobody_else_is_asked(
    visit: Callable[..., Visit], agent: Agent, subject: Subject
) -> None:
    """No request to another host, no error in the console; the policy that would forbid both is in every answer."""
    one = visit()
    one.open("#/dc1/services")
    assert one.page.get_by_role("link", name="svc-00000").is_visible()
    assert re.search(r"1,00\d rows", one.text())
    assert len(one.rows()) < 100, "rows out of sight are in the document"
    assert {sent.host for sent in one.sent} == {agent.address}
    one.require_clean()
    for path in ("/ui/", "/ui/app.js", "/ui/app.css"):
        policy = agent.call("GET", path).header("Content-Security-Policy")
        if subject is Subject.OURS:
            assert "default-src 'self'" in policy or "default-src 'none'" in policy
            assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "")


def test_a_service_that_is_registered_appears_and_one_that_goes_disappears(
    visit: Callable[..., Visit], agent: Agent
) -> None:
    one = visit()
    one.open("#/dc1/services?filter=newcomer")
    assert one.rows() == []
    loads = sum(1 for sent in one.sent if sent.path.endswith("/ui/"))
    lively = Lively(agent)
    lively.register("newcomer", Check={"TTL": "1h", "Status": "passing"})
    one.row("newcomer").wait_for()
    assert one.row("newcomer").locator("[title=passing]").is_visible()
    lively.check("service:newcomer", "critical", "gone wrong")
    one.row("newcomer").locator("[title=critical]").wait_for()
    lively.done("PUT", "/v1/agent/service/deregister/newcomer")
    one.row("newcomer").wait_for(state="detached")
    assert sum(1 for sent in one.sent if sent.path.endswith("/ui/")) == loads == 1


def test_it_says_that_it_is_old_when_the_agent_is_gone_and_lives_again_with_it(
    visit: Callable[..., Visit], subject: Subject, start_agent: Callable[..., Agent]
) -> None:
    """Killed, the rows stay with "stale since"; back, with nothing of what it had, the page shows what it has now."""
    arguments = [] if subject is Subject.OURS else ["-ui-dir", str(STATIC)]
    mortal = start_agent(*arguments, subject=subject)
    Lively(mortal).register("before")
    one = visit(mortal)
    one.open("#/dc1/services")
    one.row("before").wait_for()
    pulse = one.page.locator("[data-pulse]")
    assert pulse.get_attribute("data-pulse") == "live"
    mortal.kill()
    one.page.locator("[data-pulse=stale]").wait_for()
    assert "stale since" in pulse.inner_text()
    assert one.row("before").is_visible(), "what was known is gone"
    mortal.restart()
    Lively(mortal).register("after")
    one.row("after").wait_for()
    one.page.locator("[data-pulse=live]").wait_for()
    one.row("before").wait_for(state="detached")
    assert sum(1 for sent in one.sent if sent.path.endswith("/ui/")) == 1


@pytest.mark.usefixtures("agent")
def test_everything_about_a_list_is_in_its_address(visit: Callable[..., Visit]) -> None:
    """Typed filter and chosen order; another reader who is sent the address sees the same rows, and back goes back."""
    one = visit()
    one.open("#/dc1/services")
    one.page.locator("[data-filter]").fill("svc-001 -svc-0010")
    one.page.get_by_role("columnheader", name="Service").get_by_role("button").click()
    eventually(lambda: "sort=" in one.page.url and "filter=" in one.page.url, "the address holds both")
    rows = one.rows()
    assert rows[0] == "svc-00199" and "svc-00100" not in rows and len(rows) > IN_SIGHT
    other = visit()
    other.open("#" + one.page.url.partition("#")[2])
    assert other.rows()[:IN_SIGHT] == rows[:IN_SIGHT]
    assert other.page.locator("[data-filter]").input_value() == "svc-001 -svc-0010"
    one.page.get_by_role("link", name="svc-00199").click()
    one.ready("service")
    one.page.go_back()
    one.ready("services")
    assert one.rows()[:IN_SIGHT] == rows[:IN_SIGHT]
    one.page.reload()
    one.ready("services")
    assert one.rows()[:IN_SIGHT] == rows[:IN_SIGHT]


def test_old_bookmarks_of_consuls_page_lead_here(
    visit: Callable[..., Visit], start_agent: Callable[..., Agent]
) -> None:
    """`/ui/dc1/services/web` is answered with the page, which goes to its own place. Only ours says where from."""
    agent = start_agent()
    one = visit(agent)
    one.page.goto(f"{root_of(agent)}dc1/services/consul")
    one.ready("service")
    assert one.page.url == f"{root_of(agent)}#/dc1/services/consul"
    one.page.goto(f"{root_of(agent)}dc1/nodes")
    one.ready("nodes")
