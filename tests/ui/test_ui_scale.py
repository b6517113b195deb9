"""Ten thousand services: the list scrolls from end to end and is filtered; how quickly, `benchmarks.page` tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.browser import Visit
from support.harness import Agent, eventually
from support.lively import Lively

MANY = 10_000


@pytest.fixture(scope="module")
def agent(agent: Agent) -> Iterator[Agent]:
    Lively(agent).many(MANY)
    yield agent


@pytest.mark.usefixtures("agent")
def test_ten_thousand_services(visit: Callable[..., Visit]) -> None:
    """From the first to the last, with few rows in the document at any time; a filter finds one among all."""
    one = visit(viewport={"width": 1280, "height": 800})
    one.open("#/dc1/services")
    one.row("consul").wait_for()
    sizes = one.page.evaluate("""async () => {
        const list = document.querySelector("[data-list]");
        const sizes = [];
        for (let step = 0; step <= 50; step += 1) {
            list.scrollTop = (list.scrollHeight - list.clientHeight) * step / 50;
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            sizes.push(list.querySelectorAll("[data-row]").length);
        }
        return sizes;
    }""")
    assert min(sizes) > 0 and max(sizes) < 100, sizes
    eventually(lambda: one.rows()[-1:] == [f"svc-{MANY - 1:05d}"], "the last one is there")
    one.page.locator("[data-filter]").fill("svc-04711")
    eventually(lambda: one.rows() == ["svc-04711"], "one is found among all")
    one.page.locator("[data-filter]").fill("")
    eventually(lambda: len(one.rows()) > 10, "all are back")


def test_tabs_learn_of_a_change_and_idle_ones_only_wait(visit: Callable[..., Visit], agent: Agent) -> None:
    """However many show the same: until something changes, nothing is asked but what waits at the agent."""
    one = visit()
    one.open("#/dc1/kv")
    tabs = [one.another() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{one.root}#/dc1/kv")
        tab.locator("main[data-ready=true]").wait_for(state="attached")
    quiet = len([sent for sent in one.api if "index=" not in sent.path])
    Lively(agent).put("seen-by-all", b"1")
    for tab in (one.page, *tabs):
        tab.locator('main [data-row="seen-by-all"]').wait_for()
    asked = [sent for sent in one.api if "index=" not in sent.path][quiet:]
    assert not asked, [sent.path for sent in asked]
