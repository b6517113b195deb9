"""Names and values that others write are data on every screen: shown as they are, never markup, never executed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from support.browser import CANARY, Visit
from support.harness import Agent, eventually
from support.lively import ROOT_TOKEN, Lively

# What executes where a page makes markup of a text, an attribute, an address, a style or a script of it.
MARKUP = f"<img src=x onerror={CANARY}(1)>"
ATTRIBUTE = f"\"'><svg onload={CANARY}(2)>"
ADDRESS = f"javascript:{CANARY}(3)"
SCRIPT = f"</script><script>{CANARY}(4)</script>"
TEMPLATE = "${" + f"{CANARY}(5)" + "}{{" + f"{CANARY}(5)" + "}}"
FRAME = f'<iframe srcdoc="<script>parent.{CANARY}(6)</script>"></iframe>'
ALL = (ATTRIBUTE + MARKUP + SCRIPT + TEMPLATE + FRAME, ADDRESS)


@pytest.fixture(scope="module")
def agent(guarded: Lively) -> Agent:
    """With markup in everything that anybody may write."""
    for number, text in enumerate(ALL):
        guarded.external(
            f"node {text}", f"service {text}", NodeMeta={text: text},
            TaggedAddresses={"lan": "198.51.100.7", text: text},
            Checks=[{"CheckID": f"check {text}", "Name": text, "Status": "critical", "Notes": text, "Output": text,
                     "ServiceID": text}],
            Service={"ID": text, "Service": f"service {text}", "Tags": [text], "Meta": {"key": text}, "Address": text,
                     "Port": 80, "Kind": "", "TaggedAddresses": {text: {"Address": text, "Port": 1}}},
        )  # fmt: skip
        guarded.register(
            f"mine {text}", ID=f"mine {number}", Tags=[text], Meta={"key": text}, Address=text,
            Check={"TTL": "1h", "Name": text, "Notes": text, "Status": "warning", "CheckID": f"mine {text}"},
        )  # fmt: skip
        guarded.check(quote(f"mine {text}", safe=""), "critical", text)
        guarded.done("PUT", "/v1/txn", [{"KV": {"Verb": "set", "Key": f"evil/{text}", "Value": "eA=="}}])
        guarded.put(f"evil/value/{number}", text.encode())
        guarded.put(f"evil/json/{number}", json.dumps({text: [text]}).encode())
        session = guarded.done("PUT", "/v1/session/create", {"Name": text, "TTL": "1h"})["ID"]
        guarded.done("PUT", f"/v1/kv/evil/lock/{number}?acquire={session}", text.encode())
        guarded.done("POST", "/v1/query", {"Name": f"query {text}", "Service": {"Service": text, "Tags": [text]}})
        guarded.done("PUT", f"/v1/event/fire/{quote(text[:90], safe='')}", text[:90].encode())
        policy = {
            "Name": f"evil-{number}",
            "Description": text,
            "Rules": f'key {json.dumps(text)} {{ policy = "read" }}',
        }
        guarded.done("PUT", "/v1/acl/policy", policy)
        guarded.done("PUT", "/v1/acl/role", {"Name": f"evil-{number}", "Description": text})
        guarded.done("PUT", "/v1/acl/token", {"Description": text, "Policies": [{"Name": f"evil-{number}"}]})
    return guarded.agent


def places(guarded: Lively) -> Iterator[tuple[str, list[str]]]:
    """Every screen, and what must be read on it, letter by letter."""

    def part(text: str) -> str:
        return quote(text, safe="")

    yield "overview", []
    yield "services", [f"service {text}" for text in ALL]
    yield "nodes", [f"node {text}" for text in ALL]
    yield "kv/evil/", []
    yield "sessions", list(ALL)
    yield "queries", [f"query {text}" for text in ALL]
    yield "tokens", list(ALL)
    yield "policies", list(ALL)
    yield "roles", list(ALL)
    yield "intentions", []
    yield "methods", []
    yield "operations", []
    yield "log", []
    for number, text in enumerate(ALL):
        yield f"services/{part(f'service {text}')}", [text]
        yield f"instance/{part(f'service {text}')}/{part(f'node {text}')}/{part(text)}", [text]
        yield f"instance/{part(f'mine {text}')}/n1/{part(f'mine {number}')}", [text]
        yield f"nodes/{part(f'node {text}')}", [text]
        yield f"key/evil/value/{number}", [text]
        yield f"key/evil/json/{number}", [json.dumps(text)]
        yield f"key/{'/'.join(map(part, f'evil/{text}'.split('/')))}", []
        yield f"services?filter={part(text)}", []
        yield f"{part(text)}/x", []
    for kind, rows in (
        ("queries", "query"),
        ("tokens", "acl/tokens"),
        ("policies", "acl/policies"),
        ("roles", "acl/roles"),
    ):
        for row in guarded.done("GET", f"/v1/{rows}"):
            if f"{CANARY}(" in json.dumps(row):
                yield f"{kind}/{row.get('AccessorID') or row.get('ID')}", []


def test_nothing_that_others_wrote_is_executed(visit: Callable[..., Visit], agent: Agent, guarded: Lively) -> None:
    one = visit(agent, viewport={"width": 1600, "height": 4000})
    one.open("#/dc1/overview")
    one.page.evaluate("(secret) => sessionStorage.setItem('proconsul.token', secret)", ROOT_TOKEN)
    one.page.reload()
    for place, wanted in places(guarded):
        one.go(f"#/dc1/{place}", ready=False)
        one.page.locator('main[data-ready="true"]').wait_for(state="attached")
        for text in wanted:
            eventually(lambda text=text: text in one.page.inner_text("main"), f"{text} is shown on {place}")  # type: ignore[misc]
        hrefs = one.page.evaluate(
            "() => [...document.querySelectorAll('[href], [src]')].map((one) => one.href || one.src)"
        )
        assert not [href for href in hrefs if str(href).lower().startswith("javascript:")], place
        assert one.page.locator("main img, main iframe, main script, main svg[onload]").count() == 0, place
        one.require_clean()
    # Also where they are only offered: in the search over everything, in windows, as the name of a datacenter.
    one.page.keyboard.press("Control+k")
    box = one.page.get_by_role("dialog").locator("input")
    for text in ALL:
        box.fill(text)
    one.page.keyboard.press("Escape")
    one.go(f"#/{quote(MARKUP, safe='')}/services", ready=False)
    one.page.locator("main").wait_for()
    one.require_clean()
