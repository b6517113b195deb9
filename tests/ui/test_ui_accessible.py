"""Everybody can use it: with the keyboard alone, on a narrow screen, in both themes, without motion."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.browser import Visit
from support.harness import eventually
from support.lively import ROOT_TOKEN, Lively

PLACES = (
    "overview", "services", "services/web", "instance/web/n1/web-0", "nodes", "nodes/n1", "kv/app/", "key/app/config",
    "sessions", "queries", "intentions", "tokens", "policies", "roles", "methods", "operations", "log", "login",
)  # fmt: skip


@pytest.fixture
def reader(visit: Callable[..., Visit], guarded: Lively) -> Callable[..., Visit]:
    """A visit that may see everything."""

    def begin(**settings: Any) -> Visit:
        one = visit(guarded.agent, **settings)
        one.open("#/dc1/overview")
        one.page.evaluate("(secret) => sessionStorage.setItem('proconsul.token', secret)", ROOT_TOKEN)
        one.page.reload()
        one.ready("overview")
        return one

    return begin


# One of each make; `make stories` looks at all.
DIFFERENT = ("overview", "services", "services/web", "nodes/n1", "key/app/config", "tokens", "operations")


@pytest.mark.parametrize("places", [DIFFERENT, pytest.param(PLACES, marks=pytest.mark.long)], ids=["some", "all"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(reader: Callable[..., Visit], theme: str, places: tuple[str, ...]) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    one = reader(color_scheme=theme, reduced_motion="reduce")
    one.page.evaluate(AXE_SCRIPT)
    found = []
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if theme == "dark":
        # Nothing else differs.
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    for place in places:
        one.go(f"#/dc1/{place}")
        results = one.page.evaluate("(options) => axe.run(document, options)", options)
        found += [
            (place, violation["id"], violation["help"], [node["html"][:200] for node in violation["nodes"]][:3])
            for violation in results["violations"] if violation["impact"] in ("serious", "critical")
        ]  # fmt: skip
    assert not found, json.dumps(found, indent=1)[:6000]


def test_a_screen_of_320_pixels_needs_no_scrolling_sideways(reader: Callable[..., Visit]) -> None:
    one = reader(viewport={"width": 320, "height": 700})
    for place in PLACES:
        one.go(f"#/dc1/{place}")
        wide = one.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 320, (place, wide)


def test_without_motion_nothing_moves(reader: Callable[..., Visit]) -> None:
    """No animation and no transition that somebody who asked for none could see."""
    one = reader(reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        const ms = (word) => parseFloat(word) * (word.includes("ms") ? 1 : 1000);
        const longest = (text) => Math.max(...text.split(",").map(ms));
        const animated = style.animationName !== "none" && longest(style.animationDuration) > 10;
        return animated || longest(style.transitionDuration) > 10;
    }).map((one) => one.outerHTML.slice(0, 100))"""
    for place in ("overview", "services", "services/web", "kv/app/", "key/app/config"):
        one.go(f"#/dc1/{place}")
        assert one.page.evaluate(moving) == [], place


def focused(one: Visit) -> str:
    text: str = one.page.evaluate("() => document.activeElement?.textContent ?? ''")
    return text.strip()


def test_the_keyboard_alone_is_enough(reader: Callable[..., Visit], guarded: Lively) -> None:
    """From screen to screen, through a list, into a key, through an edit to its end; never a mouse."""
    guarded.put("app/by-keyboard", b"before")
    one = reader()
    keys = one.page.keyboard
    keys.press("g")
    keys.press("s")
    one.ready("services")
    one.row("web").wait_for()
    keys.press("/")
    keys.type("web")
    eventually(lambda: one.rows() == ["web"], "the filter is typed")
    one.page.locator("[data-list]").focus()
    keys.press("j")
    eventually(lambda: focused(one) == "web", "the row has the focus")
    keys.press("Enter")
    one.ready("service")
    keys.press("u")
    one.ready("services")
    keys.press("Control+k")
    one.page.get_by_role("dialog").wait_for()
    keys.type("app/by-k")
    one.page.get_by_role("dialog").get_by_text("app/by-keyboard").first.wait_for()
    keys.press("Enter")
    one.ready("key")
    for _ in range(80):
        if focused(one) == "Edit":
            break
        keys.press("Tab")
    assert focused(one) == "Edit"
    keys.press("Enter")
    one.page.locator("[data-editor]").wait_for()
    eventually(
        lambda: one.page.evaluate("() => document.activeElement.matches('[data-editor]')"), "the editor has the focus"
    )
    keys.press("Control+a")
    keys.type("after")
    for name in ("Review", "Save"):
        for _ in range(40):
            if focused(one) == name:
                break
            keys.press("Tab")
        assert focused(one) == name
        keys.press("Enter")
    eventually(lambda: guarded.value("app/by-keyboard")[0] == b"after", "it is saved")
    keys.press("?")
    one.page.get_by_role("dialog").wait_for()
    keys.press("Escape")
    one.page.get_by_role("dialog").wait_for(state="detached")


def test_everything_that_can_be_pressed_has_a_name_and_can_be_reached(reader: Callable[..., Visit]) -> None:
    """Links, buttons and fields, each with a name for who hears the page."""
    one = reader()
    nameless = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter((one) => {
        if (!one.checkVisibility() || one.type === "hidden") return false;
        const name = one.getAttribute("aria-label") || one.textContent.trim() || one.title
            || one.labels?.[0]?.textContent.trim() || one.placeholder;
        return !name || (one.tabIndex < 0 && !one.closest("[inert]"));
    }).map((one) => one.outerHTML.slice(0, 150))"""
    for place in PLACES:
        one.go(f"#/dc1/{place}")
        assert one.page.evaluate(nameless) == [], place


def test_the_chosen_theme_holds(reader: Callable[..., Visit], guarded: Lively) -> None:
    """Automatic follows the system; a choice outlives the page."""
    one = reader(color_scheme="dark")
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = one.page.evaluate(background)
    one.page.locator("[data-theme-picker]").select_option("light")
    eventually(lambda: one.page.evaluate(background) != dark, "it is light")
    light = one.page.evaluate(background)
    one.page.reload()
    one.ready()
    assert one.page.evaluate(background) == light
    one.page.locator("[data-theme-picker]").select_option("auto")
    eventually(lambda: one.page.evaluate(background) == dark, "it is the system's again")
