"""How quick the web page is in a headless Chromium: ours on our agent and on the original's, and the original's own.

    python -m benchmarks.page [--services 1000] [--many 10000] [--rounds 5] [--markdown FILE]

First row: from the beginning of the load until a service's name is in the document and drawn. Visible: from the
request that registers a service until its name is drawn, without a reload. Scrolling: frames a second while the list
of many services goes from end to end in three seconds (a browser draws 60 at most). Key stroke: from a letter in the
filter of that list until the rows it leaves are drawn. Each is the median of its rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.browser import chromium, root_of
from support.harness import Agent, Subject, eventually
from support.lively import Lively
from support.node import STATIC
from support.reference import reference_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCROLL_S = 3.0
TARGETS = {"first": (300.0, "ms"), "visible": (200.0, "ms"), "scroll": (30.0, "frames/s"), "key": (50.0, "ms")}
TITLES = {"first": "first row, {services:,} services", "visible": "a new service is visible",
          "scroll": "scrolling {many:,} services", "key": "key stroke in the filter of {many:,}"}  # fmt: skip

# Notes when a text is in the document first, and drawn: by the clock of the load, and by that of the machine.
WATCH = """(wanted) => {
    globalThis.drawn = null;
    const look = () => {
        if (!document.body?.innerText.includes(wanted)) return requestAnimationFrame(look);
        requestAnimationFrame(() => { globalThis.drawn = [performance.now(), Date.now()]; });
    };
    look();
}"""
SCROLL = """async (seconds) => {
    const list = document.querySelector("[data-list]");
    const room = list.scrollHeight - list.clientHeight;
    const began = performance.now();
    let frames = 0;
    for (let at = 0; at < 1; frames += 1) {
        at = (performance.now() - began) / (seconds * 1000);
        list.scrollTop = room * Math.min(at, 1);
        await new Promise(requestAnimationFrame);
    }
    return frames / ((performance.now() - began) / 1000);
}"""
KEY = """async (text) => {
    const input = document.querySelector("[data-filter]");
    const shown = () => document.querySelector("main").innerText;
    const before = shown();
    const began = performance.now();
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    while (shown() === before && performance.now() - began < 10000) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
}"""


class Kind(NamedTuple):
    """One column of the table."""

    title: str
    subject: Subject
    arguments: list[str]
    place: str
    # Whether it is our page, whose list and filter are known here.
    ours: bool


KINDS = (
    Kind("proconsul", Subject.OURS, [], "#/dc1/services", True),
    Kind("our page, original's agent", Subject.REFERENCE, ["-ui-dir", str(STATIC)], "#/dc1/services", True),
    Kind("original's page and agent", Subject.REFERENCE, ["-ui"], "dc1/services", False),
)


def drawn(page: Page) -> tuple[float, float]:
    found = eventually(lambda: page.evaluate("() => globalThis.drawn"), "it is drawn")
    return float(found[0]), float(found[1])


def first_row(browser: Browser, agent: Agent, kind: Kind) -> float:
    """Milliseconds of one load with an empty cache."""
    context = browser.new_context()
    context.add_init_script(f"({WATCH})('svc-00000');")
    page = context.new_page()
    page.goto(root_of(agent) + kind.place)
    took = drawn(page)[0]
    context.close()
    return took


def visible(page: Page, lively: Lively, number: int) -> float:
    """Milliseconds from the request on. The name is among the first, so that it is in sight."""
    name = f"a-new-{number}"
    page.evaluate(WATCH, name)
    began = time.time()
    lively.register(name)
    took = drawn(page)[1] - began * 1000
    lively.done("PUT", f"/v1/agent/service/deregister/{name}")
    return took


def measure(browser: Browser, kind: Kind, work: Path, services: int, many: int, rounds: int) -> dict[str, float]:
    found: dict[str, float] = {}

    def median(one: Callable[[int], float]) -> float:
        one(-1)  # caches fill
        return statistics.median(one(number) for number in range(rounds))

    with Agent(kind.subject, work, kind.arguments) as agent:
        agent.wait_ready()
        lively = Lively(agent)
        lively.many(services)
        found["first"] = median(lambda _: first_row(browser, agent, kind))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(root_of(agent) + kind.place)
        page.get_by_text("svc-00000").first.wait_for()
        found["visible"] = median(lambda number: visible(page, lively, number))
        if kind.ours:
            lively.many(many)
            page.goto("about:blank")
            page.goto(root_of(agent) + kind.place)
            page.locator("[data-row]").first.wait_for()
            found["scroll"] = median(lambda _: float(page.evaluate(SCROLL, SCROLL_S)))
            texts = ["svc-0", "svc-01", "svc-012", "svc-0123", "svc", "svc-09", "svc-099", "svc-0999"]
            found["key"] = median(lambda number: float(page.evaluate(KEY, texts[number % len(texts)])))
        page.close()
    return found


def cell(row: str, found: dict[str, float]) -> str:
    return f"{found[row]:,.0f} {TARGETS[row][1]}" if row in found else "-"


def met(row: str, value: float) -> bool:
    target, unit = TARGETS[row]
    return value >= target if unit == "frames/s" else value <= target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    if reference_path() is None:
        print("no reference: run scripts/fetch_reference.py", file=sys.stderr)
        return 1
    found = []
    with tempfile.TemporaryDirectory(prefix="proconsul-bench-page-") as work, chromium() as browser:
        for number, kind in enumerate(KINDS):
            folder = Path(work) / str(number)
            found.append(measure(browser, kind, folder, options.services, options.many, options.rounds))
    lines = [f"| row | {' | '.join(kind.title for kind in KINDS)} | target | met |", "|---" * (len(KINDS) + 3) + "|"]
    for row, (target, unit) in TARGETS.items():
        title = TITLES[row].format(services=options.services, many=options.many)
        sign = ">=" if unit == "frames/s" else "<="
        cells = " | ".join(cell(row, one) for one in found)
        lines.append(
            f"| {title} | {cells} | {sign} {target:g} {unit} | {'yes' if met(row, found[0][row]) else '**no**'} |"
        )
    text = "\n".join(lines)
    print(text)
    if options.markdown:
        Path(options.markdown).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
