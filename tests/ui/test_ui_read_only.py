"""Read-only holds: whatever is pressed on whatever screen, nothing is sent that could change anything."""

from __future__ import annotations

from collections.abc import Callable

from support.browser import Sent, Visit
from support.harness import Agent, eventually
from support.lively import ROOT_TOKEN, Lively

PLACES = (
    "overview", "services", "services/web", "services/web?tab=checks", "instance/web/n1/web-0", "nodes", "nodes/n1",
    "nodes/mailer", "kv", "kv/app/", "key/app/config", "key/locks/leader", "sessions", "queries", "intentions",
    "tokens", "policies", "roles", "methods", "operations", "log", "login",
)  # fmt: skip
# Everything that can be pressed, in the view and in the window over it, that has not been yet; its name is the result.
PRESS = """(done) => {
    const inside = document.querySelector("dialog[open]") ?? document.querySelector("main");
    for (const one of inside.querySelectorAll("button:not([disabled]), summary, input[type=checkbox], [role=tab]")) {
        const name = `${one.tagName} ${one.textContent} ${one.getAttribute("aria-label") ?? ""} ${one.title}`;
        if (done.includes(name)) continue;
        one.click();
        return name;
    }
    return null;
}"""
READS = ("/v1/internal/acl/authorize", "/v1/acl/login", "/v1/acl/logout")


def changes(sent: list[Sent]) -> list[tuple[str, str]]:
    return [
        (one.method, one.path) for one in sent
        if one.method not in ("GET", "HEAD") and not one.path.partition("?")[0].endswith(READS)
    ]  # fmt: skip


def press_everything(one: Visit) -> int:
    """Every button of the view, and of what opens; returns how many there were."""
    done: list[str] = []
    place = one.page.url
    while len(done) < 80:
        pressed = one.page.evaluate(PRESS, done)
        if pressed is None:
            if not one.page.locator("dialog[open]").count():
                break
            one.page.keyboard.press("Escape")
            eventually(lambda: not one.page.locator("dialog[open]").count(), "the window closes")
            continue
        done.append(pressed)
        one.page.wait_for_load_state()
        if one.page.url.partition("?")[0] != place.partition("?")[0]:
            one.page.goto(place)
            one.ready()
    return len(done)


def test_in_a_read_only_page_nothing_sends_a_change(visit: Callable[..., Visit], guarded: Lively) -> None:
    one = visit(guarded.agent)
    one.open("#/dc1/overview")
    one.page.evaluate("(secret) => sessionStorage.setItem('proconsul.token', secret)", ROOT_TOKEN)
    one.page.reload()
    switch = one.page.locator("[data-read-only]")
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true"
    before = guarded.done("GET", "/v1/kv/?recurse"), guarded.done("GET", "/v1/acl/tokens")
    pressed = 0
    for place in PLACES:
        one.go(f"#/dc1/{place}")
        pressed += press_everything(one)
        assert one.page.locator("[data-change]:visible").count() == 0, place
        assert changes(one.sent) == [], place
    assert pressed > 50
    assert before == (guarded.done("GET", "/v1/kv/?recurse"), guarded.done("GET", "/v1/acl/tokens"))
    # It outlives the tab, so that nobody forgets to set it; and off again, changes are offered.
    other = one.another()
    other.goto(one.root)
    other.locator("[data-read-only][aria-pressed=true]").wait_for()
    one.go("#/dc1/kv/app/")
    switch.click()
    one.page.get_by_role("button", name="New key").wait_for()


def test_an_agent_that_is_read_only_offers_nothing_and_takes_nothing(
    visit: Callable[..., Visit], start_agent: Callable[..., Agent]
) -> None:
    """`ui_config.read_only` is ours. The page cannot be talked out of it, and the agent refuses what a page sends."""
    agent = start_agent("-hcl", "ui_config { enabled = true read_only = true }")
    agent.call("PUT", "/v1/kv/app/config", b"1")
    one = visit(agent)
    one.open("#/dc1/kv/app/")
    switch = one.page.locator("[data-read-only]")
    assert switch.is_disabled() and "read-only" in switch.inner_text()
    assert one.page.locator("[data-change]").count() == 0
    one.page.keyboard.press("w")
    assert "read-only" in switch.inner_text()
